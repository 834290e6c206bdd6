"""Python, its platform and the packages that dva_ros imports."""

from __future__ import annotations

import importlib
import importlib.metadata
import platform
import sys
from dataclasses import dataclass

from .check import Check, Section, Status

LEAST_PYTHON, GREATEST_WHEEL_PYTHON = (3, 10), (3, 13)
SETUP = "make setup, then source env.sh"


@dataclass(frozen=True)
class Dependency:
    """A module that is imported.

    Attributes:
        module: name in ``import``.
        distribution: name in the package index, which also knows its version.
        purpose: what it is used for.
        required: False where most things work without it.
        remedy: how to get it.
    """

    module: str
    distribution: str
    purpose: str
    required: bool = True
    remedy: str = SETUP


PYTHON_PACKAGES = (
    Dependency("numpy", "numpy", "all numbers"),
    Dependency("torch", "torch", "the video and inverse dynamics models"),
    Dependency("safetensors", "safetensors", "checkpoints"),
    Dependency("yaml", "PyYAML", "configuration and checkpoints"),
    Dependency("daqp", "daqp", "motion inside its limits"),
    Dependency("pinocchio", "pin", "distances between the arms and to the table", required=False),
    Dependency("mujoco", "mujoco", "the simulated cell: physics and cameras"),
    Dependency("xacro", "xacro", "the simulated cell: its URDF"),
    Dependency("cv2", "opencv-python-headless", "resizing camera images"),
    Dependency("av", "av", "reading and writing videos"),
    Dependency("pyarrow", "pyarrow", "datasets in the LeRobot format"),
    Dependency("mcap", "mcap", "recordings"),
    Dependency("rosbags", "rosbags", "messages of recordings, without ROS"),
    Dependency("matplotlib", "matplotlib", "plots of training runs"),
    Dependency("rich", "rich", "tables and progress in the terminal"),
    Dependency("tqdm", "tqdm", "progress of training and generation"),
    Dependency("pytest", "pytest", "make test", required=False),
)


def look_at(dependency: Dependency) -> Check:
    """Import one dependency; gives its version, or why it cannot be imported."""
    name = dependency.module.removesuffix(".msg")
    absent = Status.MISSING if dependency.required else Status.OPTIONAL
    try:
        module = importlib.import_module(dependency.module)
    except ModuleNotFoundError as error:
        own = error.name == dependency.module
        detail = "not installed" if own else f"broken: {error}"
    except Exception as error:  # a broken package raises anything
        detail = f"broken: {error}"
    else:
        return Check(name, Status.OK, _version(dependency, module), dependency.purpose)
    return Check(name, absent, detail, dependency.purpose, dependency.remedy)


def python_section() -> Section:
    """Python, the platform and the packages of the package index."""
    return Section(
        "Python", (_python(), _platform(), *(look_at(package) for package in PYTHON_PACKAGES))
    )


def _version(dependency: Dependency, module: object) -> str:
    try:
        return importlib.metadata.version(dependency.distribution)
    except importlib.metadata.PackageNotFoundError:
        return str(getattr(module, "__version__", "installed"))


def _python() -> Check:
    version = f"{platform.python_version()} ({sys.executable})"
    if sys.version_info[:2] < LEAST_PYTHON:
        return Check("python", Status.MISSING, version, "everything", "use Python 3.10 or newer")
    if sys.version_info[:2] > GREATEST_WHEEL_PYTHON:
        return Check(
            "python",
            Status.OPTIONAL,
            version,
            "everything",
            "no ROS 2 wheels for it: use Python 3.10-3.13, or a ROS 2 installation",
        )
    return Check("python", Status.OK, version, "everything")


def _platform() -> Check:
    detail = f"{platform.system()} {platform.machine()}, {platform.release()}"
    if (platform.system(), platform.machine()) == ("Linux", "x86_64"):
        return Check("platform", Status.OK, detail)
    return Check(
        "platform",
        Status.OPTIONAL,
        detail,
        remedy="ROS 2 wheels exist for Linux on x86-64 only: use a ROS 2 installation here",
    )
