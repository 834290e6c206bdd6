"""A node's parameters from one dataclass: defaults, descriptions, ranges, validation.

A parameter class is a frozen dataclass whose fields are made with `parameter`. `declare` declares
every field on a node (read-only: they take effect at configure), reads the values back and gives
an instance of the class. The class's own ``__post_init__`` checks what spans several fields.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Container, Iterator, Sequence
from typing import Any, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node
from rclpy.parameter import Parameter

from ..errors import UserError

P = TypeVar("P")


class ParameterError(UserError):
    """A parameter has a value that cannot work; the message names node and parameter."""


@dataclasses.dataclass(frozen=True)
class Described:
    """What is known of a parameter beside its default.

    Attributes:
        description: one line with the unit.
        minimum: smallest allowed number.
        maximum: greatest allowed number.
        choices: allowed values.
        renamed_from: deprecated names; a value given under one of them is still used.
    """

    description: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    renamed_from: tuple[str, ...] = ()


def parameter(
    default: Any,
    description: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: Sequence[str] = (),
    renamed_from: tuple[str, ...] = (),
) -> Any:
    """A dataclass field that `declare` turns into a ROS parameter (lists are tuples here)."""
    described = Described(description, minimum, maximum, tuple(choices), renamed_from)
    return dataclasses.field(default=default, metadata={"described": described})


def described_fields(cls: type[Any]) -> Iterator[tuple[str, Any, Described]]:
    """Name, default and description of every parameter of a class."""
    for item in dataclasses.fields(cls):
        yield item.name, item.default, item.metadata["described"]


def declare(node: Node, cls: Callable[..., P]) -> P:
    """Declare the parameters of a class on a node and read their values.

    A value under a deprecated name is used, with a warning.

    Raises:
        ParameterError: a value has the wrong type, lies outside its range, or does not fit the
            others, or a parameter has different values under its old and its new name.
    """
    assert isinstance(cls, type)
    for note in adopt_renamed(node, cls):
        node.get_logger().warning(note)
    values = {
        name: declared(node, name, default, described)
        for name, default, described in described_fields(cls)
    }
    try:
        return cls(**values)
    except ValueError as error:
        owner = node.get_fully_qualified_name()
        raise ParameterError(f"parameters of {owner}: {error}") from error


def adopt_renamed(node: Node, cls: type[Any]) -> list[str]:
    """Move values that were set under deprecated names to the new names.

    Returns:
        One warning per value that was moved.

    Raises:
        ParameterError: a parameter has different values under its old and its new name.
    """
    given, owner = node._parameter_overrides, node.get_fully_qualified_name()
    warnings = []
    for name, _, described in described_fields(cls):
        for old in described.renamed_from:
            if old not in given:
                continue
            value = given[old].value
            if name in given and given[name].value != value:
                raise ParameterError(
                    f"{owner} has {old}: {value} and {name}: {given[name].value}; {old} is the "
                    f"deprecated name of {name}: set {name} alone"
                )
            given[name] = Parameter(name, given[old].type_, value)
            del given[old]  # moved: it is neither unknown nor reported again
            warnings.append(f"parameter {old} of {owner} is deprecated; use {name}")
    return warnings


def declared(node: Node, name: str, default: Any, described: Described) -> Any:
    """The value of one parameter, declared where it is not yet.

    Raises:
        ParameterError: it has the wrong type or lies outside its range.
    """
    start = list(default) if isinstance(default, tuple) else default
    try:
        if not node.has_parameter(name):
            node.declare_parameter(name, start, _descriptor(described, default))
        value = node.get_parameter(name).value
    except (InvalidParameterTypeException, InvalidParameterValueException) as error:
        owner = node.get_fully_qualified_name()
        raise ParameterError(
            f"parameter {name} of {owner}: {error} ({described.description})"
        ) from error
    value = tuple(value) if isinstance(default, tuple) else value
    _check(node, name, value, described)
    return value


def unknown_parameters(node: Node, shared: Container[str] = ()) -> list[str]:
    """What was set, in a file or on the command line, and is no parameter of the node: one
    sentence each, `shared` names left out. rclpy ignores such values without a word."""
    known = list(node._parameters)
    found = []
    for name in node._parameter_overrides:
        if not node.has_parameter(name) and name not in shared:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            found.append(f"parameter {name} is unknown here and has no effect{hint}")
    return found


def _descriptor(described: Described, default: Any) -> ParameterDescriptor:
    descriptor = ParameterDescriptor(description=described.description, read_only=True)
    if described.choices:
        descriptor.additional_constraints = "one of " + ", ".join(described.choices)
    bounded = described.minimum is not None or described.maximum is not None
    if bounded and isinstance(default, int) and not isinstance(default, bool):
        descriptor.integer_range = [
            IntegerRange(
                from_value=int(described.minimum if described.minimum is not None else -(2**62)),
                to_value=int(described.maximum if described.maximum is not None else 2**62),
            )
        ]
    elif bounded and isinstance(default, float):
        descriptor.floating_point_range = [
            FloatingPointRange(
                from_value=described.minimum if described.minimum is not None else float("-inf"),
                to_value=described.maximum if described.maximum is not None else float("inf"),
            )
        ]
    return descriptor


def _check(node: Node, name: str, value: Any, described: Described) -> None:
    if described.choices and value not in described.choices:
        raise ParameterError(
            f"parameter {name} of {node.get_fully_qualified_name()} is {value!r}; "
            f"allowed: {', '.join(described.choices)}"
        )
    if isinstance(value, float) and value != value:
        raise ParameterError(f"parameter {name} of {node.get_fully_qualified_name()} is NaN")
