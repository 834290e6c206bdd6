"""Trajectories as goals: what a controller refuses or gives up ends the engagement, by name."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed; run make setup")
pytest.importorskip("dva_msgs", reason="dva_msgs is not built; run make setup")
pytestmark = pytest.mark.ros

from rclpy.parameter import Parameter  # noqa: E402
from ros_graph import Graph  # noqa: E402
from scheduler_loop import FOUR, Loop, ends_at_rest  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402

from dva_msgs.msg import LeapfrogStatus  # noqa: E402
from dva_ros.nodes.leapfrog_scheduler import LeapfrogSchedulerNode  # noqa: E402

ACTION = Parameter("controller_interface", value="action")


class GoalServers:
    """The actions of emulated controllers; a goal lasts until the next, or until it is given up.

    Attributes:
        goals: controller -> the trajectories that were accepted.
        refuse: controllers that accept none.
    """

    def __init__(self, loop: Loop, names: Sequence[str]) -> None:
        from control_msgs.action import FollowJointTrajectory
        from rclpy.action import ActionServer

        self._loop, self._action = loop, FollowJointTrajectory
        self.goals: dict[str, list[Any]] = {name: [] for name in names}
        self.refuse: set[str] = set()
        self._handles: dict[str, Any] = {}
        for name in names:
            ActionServer(
                loop.graph.client,
                FollowJointTrajectory,
                f"{name}/follow_joint_trajectory",
                execute_callback=self._abort,
                goal_callback=partial(self._on_goal, name),
                handle_accepted_callback=partial(self._on_accepted, name),
            )

    def give_up(self, name: str) -> None:
        """As for a violated tolerance."""
        self._handles.pop(name).execute()

    def _on_goal(self, name: str, goal: Any) -> Any:
        from rclpy.action import GoalResponse

        return GoalResponse.REJECT if name in self.refuse else GoalResponse.ACCEPT

    def _on_accepted(self, name: str, handle: Any) -> None:
        if name in self._handles:
            self.give_up(name)
        self._handles[name] = handle
        self.goals[name].append(handle.request.trajectory)
        self._loop.emulation.take(name, handle.request.trajectory)

    def _abort(self, handle: Any) -> Any:
        handle.abort()
        return self._action.Result(error_code=-4, error_string="left_waist: path tolerance")


def engaged(graph: Graph) -> tuple[Loop, GoalServers]:
    """A loop with four controllers in motion, driven by goals."""
    pytest.importorskip("control_msgs", reason="control_msgs is not installed: no wheel has it")
    loop = Loop(graph, [ACTION, Parameter("controllers", value=list(FOUR))], FOUR)
    servers = GoalServers(loop, list(FOUR))
    graph.spin(0.5)
    loop.engage()
    graph.spin_until(lambda: all(len(goals) >= 4 for goals in servers.goals.values()))
    return loop, servers


def test_goals_that_replace_each_other_move_the_robot(graph: Graph) -> None:
    """Each replaced goal is aborted by its controller, which is no fault."""
    loop, servers = engaged(graph)
    assert loop.statuses[-1].mode == LeapfrogStatus.MODE_ENGAGED
    assert loop.emulation.refusals == []
    assert loop.emulation.position["left_waist"] > 0.02
    assert all(ends_at_rest(goal) for goals in servers.goals.values() for goal in goals)
    assert all(not sent for sent in loop.sent.values())


def test_a_refused_goal_stops_all_controllers_and_is_named(graph: Graph) -> None:
    loop, servers = engaged(graph)
    servers.refuse.add("right_gripper_controller")
    graph.spin_until(lambda: "right_gripper_controller refused" in loop.statuses[-1].reason)
    count = len(servers.goals["left_arm_controller"])
    stop = servers.goals["left_arm_controller"][-1]
    end = stop.points[-1].time_from_start
    assert ends_at_rest(stop)
    assert end.sec + 1e-9 * end.nanosec < 0.6
    graph.spin(0.8)
    assert len(servers.goals["left_arm_controller"]) == count
    assert loop.statuses[-1].mode == LeapfrogStatus.MODE_DISENGAGED


def test_a_goal_that_is_given_up_ends_the_engagement_and_says_why(graph: Graph) -> None:
    loop, servers = engaged(graph)
    servers.give_up("left_arm_controller")
    graph.spin_until(lambda: "left_waist: path tolerance" in loop.statuses[-1].reason)
    assert "left_arm_controller gave up" in loop.statuses[-1].reason


def test_deactivation_in_motion_sends_a_stop_as_the_last_goal(graph: Graph) -> None:
    loop, servers = engaged(graph)
    goals = servers.goals["left_arm_controller"]
    before, target = len(goals), goals[-1].points[-1].positions[0]
    loop.scheduler.trigger_deactivate()
    graph.spin(0.6)
    assert len(goals) == before + 1
    assert ends_at_rest(goals[-1])
    assert goals[-1].points[-1].positions[0] < target


def test_engaging_without_the_action_is_refused(graph: Graph) -> None:
    pytest.importorskip("control_msgs", reason="control_msgs is not installed: no wheel has it")
    Loop(graph, [ACTION])
    answer = graph.call(Trigger, "leapfrog_scheduler/engage", Trigger.Request())
    assert not answer.success
    assert "has no action follow_joint_trajectory" in answer.message


def test_without_control_msgs_the_package_to_install_is_named(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "control_msgs.action", None)
    node = graph.add(LeapfrogSchedulerNode(parameter_overrides=[ACTION]))
    node.trigger_configure()
    assert "control-msgs" in node.failure
