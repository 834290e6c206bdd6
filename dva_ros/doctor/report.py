"""Prints checks and topics as tables, or as plain lines if rich is not installed."""

from __future__ import annotations

from collections.abc import Sequence

from .check import Section, Status
from .topics import Graph

SIGNS = {Status.OK: "ok", Status.OPTIONAL: "-", Status.MISSING: "MISSING"}
STYLES = {Status.OK: "green", Status.OPTIONAL: "yellow", Status.MISSING: "bold red"}


def print_section(section: Section) -> None:
    """One table: the thing, what was found, what it is for, what to do."""
    rows = [
        (check.name, SIGNS[check.status], check.detail, check.purpose, check.remedy)
        for check in section.checks
    ]
    styles = [STYLES[check.status] for check in section.checks]
    _print_table(section.title, ("", "state", "found", "used for", "what to do"), rows, styles)


def print_graph(graph: Graph) -> None:
    """The nodes on one line, the topics as a table."""
    if not graph.nodes and not graph.topics:
        print("no ROS node runs in this domain")
        return
    print(f"nodes: {', '.join(graph.nodes) or 'none'}")
    rows = [
        (
            topic.name,
            topic.kind,
            str(topic.publishers),
            str(topic.subscribers),
            "type not installed" if topic.rate_hz is None else f"{topic.rate_hz:.1f} Hz",
        )
        for topic in graph.topics
    ]
    header = ("topic", "type", "publishers", "subscribers", "rate")
    _print_table("Running graph", header, rows, ["" for _ in rows])


def _print_table(
    title: str, header: Sequence[str], rows: Sequence[Sequence[str]], styles: Sequence[str]
) -> None:
    used = [i for i in range(len(header)) if any(row[i] for row in rows)]
    header, rows = [header[i] for i in used], [[row[i] for i in used] for row in rows]
    try:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ImportError:
        print(f"\n{title}")
        for row in rows:
            print("  " + "  ".join(cell for cell in row if cell))
        return
    table = Table(title=title, title_justify="left")
    for column in header:
        table.add_column(column, overflow="fold")
    for row, style in zip(rows, styles, strict=True):
        first, second, *others = row
        table.add_row(Text(first), Text(second, style), *(Text(cell) for cell in others))
    Console().print(table)
