"""``python -m dva_ros doctor``: what is installed, missing, running, and what to do."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dva_ros.errors import UserError

if TYPE_CHECKING:
    from dva_ros.doctor.topics import Graph

SUMMARY = "what is installed, what is missing and what it is for; topics and their rates"

MEASURE_S = 3.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    parser.add_argument("--no-topics", action="store_true", help="do not look at the ROS graph")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the findings there")


def run(args: argparse.Namespace) -> int:
    """Look, print and write.

    Returns:
        0 when nothing required is missing, else 1.
    """
    from dva_ros.doctor.check import is_healthy
    from dva_ros.doctor.checkpoints import checkpoint_section
    from dva_ros.doctor.hardware import hardware_section
    from dva_ros.doctor.packages import python_section
    from dva_ros.doctor.report import print_graph, print_section
    from dva_ros.doctor.ros import ros_section

    sections = []
    for look in (python_section, ros_section, hardware_section, checkpoint_section):
        section = look()
        print_section(section)
        sections.append(section)

    graph = None if args.no_topics else _graph()
    if graph is not None:
        print_graph(graph)

    healthy = is_healthy(sections)
    if args.json:
        findings = {
            "healthy": healthy,
            "sections": [section.to_dict() for section in sections],
            "nodes": list(graph.nodes) if graph else None,
            "topics": [topic.to_dict() for topic in graph.topics] if graph else None,
        }
        try:
            args.json.write_text(json.dumps(findings, indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise UserError(f"--json {args.json} cannot be written: {error.strerror}") from error
    print("everything required is here" if healthy else "something required is missing, see above")
    return 0 if healthy else 1


def _graph() -> Graph | None:
    from dva_ros.doctor.topics import observe_graph

    print(f"looking at the running ROS graph for {MEASURE_S:.0f} s ...")
    try:
        return observe_graph(MEASURE_S)
    except ImportError as error:
        print(f"topics cannot be seen: {error}", file=sys.stderr)
    except Exception as error:  # the middleware's own errors have no common class
        print(f"topics cannot be seen, the middleware does not start: {error}", file=sys.stderr)
    return None
