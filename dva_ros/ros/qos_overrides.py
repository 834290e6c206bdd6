"""Qualities of service that an operator can override with parameters.

Every topic of a node has the parameters ``qos_overrides.<topic>.publisher.depth`` (or
``subscription``), ``.reliability`` and ``.durability``, with the resolved name of the topic. A
cell whose cameras publish as best effort, or whose link loses packets, needs no change of code.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rclpy.exceptions import InvalidParameterTypeException
from rclpy.node import Node
from rclpy.qos import QoSPolicyKind, QoSProfile
from rclpy.qos_overriding_options import InvalidQosOverridesError, QoSOverridingOptions

from .parameters import ParameterError

PREFIX = "qos_overrides."
POLICIES = (QoSPolicyKind.DEPTH, QoSPolicyKind.RELIABILITY, QoSPolicyKind.DURABILITY)


@contextmanager
def overridable(node: Node, topic: str, qos: QoSProfile) -> Iterator[dict[str, Any]]:
    """The keyword arguments that make a publisher or subscription whose quality can be
    overridden; rclpy writes the overrides into the profile, so this is a copy.

    Raises:
        ParameterError: a value is of the wrong type or no quality of service.
    """
    try:
        yield {
            "qos_profile": copy(qos),
            "qos_overriding_options": QoSOverridingOptions(POLICIES, callback=_usable),
        }
    except (InvalidQosOverridesError, InvalidParameterTypeException, RuntimeError) as error:
        where = f"{PREFIX}{node.resolve_topic_name(topic)}"
        raise ParameterError(
            f"parameters {where} of {node.get_fully_qualified_name()}: {error}; depth is a "
            "number, reliability reliable or best_effort, durability volatile or transient_local"
        ) from error


def _usable(qos: QoSProfile) -> SetParametersResult:
    """rclpy's callback: 0 would mean the middleware's own depth."""
    return SetParametersResult(successful=qos.depth >= 1, reason="depth must be 1 or more")
