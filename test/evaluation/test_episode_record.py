"""The figures of an episode through the nodes count that episode only."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed; run make setup")
pytest.importorskip("dva_msgs", reason="dva_msgs is not built; run make setup")
pytestmark = pytest.mark.ros

from trajectory_msgs.msg import JointTrajectoryPoint  # noqa: E402

from dva_msgs.msg import ActionChunk, ControllerState, LeapfrogStatus, TaskStatus  # noqa: E402
from dva_ros.evaluation.client.episode_record import EpisodeRecord  # noqa: E402
from dva_ros.leapfrog.limits import JointLimits  # noqa: E402
from dva_ros.resources import config_path  # noqa: E402
from dva_ros.ros.conversions import header  # noqa: E402
from dva_ros.spec import EMBEDDED_CELL  # noqa: E402

ENGAGED = LeapfrogStatus.MODE_ENGAGED


@pytest.fixture
def record() -> EpisodeRecord:
    limits = JointLimits.load(config_path("joint_limits"), EMBEDDED_CELL.joint_names)
    return EpisodeRecord(seed=4, session=9, limits=limits, filmed=False)


def test_counters_of_the_episode_before_do_not_count(record: EpisodeRecord) -> None:
    record.add_status(LeapfrogStatus(session=9, mode=0, predictions=40, refusals=7, reason="old"))
    record.add_status(LeapfrogStatus(session=8, mode=ENGAGED, predictions=41))
    outcome = record.outcome()
    assert (outcome.predictions, outcome.refusals, outcome.latencies_s) == (0, {}, ())


def test_latencies_refusals_and_cost_are_collected(record: EpisodeRecord) -> None:
    for count, latency in ((1, 0.1), (1, 0.1), (2, 0.2)):
        record.add_status(
            LeapfrogStatus(session=9, mode=ENGAGED, predictions=count, last_latency_s=latency)
        )
    record.add_status(
        LeapfrogStatus(session=9, mode=ENGAGED, predictions=2, refusals=1, reason="jump: 0.4 rad")
    )
    record.add_chunk(ActionChunk(session=9, prediction_latency_s=0.25, latency_s=0.25))
    record.add_task(TaskStatus(seed=4, success=True, outcome="success", elapsed_s=5.5))
    outcome = record.outcome()
    assert outcome.latencies_s == pytest.approx((0.1, 0.2))
    assert outcome.refusals == {"jump": 1}
    assert outcome.compute_s == pytest.approx((0.5,))
    assert outcome.success
    assert outcome.duration_s == 5.5


def test_a_gap_between_commands_is_no_step(record: EpisodeRecord) -> None:
    joints = EMBEDDED_CELL.num_joints

    def command(stamp: float, value: float) -> ControllerState:
        output = JointTrajectoryPoint(positions=np.full(joints, value).tolist())
        return ControllerState(header=header(stamp), output=output)

    for stamp, value in ((1.0, 0.0), (1.01, 0.0), (1.02, 0.0), (1.5, 0.3), (1.51, 0.3)):
        record.add_command(command(stamp, value))
    assert record.outcome().max_position_step_rad == 0.0
    record.add_command(command(1.52, 0.5))
    assert record.outcome().max_position_step_rad > 0.1
