"""The benchmark measures what it says, and writes it down."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from tiny import random_model, tiny_config

from dva_ros.video.benchmark import measure
from dva_ros.video.checkpoint import save_checkpoint


def test_the_report_holds_every_context_and_the_ratio(tmp_path: Path) -> None:
    """Of a checkpoint, with its default denoising steps; the table names the hardware."""
    config = tiny_config(num_steps=2)
    save_checkpoint(tmp_path, config, dict(random_model(config).named_parameters()))
    report = measure(tmp_path, contexts=(2, 5), repeats=4)
    report.write_json(tmp_path / "bench.json")
    written = json.loads((tmp_path / "bench.json").read_text())
    assert [result["frames"] for result in written["results"]] == [2, 5]
    assert written["num_steps"] == 2
    assert written["threads"] == torch.get_num_threads()
    assert written["ratio"] == report.results[1].predict.p50 / report.results[0].predict.p50
    for result in report.results:
        for latency in (result.append, result.predict, result.without_cache):
            assert 0 < latency.p50 <= latency.p99
    assert report.hardware in report.table()
    assert "prediction at 5 frames : at 2 frames" in report.table()
