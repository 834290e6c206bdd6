"""The controller's ROS parameters, as far as they are emulated."""

from __future__ import annotations

from dataclasses import dataclass

STATE_INTERFACES = ("position", "velocity", "acceleration")


@dataclass(frozen=True)
class ControllerParameters:
    """Parameters by their ROS names and defaults; one that a version lacks has no effect there.

    Attributes:
        state_interfaces: what is measured: position, then velocity, then acceleration.
        interpolate_from_desired_state: a new trajectory starts from the last command instead of
            the measured state (`open_loop_control` in 4.0.0).
        allow_nonzero_velocity_at_trajectory_end: accept a trajectory that does not end at rest.
        allow_partial_joints_goal: accept a trajectory for some of the joints.
        allow_trajectory_replacement: defer (6.9.0) or splice (master) new trajectories.
        positions_upsampling: smooth topic messages that hold positions only (master).
        policy_frequency: Hz at which upsampled messages without times are played; 0 for none.
        update_rate: updates per second.

    Raises:
        ValueError: a combination that the real controller refuses to configure.
    """

    state_interfaces: tuple[str, ...] = ("position", "velocity")
    interpolate_from_desired_state: bool = False
    allow_nonzero_velocity_at_trajectory_end: bool = False
    allow_partial_joints_goal: bool = False
    allow_trajectory_replacement: bool = True
    positions_upsampling: bool = False
    policy_frequency: float = 0.0
    update_rate: int = 100

    def __post_init__(self) -> None:
        if set(self.state_interfaces) != set(STATE_INTERFACES[: len(self.state_interfaces)]):
            raise ValueError(
                "state_interfaces must be position, position and velocity, or all of "
                f"{', '.join(STATE_INTERFACES)}, got {list(self.state_interfaces)}"
            )
        if not self.state_interfaces:
            raise ValueError("state_interfaces must hold at least position")
        if self.update_rate <= 0:
            raise ValueError(f"update_rate must be positive, got {self.update_rate}")
        if not self.policy_frequency >= 0.0:
            raise ValueError(f"policy_frequency must be 0 or more, got {self.policy_frequency}")

    @property
    def period_ns(self) -> int:
        """Period of one update, truncated to whole nanoseconds."""
        return int(1.0e9 / self.update_rate)
