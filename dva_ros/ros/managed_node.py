"""The lifecycle base of every node.

A node is built from four hooks: `setup` (configure), `start` (activate), `stop` (deactivate) and
`teardown` (cleanup). Whatever ends a node, be it cleanup, shutdown, an error in a transition or a
signal, ends in the same place: `stop` if it was active, then `teardown`, then everything made with
`own` is destroyed in reverse order. One path, because a second one is the one that is never tried.

rclpy swallows exceptions in transitions; here they are logged, a `UserError` as its message and
everything else with its traceback, and the transition fails.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from threading import Event
from typing import Any, TypeVar

from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.qos import QoSProfile

from ..errors import UserError
from .cell_spec import SPEC_PARAMETERS
from .conversions import seconds_of
from .diagnostics import DiagnosticsReporter, Health
from .matching import publisher_events, subscription_events
from .parameters import unknown_parameters
from .qos_overrides import overridable

E = TypeVar("E")


class ManagedNode(LifecycleNode):
    """A lifecycle node with one teardown path.

    Subscriptions and timers made with `subscribe` and `every` call back only while active.

    Attributes:
        active: between a successful `start` and `stop`.
        failure: why the last transition, or the node, failed; empty if it did not.
        broken: set by `give_up`: the process is to end with an error.
    """

    def __init__(self, name: str, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self.active = False
        self._owned: list[Callable[[], object]] = []
        self.failure = ""
        self.broken = Event()

    def setup(self) -> None:
        """Read parameters, load what is needed, make publishers, subscriptions and services."""

    def start(self) -> None:
        """Begin to work; inputs arrive from now on."""

    def stop(self) -> None:
        """End the work in an orderly way; no input arrives afterwards."""

    def teardown(self) -> None:
        """Release what `own` does not know of; must work after a failed `setup` too."""

    def health(self) -> Sequence[Health]:
        """What `/diagnostics` says."""
        return ()

    def give_up(self, reason: str) -> None:
        """End the process with an error; from any thread."""
        self.failure = reason
        self.get_logger().fatal(reason)
        self.broken.set()

    def now(self) -> float:
        """Seconds on the node's clock (the simulated one with ``use_sim_time``)."""
        return seconds_of(self.get_clock().now())

    def own(self, thing: E, destroy: Callable[[E], object]) -> E:
        """Remember how to destroy a thing at teardown; gives the thing."""
        self._owned.append(lambda: destroy(thing))
        return thing

    def advertise(self, kind: type[Any], topic: str, qos: QoSProfile) -> Any:
        """A publisher that lives until teardown; its quality of service can be overridden.

        Raises:
            ParameterError: an override of its quality of service is none.
        """
        with overridable(self, topic, qos) as options:
            events = publisher_events(self, topic)
            publisher = self.create_publisher(kind, topic, event_callbacks=events, **options)
        return self.own(publisher, self.destroy_publisher)

    def subscribe(
        self, kind: type[Any], topic: str, callback: Callable[[Any], None], qos: QoSProfile
    ) -> None:
        """A subscription that lives until teardown and is heard while active.

        Raises:
            ParameterError: an override of its quality of service is none.
        """

        def heard(message: Any) -> None:
            if self.active:
                callback(message)

        self.listen(kind, topic, heard, qos)

    def listen(
        self,
        kind: type[Any],
        topic: str,
        callback: Callable[[Any], None],
        qos: QoSProfile,
        raw: bool = False,
    ) -> None:
        """As `subscribe`, and heard while inactive too: what comes once, perhaps early.

        With `raw` the callback gets the serialized message, as bytes.
        """
        with overridable(self, topic, qos) as options:
            events = subscription_events(self, topic)
            subscription = self.create_subscription(
                kind, topic, callback, raw=raw, event_callbacks=events, **options
            )
        self.own(subscription, self.destroy_subscription)

    def every(self, period_s: float, callback: Callable[[], None]) -> None:
        """A timer that lives until teardown and fires while active."""

        def due() -> None:
            if self.active:
                callback()

        self.own(self.create_timer(period_s, due), self.destroy_timer)

    def serve(self, kind: type[Any], name: str, callback: Callable[[Any, Any], Any]) -> None:
        """A service that lives until teardown."""
        self.own(self.create_service(kind, name, callback), self.destroy_service)

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run `setup`; on failure everything is released again."""
        result = self._attempt(self.setup)
        if result is not TransitionCallbackReturn.SUCCESS:
            self._release()
            return result
        for note in unknown_parameters(self, SPEC_PARAMETERS):
            self.get_logger().warning(note)
        reporter = DiagnosticsReporter(self, self.health)
        self.own(reporter, DiagnosticsReporter.destroy)
        return result

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run `start`."""
        result = self._attempt(self.start)
        self.active = result is TransitionCallbackReturn.SUCCESS
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run `stop`."""
        return self._halt()

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Release everything."""
        self._release()
        return TransitionCallbackReturn.SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop if active and release everything."""
        self._release()
        return TransitionCallbackReturn.SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop if active and release everything; the node can be configured again."""
        self._release()
        return TransitionCallbackReturn.SUCCESS

    def finish(self) -> None:
        """Shut down from whatever state, and destroy the node."""
        if self._state_machine.current_state[1] != "finalized":
            self.trigger_shutdown()
        self.destroy_node()

    def _halt(self) -> TransitionCallbackReturn:
        if not self.active:
            return TransitionCallbackReturn.SUCCESS
        self.active = False
        return self._attempt(self.stop)

    def _release(self) -> None:
        self._halt()
        self._attempt(self.teardown)
        while self._owned:
            self._attempt(self._owned.pop())

    def _attempt(self, step: Callable[[], object]) -> TransitionCallbackReturn:
        try:
            step()
        except UserError as error:
            self.failure = str(error)
            self.get_logger().error(self.failure)
        except Exception as error:
            self.failure = f"{type(error).__name__}: {error}"
            self.get_logger().error(traceback.format_exc())
        else:
            return TransitionCallbackReturn.SUCCESS
        return TransitionCallbackReturn.FAILURE
