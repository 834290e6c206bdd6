"""docs/reference.md and config/sros2/policies.xml from the running nodes.

``python -m dva_ros.reference`` starts every node in this process, configures it as it is
without any parameters file, and writes both. A test compares them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import rclpy

from .introspection import Endpoint, NodeInterface, ParameterEntry, interfaces
from .security_policy import policies

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference.md"
POLICIES = ROOT / "config" / "sros2" / "policies.xml"
COMMAND = "python -m dva_ros.reference"

HEAD = f"""# Reference

Every node, topic, service and parameter, read from the running nodes by `{COMMAND}`; run it
again after a change of the code (a test compares). What the topics and services are for, and what
happens when something fails: [reference/nodes.md](reference/nodes.md).

Names that begin with `/` are absolute, `~` is the node's own name, and all others are relative to
the namespace. Parameters have their defaults, so there is one controller,
`joint_trajectory_controller`, and the two cameras of the simulated cell; with other `cameras` and
`controllers` the names of their topics follow. Nodes read their parameters at configure; a value
outside its range is refused by name.
"""

QOS_NOTE = """\
Where a table says *overridable*, parameters change the quality of service of that end of the
topic: `depth` (1 or more), `reliability` (`reliable`, `best_effort`) and `durability` (`volatile`,
`transient_local`), under the full name of the topic, with the namespace and after remapping:

```yaml
camera_context:
  ros__parameters:
    qos_overrides:
      /overhead/image_raw:
        subscription: {reliability: reliable, depth: 2}
```
"""


def page(common: NodeInterface, every: Sequence[NodeInterface]) -> str:
    """The whole page.

    Args:
        common: what every node has.
        every: the nodes, without what is common.
    """
    parts = [HEAD, "## Topics\n", _overview(every), QOS_NOTE, "## Every node\n", *_node(common)]
    for node in every:
        parts += [f"## {node.name}\n", _sentence(node.summary), *_node(node)]
    return "\n".join(parts)


def parameter_table(parameters: Sequence[ParameterEntry]) -> str:
    """One Markdown row a parameter."""
    return _table(
        ("parameter", "type", "default", "allowed", "meaning"),
        ((f"`{p.name}`", p.type, _shown(p.default), p.allowed, p.description) for p in parameters),
    )


def _node(node: NodeInterface) -> Iterator[str]:
    for title, ends in (("Publishes", node.publishers), ("Subscribes to", node.subscriptions)):
        if ends:
            rows = ((f"`{e.name}`", _type(e, "msg"), _quality(e)) for e in ends)
            yield _table((title, "type", "quality of service"), rows)
    for title, ends in (("Serves", node.services), ("Calls", node.clients)):
        if ends:
            yield _table((title, "type"), ((f"`{e.name}`", _type(e, "srv")) for e in ends))
    if node.parameters:
        yield parameter_table(node.parameters)


def _overview(every: Sequence[NodeInterface]) -> str:
    """Which topic leads from which node to which."""
    ends: tuple[Callable[[NodeInterface], Sequence[Endpoint]], ...] = (
        lambda node: node.publishers,
        lambda node: node.subscriptions,
    )
    topics: dict[str, tuple[Endpoint, tuple[list[str], list[str]]]] = {}
    for node in every:
        for which, of in enumerate(ends):
            for endpoint in of(node):
                name = endpoint.resolved(node.name).removeprefix("/")
                topics.setdefault(name, (endpoint, ([], [])))[1][which].append(node.name)
    return _table(
        ("topic", "type", "from", "to"),
        (
            (f"`{name}`", _type(endpoint, "msg"), ", ".join(senders), ", ".join(readers))
            for name, (endpoint, (senders, readers)) in sorted(topics.items())
        ),
    )


def _type(endpoint: Endpoint, kind: str) -> str:
    package, name = endpoint.type.split("/")
    if package != "dva_msgs":
        return endpoint.type
    return f"[{name}](../dva_msgs/{kind}/{name}.{kind})"


def _quality(endpoint: Endpoint) -> str:
    return (endpoint.qos or "rcl's own") + (" (overridable)" if endpoint.overridable else "")


def _shown(default: Any) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, str):
        return default or "(empty)"
    if hasattr(default, "__len__"):
        return ", ".join(map(str, default)).strip(", ") or "(empty)"
    return str(default)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}\n"


def _table(head: Sequence[str], rows: Any) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in lines) + "\n"


def main() -> int:
    """Write both files."""
    rclpy.init()
    try:
        with TemporaryDirectory() as folder:
            os.chdir(folder)  # a node may write at configure
            common, every = interfaces()
            os.chdir(ROOT)
    finally:
        rclpy.shutdown()
    for path, text in ((PAGE, page(common, every)), (POLICIES, policies(common, every))):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        print(f"wrote {path.relative_to(ROOT)}")
    return 0
