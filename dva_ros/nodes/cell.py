"""``cell``: the simulated MuJoCo cell in real time, with the topics of a real one.

Its ``joint_trajectory_controller`` is emulated: it takes ``joint_trajectory_controller/
joint_trajectory`` and says why it refuses in its log, as the real one does.
"""

from __future__ import annotations

import math
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from rclpy.logging import get_logger
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image, JointState
from std_msgs.msg import String
from std_srvs.srv import SetBool
from trajectory_msgs.msg import JointTrajectory

from dva_msgs.msg import ControllerState, TaskStatus
from dva_msgs.srv import ResetCell

from ..cell.controller import Generation
from ..cell.description import robot_description
from ..cell.model import CAMERAS
from ..cell.real_time import Measurement, RealTimeCell
from ..cell.task import SPLITS, Split
from ..cell.tasks import find_task
from ..errors import UserError
from ..ros import qos
from ..ros.conversions import (
    camera_info,
    controller_state_to_msg,
    header,
    image_to_msg,
    joint_state_to_msg,
    stamp_of,
    trajectory_from_msg,
)
from ..ros.diagnostics import Health, Level
from ..ros.managed_node import ManagedNode
from ..ros.parameters import declare, parameter
from ..ros.process import run_node
from ..ros.statistics import RollingStatistics
from ..trajectory import Trajectory

NAME = "cell"
CONTROLLER = "joint_trajectory_controller"
SERVICE_TIMEOUT_S = 10.0
LAG_WARNING_S = 0.05


@dataclass(frozen=True)
class CellParameters:
    """The scene at the start and the rates of the topics."""

    task: str = parameter("pick_place", "task of the first scene")
    seed: int = parameter(0, "of the first scene", minimum=0)
    split: str = parameter("test", "split of the first scene", choices=SPLITS)
    camera_period: int = parameter(
        10, "control periods (10 ms) between images", minimum=1, maximum=1000
    )
    joint_state_period: int = parameter(
        1, "control periods between joint states", minimum=1, maximum=100
    )
    controller_state_period: int = parameter(
        1, "control periods between controller states", minimum=1, maximum=100
    )
    publish_clock: bool = parameter(
        False, "publish /clock and stamp by it, for nodes with use_sim_time"
    )
    clock_period: int = parameter(
        2, "control periods between messages on /clock", minimum=1, maximum=100
    )
    controller_version: str = parameter(
        Generation.JAZZY.value,
        "version of joint_trajectory_controller to emulate",
        choices=tuple(generation.value for generation in Generation),
    )


