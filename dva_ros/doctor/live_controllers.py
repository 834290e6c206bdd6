"""Checks the controllers of a running cell: present, active, configured, every joint once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..leapfrog.controllers import Controllers
from ..new_cell.findings import FoundController, LiveCell
from ..spec import CellSpec
from .check import RATE_TOLERANCE, Check, Status, judged

if TYPE_CHECKING:
    from ..ros.scheduler_parameters import LeapfrogSchedulerParameters

SCHEDULER = "leapfrog_scheduler"


def controller_checks(
    settings: LeapfrogSchedulerParameters, spec: CellSpec, live: LiveCell
) -> Iterator[Check]:
    """Each controller of the configuration, all together, and their manager's rate."""
    by_name = {one.name: one for one in live.controllers}
    present = [by_name[name] for name in settings.controllers if name in by_name]
    for name in settings.controllers:
        if name not in by_name:
            others = ", ".join(by_name) or "none"
            yield Check(
                f"controller {name}",
                Status.MISSING,
                f"not found; found: {others}",
                remedy="start it, or set controllers",
            )
    for one in present:
        yield from _controller(one, settings)
    if present and len(present) == len(settings.controllers):
        yield from _together(present, settings, spec)
    yield from _update_rate(settings, live)


def _controller(one: FoundController, settings: LeapfrogSchedulerParameters) -> Iterator[Check]:
    label, problems = f"controller {one.name}", []
    if one.fault:
        problems.append((one.fault, "see docs/reference/nodes.md, Controllers"))
    elif one.timing is None:
        problems.append(("it publishes no state", "activate it (ros2 control switch_controllers)"))
    elif one.state_type != settings.controller_state_type:
        problems.append(
            (
                f"its state is {one.state_type}, configured is {settings.controller_state_type}",
                f"set controller_state_type to {one.state_type}",
            )
        )
    if settings.controller_interface == "topic" and not one.topic:
        problems.append(("nothing listens on its joint_trajectory", "activate it"))
    if settings.controller_interface == "action" and not one.action:
        problems.append(("it has no action follow_joint_trajectory", "activate it"))
    others = [sender for sender in one.senders if sender.rsplit("/", 1)[-1] != SCHEDULER]
    if others:
        problems.append(
            (
                f"{', '.join(others)} also publish to it",
                "leapfrog_scheduler must be the only publisher",
            )
        )
    problems += _settings_of(one)
    rate = one.timing.describe() if one.timing else "no state"
    yield from judged(label, problems, f"{len(one.joints)} joints, {rate}")


def _settings_of(one: FoundController) -> Iterator[tuple[str, str]]:
    """The controller's own parameters, if its node answered (docs/guides/tuning.md)."""
    said = one.parameters
    interfaces = said.get("command_interfaces")
    if isinstance(interfaces, list | tuple) and list(interfaces) != ["position"]:
        yield f"command_interfaces are {list(interfaces)}", "set them to [position]"
    if said.get("interpolate_from_desired_state") is False and not said.get("open_loop_control"):
        yield (
            "interpolate_from_desired_state is false: every message would begin with a step",
            "set it to true in the controller's parameters",
        )
    if said.get("allow_trajectory_replacement") is True:
        yield (
            "allow_trajectory_replacement is true: some versions play every message late",
            "set it to false in the controller's parameters",
        )


def _together(
    present: list[FoundController], settings: LeapfrogSchedulerParameters, spec: CellSpec
) -> Iterator[Check]:
    """What `leapfrog_scheduler` would report about them, from their states."""
    try:
        timing = settings.leapfrog(spec.frame_period_s)
    except ValueError:
        return  # the section before says it
    controllers = Controllers([one.name for one in present], spec.joint_names, timing)
    arrivals = sorted(
        ((arrival, one.name, state) for one in present for arrival, state in one.states),
        key=lambda each: each[0],
    )
    for arrival, name, state in arrivals:
        controllers.heard(name, arrival, state)
    problem = controllers.check(arrivals[-1][0]) if arrivals else ""
    if arrivals:
        remedy = "every joint in one active controller: docs/reference/nodes.md, Controllers"
        problems = [(problem, remedy)] if problem else []
        yield from judged("controllers", problems, "have every joint once")
    for note in controllers.off_rate().values():
        yield Check("controllers", Status.OPTIONAL, note, remedy="see update_rate")


def _update_rate(settings: LeapfrogSchedulerParameters, live: LiveCell) -> Iterator[Check]:
    rate = live.update_rate_hz
    if rate is None:
        return
    expected, problems = 1 / settings.controller_period_s, []
    if abs(rate - expected) > RATE_TOLERANCE * expected:
        problem = f"update_rate is {rate:g} Hz, controller_period_s is set for {expected:g} Hz"
        problems.append((problem, f"set controller_period_s to {1 / rate:g}"))
    yield from judged("controller_manager", problems, f"update_rate {rate:g} Hz")
