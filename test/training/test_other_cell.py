"""From recordings of another cell to checkpoints of it, through the commands a user types."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_models import write_tiny_models
from tray_robot import CLAW, FINGER, SPEC, TIPS, foreign_dataset, parameters_file, urdf

from dva_ros.__main__ import main
from dva_ros.data.dataset_spec import common_spec, dataset_spec
from dva_ros.data.store import EpisodeStore
from dva_ros.errors import UserError
from dva_ros.evaluation.policy import load_model_policy
from dva_ros.inverse_dynamics.decoder import InverseDynamics
from dva_ros.inverse_dynamics.statistics import GRIPPER_FLOOR, JointStatistics
from dva_ros.spec import EMBEDDED_CELL, CellSpec
from dva_ros.training.end_effector import EndEffectors, end_effectors_of
from dva_ros.video.predictor import VideoPredictor

SMALL = (
    *("--width=32", "--depth=1", "--heads=2", "--frames=8", "--stride=2", "--context-frames=8"),
    *("--stem-width=0", "--patch-margin=0", "--ranks=1", "--batch=1", "--device=cpu"),
)


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset from elsewhere."""
    folder = tmp_path_factory.mktemp("foreign")
    return foreign_dataset(folder / "hub", folder / "work")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, foreign: Path) -> Path:
    """The same, imported with the cell's parameters file."""
    folder = tmp_path_factory.mktemp("imported")
    cell = parameters_file(folder / "cell.yaml")
    arguments = ["--params-file", str(cell), "--output", str(folder / "mine")]
    assert main(["import", str(foreign), *arguments]) == 0
    return folder / "mine"


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The message of a command that ends with status 2."""
    assert main(list(arguments)) == 2
    return capsys.readouterr().err


def test_an_imported_dataset_says_its_cell(
    data: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Cameras with the sizes that the model sees, joints, period, grippers; `inspect` shows it."""
    assert dataset_spec(data) == SPEC
    sheet = tmp_path / "sheet.png"
    assert main(["inspect", str(data), "--pictures", "1", "--output", str(sheet)]) == 0
    shown = capsys.readouterr().out
    assert "ceiling 64x32, north_wrist 64x32, south_wrist 64x16" in shown
    assert "5 Hz" in shown
    assert f"grippers: {FINGER}\n" in shown
    assert sheet.stat().st_size > 0


def test_a_dataset_that_says_no_cell_is_the_embedded_one_or_refused(
    foreign: Path, data: Path
) -> None:
    """Those of `generate` before cells were stored keep working."""
    with pytest.raises(UserError, match=r"has no cell spec .* import .* --params-file"):
        dataset_spec(foreign)
    info = json.loads((data / "meta" / "info.json").read_text())
    info["fps"] = 10
    for feature in ("observation.state", "action"):
        info["features"][feature]["names"] = list(EMBEDDED_CELL.joint_names)
    for camera in EMBEDDED_CELL.cameras:
        info["features"][f"observation.images.{camera.name}"] = {"dtype": "video"}
    old = foreign.parent / "old" / "meta"
    old.mkdir(parents=True)
    (old / "info.json").write_text(json.dumps(info))
    assert dataset_spec(old.parent) == EMBEDDED_CELL
    (old / "cell.json").write_text('{"cameras": 3}')
    with pytest.raises(UserError, match=r"cell\.json cannot be parsed"):
        dataset_spec(old.parent)


