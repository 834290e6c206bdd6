"""Runs the cameras into ``camera_context`` and into the naive node, and watches."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from dva_msgs.msg import ContextFrame

from ....bringup.graph_client import ros_context
from ....context.ring import Arrival
from ....context.sources import SourceLimits
from ....errors import UserError
from ....nodes.camera_context import NAME
from ....ros import qos
from ....ros.conversions import seconds_of
from ...cameras.load import (
    CAMERAS,
    HEIGHT,
    JOINTS,
    JPEG,
    MOSAIC_HEIGHT,
    MOSAIC_WIDTH,
    RATE_HZ,
    WIDTH,
    CameraLoad,
    Published,
)
from ...cameras.report import CameraBenchmark, NodeCost
from .process import MeasuredProcess

START_TIMEOUT_S = 60.0
LAST_DIAGNOSTICS_S = 2.0


def measure_cameras(
    load: CameraLoad, naive: bool = True, progress: Callable[[float], object] = lambda s: None
) -> CameraBenchmark:
    """Measure both nodes, one after the other.

    Args:
        naive: measure the naive node, too; it takes rgb8 alone and undoes no lens.
        progress: called with the seconds that are over, of `load.seconds` a node.

    Raises:
        UserError: a process died or does not start, or no frame came.
    """
    with ros_context() as context:
        listener = _Listener(context)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(listener)
        try:
            with MeasuredProcess(f"dva_ros.nodes.{NAME}", _parameters(load)) as node:
                listener.wait_until_active(executor, node)
                cpu, published = _watch(node, load, executor, progress)
        finally:
            executor.shutdown()
            listener.destroy_node()
    # After the last image there are only marked frames.
    end = published.ended - SourceLimits.tolerance_s
    heard = [frame for frame in listener.frames if frame.stamp < end]
    warm = [frame.delay_s for frame in heard if frame.stamp > heard[0].stamp + load.warm_up_s]
    if not warm:
        raise UserError(f"{NAME} published no frame")
    sent = len(CAMERAS) * published.images
    return CameraBenchmark(
        load=load,
        context=_cost(cpu, warm),
        naive=_measure_naive(load, progress) if naive else None,
        images_published=sent,
        images_lost=sent - sum(listener.taken.values()),
        frames=len(heard),
        frames_lost=heard[-1].index - heard[0].index + 1 - len(heard),
        frames_marked=sum(frame.marked for frame in heard),
        publisher_late_ms=1e3 * published.late_s,
    )


def frame_delay_s(message: ContextFrame) -> float:
    """From when a frame can exist until it is published, s; see `NodeCost`."""
    newest = -min(message.camera_age_s)  # after the grid time
    return float(message.latency_s - max(newest, -SourceLimits.settle_s))


@dataclass(frozen=True)
class _Heard:
    """What counts of a context frame; `delay_s` as `frame_delay_s` says."""

    index: int
    stamp: float
    delay_s: float
    marked: bool


class _Listener(Node):
    """Hears the frames, and what `camera_context` counts."""

    def __init__(self, context: Context) -> None:
        super().__init__("camera_bench", context=context)
        self.frames: list[_Heard] = []
        self.taken: dict[str, int] = {}
        self.create_subscription(ContextFrame, f"{NAME}/context", self._on_frame, qos.FRAMES)
        self.create_subscription(
            DiagnosticArray, "/diagnostics", self._on_diagnostics, qos.reliable(5)
        )

    def wait_until_active(self, executor: SingleThreadedExecutor, node: MeasuredProcess) -> None:
        """Raises UserError where the node died or does not become active."""
        client = self.create_client(GetState, f"{NAME}/get_state")
        end = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < end and node.alive:
            if client.service_is_ready():
                future = client.call_async(GetState.Request())
                executor.spin_until_future_complete(future, timeout_sec=1.0)
                answer = future.result() if future.done() else None
                if answer and answer.current_state.id == State.PRIMARY_STATE_ACTIVE:
                    return
            time.sleep(0.1)
        raise UserError(f"{NAME} did not become active")

    def _on_frame(self, message: ContextFrame) -> None:
        self.frames.append(
            _Heard(
                message.frame_index,
                seconds_of(message.header.stamp),
                frame_delay_s(message),
                any(message.camera_missing) or message.joints_missing,
            )
        )

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        accepted = {Arrival.ACCEPTED.value, Arrival.OUT_OF_ORDER.value}
        for status in message.status:
            source = status.name.removeprefix(f"{NAME}: ")
            if source in CAMERAS:
                self.taken[source] = sum(
                    int(item.value) for item in status.values if item.key in accepted
                )


def _measure_naive(load: CameraLoad, progress: Callable[[float], object]) -> NodeCost:
    with MeasuredProcess("dva_ros.benchmark.client.cameras.naive") as node:
        cpu, _ = _watch(node, load, None, progress)
        node.interrupt()
        delays = (node.heard() or [])[round(load.warm_up_s * RATE_HZ) * len(CAMERAS) :]
    if not delays:
        raise UserError("the naive node took no image")
    return _cost(cpu, delays)


def _watch(
    node: MeasuredProcess,
    load: CameraLoad,
    executor: SingleThreadedExecutor | None,
    progress: Callable[[float], object],
) -> tuple[float, Published]:
    """Publish for the warm-up and the measurement; gives the share of a core and what was sent."""
    arguments = [str(load.warm_up_s + load.seconds), load.encoding]
    module = "dva_ros.benchmark.client.cameras.publisher"
    with MeasuredProcess(module, arguments) as publisher:
        publisher.heard()  # it begins once the node listens
        _spin(executor, load.warm_up_s)
        begun, before = time.monotonic(), node.cpu_s()
        while (elapsed := time.monotonic() - begun) < load.seconds - 1.0:
            if not (publisher.alive and node.alive):
                raise UserError("a process of the benchmark died; its last words are above")
            progress(elapsed)
            _spin(executor, 0.5)
        share = (node.cpu_s() - before) / (time.monotonic() - begun)
        sent = publisher.heard()
        if sent is None:
            raise UserError("the publisher of the benchmark died")
        _spin(executor, LAST_DIAGNOSTICS_S)
    return share, Published(**sent)


def _spin(executor: SingleThreadedExecutor | None, seconds: float) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if executor is None:
            time.sleep(left)
        else:
            executor.spin_once(timeout_sec=left)


def _cost(cpu_share: float, delays_s: list[float]) -> NodeCost:
    p50, p99, worst = 1e3 * np.percentile(delays_s, (50, 99, 100))
    return NodeCost(cpu_share, float(p50), float(p99), float(worst), len(delays_s))


def _parameters(load: CameraLoad) -> list[str]:
    values = {
        "cameras": list(CAMERAS),
        "mosaic_heights": [MOSAIC_HEIGHT] * len(CAMERAS),
        "mosaic_width": MOSAIC_WIDTH,
        "native_heights": [HEIGHT] * len(CAMERAS),
        "native_widths": [WIDTH] * len(CAMERAS),
        "joints": list(JOINTS),
        "transports": ["compressed" if load.encoding == JPEG else "raw"],
        "rectify": str([load.rectify]).lower(),
    }
    return ["--ros-args", *(word for k, v in values.items() for word in ("-p", f"{k}:={v}"))]
