"""The node of docs/start/tutorial.md: ten seconds of motion, two pictures."""

from __future__ import annotations

import time

import cv2
import rclpy
from sensor_msgs.msg import Image, JointState
from std_srvs.srv import Trigger

from dva_msgs.msg import LeapfrogStatus
from dva_ros.leapfrog.messages import Mode
from dva_ros.ros import qos
from dva_ros.ros.conversions import image_from_msg

SECONDS = 10.0


def main() -> None:
    """Engage, watch, disengage."""
    rclpy.init()
    node = rclpy.create_node("first_look")
    newest: dict[str, object] = {}
    for kind, topic, profile in (
        (Image, "overhead/image_raw", qos.SENSOR),
        (JointState, "joint_states", qos.SENSOR),
        (LeapfrogStatus, "leapfrog_scheduler/status", qos.STATE),
    ):
        node.create_subscription(kind, topic, lambda m, t=topic: newest.update({t: m}), profile)

    def call(name: str) -> Trigger.Response:
        client = node.create_client(Trigger, f"leapfrog_scheduler/{name}")
        client.wait_for_service()
        future = client.call_async(Trigger.Request())
        rclpy.spin_until_future_complete(node, future)
        return future.result()

    def keep(path: str) -> None:
        rgb = image_from_msg(newest["overhead/image_raw"])
        cv2.imwrite(path, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))

    while len(newest) < 3:
        rclpy.spin_once(node)
    keep("before.png")
    while not (answer := call("engage")).success:
        print(f"not yet: {answer.message}")
        time.sleep(1.0)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        for _ in range(200):
            rclpy.spin_once(node, timeout_sec=0.01)
        status, joints = newest["leapfrog_scheduler/status"], newest["joint_states"]
        speed, joint = max(zip(map(abs, joints.velocity), joints.name, strict=True))
        mode = Mode(status.mode).name.lower()
        print(f"{status.predictions} predictions, {mode}, {joint} moves at {speed:.2f} rad/s")
        if status.reason:
            print(f"    last reason to stop or refuse: {status.reason}")
    call("disengage")
    keep("after.png")
    print("before.png and after.png are what the overhead camera saw")
    rclpy.shutdown()


if __name__ == "__main__":
    main()
