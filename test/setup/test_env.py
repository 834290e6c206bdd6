"""`source env.sh` from any folder gives a shell in which everything runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLEAN = ("PYTHONPATH", "LD_LIBRARY_PATH", "AMENT_PREFIX_PATH", "CMAKE_PREFIX_PATH", "ROS_DISTRO",
         "DVA_ROS_WHEELS", "VIRTUAL_ENV", "_ROS_WHEELS_BOOTSTRAP_COMPLETE")  # fmt: skip

needs_wheels = pytest.mark.skipif(
    "DVA_ROS_WHEELS" not in os.environ, reason="ROS 2 does not come from wheels here"
)


def shell(
    script: str, shell_name: str = "bash", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a script outside the project, in an environment that no env.sh has touched."""
    environment = {k: v for k, v in os.environ.items() if k not in CLEAN} | variables
    return subprocess.run(
        [shell_name, "-c", script],
        cwd="/",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.ros
@needs_wheels
@pytest.mark.parametrize("shell_name", ["bash", "zsh"])
def test_messages_and_verbs_work_after_sourcing(shell_name: str) -> None:
    if shutil.which(shell_name) is None:
        pytest.skip(f"{shell_name} is not installed")
    result = shell(
        f"source {ROOT}/env.sh && python -c 'import rclpy, dva_msgs.msg' && "
        "python -m dva_ros --help && echo $ROS_DISTRO",
        shell_name,
        DISTRO=os.environ["ROS_DISTRO"],
    )
    assert result.returncode == 0, result.stderr
    assert "doctor" in result.stdout
    assert result.stdout.splitlines()[-1] == os.environ["ROS_DISTRO"]


@pytest.mark.ros
@needs_wheels
@pytest.mark.parametrize("own", ["", "/etc/own.xml"])
def test_messages_are_sized_for_images_unless_there_is_a_profile(own: str) -> None:
    """With Fast DDS's own segment of 512 KB clips were lost for good once a reader was killed."""
    result = shell(
        f"source {ROOT}/env.sh && echo $FASTRTPS_DEFAULT_PROFILES_FILE",
        DISTRO=os.environ["ROS_DISTRO"],
        FASTRTPS_DEFAULT_PROFILES_FILE=own,
    )
    assert result.stdout.strip() == (own or f"{ROOT}/config/fastdds.xml")


@pytest.mark.ros
@needs_wheels
def test_sourcing_twice_adds_nothing_and_keeps_own_entries() -> None:
    result = shell(
        f"source {ROOT}/env.sh && echo $PATH $PYTHONPATH $LD_LIBRARY_PATH $AMENT_PREFIX_PATH && "
        f"source {ROOT}/env.sh && echo $PATH $PYTHONPATH $LD_LIBRARY_PATH $AMENT_PREFIX_PATH",
        DISTRO=os.environ["ROS_DISTRO"],
        PYTHONPATH="/my/modules",
    )
    first, second = result.stdout.splitlines()
    assert first == second
    assert "/my/modules" in second


def test_what_is_not_set_up_names_the_command() -> None:
    result = shell(f"source {ROOT}/env.sh; echo status $?", DISTRO="rolling")
    assert "make setup DISTRO=rolling" in result.stderr
    assert "status 1" in result.stdout


def test_a_sourced_installation_is_used_rather_than_the_wheels(tmp_path: Path) -> None:
    shutil.copy(ROOT / "env.sh", tmp_path)
    result = shell(
        f"source {tmp_path}/env.sh; echo status $?",
        AMENT_PREFIX_PATH="/opt/ros/jazzy",
        ROS_DISTRO="jazzy",
    )
    assert "ROS 2 jazzy is sourced" in result.stderr
    assert "status 1" in result.stdout


def test_setup_refuses_a_distribution_without_wheels() -> None:
    result = shell(f"{ROOT}/scripts/setup.sh", DISTRO="rolling")
    assert result.returncode == 1
    assert "DISTRO=jazzy or DISTRO=kilted" in result.stderr


def test_setup_refuses_a_python_without_wheels(tmp_path: Path) -> None:
    for name in ("scripts", "requirements"):
        shutil.copytree(ROOT / name, tmp_path / name)
    old = tmp_path / "python"
    old.write_text('#!/bin/sh\ncase "$1" in --version) echo Python 3.9.1;; *) exit 1;; esac\n')
    old.chmod(0o755)
    result = shell(f"{tmp_path}/scripts/setup.sh", PYTHON=str(old))
    assert result.returncode == 1
    assert "no Python 3.10, 3.11, 3.12 or 3.13 found" in result.stderr
    assert "make setup PYTHON=" in result.stderr


def test_setup_refuses_a_machine_without_wheels(tmp_path: Path) -> None:
    uname = tmp_path / "uname"
    uname.write_text('#!/bin/sh\ncase "$1" in -s) echo Linux;; *) echo aarch64;; esac\n')
    uname.chmod(0o755)
    result = shell(f"{ROOT}/scripts/setup.sh", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert result.returncode == 1
    assert "Linux aarch64" in result.stderr
    assert "Install ROS 2" in result.stderr


def test_setup_prints_the_command_for_system_packages_where_it_may_not_install(
    tmp_path: Path,
) -> None:
    for name in ("scripts", "requirements"):
        shutil.copytree(ROOT / name, tmp_path / name)
    programs = tmp_path / "bin"
    programs.mkdir()
    for program in Path("/usr/bin").iterdir():
        if program.name not in {"cmake", "id"}:
            (programs / program.name).symlink_to(program)
    (programs / "id").write_text("#!/bin/sh\necho 1000\n")
    (programs / "id").chmod(0o755)
    result = shell(f"{tmp_path}/scripts/setup.sh", PATH=f"{programs}:/sbin", PYTHON=sys.executable)
    assert result.returncode == 1
    assert "sudo apt-get install -y cmake" in result.stderr
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize(
    ("driver", "status", "replaced"), [(True, 1, True), (True, 0, False), (False, 1, False)]
)
def test_the_cpu_build_of_torch_is_replaced_where_there_is_a_driver(
    tmp_path: Path, driver: bool, status: int, replaced: bool
) -> None:
    """Not without a driver, and not where the build has CUDA already."""
    (tmp_path / "bin").mkdir()
    calls = tmp_path / "calls"
    python = f'[ "$1" = -c ] && exit {status}; echo "$@" "$PIP_EXTRA_INDEX_URL" >>{calls}'
    programs = {"python": python}
    if driver:
        programs["nvidia-smi"] = "true"
    for name, line in programs.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    result = shell(
        f"{ROOT}/scripts/cuda_build.sh {tmp_path}",
        PATH=f"{tmp_path}/bin:{os.environ['PATH']}",
        PIP_EXTRA_INDEX_URL="https://cpu.example",
    )
    assert result.returncode == 0, result.stderr
    said = calls.read_text() if calls.exists() else ""
    assert ("uninstall" in said and "requirements/core.txt" in said) == replaced
    assert "cpu.example" not in said
