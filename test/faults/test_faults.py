"""The whole graph as processes, disturbed in every way: it stops smoothly, and goes on."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed; run make setup")
pytest.importorskip("dva_msgs", reason="dva_msgs is not built; run make setup")
pytestmark = [pytest.mark.ros, pytest.mark.slow]

from tiny_models import write_tiny_models  # noqa: E402

from dva_ros.faults.client.catalogue import Fault, catalogue  # noqa: E402
from dva_ros.faults.client.suite import run_faults  # noqa: E402
from dva_ros.faults.report import FaultResult  # noqa: E402

SWEEP_RAD = 0.08
"""The untrained models of these tests always want the left waist so much further."""


@pytest.fixture(scope="module")
def results(ros_domain: int, tmp_path_factory: pytest.TempPathFactory) -> dict[str, FaultResult]:
    """All faults, run once; a fault that is missing here was never reached."""
    models = write_tiny_models(tmp_path_factory.mktemp("sweep"), ahead={"left_waist": SWEEP_RAD})
    found: dict[str, FaultResult] = {}

    def report(result: FaultResult) -> None:
        found[result.name] = result

    with pytest.MonkeyPatch.context() as patch:
        # Nodes of other tests in this process may not have left their domain yet.
        patch.setenv("ROS_DOMAIN_ID", str(ros_domain % 101 + 1))
        run_faults(catalogue(), models, "pick_place", 0, report)
    return found


@pytest.mark.parametrize("fault", catalogue(), ids=lambda fault: fault.name)
def test_the_robot_is_safe_and_goes_on(results: dict[str, Any], fault: Fault) -> None:
    """It stands in time where it must, nothing on the wire is unsafe, no commanded velocity or
    acceleration is beyond its limit, and it moves again within 5 s."""
    assert results[fault.name].problems == ()
