"""The robot description: xacro to URDF, the one source for MuJoCo, kinematics and RViz."""

from __future__ import annotations

from functools import lru_cache

from ..resources import resource_path


@lru_cache(maxsize=1)
def robot_description() -> str:
    """URDF of both arms, expanded from ``urdf/cell.urdf.xacro``."""
    import xacro

    return str(xacro.process_file(str(resource_path("urdf/cell.urdf.xacro"))).toxml())
