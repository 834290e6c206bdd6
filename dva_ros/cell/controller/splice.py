"""Splicing a new message into the running trajectory (master)."""

from __future__ import annotations

import numpy as np

from .joint_order import JointOrder
from .message import Message, Waypoint, frozen
from .playback import Playback, Sample


def splice(
    message: Message,
    running: Playback,
    order: JointOrder,
    cursor_ns: int,
    now_ns: int,
    held: np.ndarray,
) -> None:
    """Turn the message into old points, a bridge, its own points and what the old one still does.

    Everything is counted from `cursor_ns`, the previous update's time, but played from the next
    one: the reference repeats one value. A stamp that is not in the future counts as now.
    Omitted joints keep following the old trajectory.

    Args:
        message: changed in place; afterwards in the controller's joint order and unstamped.
        running: the old trajectory.
        order: the controller's joints.
        cursor_ns: time up to which the old trajectory was played.
        now_ns: time of this update.
        held: float64 [joints] for joints whose old motion cannot be sampled.
    """
    delay_ns = max(message.stamp_ns - now_ns, 0)
    commanded = order.commanded(message)
    bridge = running.look(cursor_ns + delay_ns)
    _fill_from_running(message, running, order, cursor_ns + delay_ns, held)
    order.sort(message)
    own = [point._replace(time_ns=point.time_ns + delay_ns) for point in message.points]
    old = [
        point._replace(time_ns=point.time_ns + running.start_ns - cursor_ns)
        for point in running.points
    ]
    spliced = [point for point in old if 0 < point.time_ns < delay_ns]
    if bridge is not None and delay_ns < own[0].time_ns:
        spliced.append(
            Waypoint(bridge.positions, bridge.velocities, bridge.accelerations, delay_ns)
        )
    spliced += own
    if not commanded.all():
        spliced += [
            _hold_commanded(point, commanded, own[-1].positions)
            for point in old
            if point.time_ns > own[-1].time_ns
        ]
    message.points = spliced
    message.stamp_ns = 0


def _fill_from_running(
    message: Message, running: Playback, order: JointOrder, start_ns: int, held: np.ndarray
) -> None:
    if len(message.joint_names) == len(order.joint_names):
        return
    omitted = ~order.commanded(message)
    still = np.zeros_like(held)
    columns = []
    for point in message.points:
        sample = running.reference(start_ns + point.time_ns)
        if sample is None:
            sample = Sample(held, still, still, 0, False)
        columns.append(
            Waypoint(
                sample.positions[omitted],
                sample.velocities[omitted],
                sample.accelerations[omitted],
                point.time_ns,
            )
        )
    order.append(message, omitted, columns)


def _hold_commanded(point: Waypoint, commanded: np.ndarray, positions: np.ndarray) -> Waypoint:
    return Waypoint(
        frozen(np.where(commanded, positions, point.positions)),
        None if point.velocities is None else frozen(np.where(commanded, 0.0, point.velocities)),
        None
        if point.accelerations is None
        else frozen(np.where(commanded, 0.0, point.accelerations)),
        point.time_ns,
    )
