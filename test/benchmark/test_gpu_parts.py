"""`gpu` runs its parts one by one; what fails is written down and does not stop the rest."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from dva_ros.__main__ import main
from dva_ros.benchmark.gpu.parts import KILL_AFTER_S, Part, parts, run_parts


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
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert {name: part["passed"] for name, part in summary.items()} == {
        "broken": False, "endless": False, "fine": True,
    }  # fmt: skip


def test_a_part_whose_grandchild_lives_on_ends_at_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stages of a recipe have a session each; the recipe hands an interrupt on to them."""
    (tmp_path / "recipe_like.py").write_text(
        "import subprocess, sys\n"
        "code = 'import time; time.sleep(60)'\n"
        "stage = subprocess.Popen([sys.executable, '-c', code], start_new_session=True)\n"
        "try:\n    stage.wait()\n"
        "except KeyboardInterrupt:\n    stage.kill()\n    print('handed on')\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}")
    (outcome,) = run_parts([Part("recipe", ("recipe_like",), 2.0)], tmp_path, print)
    assert outcome.status is None and outcome.seconds < 10
    assert "handed on" in outcome.output


def test_the_parts_of_a_gpu_take_ten_minutes_at_most() -> None:
    """Their limits together, and the last one's time to end."""
    limits = {part.name: part.limit_s for part in parts("cuda", "recipes/gpu.yaml")}
    assert {"bench_gpu", "bench_large", "recipe", "parity_block_sparse"} <= limits.keys()
    assert sum(limits.values()) + KILL_AFTER_S <= 600


def test_without_a_gpu_one_line_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this computer has a GPU")
    assert main(["gpu"]) == 2
    assert "finds no GPU here" in capsys.readouterr().err


@pytest.mark.slow
def test_fast_paths_equal_the_reference_on_this_device(tmp_path: Path) -> None:
    names = ["parity_plain_float32", "parity_static_float32", "parity_static_fast"]
    names += ["parity_block_sparse", "environment", "bench_default"]
    argv = ["gpu", "--device", "cpu", "--only", ",".join(names), "--output", str(tmp_path)]
    assert main(argv) == 0
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert {name for name, part in summary.items() if part["passed"]} == set(names)
    parity = summary["parity_static_float32"]["figures"]
    assert 0.0 <= parity["mean"] <= parity["tolerance"]
    assert summary["environment"]["figures"]["matrix_gflop_s"]["torch.float32"] > 0
    plain, small = summary["bench_default"]["figures"]["rows"]
    assert plain["predict_p50_ms"] > plain["append_p50_ms"] > 0
    assert small["float8_cache"] and small["planned_bytes"] < plain["planned_bytes"]
