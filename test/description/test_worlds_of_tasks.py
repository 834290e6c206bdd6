"""Gazebo worlds of tasks with several bodies, hinges, slides and things moved by the simulator."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

import mujoco
import numpy as np
import pytest
from gz_programs import SDFORMAT, Facts, build, missing

from dva_ros.cell.gazebo_world import cell_world
from dva_ros.cell.props import add_box, add_visual
from dva_ros.errors import UserError

WHITE = (1.0, 1.0, 1.0, 1.0)
HALF = (0.02, 0.02, 0.02)


@dataclass(frozen=True)
class Crate:
    """A fixed crate with a hinged wall and a latch on it, a bin, a ball and a person's hand."""

    def add_to(self, spec: mujoco.MjSpec) -> None:
        crate = spec.worldbody.add_body(name="crate", pos=[0.1, 0.0, 0.05])
        add_box(crate, HALF, (0.0, 0.0, 0.0), WHITE, mass=0.5)
        wall = crate.add_body(name="wall", pos=[0.03, 0.0, 0.0])
        wall.add_joint(
            name="wall_hinge", type=mujoco.mjtJoint.mjJNT_HINGE, axis=[0, 1, 0], range=[0.0, 1.5]
        )
        add_box(wall, HALF, (0.0, 0.0, 0.0), WHITE, mass=0.1)
        latch = wall.add_body(name="latch", pos=[0.0, 0.0, 0.03])
        latch.add_joint(name="latch_slide", type=mujoco.mjtJoint.mjJNT_SLIDE, axis=[1, 0, 0])
        add_box(latch, HALF, (0.0, 0.0, 0.0), WHITE, mass=0.02)
        bin_ = spec.worldbody.add_body(name="left_bin", pos=[0.0, 0.3, 0.0])
        add_box(bin_, HALF, (0.0, 0.0, 0.02), WHITE)
        ball = spec.worldbody.add_body(name="ball", pos=[0.0, -0.2, 0.03])
        ball.add_freejoint()
        ball.add_geom(type=mujoco.mjtGeom.mjGEOM_SPHERE, size=[0.01, 0, 0], mass=0.01)
        hand = spec.worldbody.add_body(name="hand", mocap=True, pos=[0.4, 0.0, 0.3])
        add_visual(hand, mujoco.mjtGeom.mjGEOM_CAPSULE, (0.02, 0.05), (0, 0, 0), WHITE)


@dataclass(frozen=True)
class Ball:
    """Held by a joint that SDF's writer does not know."""

    def add_to(self, spec: mujoco.MjSpec) -> None:
        body = spec.worldbody.add_body(name="pendulum")
        body.add_joint(type=mujoco.mjtJoint.mjJNT_BALL)
        add_box(body, HALF, (0.0, 0.0, 0.0), WHITE, mass=0.1)


def test_every_body_is_written_where_it_is_with_its_joint() -> None:
    root = ElementTree.fromstring(cell_world(Crate()).encode())
    models = {model.get("name"): model for model in root.iter("model")}
    assert {"crate", "left_bin", "ball", "hand"} < set(models)
    fixed = {name for name, model in models.items() if model.findtext("static") == "true"}
    assert fixed == {"table", "backdrop", "cameras", "left_bin", "hand"}
    assert models["left_bin"].findtext("pose", "").split()[:3] == ["0", "0.3", "0"]
    assert models["hand"].find(".//collision") is None
    joints = {joint.get("name"): joint for joint in models["crate"].iter("joint")}
    assert {name: joint.get("type") for name, joint in joints.items()} == {
        "crate_joint": "fixed", "wall_hinge": "revolute", "latch_slide": "prismatic",
    }  # fmt: skip
    ends = [(joint.findtext("parent"), joint.findtext("child")) for joint in joints.values()]
    assert ends == [("world", "crate"), ("crate", "wall"), ("wall", "latch")]
    assert joints["wall_hinge"].findtext("axis/limit/upper") == "1.5"
    assert models["ball"].find("joint") is None


def test_sdformat_reads_it_and_places_links_as_mujoco_does(tmp_path: Path) -> None:
    reason = missing(SDFORMAT, "libsdformat-dev")
    if reason is not None:
        pytest.skip(reason)
    file = tmp_path / "crate.sdf"
    file.write_text(cell_world(Crate()))
    facts = Facts(build("gz_sdf", SDFORMAT, tmp_path), file)
    assert facts.errors == [] and facts.warnings == []
    latch = facts.of("link")["latch"]
    np.testing.assert_allclose(latch["position"], [0.13, 0.0, 0.08], atol=1e-6)


def test_a_joint_that_is_not_supported_is_refused_by_name() -> None:
    with pytest.raises(UserError, match="'pendulum'"):
        cell_world(Ball())
