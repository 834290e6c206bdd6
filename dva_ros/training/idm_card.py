"""The model card of an inverse dynamics checkpoint."""

from __future__ import annotations

from ..inverse_dynamics.config import InverseDynamicsConfig
from .idm_accuracy import IdmAccuracy
from .idm_settings import IdmSettings

TABLE_BEGIN, TABLE_END = "<!-- accuracy -->", "<!-- end of accuracy -->"


def accuracy_table(rows: dict[str, IdmAccuracy]) -> str:
    """Markdown table with one row a kind of clip."""
    lines = [
        "| clips | windows | median mm | p90 mm | joints rad | gripper mm | held still, mm |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, accuracy in rows.items():
        lines.append(
            f"| {name} | {accuracy.windows} | {accuracy.effector_median_mm:.1f} "
            f"| {accuracy.effector_p90_mm:.1f} | {accuracy.joint_mae_rad:.4f} "
            f"| {accuracy.gripper_mae_mm:.2f} | {accuracy.hold_median_mm:.1f} |"
        )
    return "\n".join(lines)


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
) -> str:
    """README.md of the checkpoint folder."""
    spec = config.spec
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

The end-effector error is the distance between the grasp points of decoded and true commands, over
all {config.horizon} targets of the arms that move (by 5 mm or more within the clip). "Held still"
is the median if the commands were the measured state.

{TABLE_BEGIN}
{TABLE_END}

Measured again, also on imagined clips, by
`python -m dva_ros measure-idm --data DATASET ... --video models/cpu/video`.
"""
    return with_accuracy(card, rows)