def test_both_models_are_trained_loaded_and_decode_a_clip(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Checkpoints carry the cell's spec; errors of inverse dynamics are of the URDF's tips."""
    description = tmp_path / "tray.urdf"
    description.write_text(urdf())
    video, idm = tmp_path / "video", tmp_path / "inverse_dynamics"
    where = ["--data", str(data), "--output"]
    assert main(["train", "video", *where, str(video), "--steps", "2", *SMALL]) == 0
    more = ["--steps", "2", "--batch", "2", "--urdf", str(description), "--device", "cpu"]
    assert main(["train", "idm", *where, str(idm), *more]) == 0
    assert "held-out error: end effector" in capsys.readouterr().out
    card = (idm / "README.md").read_text()
    assert f"decoded and true commands put\n{', '.join(TIPS)}," in card
    assert f"--urdf {description}" in card
    assert all((idm / name).stat().st_size for name in ("training.png", "contact_sheet.png"))

    predictor, decoder = VideoPredictor.load(video, threads=1), InverseDynamics.load(idm)
    assert predictor.config.spec == decoder.config.spec == SPEC
    store = EpisodeStore.open([data], SPEC)
    frames = store.gather_frames(np.arange(2))
    predictor.reset("carry the tray")
    for frame, state in zip(frames, store.state[:2], strict=True):
        predictor.append(frame, state)
    clip = predictor.predict(store.command[2:4])
    assert clip.shape == (8, SPEC.mosaic_height, SPEC.mosaic_width, 3)
    targets = decoder.decode(frames, clip, store.state[1])
    assert targets.shape == (8, SPEC.num_joints)
    assert np.isfinite(targets).all()

    with pytest.raises(
        UserError, match=r"cameras differ: .*video has .* only one that can be sim"
    ):
        load_model_policy(tmp_path, EMBEDDED_CELL)
    arguments = ["--model", str(idm), "--data", str(data), "--clips", "4"]
    assert main(["measure-idm", *arguments]) == 0
    assert "| joints held still, rad |" in capsys.readouterr().out, "it was given no URDF"


def test_without_a_description_errors_are_of_joints_and_labelled_so(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No end-effector figure appears anywhere."""
    where = ["--data", str(data), "--output", str(tmp_path), "--device", "cpu"]
    assert main(["train", "idm", *where, "--steps", "1", "--batch", "2"]) == 0
    assert "held-out error: joints" in capsys.readouterr().out
    card = (tmp_path / "README.md").read_text()
    assert "Errors of joints only: no description of the robot was given" in card
    assert "| clips | windows | joints rad | gripper mm | joints held still, rad |" in card
    assert "effector" not in (tmp_path / "metrics.csv").read_text()
    assert all((tmp_path / name).stat().st_size for name in ("training.png", "contact_sheet.png"))


def test_datasets_of_different_cells_are_refused_by_naming_the_field(
    data: Path, foreign: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is decoded."""
    slow = parameters_file(tmp_path / "slow.yaml", period_s=0.5)
    other = tmp_path / "slow"
    arguments = ["--params-file", str(slow), "--output", str(other)]
    assert main(["import", str(foreign), *arguments]) == 0
    for model in ("video", "idm"):
        run = ["--output", str(tmp_path / model), "--steps", "1", "--data", f"{data},{other}"]
        said = refusal(capsys, "train", model, *run)
        assert f"frame_period_s differ: {data} has 0.2, {other} has 0.5" in said
    assert not (other / ".cache").exists()
    with pytest.raises(UserError, match="no dataset was given"):
        common_spec([])


def test_a_checkpoint_of_another_cell_is_no_start(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--init` and `--predicted-by` take checkpoints of the data's cell only."""
    models = write_tiny_models(tmp_path / "models")
    where = ["--data", str(data), "--output", str(tmp_path / "run"), "--steps", "1"]
    start = str(models / "video")
    assert "cameras differ" in refusal(capsys, "train", "video", *where, "--init", start)
    assert "cameras differ" in refusal(capsys, "train", "idm", *where, "--predicted-by", start)
    model = str(models / "inverse_dynamics")
    assert "cameras differ" in refusal(
        capsys, "measure-idm", "--model", model, "--data", str(data)
    )


def test_a_period_that_datasets_cannot_hold_is_named(
    foreign: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cell = parameters_file(tmp_path / "cell.yaml", period_s=0.15)
    arguments = ["--params-file", str(cell), "--output", str(tmp_path / "out")]
    assert "whole number of frames a second" in refusal(capsys, "import", str(foreign), *arguments)


def test_grippers_are_those_that_the_spec_names() -> None:
    """By name unless said otherwise; patterns, none, and typing errors."""

    def grippers(*names: str) -> tuple[str, ...]:
        return replace(SPEC, gripper_joints=names).gripper_joints

    assert CellSpec(SPEC.cameras, SPEC.joint_names).gripper_joints == (CLAW,)
    assert grippers(CLAW, FINGER) == (FINGER, CLAW)
    assert grippers("*_slide") == (FINGER,)
    assert grippers("") == ()
    with pytest.raises(ValueError, match="there is no joint north_slid"):
        grippers("north_slid")
    older = SPEC.to_dict()
    del older["gripper_joints"]
    assert CellSpec.from_dict(older).gripper_joints == (CLAW,)
    still = np.zeros((4, SPEC.num_joints), np.float32)
    scale = JointStatistics.measure(still, still, SPEC).state_scale
    assert (scale == np.float32(GRIPPER_FLOOR)).tolist() == SPEC.is_gripper.tolist()


def test_tips_and_their_motion_come_from_the_description(tmp_path: Path) -> None:
    """A link whose name says so, else what the last joint moves; also joints without an end."""
    path = tmp_path / "tray.urdf"
    path.write_text(urdf())
    effectors = end_effectors_of(SPEC, path)
    assert isinstance(effectors, EndEffectors)
    assert effectors.tips == TIPS
    joints = np.random.default_rng(0).uniform(-1, 1, (3, SPEC.num_joints))
    jacobians = effectors.jacobians(joints)
    assert jacobians.shape == (3, 6, SPEC.num_joints)
    for joint in range(SPEC.num_joints):
        step = np.zeros(SPEC.num_joints)
        step[joint] = 1e-5
        moved = effectors.positions(joints + step) - effectors.positions(joints - step)
        assert np.allclose(jacobians[..., joint], moved.reshape(3, 6) / 2e-5, atol=1e-6)
    turned = joints + 2 * np.pi * np.isin(SPEC.joint_names, ["north_axis_7", "south_axis_7"])
    assert np.allclose(effectors.positions(turned), effectors.positions(joints))
    assert end_effectors_of(SPEC) is None
    camera = end_effectors_of(SPEC, path, ("south_camera",))
    assert camera is not None
    assert np.allclose(camera.positions(np.zeros(SPEC.num_joints)), [[0.8, 0, 0]])
    for tips, said in ((("south_tool",), "no link south_tool"), ((), "no joint left_waist")):
        with pytest.raises(UserError, match=said):
            end_effectors_of(EMBEDDED_CELL if not tips else SPEC, path, tips)
    with pytest.raises(UserError, match="give it with --urdf"):
        end_effectors_of(SPEC, None, TIPS)
