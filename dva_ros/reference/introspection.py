"""What a running node publishes, hears, serves, calls and takes as parameters.

Read from the configured node itself: names and types through ROS's graph, qualities of service
from its publishers and subscriptions, parameters from their descriptors. The reference page and
the security policies are made of this, so that neither can say something else than the code.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
from dataclasses import dataclass, replace
from typing import Any

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node
from rclpy.qos import QoSProfile

from .. import nodes
from ..bringup.graph import GRAPH
from ..ros.managed_node import ManagedNode
from ..ros.parameters import declare
from ..ros.process import ProcessParameters
from ..ros.qos_overrides import POLICIES, PREFIX

LIFECYCLE_TOPIC = "~/transition_event"
_NAMESPACE = f"/reference_{os.getpid()}"
"""Tells relative names from absolute ones, and these nodes from others of the same name."""


@dataclass(frozen=True)
class Endpoint:
    """One end of a topic or service.

    Attributes:
        name: as the node's code has it: with ``~/`` below the node's own name, with ``/`` where no
            namespace is pushed before it, else relative to the namespace.
        type: "package/Type".
        qos: of a topic, in words; empty where the middleware's own.
        overridable: whether the parameters of `qos_overrides` exist for it.
    """

    name: str
    type: str
    qos: str = ""
    overridable: bool = False

    def resolved(self, node: str) -> str:
        """The name as it is without a namespace."""
        if self.name.startswith("~"):
            return f"/{node}{self.name[1:]}"
        return self.name if self.name.startswith("/") else f"/{self.name}"


@dataclass(frozen=True)
class ParameterEntry:
    """One parameter: its ROS type, its default, and what is allowed, in words."""

    name: str
    type: str
    default: Any
    allowed: str
    description: str


@dataclass(frozen=True)
class NodeInterface:
    """All that others see of a node."""

    name: str
    summary: str
    publishers: tuple[Endpoint, ...]
    subscriptions: tuple[Endpoint, ...]
    services: tuple[Endpoint, ...]
    clients: tuple[Endpoint, ...]
    parameters: tuple[ParameterEntry, ...]

    def without(self, other: NodeInterface) -> NodeInterface:
        """What this node has and the other has not."""

        parts = ("publishers", "subscriptions", "services", "clients", "parameters")
        theirs = {part: {item.name for item in getattr(other, part)} for part in parts}
        own: dict[str, Any] = {
            part: tuple(item for item in getattr(self, part) if item.name not in names)
            for part, names in theirs.items()
        }
        return replace(self, **own)


def node_classes() -> dict[str, type[ManagedNode]]:
    """Every node of `dva_ros.nodes` by name: those of the graph in order, then the others."""
    found = {}
    for module_info in pkgutil.iter_modules(nodes.__path__):
        if module_info.ispkg:
            continue
        module = importlib.import_module(f"{nodes.__name__}.{module_info.name}")
        for thing in vars(module).values():
            own = isinstance(thing, type) and thing.__module__ == module.__name__
            if own and issubclass(thing, ManagedNode) and thing is not ManagedNode:
                found[module_info.name] = thing
    ordered = [node.name for node in GRAPH]
    ordered += sorted(set(found) - set(ordered))
    return {name: found[name] for name in ordered}


def interfaces() -> tuple[NodeInterface, list[NodeInterface]]:
    """What every node has, and what each has beside it; all are configured, one after the other.

    Needs an initialised rclpy and the shipped checkpoints.

    Raises:
        RuntimeError: a node could not be configured; its message says why.
    """
    common = interface_of(ManagedNode("node", namespace=_NAMESPACE), "")
    every = []
    for cls in node_classes().values():
        module = importlib.import_module(cls.__module__)
        node = cls(namespace=_NAMESPACE)  # type: ignore[call-arg]  # a node knows its own name
        every.append(interface_of(node, _summary(module.__doc__ or "")).without(common))
    return common, every


def interface_of(node: ManagedNode, summary: str) -> NodeInterface:
    """Configure a node, read all of it, and end it."""
    try:
        declare(node, ProcessParameters)
        node.trigger_configure()
        if node.failure:
            raise RuntimeError(f"{node.get_name()} could not be configured: {node.failure}")
        name, namespace = node.get_name(), node.get_namespace()
        return NodeInterface(
            name=name,
            summary=summary,
            publishers=_topics(
                node,
                "publisher",
                node.get_publisher_names_and_types_by_node(name, namespace),
                {publisher.topic_name: publisher.qos_profile for publisher in node.publishers},
            ),
            subscriptions=_topics(
                node,
                "subscription",
                node.get_subscriber_names_and_types_by_node(name, namespace),
                {heard.topic_name: heard.qos_profile for heard in node.subscriptions},
            ),
            services=_services(node, node.get_service_names_and_types_by_node(name, namespace)),
            clients=_services(node, node.get_client_names_and_types_by_node(name, namespace)),
            parameters=tuple(
                _parameter(node, parameter)
                for parameter in node._parameters
                if not parameter.startswith(PREFIX)
            ),
        )
    finally:
        node.finish()


def qos_parameters(endpoint: str, end: str) -> list[str]:
    """The parameters that override the quality of service of a topic's end ("publisher",
    "subscription")."""
    return [f"{PREFIX}{endpoint}.{end}.{policy.name.lower()}" for policy in POLICIES]


def _topics(
    node: Node, end: str, named: list[tuple[str, list[str]]], profiles: dict[str, QoSProfile]
) -> tuple[Endpoint, ...]:
    return tuple(
        Endpoint(
            _unresolved(node, topic),
            _short(kinds),
            _words(profiles[topic]) if topic in profiles else "",
            all(node.has_parameter(name) for name in qos_parameters(topic, end)),
        )
        for topic, kinds in sorted(named)
    )


def _services(node: Node, named: list[tuple[str, list[str]]]) -> tuple[Endpoint, ...]:
    return tuple(Endpoint(_unresolved(node, name), _short(kinds)) for name, kinds in sorted(named))


def _unresolved(node: Node, name: str) -> str:
    own, namespace = node.get_fully_qualified_name() + "/", node.get_namespace() + "/"
    if name.startswith(own):
        return "~/" + name.removeprefix(own)
    return name.removeprefix(namespace)


def _short(kinds: list[str]) -> str:
    package, _, kind = kinds[0].split("/")
    return f"{package}/{kind}"


def _words(qos: QoSProfile) -> str:
    policies = (
        policy.name.lower().replace("_", " ") for policy in (qos.reliability, qos.durability)
    )
    return ", ".join((*policies, f"last {qos.depth}"))


def _parameter(node: Node, name: str) -> ParameterEntry:
    parameter = node.get_parameter(name)
    descriptor = node.describe_parameter(name)
    return ParameterEntry(
        name=name,
        type=parameter.type_.name.lower().replace("_array", "[]"),
        default=parameter.value,
        allowed=_allowed(descriptor),
        description=descriptor.description,
    )


def _allowed(descriptor: ParameterDescriptor) -> str:
    """The range in words; bounds that stand for "none" are left out."""
    if descriptor.additional_constraints:
        return str(descriptor.additional_constraints)
    for limits in (*descriptor.integer_range, *descriptor.floating_point_range):
        low, high = (
            "" if abs(bound) >= 2**62 else f"{bound:g}"
            for bound in (limits.from_value, limits.to_value)
        )
        return f"{low} … {high}".strip()
    return ""


def _summary(docstring: str) -> str:
    """The first sentence of a module, without the node's name in front."""
    return docstring.strip().splitlines()[0].partition(": ")[2]
