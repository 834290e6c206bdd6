"""``python -m dva_ros doctor``: what is installed, missing, running, and what to do."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dva_ros.errors import UserError

if TYPE_CHECKING:
    from dva_ros.doctor.check import Section
    from dva_ros.doctor.topics import Graph

SUMMARY = "what is installed, what is missing and what it is for; topics and their rates"

MEASURE_S = 3.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    parser.add_argument("--no-topics", action="store_true", help="do not look at the ROS graph")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the findings there")
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="check a cell's parameters file, or its name in config/, against the running cell",
    )
    parser.add_argument(
        "--urdf",
        type=Path,
        metavar="FILE",
        help="with --config: URDF or xacro; default: robot_description",
    )
    parser.add_argument("--namespace", default="", help="with --config: of the cell's topics")
    parser.add_argument(
        "--use-sim-time", action="store_true", help="with --config: stamps are of /clock"
    )
    parser.add_argument(
        "--measure",
        type=float,
        default=MEASURE_S,
        metavar="S",
        help="how long to listen to topics (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Look, print and write.

    Returns:
        0 when nothing required is missing, else 1.
    """
    from dva_ros.doctor.check import is_healthy
    from dva_ros.doctor.report import print_graph

    sections = _cell(args) if args.config else _machine()
    graph = None if args.no_topics or args.config else _graph(args.measure)
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


def _machine() -> list[Section]:
    """What is installed; each section is printed as soon as it is known."""
    from dva_ros.doctor.checkpoints import checkpoint_section
    from dva_ros.doctor.hardware import hardware_section
    from dva_ros.doctor.python_packages import python_section
    from dva_ros.doctor.report import print_section
    from dva_ros.doctor.ros_packages import ros_section

    sections = []
    for look in (python_section, ros_section, hardware_section, checkpoint_section):
        section = look()
        print_section(section)
        sections.append(section)
    return sections


def _cell(args: argparse.Namespace) -> list[Section]:
    """A configuration, and the running cell against it."""
    from dva_ros.doctor.client.config_check import read_config
    from dva_ros.doctor.configuration import configuration_section, limits_section
    from dva_ros.doctor.live_cell import live_section
    from dva_ros.doctor.report import print_section
    from dva_ros.new_cell.client.probe import look
    from dva_ros.resources import config_path
    from dva_ros.robot.description import Description

    path = config_path(args.config)
    description = Description.load(args.urdf) if args.urdf else None
    config = read_config(path)
    sections = [configuration_section(config, path)]
    print_section(sections[0])
    if not args.no_topics:
        print(f"listening to the cell for {args.measure:g} s ...", flush=True)
        live = look(args.measure, args.namespace, args.use_sim_time)
        if description is None and live.description:
            description = Description.parse(live.description, "of robot_description")
        sections.append(live_section(config, live))
    sections.insert(1, limits_section(config, description))
    for section in sections[1:]:
        print_section(section)
    return sections


def _graph(measure_s: float) -> Graph | None:
    print(f"looking at the running ROS graph for {measure_s:g} s ...")
    try:
        from dva_ros.doctor.client.topics import observe_graph

        return observe_graph(measure_s)
    except ImportError as error:
        print(f"topics cannot be seen: {error}", file=sys.stderr)
    except Exception as error:  # the middleware's own errors have no common class
        print(f"topics cannot be seen, the middleware does not start: {error}", file=sys.stderr)
    return None
