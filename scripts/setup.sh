#!/usr/bin/env bash
# make setup: everything that the other make targets need. A second run starts at once.
#
# environment: DISTRO  jazzy (default) or kilted: which wheels, where no ROS 2 is sourced
#              TORCH   cuda: replace PyTorch's CPU build where there is an NVIDIA driver
#              PYTHON  the Python to make the virtual environment with (default: python3)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$@" >&2; exit 1; }

if [ -n "${AMENT_PREFIX_PATH:-}" ] && [ -n "${ROS_DISTRO:-}" ] && [ -z "${DVA_ROS_WHEELS:-}" ]; then
    distro=ros venv=.venv-ros ros="the sourced ROS 2 $ROS_DISTRO"
    prefix=install venv_options=(--system-site-packages)
    requirements=(requirements/core.txt requirements/test.txt requirements/build.txt)
    sources=(dva_msgs package.xml setup.py setup.cfg scripts/build_on_ros.sh)
    build=(scripts/build_on_ros.sh "$venv")
else
    distro=${DISTRO:-jazzy} ros="the wheels of ROS 2 ${DISTRO:-jazzy}"
    venv=.venv; [ "$distro" = jazzy ] || venv=.venv-$distro
    [ -f "requirements/ros-$distro.txt" ] || fail "there are no wheels of ROS 2 '$distro'." \
        "Use DISTRO=jazzy or DISTRO=kilted, or source an installation of ROS 2 $distro first."
    prefix=install/$distro venv_options=()
    requirements=(requirements/core.txt requirements/rosdep.txt requirements/test.txt
        requirements/build.txt "requirements/ros-$distro.txt")
    sources=(dva_msgs scripts/build_msgs.sh scripts/patch_wheel_targets.py)
    build=(scripts/build_msgs.sh "$distro" "$venv")
fi

# fingerprint FILE...: changes when one of them, this folder or the Python changes.
fingerprint() {
    { pwd; cat "$venv/pyvenv.cfg"; find "$@" -type f -print0 | sort -z | xargs -0 sha256sum; } |
        sha256sum
}
done_already() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }

require_platform() {
    local machine
    machine="$(uname -s) $(uname -m)"
    [ "$machine" = "Linux x86_64" ] || [ "$distro" = ros ] || fail \
        "the ROS 2 wheels exist for Linux on x86-64 only, and this is $machine." \
        "Install ROS 2 ($distro or newer), source its setup.bash, and run make setup again."
}

# A suitable Python: $PYTHON, or the first that runs and has wheels; on an installation its own.
find_python() {
    local candidate
    if [ "$distro" = ros ]; then
        python=${PYTHON:-python3}
        "$python" -c 'import rclpy' ||
            fail "$python cannot import the rclpy of ROS 2 $ROS_DISTRO; name the Python of the" \
                "installation: make setup PYTHON=/usr/bin/python3"
        return
    fi
    for candidate in ${PYTHON:-python3 python3.12 python3.11 python3.13 python3.10}; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' \
            2>/dev/null; then
            python=$candidate
            return
        fi
    done
    fail "no Python 3.10, 3.11, 3.12 or 3.13 found (tried ${PYTHON:-python3 and python3.10-3.13};" \
        "python3 here is $(python3 --version 2>&1 || echo missing)); the wheels exist for these." \
        "Install one, and name it: make setup PYTHON=/path/to/python3.12"
}

