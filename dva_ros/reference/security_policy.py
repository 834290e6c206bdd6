"""SROS2 policies of the graph: what each node's enclave may publish, hear, serve and call.

One enclave a process. A node may do what it does and nothing else, so that ``joint_trajectory``
is published by the scheduler alone. Two enclaves are for people: an operator, who alone may call
the services, and a monitor, who only listens.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.etree import ElementTree as ET

from ..bringup.graph import ENCLAVES, enclave
from .introspection import LIFECYCLE_TOPIC, Endpoint, NodeInterface

OPERATOR, MONITOR = "operator", "monitor"
CLOCK, INSTRUCTION = "/clock", "instruction"

SETTERS = frozenset({"~/set_parameters", "~/set_parameters_atomically"})
"""Services that nobody may call: parameters take effect at configure, and come from the file."""

NOTE = f""" Written by python -m dva_ros.reference; how it is used: docs/guides/security.md.
     Only {ENCLAVES}/leapfrog_scheduler publishes joint_trajectory, and only {ENCLAVES}/operator
     calls services that move the robot. For a graph in a namespace change ns. """


def policies(common: NodeInterface, every: Sequence[NodeInterface]) -> str:
    """The policy file of sros2.

    Args:
        common: what every node has.
        every: the nodes, without what is common.
    """
    root = ET.Element("policy", version="0.2.0")
    root.append(ET.Comment(NOTE))
    enclaves = ET.SubElement(root, "enclaves")
    for node in every:
        _enclave(
            enclaves,
            node.name,
            publish=[end.name for end in (*common.publishers, *node.publishers)]
            + [LIFECYCLE_TOPIC],
            subscribe=[end.name for end in (*common.subscriptions, *node.subscriptions)] + [CLOCK],
            reply=[end.name for end in (*common.services, *node.services)],
            request=[end.name for end in node.clients],
        )
    own = [end.name for end in common.publishers if end.name.startswith("/")]
    heard = [_of(node, end) for node in every for end in node.publishers] + [CLOCK, *own]
    served = [
        _of(node, end)
        for node in every
        for end in (*common.services, *node.services)
        if end.name not in SETTERS
    ]
    own_services = [end.name for end in common.services]
    _enclave(
        enclaves,
        OPERATOR,
        publish=[*own, INSTRUCTION],
        subscribe=heard,
        reply=own_services,
        request=served,
    )
    _enclave(enclaves, MONITOR, publish=own, subscribe=heard, reply=own_services, request=())
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, "unicode") + "\n"


def _enclave(
    enclaves: ET.Element,
    name: str,
    publish: Iterable[str],
    subscribe: Iterable[str],
    reply: Iterable[str],
    request: Iterable[str],
) -> None:
    element = ET.SubElement(enclaves, "enclave", path=enclave(name))
    profile = ET.SubElement(ET.SubElement(element, "profiles"), "profile", ns="/", node=name)
    for kind, rule, names in (
        ("topic", "publish", publish),
        ("topic", "subscribe", subscribe),
        ("service", "reply", reply),
        ("service", "request", request),
    ):
        allowed = sorted(set(names))
        if allowed:
            group = ET.SubElement(profile, f"{kind}s", {rule: "ALLOW"})
            for item in allowed:
                ET.SubElement(group, kind).text = item


def _of(node: NodeInterface, end: Endpoint) -> str:
    """The name that another node, in the same namespace, has for it."""
    return f"{node.name}{end.name[1:]}" if end.name.startswith("~") else end.name
