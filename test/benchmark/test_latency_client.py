"""Image to trajectory through the running graph, as the benchmark measures it."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed; run make setup")
pytest.importorskip("dva_msgs", reason="dva_msgs is not built; run make setup")
pytestmark = [pytest.mark.ros, pytest.mark.slow]

from tiny_models import write_tiny_models  # noqa: E402

from dva_ros.benchmark.client.latency import GraphLoad, measure_graph_latency  # noqa: E402

CONTEXT, SECONDS = 12, 4.0


def test_every_chunk_that_becomes_motion_is_a_sample(
    tmp_path: Path, ros_domain: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only once the context is full: a new chunk every 2 frames of 0.1 s (3 on a busy machine),
    each later than the camera and within the horizon, up to its trajectory; progress is told in
    frames."""
    # Nodes of other tests in this process may not have left their domain yet.
    monkeypatch.setenv("ROS_DOMAIN_ID", str((ros_domain + 1) % 101 + 1))
    models = write_tiny_models(tmp_path)
    load = GraphLoad(
        models / "video", models / "inverse_dynamics", context_frames=CONTEXT, seconds=SECONDS
    )
    frames: list[int] = []
    found = measure_graph_latency(load, frames.append)
    assert 2.0 < found.predictions_per_s < 5.5
    assert len(found.latencies_s) == pytest.approx(found.predictions_per_s * SECONDS, rel=0.05)
    assert all(0.0 < latency < 0.8 for latency in found.latencies_s)
    assert len(found.parts) >= 0.8 * len(found.latencies_s)
    parts = found.median_parts_ms()
    names = ["context", "prediction", "inverse_dynamics", "scheduler", "messages"]
    assert list(parts) == names
    assert all(value > 0.0 for value in parts.values())
    assert sum(parts.values()) < 1e3 * max(found.latencies_s)
    assert frames == sorted(frames)
    assert frames[-1] >= load.num_frames - 10
