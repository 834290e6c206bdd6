"""The robot description: xacro to URDF, the one source for MuJoCo, kinematics, Gazebo and RViz."""

from __future__ import annotations

from functools import lru_cache

from ..errors import UserError
from ..resources import resource_path


@lru_cache(maxsize=8)
def robot_description(**arguments: str) -> str:
    """URDF of both arms, expanded from ``urdf/cell.urdf.xacro``.

    Args:
        arguments: of the xacro, e.g. ``hardware="mock"``; see docs/guides/ros2-control.md.

    Raises:
        UserError: an argument's value is not allowed, or one is missing.
    """
    import xacro

    path = str(resource_path("urdf/cell.urdf.xacro"))
    try:
        return str(xacro.process_file(path, mappings=dict(arguments)).toxml())
    except xacro.XacroException as error:
        raise UserError(f"{path} cannot be expanded: {error}") from error
