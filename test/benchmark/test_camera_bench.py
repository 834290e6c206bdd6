"""The camera benchmark: what it calls a delay, and a short run through real processes."""

from __future__ import annotations

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed; run make setup")
pytest.importorskip("dva_msgs", reason="dva_msgs is not built; run make setup")
pytestmark = pytest.mark.ros

from dva_msgs.msg import ContextFrame  # noqa: E402
from dva_ros.__main__ import main  # noqa: E402
from dva_ros.benchmark.cameras.load import CameraLoad  # noqa: E402
from dva_ros.benchmark.cameras.report import lost  # noqa: E402
from dva_ros.benchmark.client.cameras.measure import frame_delay_s, measure_cameras  # noqa: E402


@pytest.mark.parametrize(
    ("ages", "latency", "delay"),
    [
        ((0.0, -0.011, 0.011), 0.014, 0.003),  # waited for the second camera, 11 ms after
        ((0.010, 0.020, 0.030), -0.002, 0.004),  # all before: from 6 ms before the grid time on
        ((0.003, 0.020, 0.030), 0.001, 0.004),  # the newest came 3 ms before the grid time
    ],
)
def test_a_delay_begins_when_the_frame_can_exist(
    ages: tuple[float, ...], latency: float, delay: float
) -> None:
    message = ContextFrame(camera_age_s=list(ages), latency_s=latency)
    assert frame_delay_s(message) == pytest.approx(delay, abs=1e-6)


def test_three_cameras_through_real_processes_are_counted_and_timed() -> None:
    """Compressed and rectified, so that the frames have gone the longest way."""
    found = measure_cameras(CameraLoad(2.0, "jpeg", rectify=True, warm_up_s=1.0), naive=False)
    assert found.images_published == 3 * 30 * 3
    assert 0 <= found.images_lost < found.images_published / 2  # none, where the machine is quiet
    assert found.frames >= 10
    assert 0 < found.context.p50_ms <= found.context.p99_ms <= found.context.worst_ms
    assert 0 < found.context.cpu_share < 2
    assert lost(found) == found.images_lost + found.frames_lost + found.frames_marked


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--seconds", "1"], "--seconds must be 2 to 600"), (["--encoding", "h264"], "jpeg")],
)
def test_what_cannot_be_measured_is_refused(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench-cameras", *arguments]) == 2
    assert said in capsys.readouterr().err
