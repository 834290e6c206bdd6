"""A run of the benchmark: rows, references, ceilings, and what is written down."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import random_model, tiny_config

from dva_ros.__main__ import main
from dva_ros.benchmark.comparison import ShapeComparison
from dva_ros.benchmark.measure import BenchmarkOptions, measure, with_whole_way
from dva_ros.benchmark.models import TimedModels
from dva_ros.benchmark.plot import PLOT_FILE, plot
from dva_ros.benchmark.ratios import Ratios, StoredRatios
from dva_ros.benchmark.report import BenchmarkReport
from dva_ros.benchmark.tables import references_table, rows_table, summary
from dva_ros.compute.ceilings import Ceilings, products_seconds
from dva_ros.compute.cost import (
    Cost,
    append_cost,
    decode_cost,
    denoise_cost,
)
from dva_ros.compute.products import Product
from dva_ros.compute.timing import (
    Timing,
    Work,
    num_bursts,
    time_in_turns,
)
from dva_ros.errors import UserError
from dva_ros.inverse_dynamics.config import InverseDynamicsConfig
from dva_ros.inverse_dynamics.model import InverseDynamicsNet
from dva_ros.video.checkpoint import save_checkpoint

CONTEXTS, BATCHES = (2, 5), (1, 2)


@pytest.fixture(scope="module")
def models() -> TimedModels:
    config = InverseDynamicsConfig(
        tiny_config().spec, 4, channels=(4, 4, 4), keypoints=4, width=16, depth=1
    )
    return TimedModels("tiny", random_model(tiny_config()), InverseDynamicsNet(config), None)


@pytest.fixture(scope="module")
def report(models: TimedModels) -> BenchmarkReport:
    """Of a tiny model, without the parts whose shapes are fixed and large."""
    options = BenchmarkOptions(CONTEXTS, BATCHES, num_steps=2, repeats=6, references=False)
    return measure(models, options)


def test_there_is_a_row_for_every_call_context_and_batch(report: BenchmarkReport) -> None:
    """Inverse dynamics reads two real frames, whatever the context."""
    video = {
        (what, context, batch)
        for what in ("append", "denoise_step", "prediction")
        for context in CONTEXTS
        for batch in BATCHES
    }
    decoded = {("inverse_dynamics", 2, batch) for batch in BATCHES}
    assert {(r.what, r.context_frames, r.batch) for r in report.rows} == video | decoded
    for row in report.rows:
        assert 0 < row.p50_ms <= row.p99_ms
        assert row.allocated_bytes is not None and row.allocated_bytes > 0
    assert {(s.context_frames, s.batch) for s in report.own_shapes} == {
        (context, batch) for context in CONTEXTS for batch in BATCHES
    }


def test_the_roofline_is_the_longer_of_computing_and_moving(report: BenchmarkReport) -> None:
    """By hand; and in the rows: of a prediction that of its two steps."""
    ceilings = Ceilings(bandwidth_gb_s=10.0, matrix_gflop_s=100.0)
    assert ceilings.least_seconds(Cost(1e9, 1e6)) == pytest.approx(0.01)
    assert ceilings.least_seconds(Cost(1e6, 1e9)) == pytest.approx(0.1)
    assert ceilings.roofline_fraction(Cost(1e9, 1e6), p50_ms=40.0) == pytest.approx(0.25)
    step, whole = (report.row(what, 5, 2) for what in ("denoise_step", "prediction"))
    assert step is not None and whole is not None
    assert whole.operations == 2 * step.operations
    least = report.ceilings.least_seconds(denoise_cost(tiny_config(), 5, 2, 4))
    assert step.roofline_fraction == pytest.approx(1e3 * least / step.p50_ms)


def test_the_way_through_the_nodes_is_a_row_of_its_own(
    report: BenchmarkReport, models: TimedModels
) -> None:
    """Percentiles of its samples; its least work is a frame, a prediction and a decoding."""
    whole = with_whole_way(report, models, 5, [0.1, 0.2, 0.4], 3.0, {"context": 12.5})
    row = whole.row("image_to_command", 5, 1)
    assert row is not None
    assert row.p50_ms == pytest.approx(200.0)
    assert row.p99_ms == pytest.approx(np.percentile([100, 200, 400], 99))
    config = tiny_config()
    cost = append_cost(config, 5, 1, 4) + denoise_cost(config, 5, 1, 4) * 2
    assert row.operations == (cost + decode_cost(models.net.config, 1, 4)).operations
    said = "\n".join(summary(whole))
    assert "3.00 predictions a second" in said
    assert "context 12.5" in said
    assert len(whole.rows) == len(report.rows) + 1


def test_json_plot_and_tables_hold_the_figures(report: BenchmarkReport, tmp_path: Path) -> None:
    """The names that issue 4 asks for, the hardware, the versions."""
    report.write_json(tmp_path / "bench.json")
    written = json.loads((tmp_path / "bench.json").read_text())
    row = written["rows"][0]
    assert {"what", "context_frames", "batch", "p50_ms", "p99_ms", "roofline_fraction"} <= set(row)
    assert set(written["ceilings"]) == {"bandwidth_gb_s", "matrix_gflop_s", "own_shapes"}
    assert written["hardware"]["torch"] == torch.__version__
    assert written["hardware"]["threads"] == torch.get_num_threads()
    assert {"references", "ratios", "comparison"} <= set(written)
    plot(report, tmp_path / "plots" / PLOT_FILE)
    assert (tmp_path / "plots" / PLOT_FILE).stat().st_size > 10_000
    assert rows_table(report).row_count == len(report.rows)
    assert references_table(report).row_count == 0
    assert "prediction at 5 frames : at 2 frames" in "\n".join(summary(report))
    assert report.hardware.processor in summary(report)[0]


def test_references_are_measured_at_every_context_and_compared(
    models: TimedModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside ours in one table; the comparison at a tiny shape here."""
    monkeypatch.setattr("dva_ros.benchmark.measure.peers_config", tiny_config)
    parts: list[str] = []
    options = BenchmarkOptions(CONTEXTS, (1,), num_steps=1, repeats=6)
    found = measure(models, options, begin=lambda part, bursts: parts.append(part))
    assert {(r.name, r.what, r.context_frames) for r in found.references} == {
        (name, what, context)
        for context in CONTEXTS
        for name in ("no_cache", "dense_concatenating", "dense_gather")
        for what in ("append", "denoise_step")
        if (name, what) != ("no_cache", "append")
    }
    assert references_table(found).row_count == 2 * len(CONTEXTS)
    assert parts == ["ceilings", "rows", "comparison", "ratios"]
    assert found.ratios is not None and found.comparison is not None
    text = "\n".join(summary(found))
    assert f"{found.comparison.ratio:.1f} times faster" in text
    assert f"without cache {found.ratios.step_over_no_cache:.3f}" in text


