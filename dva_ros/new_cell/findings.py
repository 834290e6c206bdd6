"""The topics of a running cell; their names are relative to the namespace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..leapfrog.controller_setpoint import ControllerSetpoint

JOINT_STATES = "joint_states"


@dataclass(frozen=True)
class Timing:
    """When messages came, s.

    Attributes:
        count: how many.
        rate_hz: by their stamps.
        greatest_gap_s: between the stamps of two in a row.
        latency_p50_s: from the stamp to the arrival here; negative for stamps ahead of the clock.
        latency_p99_s: the same.
        least_latency_s: the same, least.
    """

    count: int
    rate_hz: float
    greatest_gap_s: float
    latency_p50_s: float
    latency_p99_s: float
    least_latency_s: float

    @staticmethod
    def of(stamps: Sequence[float], arrivals: Sequence[float]) -> Timing | None:
        """From the stamp and the arrival of each message; None for fewer than three stamps."""
        gaps = np.diff(np.unique(stamps))
        if len(gaps) < 2:
            return None
        latency = np.asarray(arrivals) - np.asarray(stamps)
        return Timing(
            count=len(stamps),
            rate_hz=float(1 / np.mean(gaps)),
            greatest_gap_s=float(gaps.max()),
            latency_p50_s=float(np.percentile(latency, 50)),
            latency_p99_s=float(np.percentile(latency, 99)),
            least_latency_s=float(latency.min()),
        )

    def describe(self) -> str:
        """Rate and latency."""
        return (
            f"{self.rate_hz:.1f} Hz, latency p50 / p99 "
            f"{1e3 * self.latency_p50_s:.0f} / {1e3 * self.latency_p99_s:.0f} ms"
        )


@dataclass(frozen=True)
class ImageTopic:
    """A topic with images.

    Attributes:
        topic: its name.
        compressed: it carries sensor_msgs/CompressedImage.
        encoding: of the images, or the format of compressed ones; empty where none came.
        height: rows in pixels; 0 where none came.
        width: columns in pixels; 0 where none came.
        publishers: how many.
        timing: None where too few came.
        fault: why its images cannot be used; empty if they can.
    """

    topic: str
    compressed: bool
    encoding: str = ""
    height: int = 0
    width: int = 0
    publishers: int = 1
    timing: Timing | None = None
    fault: str = ""


@dataclass(frozen=True)
class JointTopic:
    """A topic with joint states.

    Attributes:
        topic: its name.
        publishers: nodes that send on it.
        names: the joints of each kind of message that came.
        positions: the last measured ones, rad or m.
        timing: None where too few came.
    """

    topic: str
    publishers: tuple[str, ...]
    names: tuple[tuple[str, ...], ...] = ()
    positions: Mapping[str, float] = field(default_factory=dict)
    timing: Timing | None = None

    @property
    def joints(self) -> tuple[str, ...]:
        """All joints that came."""
        return tuple(dict.fromkeys(name for names in self.names for name in names))


@dataclass(frozen=True)
class FoundController:
    """A controller that takes trajectories.

    Attributes:
        name: what stands before /joint_trajectory, /controller_state.
        joints: of its state, or of its parameter `joints`; empty where neither was heard.
        topic: something listens on its joint_trajectory.
        action: it has follow_joint_trajectory.
        state_type: "package/Type" of its state; empty where it has none.
        states: arrival (s on the clock of the probe) and content of each state that came.
        timing: of its states; None where too few came.
        fault: why its state cannot be read; empty if it can.
        senders: nodes that send to it.
        parameters: those of its node that are checked here, if the node answered.
    """

    name: str
    joints: tuple[str, ...] = ()
    topic: bool = False
    action: bool = False
    state_type: str = ""
    states: tuple[tuple[float, ControllerSetpoint], ...] = ()
    timing: Timing | None = None
    fault: str = ""
    senders: tuple[str, ...] = ()
    parameters: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class LiveCell:
    """Everything that was found.

    Attributes:
        images: topics with images.
        joint_states: topics with joint states.
        controllers: by name.
        description: text of robot_description; empty where none came.
        update_rate_hz: of the controller manager; None if unknown.
        nodes: that run.
    """

    images: tuple[ImageTopic, ...] = ()
    joint_states: tuple[JointTopic, ...] = ()
    controllers: tuple[FoundController, ...] = ()
    description: str = ""
    update_rate_hz: float | None = None
    nodes: tuple[str, ...] = ()

    @property
    def chosen_joint_states(self) -> JointTopic | None:
        """The topic that the nodes subscribe to, else the first one; None for none."""
        topics = {topic.topic: topic for topic in self.joint_states}
        return topics.get(JOINT_STATES, next(iter(topics.values()), None))

    @property
    def empty(self) -> bool:
        """Nothing of a cell is there."""
        return not (self.images or self.joint_states or self.controllers or self.description)
