#!/usr/bin/env bash
# Builds dva_msgs and dva_ros with colcon for the ROS 2 installation that is sourced.
# usage: scripts/build_on_ros.sh VENV
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source "$1/bin/activate"
# colcon run by the environment's Python, so that the nodes' scripts find its packages too.
python -m colcon build
