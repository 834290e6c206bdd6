"""Checks a parameters file with ROS itself: declares the parameters of every node on a node in a
separate namespace, so that a running graph is not disturbed."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import rclpy
import yaml
from rclpy.context import Context
from rclpy.node import Node

from ...bringup.graph import CELL, DISPLAY, GRAPH
from ...bringup.graph_client import ros_context
from ...errors import UserError
from ...nodes.camera_context import CameraContextParameters
from ...nodes.cell import CellParameters
from ...nodes.imagination_display import ImaginationDisplayParameters
from ...nodes.inverse_dynamics import InverseDynamicsParameters
from ...nodes.recorder import NAME as RECORDER
from ...nodes.recorder import RecorderParameters
from ...nodes.video_predictor import VideoPredictorParameters
from ...ros.cell_spec import SPEC_PARAMETERS, SpecParameters
from ...ros.parameters import (
    adopt_renamed,
    declare,
    declared,
    described_fields,
    unknown_parameters,
)
from ...ros.process import ProcessParameters
from ...ros.qos_overrides import PREFIX
from ...ros.scheduler_parameters import LeapfrogSchedulerParameters
from ...spec import CellSpec

WITHOUT_SPEC = (CELL, DISPLAY)
PARAMETERS: Mapping[str, type[Any]] = {
    CELL: CellParameters,
    "camera_context": CameraContextParameters,
    "video_predictor": VideoPredictorParameters,
    "inverse_dynamics": InverseDynamicsParameters,
    "leapfrog_scheduler": LeapfrogSchedulerParameters,
    DISPLAY: ImaginationDisplayParameters,
    RECORDER: RecorderParameters,
}
"""Of every node of the graph, and of the recorder beside it."""
P = TypeVar("P")


@dataclass(frozen=True)
class CellConfig:
    """The content of a parameters file.

    Attributes:
        problems: values that no node accepts, or ignores; one sentence each.
        deprecated: values that are used although their parameters have new names.
        spec: of all nodes; None where it is no valid one.
        grid: the same at the speed that motion is played at.
        context: of ``camera_context``; None where they are not valid. The same for the others.
        video: of ``video_predictor``.
        inverse_dynamics: of ``inverse_dynamics``.
        scheduler: of ``leapfrog_scheduler``.
        recorder: of ``recorder``; None also where the file has no section for it.
    """

    problems: tuple[str, ...]
    deprecated: tuple[str, ...] = ()
    spec: CellSpec | None = None
    grid: CellSpec | None = None
    context: CameraContextParameters | None = None
    video: VideoPredictorParameters | None = None
    inverse_dynamics: InverseDynamicsParameters | None = None
    scheduler: LeapfrogSchedulerParameters | None = None
    recorder: RecorderParameters | None = None


def read_config(path: Path) -> CellConfig:
    """Check a parameters file.

    Raises:
        UserError: it cannot be read or is no YAML.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"parameters {path} cannot be read: {error}") from error
    if not isinstance(content, Mapping) or not content:
        raise UserError(f"{path} holds no parameters; config/cell.yaml shows the form")
    problems = [*_key_problems(content), *_null_problems(content)]
    if any("must be filled in" in problem for problem in problems):
        return CellConfig(tuple(problems))  # ROS reads no file with nulls
    nodes = [node.name for node in GRAPH]
    if any(_node_of(key) == RECORDER for key in content):
        nodes.append(RECORDER)
    with ros_context() as context:
        return _read(context, path, nodes, problems)


