"""One recorded episode, in memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..spec import CellSpec


class EpisodeError(ValueError):
    """The arrays of an episode do not fit together; the message names the field."""


@dataclass(frozen=True)
class Episode:
    """T frames on the time grid.

    Attributes:
        images: camera name -> uint8 RGB [T, h, w, 3] at the camera's native size.
        state: float32 [T, J], measured joint positions at each frame (rad; grippers m).
        action: float32 [T, J], the joint command at the *next* frame; the last repeats.
        clean: bool [T], False where a perturbation was being injected.
        task: name of the task, "random_motion" for motion without one.
        instruction: the instruction in words.
        seed: of the episode.
        success: whether the task was fulfilled at the end.
    """

    images: dict[str, np.ndarray]
    state: np.ndarray
    action: np.ndarray
    clean: np.ndarray
    task: str
    instruction: str
    seed: int
    success: bool

    @property
    def num_frames(self) -> int:
        """T."""
        return len(self.state)

    def command(self) -> np.ndarray:
        """float32 [T, J]: the joint command *at* each frame; recordings start at rest."""
        return np.concatenate([self.action[:1], self.action[:-1]])

    def validate(self, spec: CellSpec) -> None:
        """Raise `EpisodeError` naming the first field that does not fit `spec`."""
        frames, joints = self.num_frames, spec.num_joints
        if frames == 0:
            raise EpisodeError("state has no frames")
        for name in ("state", "action"):
            array = getattr(self, name)
            if array.dtype != np.float32 or array.shape != (frames, joints):
                raise EpisodeError(
                    f"{name} must be float32 [{frames}, {joints}], got {_kind(array)}"
                )
            if not np.isfinite(array).all():
                frame, joint = np.argwhere(~np.isfinite(array))[0]
                raise EpisodeError(
                    f"{name} of {spec.joint_names[joint]} is {array[frame, joint]} "
                    f"at frame {frame}"
                )
        if self.clean.dtype != np.bool_ or self.clean.shape != (frames,):
            raise EpisodeError(f"clean must be bool [{frames}], got {_kind(self.clean)}")
        for camera in spec.cameras:
            if camera.name not in self.images:
                raise EpisodeError(f"images of camera '{camera.name}' are missing")
            images = self.images[camera.name]
            if images.dtype != np.uint8 or images.ndim != 4 or images.shape[0] != frames:
                raise EpisodeError(
                    f"images of camera '{camera.name}' must be uint8 [{frames}, h, w, 3], "
                    f"got {_kind(images)}"
                )


def _kind(array: np.ndarray) -> str:
    return f"{array.dtype} {list(array.shape)}"
