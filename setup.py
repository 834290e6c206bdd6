"""Installs dva_ros as an ament_python package."""

from pathlib import Path

from setuptools import find_packages, setup

PACKAGE = "dva_ros"
ROOT = Path(__file__).resolve().parent
NODES = (
    "camera_context",
    "video_predictor",
    "inverse_dynamics",
    "leapfrog_scheduler",
    "imagination_display",
    "recorder",
    "cell",
)
SHARED_FOLDERS = ("launch", "config", "models", "recipes", "urdf", "rviz", "worlds")


def shared_files() -> list[tuple[str, list[str]]]:
    """Every file of the shared folders, by the folder it is installed to."""
    installed: dict[str, list[str]] = {}
    for folder in SHARED_FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                relative = path.relative_to(ROOT)
                installed.setdefault(f"share/{PACKAGE}/{relative.parent}", []).append(
                    str(relative)
                )
    return list(installed.items())


setup(
    name=PACKAGE,
    version="0.1.0",
    packages=find_packages(include=[PACKAGE, f"{PACKAGE}.*"]),
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (f"share/{PACKAGE}", ["package.xml"]),
        *shared_files(),
    ],
    install_requires=["setuptools"],
    extras_require={"test": ["pytest", "pytest-timeout"]},  # colcon test: run by pytest
    zip_safe=False,
    maintainer="dva_ros maintainers",
    maintainer_email="maintainers@users.noreply.r-seed-a6b7f541.example",
    description="A Direct Video-Action Model that controls a bimanual cell through ROS 2",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [f"{node} = {PACKAGE}.nodes.{node}:main" for node in NODES],
    },
)
