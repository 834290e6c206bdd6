#!/usr/bin/env bash
# Builds dva_msgs with colcon against the ROS 2 wheels of one virtual environment.
# usage: scripts/build_msgs.sh DISTRO VENV
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
distro=$1
venv=$(cd "$2" && pwd)

export PATH="$venv/bin:$PATH" VIRTUAL_ENV="$venv" ROS_DISTRO="$distro" ROS_VERSION=2
export AMENT_PREFIX_PATH="$venv" CMAKE_PREFIX_PATH="$venv" LD_LIBRARY_PATH="$venv/lib"
unset PYTHONPATH COLCON_PREFIX_PATH PYTHONHOME

python scripts/patch_wheel_targets.py
# Imports of the generated module come from the merged prefix that env.sh puts on PYTHONPATH.
colcon --log-base "log/$distro" build --packages-select dva_msgs --merge-install \
    --build-base "build/$distro" --install-base "install/$distro" \
    --event-handlers console_direct- console_cohesion- \
    --cmake-args -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF \
        "-DPython3_EXECUTABLE=$venv/bin/python" -DPython3_FIND_VIRTUALENV=ONLY \
    2> >(grep -v "contain any .local_setup" >&2)
