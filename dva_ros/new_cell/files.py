"""Writes a proposal as the two files that the nodes read."""

from __future__ import annotations

from pathlib import Path

from ..errors import UserError
from .commented_yaml import Line, comment, mapping
from .limits import JointEntry
from .proposal import ALL_NODES, CELL_FILE, LIMITS_FILE, Proposal


def require_free(folder: Path, force: bool) -> None:
    """Refuse to overwrite files.

    Raises:
        UserError: one exists and `force` is not set; names it.
    """
    existing = [
        str(folder / name) for name in (CELL_FILE, LIMITS_FILE) if (folder / name).exists()
    ]
    if existing and not force:
        raise UserError(f"{', '.join(existing)} exist already; --force overwrites them")


def write(proposal: Proposal, folder: Path, force: bool) -> list[Path]:
    """Write both files; gives their paths.

    Raises:
        UserError: one exists and `force` is not set, or it cannot be written.
    """
    require_free(folder, force)
    texts = {
        folder / CELL_FILE: cell_text(proposal),
        folder / LIMITS_FILE: limits_text(proposal),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"--output {folder} cannot be written: {error}") from error
    return list(texts)


def cell_text(proposal: Proposal) -> str:
    """The parameters file."""
    text = comment(
        "A cell, written by python -m dva_ros new-cell. docs/reference/nodes.md explains all "
        "parameters and their ranges. A null must be filled in: "
        "python -m dva_ros doctor --config FILE names it."
    )
    for problem in proposal.missing:
        text += comment(f"MISSING: {problem}")
    for node, lines in proposal.nodes.items():
        if node == ALL_NODES:
            text += comment("The cell's spec: every node and every checkpoint has the same.")
        name = f"/**/{node}" if node else "/**"
        text += f"{name}:\n  ros__parameters:\n{mapping(lines, '    ')}\n"
    return text.rstrip("\n") + "\n"


def limits_text(proposal: Proposal) -> str:
    """The motion limits."""
    text = comment(
        "Motion limits of the joints, written by python -m dva_ros new-cell, in the form of "
        "ROS 2's joint_limits; rad and seconds, m for linear joints. correction, jump and "
        "tracking: config/joint_limits.yaml. Raise velocity, acceleration and jerk when slow "
        "motion is right (docs/guides/tuning.md). A null must be filled in."
    )
    text += "joint_limits:\n"
    return text + "".join(_joint_text(entry) for entry in proposal.joints)


def _joint_text(entry: JointEntry) -> str:
    lines: list[Line] = []
    for field, value in entry.values.items():
        kind = field.removeprefix("min_").removeprefix("max_")
        if field.startswith(("min_", "max_velocity", "max_acceleration", "max_jerk")):
            lines.append(Line(f"has_{kind}_limits", True))
        missing = "MISSING: " if value.number is None else ""
        lines.append(Line(field, value.number, missing + value.reason))
    return f"  {entry.name}:\n{mapping(lines, '    ')}"
