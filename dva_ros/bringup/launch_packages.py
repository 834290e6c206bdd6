"""Reports the ROS packages that a launch file needs and that are not installed."""

from __future__ import annotations

import os
from collections.abc import Sequence

from ament_index_python.packages import get_packages_with_prefixes

from ..errors import UserError


def require_packages(what: str, packages: Sequence[str]) -> None:
    """Check that packages are installed.

    Args:
        what: needs them, e.g. "gazebo.launch.py".
        packages: their ROS names.

    Raises:
        UserError: some are missing; names them and what installs them.
    """
    installed = get_packages_with_prefixes()
    missing = [package for package in packages if package not in installed]
    if missing:
        distro = os.environ.get("ROS_DISTRO", "<distro>")
        debian = " ".join(f"ros-{distro}-{package.replace('_', '-')}" for package in missing)
        raise UserError(
            f"{what} needs packages that are not installed: {', '.join(missing)}; "
            f"install them (sudo apt install {debian}) and source the ROS 2 installation"
        )
