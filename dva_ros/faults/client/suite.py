"""Runs faults one after the other and judges each."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from dva_msgs.msg import LeapfrogStatus

from ...bringup.graph import GraphOptions, checkpoint_overrides
from ...bringup.graph_client import POLL_S, RunningGraph, ros_context
from ...errors import UserError
from ...evaluation.command_log import CommandWindow
from ...leapfrog.limits import JointLimits
from ...resources import config_path
from ...spec import EMBEDDED_CELL
from ..report import FaultResult
from .bench import Bench
from .catalogue import Fault
from .monitor import Monitor, Sent
from .relay import Relay, remaps

STANDSTILL_TIMEOUT_S = 6.0
RECOVERY_TIMEOUT_S = 15.0
RESTART_GOAL_S = 5.0
"""From the end of a fault (a node's restart included) to moving again."""

NOTICE_S = 0.7
"""A stop is on the wire so long after a fault: `stale_timeout_s`, a frame, and its marking."""

SLACK_S = 0.2
"""The robot stands so long after the motion on the wire has ended, at the latest."""

_ROUNDING = 1.02


def run_faults(
    faults: Sequence[Fault],
    models: Path,
    task: str,
    seed: int,
    report: Callable[[FaultResult], None],
) -> list[FaultResult]:
    """Inject faults into the running graph, each while the robot moves in a scene of its own.

    Args:
        faults: in order; those of one clock share a graph, until one of them breaks it.
        models: folder with `video` and `inverse_dynamics`.
        task: of the scenes.
        seed: of the first scene; the others follow.
        report: is told of each result.

    Raises:
        UserError: the graph cannot be started.
    """
    limits = JointLimits.load(config_path("joint_limits"), EMBEDDED_CELL.joint_names)
    remaining = list(faults)
    results: list[FaultResult] = []
    while remaining:
        sim_time = remaining[0].sim_time
        with ros_context() as context:
            relay, monitor = Relay(context), Monitor(context, limits)
            options = _graph_options(models, task, seed, sim_time)
            with RunningGraph(context, options, [relay, monitor]) as graph:
                bench = Bench(graph, relay, monitor, task)
                broken = False
                while remaining and remaining[0].sim_time == sim_time and not broken:
                    fault = remaining.pop(0)
                    try:
                        result = _Trial(fault, bench, limits).run(seed + len(results))
                    except UserError as error:
                        problem = f"{error} (scheduler: {monitor.says()})"
                        result, broken = _failed(fault, problem), True
                    results.append(result)
                    report(result)
    return results


class _Trial:
    def __init__(self, fault: Fault, bench: Bench, limits: JointLimits) -> None:
        self._fault, self._bench, self._limits = fault, bench, limits
        self._monitor = bench.monitor
        self._problems: list[str] = []

    def run(self, seed: int) -> FaultResult:
        """Move, disturb, watch, restore, watch again."""
        fault, bench, monitor = self._fault, self._bench, self._monitor
        bench.start_motion(seed)
        monitor.reasons.clear()
        first = len(monitor.sent)
        fault.begin(bench)
        begun = bench.now()
        bench.watch(fault.lasts_s)
        standstill, braking = self._stop(begun)
        last_message = self._words(monitor.sent[-1]) if monitor.sent else "none"
        before, sent_before = self._progress(), len(monitor.sent)
        restored = time.monotonic()
        fault.end(bench)
        if fault.engages:
            self._require_waiting(sent_before)
            restored = time.monotonic()
            bench.engage()
        recovery = self._recovery(before, restored)
        self._judge_messages(monitor.sent[first:])
        reason = monitor.reasons[0] if monitor.reasons else ""
        commands = monitor.commands.window(0.0 if fault.new_robot else begun)
        self._judge_commands(commands)
        bench.end_motion()
        return FaultResult(
            fault.name,
            fault.what,
            standstill,
            braking,
            commands,
            last_message,
            reason,
            recovery,
            tuple(self._problems),
        )

    def _stop(self, begun: float) -> tuple[float | None, float | None]:
        """Standstill and braking time, where the robot comes to rest."""
        fault, monitor = self._fault, self._monitor
        if fault.passive:
            return None, None
        deadline = time.monotonic() + (STANDSTILL_TIMEOUT_S if fault.stops else 0.0)
        while (standstill := self._standstill(begun)) is None:
            if time.monotonic() > deadline:
                if fault.stops:
                    self._problems.append(f"the robot moved after {STANDSTILL_TIMEOUT_S:.0f} s")
                return None, None
            time.sleep(POLL_S)
        if fault.new_robot:
            return standstill, None
        if fault.stops is False:
            if standstill < fault.lasts_s - 1.0:
                self._problems.append(f"the robot stood after {standstill:.2f} s, it need not")
            return None, None
        last = monitor.sent[-1]
        if fault.stops and last.time - begun > NOTICE_S:
            self._problems.append(f"a message was sent {last.time - begun:.2f} s after the fault")
        allowed = max(0.0, last.motion.end - begun) + SLACK_S
        if fault.stops and standstill > allowed:
            self._problems.append(
                f"standstill after {standstill:.2f} s, the wire says {allowed - SLACK_S:.2f} s"
            )
        return standstill, max(0.0, last.motion.end - last.time)

    def _standstill(self, begun: float) -> float | None:
        if self._fault.new_robot:
            return 0.0
        return self._monitor.commands.window(begun).standstill_s

    def _require_waiting(self, sent_before: int) -> None:
        """What needs `engage` must not move without it."""
        self._bench.watch(1.0)
        moving = [
            sent
            for sent in self._monitor.sent[sent_before:]
            if abs(sent.motion.velocities).max() > 0
        ]
        if moving:
            self._problems.append("motion was sent before it was engaged again")

    def _progress(self) -> tuple[int, int, int]:
        status = self._monitor.status
        return status.session, status.chunk_id, status.predictions

    def _recovery(self, before: tuple[int, int, int], since: float) -> float | None:
        """Seconds until a chunk becomes motion after the fault."""
        monitor, count = self._monitor, len(self._monitor.sent)
        while time.monotonic() - since < RECOVERY_TIMEOUT_S:
            status = monitor.status
            goes_on = status.mode == LeapfrogStatus.MODE_ENGAGED and status.predictions > 0
            if goes_on and self._progress() != before and len(monitor.sent) > count:
                recovery = time.monotonic() - since
                if recovery > RESTART_GOAL_S:
                    self._problems.append(f"it took {recovery:.1f} s to go on")
                return recovery
            time.sleep(POLL_S)
        self._problems.append(
            f"it did not go on within {RECOVERY_TIMEOUT_S:.0f} s ({monitor.says()})"
        )
        return None

    def _judge_messages(self, sent: Sequence[Sent]) -> None:
        unsafe = [words for message in sent if (words := message.unsafe(self._limits))]
        if unsafe:
            self._problems.append(f"{len(unsafe)} unsafe message(s): {unsafe[0]}")

    def _judge_commands(self, commands: CommandWindow) -> None:
        if self._fault.new_robot:
            return
        for name, ratio in (
            ("velocity", commands.velocity_ratio),
            ("acceleration", commands.acceleration_ratio),
        ):
            if ratio > _ROUNDING:
                self._problems.append(f"commanded {name} was {ratio:.0%} of its limit")

    def _words(self, sent: Sent) -> str:
        unsafe = sent.unsafe(self._limits)
        return f"unsafe: {unsafe}" if unsafe else "ends at rest"


def _failed(fault: Fault, problem: str) -> FaultResult:
    """A trial that did not come to its end."""
    nothing = CommandWindow(None, 0.0, 0.0, 0.0, 0.0)
    return FaultResult(fault.name, fault.what, None, None, nothing, "", "", None, (problem,))


def _graph_options(models: Path, task: str, seed: int, sim_time: bool) -> GraphOptions:
    overrides = checkpoint_overrides(models)
    overrides["leapfrog_scheduler"] = {"engage_on_activate": False}
    overrides["cell"] = {
        "task": task,
        "seed": seed,
        "split": "test",
        "controller_state_period": 1,
    }
    return GraphOptions(
        config_path("cell"), use_sim_time=sim_time, overrides=overrides, remaps=remaps()
    )


def choose(faults: Sequence[Fault], names: Sequence[str]) -> list[Fault]:
    """The faults of these names, in the catalogue's order; all where there are none.

    Raises:
        UserError: there is no such fault.
    """
    known = {fault.name for fault in faults}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UserError(f"there is no fault '{unknown[0]}'; there are: {', '.join(sorted(known))}")
    return [fault for fault in faults if not names or fault.name in names]
