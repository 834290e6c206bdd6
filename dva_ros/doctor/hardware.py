"""Rendering without a screen, fast arithmetic, a GPU."""

from __future__ import annotations

import os
import subprocess
import sys

from .check import Check, Section, Status

RENDER_TIMEOUT_S = 60
RENDER_BACKENDS = ("egl", "osmesa")
PURPOSE = "cameras of the simulated cell"

# In a separate process: a broken GL driver ends the process instead of raising.
RENDER_PROGRAM = """
import time, mujoco
model = mujoco.MjModel.from_xml_string(
    '<mujoco><worldbody><light pos="0 0 3"/><geom size="1" rgba="1 1 1 1"/>'
    '<camera name="camera" pos="0 -4 0" xyaxes="1 0 0 0 0 1"/></worldbody></mujoco>')
data = mujoco.MjData(model)
mujoco.mj_forward(model, data)
with mujoco.Renderer(model, 64, 64) as renderer:
    renderer.update_scene(data, camera="camera")
    renderer.render()
    start = time.perf_counter()
    pixels = renderer.render()
    print(pixels.max(), 1e3 * (time.perf_counter() - start))
"""


def hardware_section() -> Section:
    """Which GL backends render, which number format is fast, which GPU torch sees."""
    backends = [_render(backend) for backend in RENDER_BACKENDS]
    chosen = os.environ.get("MUJOCO_GL", "egl")
    checks = [_judge(backend, detail, backend == chosen) for backend, detail in backends]
    return Section("Hardware", (_processors(), _bfloat16(), _gpu(), *checks))


def _render(backend: str) -> tuple[str, str]:
    """Render a sphere; an empty detail where no picture came out, "!..." for the reason."""
    environment = {**os.environ, "MUJOCO_GL": backend}
    environment.pop("PYOPENGL_PLATFORM", None)
    try:
        process = subprocess.run(
            [sys.executable, "-c", RENDER_PROGRAM],
            env=environment,
            capture_output=True,
            text=True,
            timeout=RENDER_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return backend, f"!no picture within {RENDER_TIMEOUT_S} s"
    if process.returncode != 0:
        lines = process.stderr.strip().splitlines()
        return backend, "!" + (lines[-1] if lines else f"ended with {process.returncode}")
    brightest, milliseconds = process.stdout.split()
    if int(brightest) == 0:
        return backend, "!the picture is black"
    return backend, f"renders 64x64 in {float(milliseconds):.1f} ms"


def _judge(backend: str, detail: str, chosen: bool) -> Check:
    name = f"MUJOCO_GL={backend}"
    if not detail.startswith("!"):
        return Check(name, Status.OK, detail, PURPOSE)
    status = Status.MISSING if chosen else Status.OPTIONAL
    packages = "libosmesa6" if backend == "osmesa" else "libegl1 libgl1-mesa-dri"
    remedy = f"apt-get install {packages}"
    if chosen:
        other = next(name for name in RENDER_BACKENDS if name != backend)
        remedy += f", or export MUJOCO_GL={other}"
    return Check(name, status, detail[1:], PURPOSE, remedy)


def _processors() -> Check:
    usable = len(os.sched_getaffinity(0))
    detail = f"{usable} usable"
    if usable >= 2:
        return Check("processors", Status.OK, detail, "the closed loop")
    return Check(
        "processors", Status.OPTIONAL, detail, "the closed loop", "it was measured on two"
    )


def _bfloat16() -> Check:
    purpose = "speed of the models on the CPU"
    try:
        from dva_ros.video.precision import fast_dtype
    except ImportError as error:
        return Check("bfloat16", Status.OPTIONAL, f"torch is needed: {error}", purpose)
    if "bfloat16" in str(fast_dtype("cpu")):
        return Check("bfloat16", Status.OK, "multiplied natively", purpose)
    return Check(
        "bfloat16", Status.OPTIONAL, "not native: float32 is used, about 4x slower", purpose
    )


def _gpu() -> Check:
    purpose = "training; the gpu profile"
    try:
        import torch
    except ImportError as error:
        return Check("GPU", Status.OPTIONAL, f"torch is needed: {error}", purpose)
    if torch.cuda.is_available():
        return Check("GPU", Status.OK, torch.cuda.get_device_name(0), purpose)
    return Check("GPU", Status.OPTIONAL, "none that torch can use", purpose)
