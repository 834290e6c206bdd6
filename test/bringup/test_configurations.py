"""The parameter files of the launch files agree with each other and with what they are for."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import yaml

from dva_ros.context.mosaic import require_shape
from dva_ros.recordings.settings import read_settings
from dva_ros.resources import config_path
from dva_ros.spec import EMBEDDED_CELL

ROOT = Path(__file__).resolve().parents[2]
NODES = ("camera_context", "video_predictor", "inverse_dynamics", "leapfrog_scheduler")
OWN = {
    "camera_context": {"native_heights", "native_widths", "crop"},
    "leapfrog_scheduler": {
        "controllers",
        "controller_state_type",
        "controller_period_s",
        "engage_on_activate",
    },
}


def parameters(config: str) -> dict[str, dict[str, Any]]:
    """Node name -> its parameters."""
    loaded = yaml.safe_load((ROOT / "config" / f"{config}.yaml").read_text())
    return {name.rsplit("/", 1)[-1]: node["ros__parameters"] for name, node in loaded.items()}


@pytest.mark.parametrize("config", ["gazebo", "real"])
@pytest.mark.parametrize("node", NODES)
def test_nodes_have_the_embedded_cells_values_but_for_what_is_the_cells(
    config: str, node: str
) -> None:
    own = OWN.get(node, set())
    embedded, theirs = parameters("cell")[node], parameters(config)[node]
    assert {k: v for k, v in theirs.items() if k not in own} == {
        k: v for k, v in embedded.items() if k not in own
    }
    assert theirs.keys() >= own - {"crop"}


@pytest.mark.parametrize("config", ["cell", "gazebo", "real"])
def test_every_camera_has_the_shape_that_the_models_see(config: str) -> None:
    """`camera_context` refuses another one; larger pictures are cropped to it."""
    settings = read_settings(config_path(config))
    for camera in settings.spec.cameras:
        require_shape(camera, *settings.inputs[camera.name].view().size)


@pytest.mark.parametrize("config", ["gazebo", "real"])
def test_only_the_four_nodes_are_configured(config: str) -> None:
    assert set(parameters(config)) == set(NODES)


def test_a_real_robot_does_not_move_before_somebody_engages() -> None:
    assert parameters("real")["leapfrog_scheduler"]["engage_on_activate"] is False


@pytest.mark.parametrize("config", ["gazebo", "real"])
def test_the_controllers_are_those_of_controllers_yaml_at_their_rate(config: str) -> None:
    loaded = yaml.safe_load((ROOT / "config/controllers.yaml").read_text())
    manager = loaded["/**/controller_manager"]["ros__parameters"]
    kinds = {name: node["type"] for name, node in manager.items() if isinstance(node, dict)}
    trajectories = {n for n, kind in kinds.items() if kind.endswith("JointTrajectoryController")}
    scheduler = parameters(config)["leapfrog_scheduler"]
    assert set(scheduler["controllers"]) == trajectories
    assert scheduler["controller_period_s"] == pytest.approx(1 / manager["update_rate"])


def test_gazebos_cameras_have_the_size_that_is_expected() -> None:
    world = ET.fromstring((ROOT / "worlds/cell.sdf").read_text())
    sizes = {
        str(sensor.get("name")): (
            int(sensor.findtext("camera/image/height", "0")),
            int(sensor.findtext("camera/image/width", "0")),
        )
        for sensor in world.iter("sensor")
    }
    context = parameters("gazebo")["camera_context"]
    names = [camera.name for camera in EMBEDDED_CELL.cameras]
    expected = zip(context["native_heights"], context["native_widths"], strict=True)
    assert sizes == dict(zip(names, expected, strict=True))


def test_rviz_shows_the_robot_every_camera_and_the_imagined_future() -> None:
    displays = yaml.safe_load((ROOT / "rviz/cell.rviz").read_text())["Visualization Manager"]
    topics = {
        (display.get("Topic") or display.get("Description Topic") or {}).get("Value")
        for display in displays["Displays"]
    }
    cameras = {f"{camera.name}/image_raw" for camera in EMBEDDED_CELL.cameras}
    assert topics - {None} == cameras | {"robot_description", "imagination_display/strip"}
    assert displays["Global Options"]["Fixed Frame"] == "world"
