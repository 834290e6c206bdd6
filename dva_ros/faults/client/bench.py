"""A running graph whose nodes and messages can be disturbed."""

from __future__ import annotations

import signal
import time

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from std_srvs.srv import SetBool, Trigger

from dva_msgs.msg import LeapfrogStatus
from dva_msgs.srv import ClearContext, ResetCell

from ...bringup.graph_client import POLL_S, SERVICE_TIMEOUT_S, RunningGraph
from ...errors import UserError
from .monitor import CONTROLLER, Monitor
from .relay import Relay

MOVING_RAD_S = 0.1
STILL_RAD_S = 1e-3
ENGAGE_TIMEOUT_S = 1.0
"""Until a request to engage is taken for lost."""

MOVING_TIMEOUT_S = 15.0
"""Until the robot moves after engaging; a predictor that has just started is slow at first."""


class Bench:
    """What faults are made of, and what brings the robot into motion before them."""

    def __init__(self, graph: RunningGraph, relay: Relay, monitor: Monitor, task: str) -> None:
        self.relay = relay
        self.monitor = monitor
        self._graph = graph
        self._task = task

    def now(self) -> float:
        """On the controller's clock, s."""
        return self.monitor.commands.newest or 0.0

    def start_motion(self, seed: int) -> None:
        """Put the robot into a scene and wait until it moves under the scheduler's command."""
        reset = self._graph.call(
            ResetCell,
            "cell/reset",
            ResetCell.Request(task=self._task, seed=seed, split="test"),
        )
        request = ClearContext.Request(instruction=reset.instruction)
        session = self._graph.call(ClearContext, "camera_context/clear_context", request).session
        self._graph.wait(
            lambda: self.monitor.session == session, "a context frame of the new session"
        )
        self.engage()
        self._graph.wait(
            lambda: (
                self.monitor.status.mode == LeapfrogStatus.MODE_ENGAGED
                and self.monitor.status.predictions >= 2
                and self.monitor.commands.speed() > MOVING_RAD_S
            ),
            "the robot to move",
            MOVING_TIMEOUT_S,
        )

    def engage(self) -> None:
        """Engage the scheduler; it may refuse for a while after a fault, and a request to one
        that was killed, and is not yet known to be, is lost."""
        deadline = time.monotonic() + SERVICE_TIMEOUT_S
        while True:
            try:
                self._graph.call(
                    Trigger, "leapfrog_scheduler/engage", Trigger.Request(), ENGAGE_TIMEOUT_S
                )
                return
            except UserError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def end_motion(self) -> None:
        """Disengage and wait for the robot to stand."""
        self._graph.call(Trigger, "leapfrog_scheduler/disengage", Trigger.Request())
        self._graph.wait(lambda: self.monitor.commands.speed() < STILL_RAD_S, "the robot to stop")

    def wait_for_request(self) -> None:
        """Until the scheduler has just asked for a prediction."""
        before = self.relay.passed["leapfrog_scheduler/request"]
        self._graph.wait(
            lambda: self.relay.passed["leapfrog_scheduler/request"] > before, "a request"
        )

    def watch(self, seconds: float) -> None:
        """Let things happen; raises UserError where a node dies that should not."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._graph.require_alive()
            time.sleep(POLL_S)

    def kill(self, node: str) -> None:
        """SIGKILL."""
        self._graph.supervisor.kill(node)

    def restart(self, node: str) -> None:
        """Start a killed node again."""
        self._graph.supervisor.restart(node)

    def restart_simulator(self) -> None:
        """Start the killed cell again and wait until its new clock has been noticed."""
        self.restart("cell")
        self._graph.wait(
            lambda: self.monitor.status.mode == LeapfrogStatus.MODE_FAULT,
            "the scheduler to notice the clock",
            MOVING_TIMEOUT_S,
        )

    def freeze(self, node: str) -> None:
        """SIGSTOP."""
        self._graph.supervisor.running(node).process.send_signal(signal.SIGSTOP)

    def thaw(self, node: str) -> None:
        """SIGCONT."""
        self._graph.supervisor.running(node).process.send_signal(signal.SIGCONT)

    def deactivate(self, node: str) -> None:
        """The lifecycle transition."""
        self._change(node, Transition.TRANSITION_DEACTIVATE)

    def activate(self, node: str) -> None:
        """The lifecycle transition."""
        self._change(node, Transition.TRANSITION_ACTIVATE)

    def set_controller_active(self, active: bool) -> None:
        """What a controller manager's switch does."""
        self._graph.call(SetBool, f"{CONTROLLER}/set_active", SetBool.Request(data=active))

    def _change(self, node: str, transition: int) -> None:
        request = ChangeState.Request(transition=Transition(id=transition))
        self._graph.call(ChangeState, f"{node}/change_state", request)
