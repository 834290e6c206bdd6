"""The parameter tables of docs/nodes.md: ``python -m dva_ros.nodes.reference`` prints them."""

from __future__ import annotations

from typing import Any

from .camera_context import CameraContextParameters
from .cell import CellParameters
from .cell_spec import SpecParameters
from .imagination_display import ImaginationDisplayParameters
from .inverse_dynamics import InverseDynamicsParameters
from .parameters import Described, described_fields
from .process import ProcessParameters
from .recorder import RecorderParameters
from .scheduler_parameters import LeapfrogSchedulerParameters
from .video_predictor import VideoPredictorParameters

TABLES: dict[str, type[Any]] = {
    "every node": ProcessParameters,
    "the cell's spec": SpecParameters,
    "cell": CellParameters,
    "camera_context": CameraContextParameters,
    "video_predictor": VideoPredictorParameters,
    "inverse_dynamics": InverseDynamicsParameters,
    "leapfrog_scheduler": LeapfrogSchedulerParameters,
    "imagination_display": ImaginationDisplayParameters,
    "recorder": RecorderParameters,
}


def parameter_table(cls: type[Any]) -> str:
    """One Markdown row a parameter: name, default, what it is, what is allowed."""
    rows = ["| parameter | default | meaning | allowed |", "|---|---|---|---|"]
    for name, default, described in described_fields(cls):
        shown = _shown(default)
        rows.append(f"| `{name}` | {shown} | {described.description} | {_allowed(described)} |")
    return "\n".join(rows)


def _shown(default: Any) -> str:
    if isinstance(default, tuple):
        values = [str(value) for value in default]
        return ", ".join(values if len(values) <= 4 else [*values[:2], "…"])
    return str(default).lower() if isinstance(default, bool) else str(default) or "(empty)"


def _allowed(described: Described) -> str:
    if described.choices:
        return ", ".join(described.choices)
    least, greatest = described.minimum, described.maximum
    if least is None and greatest is None:
        return ""
    low, high = ("" if bound is None else f"{bound:g}" for bound in (least, greatest))
    return f"{low} … {high}".strip()


if __name__ == "__main__":
    for title, table in TABLES.items():
        print(f"### {title}\n\n{parameter_table(table)}\n")
