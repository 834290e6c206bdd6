"""One of two machines: cameras, ``camera_context`` and a scheduler's requests, told by its input.

Each line of standard input is a number of requests to make, one a context frame. For each line a
JSON object comes back: how many were answered, and how long that took. Run as a script.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
from robot_inputs import RobotInputs
from ros_graph import Graph

from dva_msgs.msg import ContextFrame, PredictedClip, PredictionRequest
from dva_ros.nodes.camera_context import CameraContextNode
from dva_ros.ros import qos
from dva_ros.spec import EMBEDDED_CELL

ANSWER_S = 2.0
START_S = 60.0


class RobotPc:
    """Asks the predictor of another machine."""

    def __init__(self) -> None:
        self.graph = Graph()
        self.graph.add_active(CameraContextNode())
        self.requests = self.graph.client.create_publisher(
            PredictionRequest, "leapfrog_scheduler/request", qos.COMMAND
        )
        self.frames = self.graph.collect(ContextFrame, "camera_context/context", qos.FRAMES)
        self.clips = self.graph.collect(PredictedClip, "video_predictor/clip", qos.COMMAND)
        RobotInputs(self.graph.client).start()
        self.asked = 0

    def wait_for_predictor(self) -> None:
        """Until it answers for the first time."""
        end = time.monotonic() + START_S
        while not self.ask():
            assert time.monotonic() < end, f"no predictor answered within {START_S} s"

    def ask(self) -> float:
        """Ask for what follows the next frame; the seconds that it took, 0 without an answer."""
        count = len(self.frames)
        self.graph.spin_until(lambda: len(self.frames) > count)
        newest = self.frames[-1]
        self.asked += 1
        self.requests.publish(
            PredictionRequest(
                session=newest.session,
                request_id=self.asked,
                frame_index=newest.frame_index,
                committed_frames=2,
                joint_names=list(EMBEDDED_CELL.joint_names),
                committed=[0.0] * (2 * EMBEDDED_CELL.num_joints),
            )
        )
        start = time.monotonic()
        while time.monotonic() < start + ANSWER_S:
            self.graph.spin(0.005)
            if any(clip.request_id == self.asked and not clip.refusal for clip in self.clips):
                return time.monotonic() - start
        return 0.0


def main() -> None:
    """Answer every line."""
    machine = RobotPc()
    machine.wait_for_predictor()
    print("ready", flush=True)
    for line in sys.stdin:
        times = [machine.ask() for _ in range(int(line))]
        answered = [t for t in times if t]
        worst, median = (float(np.quantile(answered or [0.0], q)) for q in (1.0, 0.5))
        said = {"asked": len(times), "answered": len(answered), "p50_s": median, "max_s": worst}
        print(json.dumps(said), flush=True)
    machine.graph.close()


if __name__ == "__main__":
    main()
