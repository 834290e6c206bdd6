"""Endurance: what leaks is told from what is only noise, and the verb runs from end to end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dva_ros.__main__ import main
from dva_ros.cell.simulation import Cell
from dva_ros.cell.tasks import find_task
from dva_ros.evaluation import endurance
from dva_ros.evaluation.closed_loop import RESET_S, ClosedLoop, LoopSettings
from dva_ros.evaluation.endurance_meter import TimedLeapfrog
from dva_ros.evaluation.growth import Bound, Growth, growth
from dva_ros.evaluation.oracle import ExpertChunks
from dva_ros.leapfrog.limits import JointLimits
from dva_ros.leapfrog.messages import Decision, Frame
from dva_ros.leapfrog.parameters import LeapfrogParameters
from dva_ros.resources import config_path
from dva_ros.spec import EMBEDDED_CELL

LIMITS = JointLimits.load(config_path("joint_limits"), EMBEDDED_CELL.joint_names)
HOURS = (np.arange(54) + 7) / 60
MEMORY = endurance.BOUNDS["memory_mb"]


def _judged(values: np.ndarray, bound: Bound = MEMORY) -> Growth:
    found = growth(list(HOURS), list(values), bound)
    assert found is not None
    return found


def _flat(seed: int, noise: float = 4.0) -> np.ndarray:
    return 260.0 + np.random.default_rng(seed).normal(0.0, noise, len(HOURS))


@pytest.mark.parametrize("seed", range(20))
def test_noise_passes_and_a_slow_leak_under_the_same_noise_does_not(seed: int) -> None:
    """60 MB an hour, 5 kB a prediction, under a deviation of 4 MB."""
    assert not _judged(_flat(seed)).leaks
    found = _judged(_flat(seed) + 60.0 * HOURS)
    assert found.leaks
    assert 50.0 < found.per_hour < 70.0


def test_what_ends_is_no_leak() -> None:
    """A cache that fills, an allocation in the middle, a load that comes, single outliers."""
    filling = 200.0 * (1 - np.exp(-(HOURS - HOURS[0]) / 0.1))
    late = np.where(HOURS > 0.6, 100.0, 0.0)
    outliers = np.where(np.arange(len(HOURS)) % 9 == 0, 500.0, 0.0)
    for extra in (filling, late, outliers, -50.0 * HOURS):
        assert not _judged(_flat(0) + extra).leaks


def test_a_leak_that_comes_in_steps_is_one() -> None:
    """Memory that is asked for 16 MB at a time."""
    assert _judged(_flat(0, 1.0) + 16.0 * np.floor(HOURS * 5)).leaks


@pytest.mark.parametrize("name", list(endurance.BOUNDS))
def test_every_bound_is_broken_by_one_entry_kept_a_prediction_and_not_by_its_noise(
    name: str,
) -> None:
    """4 kB, an object, a file or an entry each; searched for 2 us each."""
    each = {"memory_mb": 4e-3, "chunk": 2e-3, "tick": 2e-3}.get(name.split("_p")[0], 1.0)
    level = {"memory_mb": 250.0, "python_objects": 1e5, "chunk_p50_ms": 3.0, "chunk_p99_ms": 6.0}
    start = level.get(name, 0.2 if name.startswith("tick") else 60.0)
    noise = np.random.default_rng(1).normal(0.0, 0.01 * start, len(HOURS))
    bound = endurance.BOUNDS[name]
    assert not _judged(start + noise, bound).leaks
    assert _judged(start + noise + 12_000 * each * HOURS, bound).leaks


def test_too_few_values_say_nothing_and_those_that_are_missing_are_left_out() -> None:
    """A window without a chunk has no percentiles."""
    values = _flat(0)
    values[::7] = np.nan
    assert not _judged(values).leaks
    assert growth([0.1, 0.2, 0.3], [1.0, 2.0, 3.0], MEMORY) is None


@pytest.fixture(scope="module")
def cell() -> Iterator[Cell]:
    """One cell for all tests of this file."""
    cell = Cell()
    yield cell
    cell.close()


def test_one_scheduler_and_one_clock_serve_all_episodes_as_their_own_would(cell: Cell) -> None:
    """What endurance runs is what `evaluate` runs: same outcomes, but time and ids go on."""
    settings = LoopSettings(latency_s=0.25, max_seconds=6.0)
    lasting = TimedLeapfrog(LeapfrogParameters(), LIMITS, cell.spec.joint_names)
    policy = ExpertChunks(cell, 8)
    own = ClosedLoop(cell, policy, LIMITS, settings)
    shared = ClosedLoop(cell, policy, LIMITS, settings, lasting)
    total = 0.0
    for seed in (0, 1):
        expected = own.run(find_task("lift"), seed, "validation")
        found = shared.run(find_task("lift"), seed, "validation")
        assert found.success and expected.success
        assert found.duration_s == expected.duration_s
        assert found.predictions == expected.predictions
        assert found.refusals == expected.refusals == {}
        np.testing.assert_allclose(found.latencies_s, expected.latencies_s, atol=1e-9)
        np.testing.assert_allclose(found.rms_jerk_rad_s3, expected.rms_jerk_rad_s3, rtol=1e-3)
        assert found.idle_s == pytest.approx(expected.idle_s, abs=1e-6)
        total += found.duration_s + RESET_S
    assert lasting.state.now == pytest.approx(total - RESET_S, abs=0.02)
    assert lasting.state.request_id > 1.5 * lasting.state.predictions
    assert len(lasting.chunk_s) >= lasting.state.predictions
    assert len(lasting.tick_s) > 2 * 100 * (total - 2 * RESET_S)


def _endurance(folder: Path, hours: float) -> int:
    arguments = ["--policy", "expert", "--task", "lift", "--hours", str(hours)]
    return main(["endurance", *arguments, "--output", str(folder)])


def test_a_short_run_writes_table_plot_and_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Seconds instead of an hour: all is there, but growth is not judged, and that is said."""
    assert _endurance(tmp_path, 12 / 3600) == 0
    printed = capsys.readouterr().out
    assert "seeds 0.." in printed
    assert "resident memory, MB" in printed
    assert "growth is not judged" in printed
    assert (tmp_path / "endurance.png").read_bytes().startswith(b"\x89PNG")
    content = json.loads((tmp_path / "endurance.json").read_text())
    assert content["simulated_s"] >= 12.0
    assert content["successes"] == content["episodes"] >= 3
    (window,) = content["windows"]
    assert window["memory_mb"] > 50
    assert 0 < window["tick_p50_ms"] < window["chunk_p50_ms"] < 100
    assert window["pending_answers"] == 1
    assert window["motion_knots"] > 10
    assert window["latency_samples"] > 10


