#!/usr/bin/env bash
# Replaces PyTorch's CPU build by the CUDA build where there is an NVIDIA driver.
# usage: scripts/cuda_build.sh VENV
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
command -v nvidia-smi >/dev/null || exit 0
"$1/bin/python" -c 'import sys, torch; sys.exit(torch.version.cuda is None)' && exit 0
echo "setup: replacing PyTorch's CPU build by the CUDA build (several GB)"
# For pip both have the wanted version: it keeps what is there. The index and the links that gave
# the CPU build must not give it again.
unset PYTHONPATH PIP_EXTRA_INDEX_URL PIP_FIND_LINKS
"$1/bin/python" -m pip uninstall -q -y torch
"$1/bin/python" -m pip install -q --disable-pip-version-check -r requirements/core.txt
