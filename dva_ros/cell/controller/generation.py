"""The versions of joint_trajectory_controller whose behaviour is emulated."""

from __future__ import annotations

from enum import Enum

from dva_ros.errors import UserError


class Generation(str, Enum):
    """A version of ros2_controllers; its properties say in what its controller differs."""

    FIRST_4 = "4.0.0"
    JAZZY = "4.42.1"
    KILTED = "5.17.0"
    ROLLING_6_9 = "6.9.0"
    MASTER = "master"

    @staticmethod
    def parse(version: str) -> Generation:
        """The generation of that version; raises `UserError` for one that is not emulated."""
        try:
            return Generation(version)
        except ValueError:
            known = ", ".join(generation.value for generation in Generation)
            raise UserError(
                f"joint_trajectory_controller version {version!r} is not emulated; choose one of "
                f"{known}"
            ) from None

    @property
    def is_first(self) -> bool:
        """4.0.0: older message checks, measured hold after a goal, command without look-ahead."""
        return self is Generation.FIRST_4

    @property
    def commands_one_period_ahead(self) -> bool:
        """The command is the reference of the next update (since 4.17.0)."""
        return self is not Generation.FIRST_4

    @property
    def fills_absent_derivatives(self) -> bool:
        """The state before a trajectory gets zeros for fields that only the first point has."""
        return self is not Generation.FIRST_4

    @property
    def searches_forward_only(self) -> bool:
        """Sampling never returns to a segment before the last one that was played."""
        return self is not Generation.FIRST_4

    @property
    def look_ahead_ends_search(self) -> bool:
        """Looking ahead past the last point ends the trajectory for earlier times as well."""
        return self in (Generation.JAZZY, Generation.KILTED, Generation.ROLLING_6_9)

    @property
    def defers_future_stamps(self) -> bool:
        """A message stamped in the future waits in one slot while the old trajectory runs on."""
        return self is Generation.ROLLING_6_9

    @property
    def splices(self) -> bool:
        """A new message is spliced into the running trajectory."""
        return self is Generation.MASTER

    @property
    def can_upsample_positions(self) -> bool:
        """`positions_upsampling` exists."""
        return self is Generation.MASTER