def _read(context: Context, path: Path, nodes: Sequence[str], problems: list[str]) -> CellConfig:
    specs: dict[str, SpecParameters] = {}
    found: dict[str, Any] = {}
    deprecated: list[str] = []
    namespace = f"doctor_{os.getpid()}"
    for name in nodes:
        try:
            node = rclpy.create_node(
                name,
                context=context,
                namespace=namespace,
                cli_args=["--ros-args", "--params-file", str(path)],
                enable_rosout=False,
                start_parameter_services=False,
            )
        except Exception as error:  # of rcl, without a common class
            reason = str(error).split(", at ")[0]
            return CellConfig((*problems, f"ROS cannot read it: {reason}"))
        try:
            said: list[str] = []
            _read_one(node, ProcessParameters, said, deprecated)
            found[name] = _read_one(node, PARAMETERS[name], said, deprecated)
            if name not in WITHOUT_SPEC:
                settings = _read_one(node, SpecParameters, said, deprecated)
                try:
                    specs |= {name: settings} if settings and settings.spec() else {}
                except ValueError as error:
                    said.append(f"{name}: {error}")
            said += [
                f"{name}: {note}"
                for note in unknown_parameters(node, SPEC_PARAMETERS)
                if f" {PREFIX}" not in note  # known as soon as the node has its topics
            ]
            problems += [text.replace(f"/{namespace}/", "") for text in said]
        finally:
            node.destroy_node()
    problems += _spec_problems(specs)
    first = next(iter(specs.values()), None)
    return CellConfig(
        problems=tuple(dict.fromkeys(problems)),
        deprecated=tuple(text.replace(f"/{namespace}/", "") for text in deprecated),
        spec=first.spec() if first else None,
        grid=first.grid() if first else None,
        context=cast("CameraContextParameters | None", found["camera_context"]),
        video=cast("VideoPredictorParameters | None", found["video_predictor"]),
        inverse_dynamics=cast("InverseDynamicsParameters | None", found["inverse_dynamics"]),
        scheduler=cast("LeapfrogSchedulerParameters | None", found["leapfrog_scheduler"]),
        recorder=cast("RecorderParameters | None", found.get(RECORDER)),
    )


def _read_one(node: Node, cls: type[P], problems: list[str], deprecated: list[str]) -> P | None:
    """The parameters of a class; None, and all that is wrong, where they are not valid."""
    wrong = []
    try:
        deprecated += adopt_renamed(node, cls)
    except UserError as error:
        wrong.append(str(error))
    for name, default, described in described_fields(cls):
        try:
            declared(node, name, default, described)
        except UserError as error:
            wrong.append(str(error))
    if not wrong:
        try:
            return declare(node, cls)
        except UserError as error:
            wrong.append(str(error))
    problems += wrong
    return None


def _key_problems(content: Mapping[str, Any]) -> Iterator[str]:
    """Keys of the file that no node has."""
    names = list(PARAMETERS)
    for key, value in content.items():
        last = _node_of(key)
        if last not in (*names, "**"):
            near = difflib.get_close_matches(last, names, 1)
            hint = f"; did you mean /**/{near[0]}?" if near else ""
            yield f"{key}: no node of dva_ros has this name{hint}"
        elif last != "**" and not str(key).startswith("/**/"):
            yield f"{key} counts in one namespace only; write /**/{last}"
        if not isinstance(value, Mapping) or not isinstance(value.get("ros__parameters"), Mapping):
            yield f"{key} has no mapping ros__parameters"


def _node_of(key: object) -> str:
    """The node, or the wildcard, that a key of the file is for."""
    return str(key).rsplit("/", 1)[-1]


def _null_problems(content: Mapping[str, Any]) -> Iterator[str]:
    for key, value in content.items():
        parameters = value.get("ros__parameters") if isinstance(value, Mapping) else None
        for name, one in parameters.items() if isinstance(parameters, Mapping) else ():
            if one is None:
                yield f"{key}: {name} must be filled in"


def _spec_problems(specs: Mapping[str, SpecParameters]) -> Iterator[str]:
    """The nodes must agree."""
    if not specs:
        return
    first = next(iter(specs))
    for name, settings in specs.items():
        mine, theirs = specs[first].time_scaling, settings.time_scaling
        try:
            specs[first].spec().require_equal(settings.spec(), first, name)
            if mine != theirs:
                raise UserError(f"time_scaling differ: {first} has {mine}, {name} has {theirs}")
        except UserError as error:
            yield f"{error}; set it for all nodes at once, under /**"
