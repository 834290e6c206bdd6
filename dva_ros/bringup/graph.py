"""The list of nodes, used by ``python -m dva_ros up`` and by the files in launch/."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..resources import resource_path

CELL = "cell"
DISPLAY = "imagination_display"
FASTDDS_PROFILE = "config/fastdds.xml"
ENCLAVES = "/dva_ros"
"""Where the nodes' security enclaves lie in a keystore."""


def enclave(name: str) -> str:
    """The security enclave of a node; it counts only with ``ROS_SECURITY_ENABLE=true``."""
    return f"{ENCLAVES}/{name}"


@dataclass(frozen=True)
class GraphNode:
    """One node, one process.

    Attributes:
        name: of the node, of its module in `dva_ros.nodes` and of its installed executable.
        stop_timeout_s: timeout of a clean stop, s.
    """

    name: str
    stop_timeout_s: float = 8.0

    @property
    def module(self) -> str:
        """What ``python -m`` runs."""
        return f"dva_ros.nodes.{self.name}"


GRAPH: tuple[GraphNode, ...] = (
    GraphNode(CELL),
    GraphNode("camera_context"),
    GraphNode("video_predictor"),
    GraphNode("inverse_dynamics"),
    GraphNode("leapfrog_scheduler"),
    GraphNode(DISPLAY),
)
"""In the order of starting; they stop in the reverse order, so that the scheduler's smooth stop
still finds a controller."""


def graph_node(name: str) -> GraphNode:
    """A node of the graph by its name; KeyError where it has none of that name."""
    return {node.name: node for node in GRAPH}[name]


@dataclass(frozen=True)
class GraphOptions:
    """How the graph is started.

    Attributes:
        params_file: parameters of all nodes, by node name.
        namespace: pushed before every node's name; empty for none.
        log_level: "debug", "info", "warn", "error" or "fatal".
        use_sim_time: all nodes but the cell take their time from /clock.
        with_cell: start the simulated cell; without it a real one is expected.
        with_display: start the operator's display of the predicted clip.
        overrides: node name -> parameter -> value, over the file.
        remaps: node name -> topic or service -> its name instead.
    """

    params_file: Path
    namespace: str = ""
    log_level: str = "info"
    use_sim_time: bool = False
    with_cell: bool = True
    with_display: bool = False
    overrides: Mapping[str, Mapping[str, object]] | None = None
    remaps: Mapping[str, Mapping[str, str]] | None = None

    def nodes(self) -> Sequence[GraphNode]:
        """The nodes to start, in order."""
        left_out = {CELL} if not self.with_cell else set()
        left_out |= {DISPLAY} if not self.with_display else set()
        return [node for node in GRAPH if node.name not in left_out]

    def parameters(self, node: GraphNode) -> dict[str, object]:
        """The parameters that are set beside the file's."""
        values = dict((self.overrides or {}).get(node.name, {}))
        if self.use_sim_time:
            key = "publish_clock" if node.name == CELL else "use_sim_time"
            values[key] = True
        return values

    def command(self, node: GraphNode) -> list[str]:
        """The command line that runs a node without ``launch``."""
        command = [sys.executable, "-m", node.module, "--ros-args"]
        command += ["--params-file", str(self.params_file), "--log-level", self.log_level]
        command += ["--enclave", enclave(node.name)]
        if self.namespace:
            command += ["-r", f"__ns:=/{self.namespace.strip('/')}"]
        for name, value in self.parameters(node).items():
            command += ["-p", f"{name}:={_yaml(value)}"]
        for name, instead in (self.remaps or {}).get(node.name, {}).items():
            command += ["-r", f"{name}:={instead}"]
        return command


def environment() -> dict[str, str]:
    """Variables for every node's process: one thread a process (also of the software
    renderer: its threads cost more than they bring), messages sized for images."""
    return {
        "OMP_NUM_THREADS": "1",
        "LP_NUM_THREADS": "0",
        "PYTHONUNBUFFERED": "1",
        "RCUTILS_COLORIZED_OUTPUT": "0",
        **middleware(),
    }


def middleware() -> dict[str, str]:
    """Variables that size Fast DDS's shared memory for images; a user's own profile stays.

    They count for every process that sends clips or frames, clients and tests included, from
    before its first node: with the default segment of 512 KB clips are lost for good once a
    reader was killed.
    """
    profile = str(resource_path(FASTDDS_PROFILE))
    names = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")
    return {name: os.environ.get(name, profile) for name in names}


def _yaml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def checkpoint_overrides(models: Path) -> dict[str, dict[str, object]]:
    """The overrides that load both checkpoints from a folder."""
    return {
        name: {"checkpoint": str((models / folder).resolve())}
        for name, folder in (
            ("video_predictor", "video"),
            ("inverse_dynamics", "inverse_dynamics"),
        )
    }


def speed_overrides(time_scaling: float) -> dict[str, dict[str, object]]:
    """The overrides that set the time scaling of all nodes with a time grid."""
    return {
        name: {"time_scaling": time_scaling}
        for name in ("camera_context", "video_predictor", "leapfrog_scheduler")
    }
