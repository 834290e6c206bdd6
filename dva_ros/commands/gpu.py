"""``python -m dva_ros gpu``: what the first ten minutes on a computer with a GPU should teach."""

from __future__ import annotations

import argparse
from pathlib import Path

SUMMARY = "on a computer with a GPU: parity of the fast paths, bench, a recipe; ten minutes"
RECIPES = {"cuda": "recipes/gpu.yaml", "cpu": "recipes/smoke.yaml"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument(
        "--device", choices=tuple(RECIPES), default="cuda", help="cpu: a small form, to try it"
    )
    parser.add_argument("--only", default="", help="some parts, by comma")
    parser.add_argument(
        "--output", type=Path, default=Path("outputs/gpu"), help="folder of all figures"
    )


def run(args: argparse.Namespace) -> int:
    """Run all parts; exit status 1 where one failed, 2 where there is no GPU."""
    import torch

    from ..benchmark.gpu.parts import parts, run_parts
    from ..errors import UserError
    from ..resources import share_root

    if args.device == "cuda" and not torch.cuda.is_available():
        raise UserError(f"torch {torch.__version__} finds no GPU here: {_missing()}")
    chosen = parts(args.device, str(share_root() / RECIPES[args.device]))
    names = [name for name in args.only.split(",") if name]
    unknown = sorted(set(names) - {part.name for part in chosen})
    if unknown:
        known = ", ".join(part.name for part in chosen)
        raise UserError(f"--only: there is no part {', '.join(unknown)}; parts are {known}")
    args.output.mkdir(parents=True, exist_ok=True)
    outcomes = run_parts(
        [part for part in chosen if not names or part.name in names],
        args.output,
        lambda line: print(line, flush=True),
    )
    print(f"figures: {args.output}/*.json")
    return 0 if all(one.passed for one in outcomes) else 1


def _missing() -> str:
    """What to do where torch finds no GPU."""
    import shutil

    import torch

    if shutil.which("nvidia-smi") is None:
        return "nvidia-smi is missing, too; install the NVIDIA driver, or try --device cpu"
    if torch.version.cuda is None:
        return "this is its CPU build; run make gpu, which replaces it by the CUDA build"
    return f"its CUDA {torch.version.cuda} may need a newer driver; see nvidia-smi"
