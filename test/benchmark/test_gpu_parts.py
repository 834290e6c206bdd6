"""`gpu` runs its parts one by one; what fails is written down and does not stop the rest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dva_ros.__main__ import main
from dva_ros.benchmark.gpu.parts import Part, parts, run_parts


def test_a_part_that_fails_or_hangs_does_not_stop_the_others(tmp_path: Path) -> None:
    """The end of its output, with the traceback, is in its file."""
    said: list[str] = []
    chosen = [
        Part("broken", ("no_such_module",), 20.0),
        Part("endless", ("http.server", "0", "--bind", "127.0.0.1"), 1.0),
        Part("fine", ("this",), 20.0),
    ]
    outcomes = run_parts(chosen, tmp_path, said.append)
    assert [one.passed for one in outcomes] == [False, False, True]
    assert [one.status for one in outcomes] == [1, None, 0]
    broken = json.loads((tmp_path / "broken.json").read_text())
    assert "no_such_module" in broken["output"]
    assert "FAILED" in said[0] and "passed" in said[2]


def test_the_parts_of_a_gpu_take_ten_minutes_at_most() -> None:
    """Their limits together."""
    limits = {part.name: part.limit_s for part in parts("cuda", "recipes/gpu.yaml")}
    assert {"bench_gpu", "bench_large", "recipe", "parity_block_sparse"} <= limits.keys()
    assert sum(limits.values()) <= 600


def test_without_a_gpu_one_line_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this computer has a GPU")
    assert main(["gpu"]) == 2
    assert "finds no GPU here" in capsys.readouterr().err


@pytest.mark.slow
def test_fast_paths_equal_the_reference_on_this_device(tmp_path: Path) -> None:
    names = "parity_static_float32,parity_static_fast,parity_block_sparse"
    assert main(["gpu", "--device", "cpu", "--only", names, "--output", str(tmp_path)]) == 0
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert all(part["passed"] for part in summary["parts"].values())
    figures = json.loads((tmp_path / "parity_static_float32.json").read_text())["figures"]
    assert 0.0 <= figures["mean"] <= figures["tolerance"]