class _Leaking(TimedLeapfrog):
    """Keeps something of every frame."""

    def on_frame(self, frame: Frame, now: float) -> Decision:
        self.kept = [*getattr(self, "kept", []), *([i] for i in range(200))]
        return super().on_frame(frame, now)


def test_a_scheduler_that_leaks_fails_the_run_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same run, judged in small windows, with a scheduler that forgets nothing."""
    monkeypatch.setattr(endurance, "_LEAST_WINDOW_S", 0.5)
    monkeypatch.setattr(endurance, "_LEAST_WARM_UP_S", 1.0)
    monkeypatch.setattr(endurance, "TimedLeapfrog", _Leaking)
    assert _endurance(tmp_path, 12 / 3600) == 1
    assert "Python objects: grows by" in capsys.readouterr().out
    content = json.loads((tmp_path / "endurance.json").read_text())
    assert content["growth"]["python_objects"]["leaks"]
    assert not content["growth"]["pending_answers"]["leaks"]
    assert not content["growth"]["motion_knots"]["leaks"]


def test_a_latency_that_the_scheduler_refuses_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing would run: an error, not an endless loop."""
    assert main(["endurance", "--policy", "expert", "--latency-ms", "900"]) == 2
    assert "refused to engage" in capsys.readouterr().err
