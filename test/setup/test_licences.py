"""The project's licence is one and the same everywhere, and fits those of what it is used with."""

from __future__ import annotations

import importlib.metadata as metadata
import os
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PERMISSIVE = re.compile(
    r"Apache|BSD|MIT|MPL-2\.0|Zlib|PSF|Python Software Foundation|HPND|matplotlib"
)
COPYLEFT = re.compile(r"\b(A?GPL|GNU (Affero )?General Public)", re.IGNORECASE)
RUN_TIME = ("core.txt", "rosdep.txt")
"""What is installed to run dva_ros; test.txt and build.txt only check and build it."""


def pinned() -> list[str]:
    lines = [
        line
        for name in RUN_TIME
        for line in (ROOT / "requirements" / name).read_text().split("\n")
    ]
    return sorted({line.partition("==")[0] for line in lines if re.match(r"\w[\w.-]*==", line)})


def stated(package: str) -> str:
    """What a distribution's metadata says of its licence: names, or else the text itself."""
    about = metadata.metadata(package)
    words = [about.get("License-Expression") or ""]
    words += [c for c in about.get_all("Classifier") or [] if c.startswith("License")]
    return "\n".join(words).strip() or str(about.get("License"))


def test_the_licence_is_apache_2_wherever_it_is_named() -> None:
    assert "Apache License" in (ROOT / "LICENSE").read_text()[:200]
    assert "Version 2.0, January 2004" in (ROOT / "LICENSE").read_text()[:300]
    for manifest in ("package.xml", "dva_msgs/package.xml"):
        named = [e.text for e in ET.parse(ROOT / manifest).getroot().iter("license")]
        assert named == ["Apache-2.0"], manifest
    assert 'license="Apache-2.0"' in (ROOT / "setup.py").read_text()


@pytest.mark.parametrize("package", pinned())
def test_what_is_installed_has_a_licence_that_fits(package: str) -> None:
    try:
        text = stated(package)
    except metadata.PackageNotFoundError:
        pytest.skip(f"{package} comes from the ROS 2 installation")
    assert PERMISSIVE.search(text), text
    assert not COPYLEFT.search(text), text


@pytest.mark.ros
def test_the_ros_packages_beside_it_have_licences_that_fit() -> None:
    """The wheels' metadata names none; the manifests inside them do."""
    prefixes = os.environ.get("AMENT_PREFIX_PATH", "").split(":")
    manifests = [path for p in prefixes for path in Path(p).glob("share/*/package.xml")]
    needed = {e.text for e in ET.parse(ROOT / "package.xml").getroot().iter("exec_depend")}
    licences = {
        path.parent.name: [e.text or "" for e in ET.parse(path).getroot().iter("license")]
        for path in manifests
        if path.parent.name in needed
    }
    assert {"rclpy", "sensor_msgs"} <= set(licences)
    for name, named in licences.items():
        assert any(PERMISSIVE.search(text) for text in named), f"{name}: {named}"