def test_the_command_times_a_checkpoint_and_writes_what_it_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Inverse dynamics has random weights where none lies beside the video model."""
    folder = tmp_path / "models" / "video"
    save_checkpoint(folder, tiny_config(), dict(random_model(tiny_config()).named_parameters()))
    arguments = ["--checkpoint", str(folder), "--contexts", "5,2", "--repeats", "2"]
    arguments += ["--threads", "1", "--no-references", "--no-nodes"]
    arguments += ["--json", str(tmp_path / "bench.json"), "--output", str(tmp_path / "plots")]
    assert main(["bench", *arguments]) == 0
    written = json.loads((tmp_path / "bench.json").read_text())
    contexts = [r["context_frames"] for r in written["rows"] if r["what"] == "prediction"]
    assert contexts == [2, 5]
    assert written["model"] == "models/video" and written["num_steps"] == 4
    assert (tmp_path / "plots" / PLOT_FILE).is_file()
    assert "models/video: milliseconds, warm-up left out" in capsys.readouterr().out


def test_ours_and_dense_are_compared_at_one_shape() -> None:
    """The ratio is of the timings that the comparison holds, the shares of the ceiling too."""
    found = ShapeComparison.measure(tiny_config(), repeats=6, context=4)
    assert found.ratio == found.dense.p50_ms / found.ours.p50_ms
    assert found.own_shapes_fraction > 0 and found.own_shapes_gflop_s > 0
    assert "width 32, depth 3, 7 tokens a frame, clip 4, 4 frames of context" in found.shape


def test_calls_are_timed_in_turns_and_warm_up_is_left_out() -> None:
    """Bursts alternate; the first, slow calls of each do not count."""
    order: list[str] = []

    def call(name: str) -> None:
        order.append(name)

    works = {name: Work(lambda name=name: call(name), 7) for name in "ab"}  # type: ignore[misc]
    bursts: list[None] = []
    timings = time_in_turns(works, lambda: bursts.append(None))
    assert "".join(order) == "aabb" + "a" * 6 + "b" * 6 + "a" * 3 + "b" * 3
    assert len(bursts) == 2 * num_bursts(7) == 4
    assert set(timings) == {"a", "b"}
    assert Timing.of([0.001, 0.003]).p50_ms == pytest.approx(2.0)


def test_own_shapes_count_every_product() -> None:
    """A thousand equal products take about a thousand times as long as one."""
    once, more = ([Product(2, 64, 64, 64, count=count)] for count in (1, 1000))
    assert products_seconds(more, torch.float32) > 50 * products_seconds(once, torch.float32)


def test_ratios_come_back_and_what_is_worse_is_named(tmp_path: Path) -> None:
    """Up to the factor nothing is said; another file is refused by name."""
    path = tmp_path / "ratios.yaml"
    stored = StoredRatios("bench", "a machine", "bfloat16", "2026-11-25", Ratios(1.2, 0.1, 0.2))
    stored.write(path)
    assert StoredRatios.read(path) == stored
    assert Ratios(1.7, 0.14, 0.1).worse_than(stored.ratios, 1.5) == []
    (worse,) = Ratios(1.7, 0.16, 0.1).worse_than(stored.ratios, 1.5)
    assert worse.startswith("step_over_no_cache: 0.160, stored 0.100")
    path.write_text("ratios: [1]")
    with pytest.raises(UserError, match=r"ratios\.yaml holds no benchmark ratios"):
        StoredRatios.read(path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--contexts", "16,x"], "--contexts takes numbers"),
        (["--contexts", "0"], "--contexts must be at least 1"),
        (["--batches", "9"], "--batches goes up to 8"),
        (["--repeats", "0"], "--repeats must be greater than 0"),
        (["--no-references", "--write-ratios", "x"], "--write-ratios needs the references"),
        (["--checkpoint", "no/such"], "no/such not found"),
    ],
)
def test_the_command_refuses_what_it_cannot_measure(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With exit status 2 and the option's name."""
    assert main(["bench", *arguments]) == 2
    assert message in capsys.readouterr().err
