"""All faults of the suite."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from . import rules
from .bench import Bench
from .relay import TOPICS
from .rules import Rule

CAMERA = "overhead/image_raw"
CLIP = "video_predictor/clip"
CHUNK = "inverse_dynamics/chunk"
NODES = ("camera_context", "video_predictor", "inverse_dynamics", "leapfrog_scheduler")
SCHEDULER = "leapfrog_scheduler"
FRAME_S = 0.1

Step = Callable[[Bench], None]


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong while the robot moves, and what must come of it.

    Attributes:
        name: for `--only`.
        what: in words.
        begin: makes it happen.
        end: ends it.
        lasts_s: from beginning to end.
        stops: the robot must come to rest; None: it may. Whatever it does, it must be safe.
        engages: it goes on only after `engage`; otherwise by itself.
        sim_time: needs a graph that takes its time from /clock.
        new_robot: the simulated robot itself is started anew: its commands before and after are
            no one motion.
        passive: the controller ignores the scheduler and says nothing: nothing shows when the
            robot stands.
    """

    name: str
    what: str
    begin: Step
    end: Step
    lasts_s: float = 2.0
    stops: bool | None = True
    engages: bool = False
    sim_time: bool = False
    new_robot: bool = False
    passive: bool = False


def catalogue() -> list[Fault]:
    """In the order in which they run."""
    return [
        *_processes(),
        *_cameras(),
        *_order_of_messages(),
        *_targets(),
        _disturbed(
            "stall", "an inference stall of 5 s", CLIP, rules.Stalled, lasts_s=5.0, stops=True
        ),
        *_lifecycle(),
        Fault(
            "controller_deactivated",
            "the controller is deactivated for 2 s",
            lambda bench: bench.set_controller_active(False),
            lambda bench: bench.set_controller_active(True),
            stops=None,
            engages=True,
            passive=True,
        ),
        Fault(
            "clock_reset",
            "the simulator starts anew, and /clock with it",
            lambda bench: bench.kill("cell"),
            Bench.restart_simulator,
            lasts_s=0.5,
            stops=None,
            engages=True,
            sim_time=True,
            new_robot=True,
        ),
    ]


def _processes() -> list[Fault]:
    found = []
    for node in NODES:
        engages = node == SCHEDULER
        found.append(
            Fault(
                f"kill_{node}",
                f"{node} is killed (SIGKILL) and started again",
                partial(Bench.kill, node=node),
                partial(Bench.restart, node=node),
                engages=engages,
            )
        )
        found.append(
            Fault(
                f"freeze_{node}",
                f"{node} is frozen (SIGSTOP) for 2 s and goes on",
                partial(Bench.freeze, node=node),
                partial(Bench.thaw, node=node),
            )
        )
    return found


def _disturbed(
    name: str,
    what: str,
    topic: str,
    rule: Callable[[], Rule],
    *,
    stops: bool | None,
    lasts_s: float = 2.0,
) -> Fault:
    return Fault(
        name,
        what,
        lambda bench: bench.relay.disturb(topic, rule()),
        lambda bench: bench.relay.restore(),
        lasts_s=lasts_s,
        stops=stops,
    )


def _cameras() -> list[Fault]:
    changed = rules.Changed
    return [
        _disturbed("camera_frozen", "a picture freezes", CAMERA, rules.FrozenPicture, stops=None),
        _disturbed("camera_lost", "a camera is silent", CAMERA, rules.Lost, stops=True),
        _disturbed(
            "camera_doubled",
            "a camera runs at twice its rate",
            CAMERA,
            lambda: rules.DoubledRate(FRAME_S),
            stops=False,
        ),
        _disturbed(
            "camera_resized",
            "a camera sends half its size",
            CAMERA,
            lambda: changed(rules.halved),
            stops=True,
        ),
        _disturbed(
            "camera_future",
            "a camera's stamps lie 1 s in the future",
            CAMERA,
            lambda: changed(lambda message: rules.restamped(message, 1.0)),
            stops=True,
        ),
        _disturbed(
            "camera_past",
            "a camera's stamps lie 1 s in the past",
            CAMERA,
            lambda: changed(lambda message: rules.restamped(message, -1.0)),
            stops=True,
        ),
    ]


def _order_of_messages() -> list[Fault]:
    found = []
    for topic in TOPICS:
        short = topic.replace("/", "_")
        found += [
            _disturbed(
                f"duplicate_{short}", f"{topic} comes twice", topic, rules.Duplicated, stops=False
            ),
            _disturbed(
                f"late_{short}",
                f"{topic} comes 0.4 s late",
                topic,
                partial(rules.Late, 0.4),
                stops=None,
            ),
            _disturbed(
                f"disorder_{short}",
                f"{topic} comes out of order",
                topic,
                rules.OutOfOrder,
                stops=None,
            ),
        ]
    return found


def _targets() -> list[Fault]:
    return [
        _disturbed(
            f"targets_{name}",
            f"targets of a joint are {value:g}",
            CHUNK,
            partial(rules.Changed, rules.with_target(value)),
            stops=True,
        )
        for name, value in (("nan", float("nan")), ("infinite", float("inf")), ("beyond", 5.0))
    ]


def _lifecycle() -> list[Fault]:
    def deactivate(bench: Bench, node: str) -> None:
        bench.wait_for_request()
        bench.deactivate(node)

    return [
        Fault(
            f"deactivate_{node}",
            f"{node} is deactivated while a prediction is under way",
            partial(deactivate, node=node),
            partial(Bench.activate, node=node),
            engages=node == SCHEDULER,
        )
        for node in NODES
    ]