class CellNode(ManagedNode):
    """Publishes cameras, joints and the task's judgement; takes trajectories."""

    def __init__(self, **options: Any) -> None:
        super().__init__(NAME, **options)
        self._thread: threading.Thread | None = None
        self._running = False

    def setup(self) -> None:
        """Make publishers and the reset service."""
        self._settings = declare(self, CellParameters)
        self._task_name, self._seed = self._settings.task, self._settings.seed
        find_task(self._task_name)
        self._instruction = ""
        self._trajectories: deque[Trajectory] = deque()
        self._jobs: deque[Callable[[RealTimeCell], None]] = deque()
        self._lag = RollingStatistics()
        self._skipped_s = 0.0
        self._refused = 0
        self._controller_log = get_logger(CONTROLLER)
        self._images = {
            name: (
                self.advertise(Image, f"{name}/image_raw", qos.IMAGE_OUT),
                self.advertise(CameraInfo, f"{name}/camera_info", qos.IMAGE_OUT),
            )
            for name in CAMERAS
        }
        self._joints = self.advertise(JointState, "joint_states", qos.reliable(10))
        self._states = self.advertise(
            ControllerState, f"{CONTROLLER}/controller_state", qos.reliable(10)
        )
        self._tasks = self.advertise(TaskStatus, "~/task_status", qos.STATE)
        self._instructions = self.advertise(String, "instruction", qos.STATE)
        self._description = self.advertise(String, "robot_description", qos.STATE)
        if self._settings.publish_clock:
            self._clock_messages = self.advertise(Clock, "/clock", qos.SENSOR)
        self.subscribe(
            JointTrajectory, f"{CONTROLLER}/joint_trajectory", self._on_trajectory, qos.COMMAND
        )
        self.serve(ResetCell, "~/reset", self._on_reset)
        self.serve(SetBool, f"{CONTROLLER}/set_active", self._on_set_active)

    def start(self) -> None:
        """Start physics in its own thread, which also renders."""
        self._description.publish(String(data=robot_description()))
        self._started = time.monotonic()
        ready: Future[None] = Future()
        self._running = True
        self._thread = threading.Thread(target=self._run, args=(ready,), name="physics")
        self._thread.start()
        ready.result()

    def stop(self) -> None:
        """Stop physics: no message is sent afterwards."""
        self._running = False
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def health(self) -> Sequence[Health]:
        """How well physics keeps up with the clock."""
        late = self._lag.percentile(99)
        if late > LAG_WARNING_S:
            level, message = Level.WARN, f"physics runs {1e3 * late:.0f} ms late"
        else:
            level, message = Level.OK, "ok" if self.active else "inactive"
        values = {
            "late p99 ms": f"{1e3 * late:.1f}",
            "time given up s": f"{self._skipped_s:.2f}",
            "trajectories refused": self._refused,
        }
        return [Health("physics", level, message, values)]

    def _time(self) -> float:
        """Seconds on the robot's clock: the ROS clock, or since the start with /clock."""
        if self._settings.publish_clock:
            return time.monotonic() - self._started
        return self.now()

    def _run(self, ready: Future[None]) -> None:
        """The physics thread."""
        try:
            cell = RealTimeCell(self._settings.controller_version)
            self._reset(cell, self._task_name, self._seed, self._settings.split)
        except BaseException as error:
            ready.set_exception(error)
            return
        ready.set_result(None)
        try:
            while self._running:
                self._period(cell)
        except Exception:
            self.give_up(f"physics failed: {traceback.format_exc()}")
        finally:
            cell.close()

    def _period(self, cell: RealTimeCell) -> None:
        while self._jobs:
            self._jobs.popleft()(cell)
        wait = cell.due - self._time()
        if wait > 0:
            time.sleep(wait)
        self._lag.add(max(0.0, self._time() - cell.due))
        given_up = cell.catch_up(self._time())
        if given_up:
            self._skipped_s += given_up
            self.get_logger().warning(
                f"the machine is too busy: {given_up:.2f} s of physics were left out",
                throttle_duration_sec=2.0,
            )
        while self._trajectories:
            refusal = cell.submit(self._trajectories.popleft())
            if refusal is not None:
                self._refused += 1
                self._controller_log.error(refusal)
        self._publish(cell, cell.measure())
        cell.simulate()

    def _publish(self, cell: RealTimeCell, measured: Measurement) -> None:
        settings, tick, names = self._settings, cell.ticks, cell.joint_names
        if settings.publish_clock and tick % settings.clock_period == 0:
            self._clock_messages.publish(Clock(clock=stamp_of(measured.stamp)))
        if tick % settings.joint_state_period == 0:
            self._joints.publish(
                joint_state_to_msg(names, measured.position, measured.velocity, measured.stamp)
            )
        if measured.controller is not None and tick % settings.controller_state_period == 0:
            self._states.publish(
                controller_state_to_msg(names, measured.controller, measured.stamp)
            )
        if tick % settings.camera_period == 0:
            self._publish_images(cell, measured.stamp)
            self._publish_task(measured)

    def _publish_images(self, cell: RealTimeCell, stamp: float) -> None:
        for name, (images, infos) in self._images.items():
            mount, frame_id = CAMERAS[name], f"{name}_optical_frame"
            images.publish(image_to_msg(cell.render(name), stamp, frame_id))
            fovy = math.radians(mount.fovy_deg)
            infos.publish(camera_info(mount.height, mount.width, fovy, stamp, frame_id))

    def _publish_task(self, measured: Measurement) -> None:
        self._tasks.publish(
            TaskStatus(
                header=header(measured.stamp),
                task=self._task_name,
                instruction=self._instruction,
                seed=self._seed,
                elapsed_s=measured.elapsed_s,
                success=measured.result.success,
                outcome=measured.result.outcome,
            )
        )

    def _reset(self, cell: RealTimeCell, task: str, seed: int, split: str) -> float:
        """In the physics thread; gives the time of the new scene's first frame."""
        find_task(task)
        if split not in SPLITS:
            raise UserError(f"split '{split}' is unknown; known are {', '.join(SPLITS)}")
        chosen: Split = split
        self._instruction = cell.reset(task, seed, chosen)
        self._task_name, self._seed = task, seed
        self._instructions.publish(String(data=self._instruction))
        self._trajectories.clear()
        cell.begin(self._time())
        return cell.due

    def _on_trajectory(self, message: JointTrajectory) -> None:
        self._trajectories.append(trajectory_from_msg(message))

    def _on_set_active(
        self, request: SetBool.Request, response: SetBool.Response
    ) -> SetBool.Response:
        """What a controller manager's switch does to a real controller."""
        self._jobs.append(lambda cell: cell.set_controller_active(request.data))
        response.success = True
        return response

    def _on_reset(
        self, request: ResetCell.Request, response: ResetCell.Response
    ) -> ResetCell.Response:
        if not self.active:
            response.message = f"{NAME} is not active"
            return response
        done: Future[float] = Future()

        def job(cell: RealTimeCell) -> None:
            try:
                done.set_result(self._reset(cell, request.task, request.seed, request.split))
            except UserError as error:
                done.set_exception(error)

        self._jobs.append(job)
        try:
            response.stamp = stamp_of(done.result(SERVICE_TIMEOUT_S))
        except UserError as error:
            response.message = str(error)
        except TimeoutError:
            response.message = f"the cell did not answer within {SERVICE_TIMEOUT_S} s"
        else:
            response.success, response.instruction = True, self._instruction
        return response


def main() -> int:
    """Run the node."""
    return run_node(CellNode)


if __name__ == "__main__":
    sys.exit(main())
