"""Which cell a recording is of: from the nodes' parameters file, and a map of other names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from ..context.camera_input import (
    NATIVE_HEIGHTS,
    NATIVE_WIDTHS,
    CameraInput,
    camera_inputs,
    camera_topics,
)
from ..context.image_decoding import ImageError
from ..context.sources import SourceLimits
from ..spec import EMBEDDED_CELL, GRIPPERS_BY_NAME, CameraSpec, CellSpec
from .errors import RecordingError

CONTROLLERS = ("joint_trajectory_controller",)
_MAP_KEYS = ("topics", "joints", "cameras")
_OF_SCHEDULER = ("controllers", "controller_state_type")


@dataclass(frozen=True)
class NameMap:
    """Names in a recording that are not those of the cell; see `read_map`.

    Attributes:
        topics: relative topic of the cell -> topic in the bag.
        joints: joint of the cell -> joint in the recording.
        cameras: camera of the cell -> feature of a LeRobot dataset.
    """

    topics: Mapping[str, str] = field(default_factory=dict)
    joints: Mapping[str, str] = field(default_factory=dict)
    cameras: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CellSettings:
    """What `camera_context` knows of its cell, with the names of its parameters.

    Attributes:
        spec: cameras, joints and period.
        inputs: camera -> how its images come, and what of them goes on.
        limits: when a source counts as missing.
        controllers: whose commands become actions.
        names: other names in the recording.
        time_scaling: time scaling with which motion was executed during the recording.
    """

    spec: CellSpec = EMBEDDED_CELL
    inputs: Mapping[str, CameraInput] = field(default_factory=lambda: _inputs({}, EMBEDDED_CELL))
    limits: SourceLimits = field(default_factory=SourceLimits)
    controllers: tuple[str, ...] = CONTROLLERS
    names: NameMap = NameMap()
    time_scaling: float = 1.0

    def __post_init__(self) -> None:
        self.spec.slowed(self.time_scaling)  # raises ValueError where that is no speed

    @property
    def grid(self) -> CellSpec:
        """The spec on the grid that the cell ran on; its frames become those of `spec`."""
        return self.spec.slowed(self.time_scaling)

    def cell_joints(self, names: Sequence[str]) -> tuple[str, ...]:
        """Joints of the recording by their names in the cell; others keep theirs, but for those
        whose name the cell uses for another one: they are ""."""
        here = {there: name for name, there in self.names.joints.items()}
        taken = self.names.joints
        return tuple(here.get(name, "" if name in taken else name) for name in names)


def read_settings(path: Path, names: NameMap | None = None) -> CellSettings:
    """Settings from a ROS parameters file, with the defaults of the nodes.

    Of `camera_context` all that says how frames are made is used, of `leapfrog_scheduler` the
    names of the controllers.

    Args:
        path: of the file.
        names: other names in the recording.

    Raises:
        RecordingError: the file cannot be read, or a value cannot be used.
    """
    content = _content(path, "parameters file")
    context = _parameters(content, "camera_context")
    scheduler = _parameters(content, "leapfrog_scheduler")
    try:
        settings = _settings(context, scheduler)
    except (TypeError, ValueError, AttributeError, ImageError) as error:
        raise RecordingError(f"parameters of {path} do not fit together: {error}") from error
    return replace(settings, names=names or NameMap())


def recorder_parameters(path: Path) -> dict[str, Any]:
    """Parameters of `recorder` that a ROS parameters file says to other nodes.

    Topics and transports of the cameras are those of `camera_context`, the controllers and the
    type of their states those of `leapfrog_scheduler`, also where `/**` says them. What the
    recorder's own section says is left out.

    Args:
        path: of the file.

    Returns:
        Name of a parameter -> value.

    Raises:
        RecordingError: as for `read_settings`.
    """
    topics = [given.topic for given in read_settings(path).inputs.values()]
    content = _content(path, "parameters file")
    scheduler = _parameters(content, "leapfrog_scheduler")
    found = {
        "image_topics": [topic.name for topic in topics],
        "transports": ["compressed" if topic.compressed else "raw" for topic in topics],
        **{name: scheduler[name] for name in _OF_SCHEDULER if name in scheduler},
    }
    own = _parameters(content, "recorder", shared=False)
    return {name: value for name, value in found.items() if name not in own}


def read_map(path: Path) -> NameMap:
    """A map of names: YAML with `topics`, `joints` and `cameras`, each NAME: NAME IN RECORDING.

    Raises:
        RecordingError: the file cannot be read or holds something else.
    """
    content = _content(path, "map of names")
    if not isinstance(content, dict) or set(content) - set(_MAP_KEYS):
        raise RecordingError(f"{path} is no map of names: it may have {', '.join(_MAP_KEYS)}")
    for key, values in content.items():
        pairs = values.items() if isinstance(values, dict) else [(None, None)]
        if not all(isinstance(name, str) and isinstance(to, str) for name, to in pairs):
            raise RecordingError(f"{key} of {path} must hold NAME: NAME lines")
    return NameMap(**content)


def _content(path: Path, what: str) -> Any:
    """The YAML of a file; `what` it should be is for the error."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecordingError(f"{path} is no {what}: {error}") from error


