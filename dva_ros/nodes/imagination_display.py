"""``imagination_display``: the predicted clip as one image for RViz or rqt_image_view."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sensor_msgs.msg import Image

from dva_msgs.msg import PredictedClip

from ..ros import qos
from ..ros.conversions import image_to_msg, pixels, seconds_of
from ..ros.diagnostics import Health
from ..ros.managed_node import ManagedNode
from ..ros.parameters import declare, parameter
from ..ros.process import run_node
from ..video.strip import compose_strip

NAME = "imagination_display"


@dataclass(frozen=True)
class ImaginationDisplayParameters:
    """Which moments are shown, and how often."""

    ahead: tuple[int, ...] = parameter((2, 4, 6, 8), "frames of the clip that are shown")
    period_s: float = parameter(0.2, "between images, s", minimum=0.02, maximum=10.0)


class ImaginationDisplayNode(ManagedNode):
    """Publishes `~/strip`; a clip that is old is darkened and says so."""

    def __init__(self, **options: Any) -> None:
        super().__init__(NAME, **options)

    def setup(self) -> None:
        """Connect."""
        self._settings = declare(self, ImaginationDisplayParameters)
        self._clip: PredictedClip | None = None
        self._images = self.advertise(Image, "~/strip", qos.IMAGE_OUT)
        self.subscribe(PredictedClip, "video_predictor/clip", self._on_clip, qos.COMMAND)
        self.every(self._settings.period_s, self._show)

    def start(self) -> None:
        """Forget clips of an earlier activation."""
        self._clip = None

    def health(self) -> Sequence[Health]:
        """Nothing but that it runs."""
        return [Health("display", message="ok" if self.active else "inactive")]

    def _on_clip(self, message: PredictedClip) -> None:
        if not message.refusal:
            self._clip = message

    def _show(self) -> None:
        clip = self._clip
        if clip is None or self._images.get_subscription_count() == 0:
            return
        size = (clip.height, clip.width)
        now = self.now()
        strip = compose_strip(
            real=pixels(clip.real_rgb, clip.num_real_frames, *size)[-1],
            clip=pixels(clip.rgb, clip.num_frames, *size),
            ahead=[k for k in self._settings.ahead if 1 <= k <= clip.num_frames],
            period_s=clip.frame_period_s,
            age_s=now - seconds_of(clip.header.stamp),
        )
        self._images.publish(image_to_msg(strip, now, "imagination"))


def main() -> int:
    """Run the node."""
    return run_node(ImaginationDisplayNode)


if __name__ == "__main__":
    sys.exit(main())
