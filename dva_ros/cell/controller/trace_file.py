"""Reading traces of the real controller (`jtc_traces.json`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dva_ros.errors import UserError
from dva_ros.trajectory import Trajectory, TrajectoryPoint

from .controller import Interface
from .parameters import ControllerParameters


@dataclass(frozen=True)
class Tolerances:
    """Differences to allow: rad, rad/s and rad/s²."""

    position: float
    velocity: float
    acceleration: float


@dataclass(frozen=True)
class TracedMessage:
    """A trajectory, when it arrives (s), and by `topic` or `action`."""

    arrives: float
    interface: Interface
    trajectory: Trajectory


@dataclass(frozen=True)
class Installed:
    """A trajectory that became the active one.

    Attributes:
        step: of the update.
        message: index of the message, None for the controller's own hold point.
        before_time, start: s.
        before: state before it.
        points: as followed; None for exactly those that were sent.
    """

    step: int
    message: int | None
    before_time: float
    before: TrajectoryPoint
    start: float
    points: tuple[TrajectoryPoint, ...] | None


@dataclass(frozen=True)
class Trace:
    """What one version did. Arrays are float64 [joints, steps]; command None where not traced."""

    accepted: tuple[bool, ...]
    installed: tuple[Installed, ...]
    position: np.ndarray
    velocity: np.ndarray
    acceleration: np.ndarray
    command: np.ndarray | None


@dataclass(frozen=True)
class Plant:
    """How the measured state behaves: `fixed`, `lag` or `offset`; arrays are float64 [joints]."""

    kind: str
    positions: np.ndarray
    velocities: np.ndarray
    accelerations: np.ndarray
    gain: float
    offset: np.ndarray
    then_from: float
    then_positions: np.ndarray


@dataclass(frozen=True)
class Scenario:
    """One experiment and what each version did in it, by version."""

    name: str
    parameters: ControllerParameters
    plant: Plant
    start: float
    steps: int
    messages: tuple[TracedMessage, ...]
    traces: dict[str, Trace]


@dataclass(frozen=True)
class TraceFile:
    """Experiments with one update period (s) and one set of joints."""

    period: float
    joints: tuple[str, ...]
    tolerances: Tolerances
    scenarios: tuple[Scenario, ...]


def read_traces(path: Path) -> TraceFile:
    """Read a trace file; raises `UserError` that names what is wrong with it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot read the trace file {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not a trace file: it is not text ({error.reason})") from error
    except json.JSONDecodeError as error:
        raise UserError(
            f"{path} is corrupt: {error.msg} in line {error.lineno}, column {error.colno}; "
            "copy it again"
        ) from error
    if not isinstance(content, dict):
        raise UserError(f"{path} is not a trace file: it holds no JSON object")
    place = "the file"
    try:
        period, joints = float(content["period"]), tuple(content["joints"])
        tolerances = Tolerances(**content["tolerances"])
        scenarios = []
        for number, entry in enumerate(content["scenarios"]):
            place = f"scenario number {number}"
            place = f"scenario {entry['name']!r}"
            scenarios.append(_scenario(entry, round(1.0 / period)))
    except (KeyError, TypeError, ValueError, AttributeError, ZeroDivisionError) as error:
        what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise UserError(
            f"{path} is not a trace file of the joint_trajectory_controller, or another version "
            f"of it: in {place}, {what}"
        ) from error
    return TraceFile(period, joints, tolerances, tuple(scenarios))


def _scenario(entry: Mapping[str, Any], update_rate: int) -> Scenario:
    messages = tuple(
        TracedMessage(
            float(message["arrives"]),
            _interface(message["interface"]),
            Trajectory(
                tuple(message["joint_names"]),
                tuple(_point(point) for point in message["points"]),
                float(message["stamp"]),
            ),
        )
        for message in entry["messages"]
    )
    traces: dict[str, Trace] = {}
    recorded = entry["traces"]
    for version, trace in recorded.items():
        traces[version] = _trace(recorded[trace["same_as"]] if "same_as" in trace else trace)
    return Scenario(
        name=entry["name"],
        parameters=_parameters(entry["config"], update_rate),
        plant=_plant(entry["plant"]),
        start=float(entry["start"]),
        steps=int(entry["steps"]),
        messages=messages,
        traces=traces,
    )


def _interface(name: Any) -> Interface:
    if name == "topic":
        return "topic"
    if name == "action":
        return "action"
    raise ValueError(f"the interface {name!r} is neither topic nor action")


def _parameters(config: Mapping[str, Any], update_rate: int) -> ControllerParameters:
    values = dict(config)
    upsampling = values.pop("positions_upsampling", None) or {}
    return ControllerParameters(
        state_interfaces=tuple(values.pop("state_interfaces")),
        positions_upsampling=bool(upsampling.get("enable", False)),
        policy_frequency=float(upsampling.get("policy_frequency", 0.0)),
        update_rate=update_rate,
        **values,
    )


def _plant(entry: Mapping[str, Any]) -> Plant:
    positions = _floats(entry["positions"])
    if entry["kind"] not in ("fixed", "lag", "offset"):
        raise ValueError(f"the plant {entry['kind']!r} is unknown")
    return Plant(
        kind=entry["kind"],
        positions=positions,
        velocities=_floats(entry["velocities"]),
        accelerations=_floats(entry["accelerations"]),
        gain=float(entry["gain"] if entry["kind"] == "lag" else 0.0),
        offset=_floats(entry["offset"]) if entry["kind"] == "offset" else np.zeros_like(positions),
        then_from=float(entry.get("then_from", np.inf)),
        then_positions=_floats(entry.get("then_positions", positions)),
    )


def _trace(entry: Mapping[str, Any]) -> Trace:
    command = entry.get("command_position")
    return Trace(
        accepted=tuple(bool(accepted) for accepted in entry["accepted"]),
        installed=tuple(_installed(item) for item in entry["installed"]),
        position=_floats(entry["position"]),
        velocity=_floats(entry["velocity"]),
        acceleration=_floats(entry["acceleration"]),
        command=None if command is None else _floats(command),
    )


def _installed(entry: Mapping[str, Any]) -> Installed:
    points = entry["points"]
    return Installed(
        step=int(entry["step"]),
        message=entry["message"],
        before_time=float(entry["before_time"]),
        before=_point({**entry["before"], "time_from_start": 0.0}),
        start=float(entry["start"]),
        points=None if points == "as sent" else tuple(_point(point) for point in points),
    )


def _point(entry: Mapping[str, Any]) -> TrajectoryPoint:
    return TrajectoryPoint(
        _optional_floats(entry.get("positions")),
        float(entry["time_from_start"]),
        _optional_floats(entry.get("velocities")),
        _optional_floats(entry.get("accelerations")),
    )


def _floats(values: Any) -> np.ndarray:
    return np.array(values, dtype=np.float64)


def _optional_floats(values: Any) -> np.ndarray | None:
    return None if values is None else _floats(values)
