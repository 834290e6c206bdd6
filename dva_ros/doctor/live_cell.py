"""Compares a running cell with its configuration, topic by topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..new_cell.findings import JOINT_STATES, LiveCell
from ..new_cell.problems import joint_state_problems
from ..spec import CellSpec
from .check import RATE_TOLERANCE, Check, Section, Status, judged
from .live_cameras import camera_checks
from .live_controllers import controller_checks

if TYPE_CHECKING:
    from .client.config_check import CellConfig


def live_section(config: CellConfig, live: LiveCell) -> Section:
    """Cameras, joint states and controllers of a cell."""
    title = "Running cell"
    if config.grid is None or config.context is None or config.scheduler is None:
        skipped = Check("topics", Status.MISSING, "not checked: correct the parameters first")
        return Section(title, (skipped,))
    if live.empty:
        nothing = Check(
            "topics",
            Status.MISSING,
            "no topics of a cell",
            remedy="start the drivers of cameras and robot, with the same ROS_DOMAIN_ID and "
            "namespace; or --no-topics",
        )
        return Section(title, (nothing,))
    return Section(
        title,
        (
            *camera_checks(config.context, config.grid, live),
            *_joint_states(config.grid, live),
            *controller_checks(config.scheduler, config.grid, live),
        ),
    )


def _joint_states(spec: CellSpec, live: LiveCell) -> list[Check]:
    states = live.chosen_joint_states
    problems = list(joint_state_problems(states, spec.joint_names))
    timing = states.timing if states else None
    if timing is not None and timing.rate_hz < (1 - RATE_TOLERANCE) / spec.frame_period_s:
        problems.append(f"{timing.rate_hz:.1f} Hz, the grid has {1 / spec.frame_period_s:.1f} Hz")
    rate = timing.describe() if timing else "too few messages to measure their rate"
    remedies = [(problem, "see docs/guides/new-robot.md") for problem in problems]
    return judged(JOINT_STATES, remedies, f"all joints, {rate}")
