"""Where the project's own files are: in the source tree, or installed by colcon."""

from __future__ import annotations

import os
from pathlib import Path

from .errors import UserError

SOURCE_ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "dva_ros"


def share_root() -> Path:
    """The directory that holds config/, models/, urdf/, launch/, rviz/ and worlds/.

    Returns:
        The source tree where this package lies in one, else the share directory of dva_ros in
        the first prefix of AMENT_PREFIX_PATH that has it.

    Raises:
        UserError: neither exists; names both places.
    """
    if (SOURCE_ROOT / "package.xml").is_file():
        return SOURCE_ROOT
    installed = _installed_share()
    if installed is None:
        raise UserError(_not_found("the files of dva_ros"))
    return installed


def resource_path(relative: str | Path) -> Path:
    """The existing file or folder `relative` to the share root, e.g. ``urdf/cell.urdf.xacro``.

    Raises:
        UserError: it exists neither in the source tree nor in the installed share directory.
    """
    for root in (SOURCE_ROOT, _installed_share()):
        if root is not None and (root / relative).exists():
            return root / relative
    raise UserError(_not_found(str(relative)))


def config_path(name: str) -> Path:
    """A file of config/, with or without ``.yaml``; a path to an existing file is returned as is.

    Raises:
        UserError: no such file; names the places looked at.
    """
    return _named(name, "config", f"{name.removesuffix('.yaml')}.yaml")


def model_path(name: str) -> Path:
    """A checkpoint folder of models/, e.g. ``cpu/video``; an existing folder is returned as is.

    Raises:
        UserError: no such folder; names the places looked at.
    """
    return _named(name, "models", name)


def _named(name: str, folder: str, relative: str) -> Path:
    given = Path(name).expanduser()
    if os.sep in name and given.exists():
        return given.resolve()
    return resource_path(Path(folder) / relative)


def _installed_share() -> Path | None:
    for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep):
        share = Path(prefix) / "share" / PACKAGE
        if prefix and share.is_dir():
            return share
    return None


def _not_found(what: str) -> str:
    installed = _installed_share()
    elsewhere = (
        f"installed ({installed})"
        if installed
        else "installed (no prefix of AMENT_PREFIX_PATH has share/dva_ros)"
    )
    return (
        f"{what} not found: neither in the source tree ({SOURCE_ROOT}) nor {elsewhere}; "
        "check the name, or build with colcon and source the workspace"
    )
