"""Parameters of ``leapfrog_scheduler``."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from ..leapfrog.clearance import Box
from ..leapfrog.obstacles import load_boxes
from ..leapfrog.parameters import LeapfrogParameters
from ..resources import config_path
from .parameters import parameter


@dataclass(frozen=True)
class LeapfrogSchedulerParameters:
    """Timing, limits and the controllers."""

    horizon: int = parameter(8, "H, targets in a chunk", minimum=2, maximum=1000)
    inference_delay_frames: int = parameter(
        3,
        "least d, frames that keep executing while a chunk is made",
        minimum=0,
        maximum=100,
        renamed_from=("committed_frames",),
    )
    max_inference_delay_frames: int = parameter(
        0,
        "greatest d, which follows the p99 latency; 0: half the horizon",
        minimum=0,
        maximum=100,
        renamed_from=("max_committed_frames",),
    )
    execution_horizon: int = parameter(
        3,
        "frames between requests",
        minimum=1,
        maximum=100,
        renamed_from=("execute_frames",),
    )
    controller_period_s: float = parameter(
        0.01, "between updates of the controllers, s", minimum=0.0005, maximum=0.1
    )
    lead_s: float = parameter(
        0.08, "from sending a message to where motion changes, s", minimum=0.001, maximum=1.0
    )
    overlap_s: float = parameter(
        0.05, "how much of the past motion a message repeats, s", minimum=0.0, maximum=1.0
    )
    blend_s: float = parameter(
        0.3, "time over which disagreement is blended out, s", minimum=0.01, maximum=5.0
    )
    smoothing_s: float = parameter(
        0.03, "what targets do within less is smoothed away, s", minimum=0.005, maximum=0.5
    )
    stale_timeout_s: float = parameter(
        0.3,
        "without input for this long (and what a slowed frame takes longer) the robot stops, s",
        minimum=0.02,
        maximum=10.0,
    )
    controller_timeout_s: float = parameter(
        1.0,
        "silence of a controller after which motion needs engage, s",
        minimum=0.02,
        maximum=10.0,
    )
    request_timeout_s: float = parameter(
        2.0, "a request without answer is given up, s", minimum=0.05, maximum=60.0
    )
    cold_start: int = parameter(
        2, "first chunks whose latency does not count", minimum=0, maximum=1000
    )
    marked_frames: int = parameter(
        1, "frames in a row with a missing source that are tolerated", minimum=0, maximum=100
    )
    num_steps: int = parameter(
        0, "denoising steps asked for; 0: the predictor's own", minimum=0, maximum=1000
    )
    least_steps: int = parameter(
        1, "steps are reduced down to this where latency exceeds d", minimum=1, maximum=1000
    )
    max_prediction_error: float = parameter(
        0.0,
        "prediction error score above which the robot holds; 0: never",
        minimum=0.0,
        maximum=1000.0,
        renamed_from=("max_surprise",),
    )
    single_step: bool = parameter(False, "every predicted clip waits at rest for ~/approve")
    clearance_m: float = parameter(
        0.02, "least distance between the arms, m; 0: not checked", minimum=0.0, maximum=1.0
    )
    arm_prefixes: tuple[str, ...] = parameter(("left_", "right_"), "of the links of each arm")
    table_height_m: float = parameter(
        0.0, "top of the table in the world frame, m", minimum=-10.0, maximum=10.0
    )
    table_contact_m: float = parameter(
        0.02, "how far motion may aim below the table's top, m", minimum=0.0, maximum=1.0
    )
    obstacles: str = parameter(
        "", "file of boxes that stand in the cell, or its name in config/; empty: none"
    )
    joint_limits: str = parameter("joint_limits", "file of limits, or its name in config/")
    controllers: tuple[str, ...] = parameter(
        ("joint_trajectory_controller",), "names of those that take the trajectories"
    )
    controller_interface: str = parameter(
        "topic",
        "how trajectories reach the controllers: joint_trajectory topics, or "
        "follow_joint_trajectory actions (needs control_msgs)",
        choices=("topic", "action"),
    )
    controller_state_type: str = parameter(
        "dva_msgs/ControllerState",
        "type of a controller's state: the emulation's or control_msgs' of the real one",
        choices=("dva_msgs/ControllerState", "control_msgs/JointTrajectoryControllerState"),
    )
    engage_on_activate: bool = parameter(False, "engage once frames come and a predictor listens")

    def __post_init__(self) -> None:
        names = self.controllers
        if not names or not all(names) or len(set(names)) < len(names):
            raise ValueError(f"controllers must be names, each once, got {list(names)}")

    def leapfrog(self, frame_period_s: float, time_scaling: float = 1.0) -> LeapfrogParameters:
        """Those of the core; raises ValueError where they do not fit together."""
        fields = {field.name for field in dataclasses.fields(LeapfrogParameters)}
        values = {name: getattr(self, name) for name in fields - {"frame_period_s"}}
        parameters = LeapfrogParameters(frame_period_s=frame_period_s, **values)
        return parameters.slowed(time_scaling)

    def boxes(self) -> tuple[Box, ...]:
        """The table and the obstacles; raises UserError where their file is wrong."""
        middle = self.table_height_m - 0.5
        table = Box("table", (4.0, 4.0, 1.0), (0.0, 0.0, middle), self.table_contact_m)
        return (table, *(load_boxes(config_path(self.obstacles)) if self.obstacles else ()))
