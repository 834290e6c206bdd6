"""Emulation of ros2_controllers' joint_trajectory_controller, several versions of it."""

from .controller import JointTrajectoryController
from .generation import Generation
from .parameters import ControllerParameters
from .state import ControllerState, JointState

__all__ = [
    "ControllerParameters",
    "ControllerState",
    "Generation",
    "JointState",
    "JointTrajectoryController",
]
