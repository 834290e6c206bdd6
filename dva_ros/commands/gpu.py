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
    import json

    import torch

    from ..benchmark.gpu.parts import parts, run_parts
    from ..compute.ceilings import matrix_gflop_s
    from ..errors import UserError
    from ..resources import share_root
    from ..video.precision import fast_dtype

    if args.device == "cuda" and not torch.cuda.is_available():
        build = torch.version.cuda or "none: this is the CPU build, run make gpu"
        raise UserError(
            f"torch {torch.__version__} finds no GPU here (CUDA of the build: {build})"
        )
    chosen = parts(args.device, str(share_root() / RECIPES[args.device]))
    names = [name for name in args.only.split(",") if name]
    unknown = sorted(set(names) - {part.name for part in chosen})
    if unknown:
        known = ", ".join(part.name for part in chosen)
        raise UserError(f"--only: there is no part {', '.join(unknown)}; parts are {known}")
    args.output.mkdir(parents=True, exist_ok=True)
    dtype = fast_dtype(args.device)
    environment = {
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name() if args.device == "cuda" else "cpu",
        "capability": torch.cuda.get_device_capability() if args.device == "cuda" else None,
        "memory_bytes": torch.cuda.mem_get_info()[1] if args.device == "cuda" else None,
        "fast_dtype": str(dtype),
        "matrix_gflop_s": matrix_gflop_s(dtype, args.device),
    }
    print(", ".join(f"{name} {value}" for name, value in environment.items()), flush=True)
    outcomes = run_parts(
        [part for part in chosen if not names or part.name in names],
        args.output,
        lambda line: print(line, flush=True),
    )
    results = {one.name: {"passed": one.passed, "seconds": one.seconds} for one in outcomes}
    path = args.output / "summary.json"
    path.write_text(json.dumps({"environment": environment, "parts": results}, indent=2) + "\n")
    print(f"figures: {args.output}/*.json")
    return 0 if all(one.passed for one in outcomes) else 1
