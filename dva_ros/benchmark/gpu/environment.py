"""What the device and the software are: ``python -m dva_ros.benchmark.gpu.environment``."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import torch

from ...compute.ceilings import matrix_gflop_s
from ...video.memory_plan import free_bytes
from ...video.precision import fast_dtype
from ..hardware import this_machine


def facts(device: str) -> dict[str, object]:
    """Versions, the device, and its rate of matrix products by dtype; for JSON."""
    found: dict[str, object] = {
        "machine": this_machine(fast_dtype(device)).describe(),
        "cuda_of_torch": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
        "triton": find_spec("triton") is not None,
        "compiler": shutil.which("cc"),
        "nvidia_smi": _nvidia_smi(),
        "free_bytes": free_bytes(device),
        "fast_dtype": str(fast_dtype(device)),
    }
    if device == "cuda":
        found |= {
            "name": torch.cuda.get_device_name(),
            "capability": torch.cuda.get_device_capability(),
            "memory_bytes": torch.cuda.mem_get_info()[1],
            "bfloat16": torch.cuda.is_bf16_supported(),
            "tf32": torch.backends.cuda.matmul.allow_tf32,
        }
    rates = {dtype: matrix_gflop_s(dtype, device) for dtype in (torch.float32, torch.bfloat16)}
    return found | {"matrix_gflop_s": {str(dtype): rate for dtype, rate in rates.items()}}


def _nvidia_smi() -> str | None:
    """What the driver says; None where its program is missing."""
    if shutil.which("nvidia-smi") is None:
        return None
    return subprocess.run(["nvidia-smi"], capture_output=True, text=True, check=False).stdout


def main() -> int:
    """Find out, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--json", type=Path, required=True)
    args = parser.parse_args()
    text = json.dumps(facts(args.device), indent=2)
    args.json.write_text(text + "\n")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