# System packages: name them by what is missing, install as root, else print the command.
require_system_packages() {
    local missing=() libraries
    libraries="$(ldconfig -p 2>/dev/null || /sbin/ldconfig -p)"
    command -v cmake >/dev/null || missing+=(cmake)
    command -v make >/dev/null || missing+=(make)
    command -v g++ >/dev/null || missing+=(g++)
    "$python" -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
    "$python" -c 'import os, sys, sysconfig
sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))' ||
        missing+=(python3-dev)
    grep -q libEGL.so.1 <<<"$libraries" || missing+=(libegl1)
    # A second renderer, where the distribution still has it: Mesa 25.1 dropped it.
    grep -q libOSMesa.so <<<"$libraries" || ! apt-cache show libosmesa6 >/dev/null 2>&1 ||
        missing+=(libosmesa6)
    compgen -G '/usr/lib/*/dri/*_dri.so' >/dev/null ||
        compgen -G '/usr/lib*/dri/*_dri.so' >/dev/null ||
        grep -qE 'libgallium|libEGL_nvidia' <<<"$libraries" || missing+=(libgl1-mesa-dri)
    [ ${#missing[@]} -eq 0 ] && return
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        say "installing system packages: ${missing[*]}"
        apt-get install -y --no-install-recommends "${missing[@]}" >build/apt.log 2>&1 ||
            { apt-get update && apt-get install -y --no-install-recommends "${missing[@]}"; } \
                >build/apt.log 2>&1 ||
            fail "apt-get could not install ${missing[*]}; its output is in build/apt.log."
    else
        fail "system packages are missing: ${missing[*]}. Install them and run make setup again:" \
            "  sudo apt-get install -y ${missing[*]}"
    fi
}

# On a ROS 2 installation: what rosdep installs is there, and its NumPy stays as it is.
keep_installation() {
    local numpy
    "$venv/bin/python" -c 'import cv2, launch_ros, matplotlib, numpy, rich, tqdm, xacro, yaml' ||
        fail "a package that rosdep installs is missing (see above). Run, and make setup again:" \
            "  rosdep install --from-paths . dva_msgs --ignore-src -y"
    numpy="$("$venv/bin/python" -c 'import numpy; print(numpy.__version__)')"
    echo "numpy==$numpy" >build/installation.txt
    options+=(-c build/installation.txt)
}

install_python_packages() {
    local stamp="$venv/.dva_ros_packages" wanted options=() file
    if [ -f "$venv/pyvenv.cfg" ]; then
        wanted="$(fingerprint "${requirements[@]}")"
        done_already "$stamp" "$wanted" && return
    fi
    find_python
    require_system_packages
    if ! "$venv/bin/pip" --version >/dev/null 2>&1; then
        say "making the virtual environment $venv with $("$python" --version)"
        "$python" -m venv --clear "${venv_options[@]}" "$venv"
    fi
    for file in "${requirements[@]}"; do options+=(-r "$file"); done
    [ "$distro" != ros ] || keep_installation
    say "installing the Python packages of ${requirements[*]} (a few minutes the first time)"
    if ! command -v nvidia-smi >/dev/null && [ -z "${PIP_EXTRA_INDEX_URL:-}" ]; then
        say "without a GPU, PyTorch's smaller CPU build does: PIP_EXTRA_INDEX_URL=<its CPU index>"
    fi
    (unset PYTHONPATH; "$venv/bin/python" -m pip install -q --disable-pip-version-check \
        "${options[@]}" 2> >(grep -v -e '^WARNING: Location' >&2)) ||
        fail "pip could not install them; what it said is above. Run make setup again to go on."
    touch "$venv/COLCON_IGNORE" "$venv/AMENT_IGNORE"
    fingerprint "${requirements[@]}" >"$stamp"
}

build_messages() {
    local stamp="$prefix/.dva_ros_built" wanted
    wanted="$(fingerprint "${sources[@]}")"
    done_already "$stamp" "$wanted" && return
    say "building with colcon for $ros into $prefix/ (about half a minute)"
    "${build[@]}" || fail "colcon could not build; what it said is above and in log/."
    printf '%s\n' "$wanted" >"$stamp"
}

mkdir -p build
exec 9>build/.setup.lock
flock -n 9 || { say "another set-up is running in this folder; waiting for it"; flock 9; }
require_platform
install_python_packages
[ "${TORCH:-}" != cuda ] || scripts/cuda_build.sh "$venv" ||
    fail "pip could not install the CUDA build; what it said is above."
build_messages
use="source env.sh"
[ "$distro" = ros ] || [ "$distro" = jazzy ] || use="DISTRO=$distro $use"
say "ready: $ros in $venv ($("$venv/bin/python" --version)); to use it: $use"