def _parameters(content: Any, node: str, shared: bool = True) -> dict[str, Any]:
    """What a parameters file says to a node, of whatever namespace; `shared`: also to all."""
    found: dict[str, Any] = {}
    if not isinstance(content, dict):
        return found
    for key, value in content.items():
        if not isinstance(value, dict):
            continue
        last = str(key).rpartition("/")[2]
        if last == node or (shared and last in ("**", "*")):
            found.update(value.get("ros__parameters") or {})
        elif "ros__parameters" not in value:
            found.update(_parameters(value, node, shared))
    return found


def _settings(context: Mapping[str, Any], scheduler: Mapping[str, Any]) -> CellSettings:
    embedded, limits = EMBEDDED_CELL, SourceLimits()
    cameras = context.get("cameras", [camera.name for camera in embedded.cameras])
    heights = context.get("mosaic_heights", [camera.height for camera in embedded.cameras])
    width = context.get("mosaic_width", embedded.mosaic_width)
    spec = CellSpec(
        cameras=tuple(
            CameraSpec(name, int(height), int(width))
            for name, height in zip(cameras, heights, strict=True)
        ),
        joint_names=tuple(context.get("joints", embedded.joint_names)),
        frame_period_s=float(context.get("frame_period_s", embedded.frame_period_s)),
        gripper_joints=tuple(context.get("gripper_joints", GRIPPERS_BY_NAME)),
    )
    return CellSettings(
        spec=spec,
        inputs=_inputs(context, spec),
        limits=SourceLimits(
            tolerance_s=float(context.get("tolerance_s", limits.tolerance_s)),
            max_delay_s=float(context.get("max_delay_s", limits.max_delay_s)),
            future_tolerance_s=float(context.get("future_tolerance_s", limits.future_tolerance_s)),
            lost_after_s=float(context.get("lost_after_s", limits.lost_after_s)),
            frozen_motion=float(context.get("frozen_motion_rad", limits.frozen_motion)),
        ),
        controllers=tuple(scheduler.get("controllers", CONTROLLERS)),
        time_scaling=float(context.get("time_scaling", context.get("speed_scaling", 1.0))),
    )


def _inputs(context: Mapping[str, Any], spec: CellSpec) -> dict[str, CameraInput]:
    """As the parameters of `camera_context` say, with its defaults."""
    topics = camera_topics(
        [camera.name for camera in spec.cameras],
        context.get("image_topics", ("",)),
        context.get("transports", ("raw",)),
    )
    return camera_inputs(
        topics,
        context.get("native_heights", NATIVE_HEIGHTS),
        context.get("native_widths", NATIVE_WIDTHS),
        context.get("rectify", (False,)),
        context.get("crop", (0, 0, 0, 0)),
    )
