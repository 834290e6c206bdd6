"""The model card of an inverse dynamics checkpoint."""

from __future__ import annotations

from collections.abc import Sequence

from ..inverse_dynamics.config import InverseDynamicsConfig
from .idm_accuracy import EffectorErrors, IdmAccuracy
from .idm_settings import IdmSettings

TABLE_BEGIN, TABLE_END = "<!-- accuracy -->", "<!-- end of accuracy -->"


_JOINTS_ONLY = """Errors of joints only: no description of the robot was given (`--urdf`), so
nothing is known of its end effectors, neither here nor in the training loss. They are mean
absolute errors, over moving and resting joints. "Held still" is the error if the commands were the
measured state."""


def accuracy_table(rows: dict[str, IdmAccuracy]) -> str:
    """Markdown table with one row a kind of clip; of joints only where no robot is described."""
    described = {name: one.effector for name, one in rows.items() if one.effector is not None}
    header: tuple[str, ...] = ("joints rad", "gripper mm", "joints held still, rad")
    if described:
        header = ("median mm", "p90 mm", "joints rad", "gripper mm", "held still, mm")
    lines = [f"| clips | windows | {' | '.join(header)} |", "|---" * (2 + len(header)) + "|"]
    for name, one in rows.items():
        errors = " | ".join(_cells(one, described.get(name)))
        lines.append(f"| {name} | {one.windows} | {errors} |")
    return "\n".join(lines)


def _cells(accuracy: IdmAccuracy, effector: EffectorErrors | None) -> tuple[str, ...]:
    joints = f"{accuracy.joint_mae_rad:.4f}"
    gripper = "none" if accuracy.gripper_mae_mm is None else f"{accuracy.gripper_mae_mm:.2f}"
    if effector is None:
        return joints, gripper, f"{accuracy.joint_hold_mae_rad:.4f}"
    ends = f"{effector.median_mm:.1f}", f"{effector.p90_mm:.1f}"
    return *ends, joints, gripper, f"{effector.hold_median_mm:.1f}"


def with_accuracy(card: str, rows: dict[str, IdmAccuracy]) -> str:
    """The card with its table replaced.

    Raises:
        ValueError: the card has no table.
    """
    head, begin, rest = card.partition(TABLE_BEGIN)
    _, end, tail = rest.partition(TABLE_END)
    if not begin or not end:
        raise ValueError(f"the card has no table between {TABLE_BEGIN} and {TABLE_END}")
    return f"{head}{begin}\n{accuracy_table(rows)}\n{end}{tail}"


def model_card(
    config: InverseDynamicsConfig,
    settings: IdmSettings,
    rows: dict[str, IdmAccuracy],
    *,
    parameters: int,
    windows: int,
    steps: int,
    elapsed_s: float,
    tips: Sequence[str],
) -> str:
    """README.md of the checkpoint folder; `tips` are the links whose errors were measured."""
    spec = config.spec
    meaning = _JOINTS_ONLY
    if tips:
        meaning = f"""The end-effector error is how far apart decoded and true commands put
{", ".join(tips)}, over all {config.horizon} targets of the arms that move (by 5 mm or more
within the clip). "Held still" is the median if the commands were the measured state."""
    imagined = (
        f"{settings.predicted_clips} clips imagined by the video model were mixed in, in\n  "
        f"{settings.predicted_share:.0%} of the windows."
        if settings.predicted_by is not None
        else "No imagined clips were used;\n  real ones were blurred and smeared to be like them."
    )
    card = f"""# Inverse dynamics: from a clip to joint commands

A non-causal network over {config.num_real_frames} real frames, a clip of {config.horizon} frames
({spec.mosaic_height}x{spec.mosaic_width} pixels, all cameras stacked) and the measured joint
state. It gives {config.horizon} joint commands, {spec.frame_period_s} s apart. It knows nothing of
tasks: it was trained on any motion of the arms.

- Parameters: {parameters / 1e6:.2f} million
- Data: {", ".join(root.name for root in settings.data)}; {windows} training windows
- Training: {steps} steps of {settings.batch * settings.ranks} windows in {elapsed_s / 60:.1f}
  minutes, {settings.ranks} single-threaded process(es). {imagined}
- Command: `{settings.command()}`

## Error on held-out episodes

{meaning}

{TABLE_BEGIN}
{TABLE_END}

Measured again, also on imagined clips, by
`python -m dva_ros measure-idm --data DATASET ... --video models/cpu/video`.
"""
    return with_accuracy(card, rows)
