"""What other packages' programs are started with, and in which order, through real launch events.

Gazebo, its bridge, the spawners and RViz exist on no wheel: programs of their names write down
their arguments and end as they would. This shows the order and the commands, not that Gazebo and
RViz take them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ament_prefix import add_package, add_program
from launched import Launched

pytestmark = pytest.mark.ros

# Ends at once with the status in a file beside it, or stays until a signal ends it.
RECORDER = """#!{python}
import os, signal, sys, time
name = os.path.basename(__file__)
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda *_: sys.exit(0))
with open({record!r}, "a") as record:
    record.write(name + " " + " ".join(sys.argv[1:]) + "\\n")
status = __file__ + ".status"
if os.path.exists(status):
    sys.exit(int(open(status).read()))
time.sleep(600)
"""
GZ_SIM = """from launch import LaunchDescription
from launch.actions import ExecuteProcess
from launch.substitutions import LaunchConfiguration

def generate_launch_description():
    return LaunchDescription([
        ExecuteProcess(cmd=[{gz!r}, LaunchConfiguration("gz_args"),
                            LaunchConfiguration("on_exit_shutdown")])
    ])
"""


class Recorded:
    """An ament prefix whose programs write down how they were started."""

    def __init__(self, prefix: Path) -> None:
        self.prefix = prefix
        self._record = prefix / "record.txt"

    def add(self, package: str, program: str, status: int | None = None) -> Path:
        """A program that ends with a status, or stays."""
        programs = add_package(self.prefix, package)
        text = RECORDER.format(python=sys.executable, record=str(self._record))
        add_program(programs, program, text)
        if status is not None:
            self.ends(package, program, status)
        return programs / program

    def ends(self, package: str, program: str, status: int) -> None:
        (self.prefix / "lib" / package / f"{program}.status").write_text(str(status))

    @property
    def lines(self) -> list[str]:
        return self._record.read_text().splitlines() if self._record.exists() else []

    def line(self, program: str) -> str:
        return next(line for line in self.lines if line.split()[0] == program)

    def has(self, program: str) -> bool:
        return any(line.split()[0] == program for line in self.lines)


@pytest.fixture
def recorded(prefix: Path) -> Recorded:
    """With Gazebo, ros2_control, RViz and the nodes."""
    recorded = Recorded(prefix)
    gz = recorded.add("gz_tools", "gz")
    launch = prefix / "share/ros_gz_sim/launch"
    recorded.add("ros_gz_sim", "create", status=0)
    launch.mkdir()
    (launch / "gz_sim.launch.py").write_text(GZ_SIM.format(gz=str(gz)))
    recorded.add("ros_gz_bridge", "parameter_bridge")
    recorded.add("robot_state_publisher", "robot_state_publisher")
    recorded.add("controller_manager", "spawner", status=0)
    recorded.add("rviz2", "rviz2")
    for package in ("gz_ros2_control", "joint_state_broadcaster", "joint_trajectory_controller"):
        add_package(prefix, package)
    for node in ("camera_context", "imagination_display"):
        recorded.add("dva_ros", node)
    return recorded


@pytest.fixture
def launched(ros2: str) -> Iterator[list[Launched]]:
    """Launches of the test, ended after it."""
    running: list[Launched] = []
    yield running
    for launch in running:
        launch.interrupt()


def test_gazebo_the_robot_the_controllers_and_the_nodes_come_one_after_the_other(
    ros2: str, recorded: Recorded, launched: list[Launched]
) -> None:
    launch = Launched(ros2, "gazebo.launch.py", "headless:=true", "namespace:=a")
    launched.append(launch)
    launch.wait_for(lambda: recorded.has("camera_context"), 30.0)
    launch.wait_for(lambda: recorded.has("parameter_bridge"), 10.0)
    order = [
        line.split()[:2]
        for line in recorded.lines
        if line.split()[0] in ("create", "spawner", "camera_context")
    ]
    assert [first for first, _ in order] == ["create", "spawner", "spawner", "camera_context"]
    assert order[1][1] == "joint_state_broadcaster"
    spawners = [line for line in recorded.lines if line.startswith("spawner")]
    for controller in ("left_arm", "right_arm", "left_gripper", "right_gripper"):
        assert f"{controller}_controller" in spawners[1].split()
    assert "-r -s --headless-rendering" in recorded.line("gz")
    assert recorded.line("gz").endswith("worlds/cell.sdf true")
    assert "-topic robot_description" in recorded.line("create")
    for program in ("create", "spawner", "parameter_bridge", "robot_state_publisher"):
        assert "__ns:=/a" in recorded.line(program)
    assert not recorded.has("cell")
    assert launch.interrupt() == 0


def test_nothing_follows_a_step_of_gazebo_that_fails(
    ros2: str, recorded: Recorded, launched: list[Launched]
) -> None:
    recorded.ends("controller_manager", "spawner", 1)
    launch = Launched(ros2, "gazebo.launch.py")
    launched.append(launch)
    assert launch.wait() == 1
    assert "spawner-" in launch.text and "has ended with status 1" in launch.text
    assert len([line for line in recorded.lines if line.startswith("spawner")]) == 1
    assert not recorded.has("camera_context")


def test_rviz_shows_a_description_of_its_own_and_ends_the_display_when_closed(
    ros2: str, recorded: Recorded, launched: list[Launched]
) -> None:
    launch = Launched(ros2, "display.launch.py", "namespace:=a")
    launched.append(launch)
    launch.wait_for(lambda: recorded.has("rviz2"), 30.0)
    rviz = recorded.line("rviz2").split()
    config = Path(rviz[rviz.index("-d") + 1])
    assert config.is_file()
    for program in ("rviz2", "robot_state_publisher"):
        launch.wait_for(lambda name=program: recorded.has(name), 10.0)
        assert "robot_description:=display/robot_description" in recorded.line(program)
        assert "/tf:=tf" in recorded.line(program)
        assert "__ns:=/a" in recorded.line(program)
    launch.wait_for(lambda: recorded.has("imagination_display"), 10.0)


def test_the_display_beside_a_cell_that_describes_itself(
    ros2: str, recorded: Recorded, launched: list[Launched]
) -> None:
    recorded.ends("rviz2", "rviz2", 0)
    launch = Launched(ros2, "display.launch.py", "robot_state_publisher:=false")
    launched.append(launch)
    assert launch.wait() == 0
    assert "robot_description" not in recorded.line("rviz2")
    assert not recorded.has("robot_state_publisher")
