"""Recipes: what is done once is not done again, and what changed runs anew."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from dva_ros.__main__ import main
from dva_ros.errors import UserError
from dva_ros.training.recipes.recipe import Recipe, arguments, load_recipe

ROOT = Path(__file__).resolve().parents[2]
TASK = {"task": "lift", "episodes": 2, "seed": 0}


def written(folder: Path, staged: dict, **fields: object) -> Path:
    """A recipe file; by default its result is a bundle of shipped checkpoints."""
    models = ROOT / "models" / "cpu"
    bundle = {"video": str(models / "video"), "idm": str(models / "inverse_dynamics")}
    document = {
        "summary": "A test.",
        "result": "models",
        "stages": {**staged, "models": {"bundle": bundle}},
        **fields,
    }
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


def keys(recipe: Recipe) -> dict[str, str]:
    return {stage.name: stage.key for stage in recipe.stages}


@pytest.mark.parametrize("path", sorted((ROOT / "recipes").glob("*.yaml")), ids=lambda p: p.name)
def test_every_shipped_recipe_is_understood_by_the_commands(path: Path, tmp_path: Path) -> None:
    assert main(["recipe", str(path), "--list", "--output", str(tmp_path)]) == 0


def test_a_changed_stage_changes_itself_and_what_depends_on_it(tmp_path: Path) -> None:
    stages = {
        "lift": {"generate": TASK},
        "other": {"generate": {**TASK, "seed": 1}},
        "video": {"train-video": {"data": ["lift"], "steps": 5}},
    }
    before = keys(load_recipe(written(tmp_path, stages)))
    stages["lift"] = {"generate": {**TASK, "episodes": 3}}
    after = keys(load_recipe(written(tmp_path, stages)))
    assert {name for name in before if before[name] != after[name]} == {"lift", "video"}


def test_the_command_line_names_the_folders_of_earlier_stages(tmp_path: Path) -> None:
    stages = {
        "a": {"generate": {**TASK, "no-perturbation": True, "intervention-between": [5, 12]}},
        "v": {"train-video": {"data": ["a", "a"], "init": "models/cpu/video", "minutes": 2}},
        "e": {"evaluate": {"models": "cpu", "task": "lift"}},
    }
    stages.pop("e")
    recipe = load_recipe(written(tmp_path, stages))
    folders = {"a": Path("A"), "v": Path("V")}
    made = arguments(recipe.stage("a"), folders, Path("A"))
    assert made[-5:] == ["--intervention-between", "5", "12", "--output", "A"]
    assert "--no-perturbation" in made
    trained = " ".join(arguments(recipe.stage("v"), folders, Path("V")))
    assert trained == "train video --data A,A --init models/cpu/video --minutes 2 --output V"


@pytest.mark.parametrize(
    "stages, fields, message",
    [
        ({"a": {"generated": TASK}}, {}, "stage a: 'generated' is unknown; did you mean generate"),
        ({"a": {"generate": {**TASK, "output": "x"}}}, {}, "leave output out"),
        ({"a": {"train-video": {"data": ["b"], "steps": 1}}}, {}, "data: 'b' is no earlier stage"),
        ({"a": {"bundle": {"video": "models/cpu/video"}}}, {}, "stage a: a bundle needs idm"),
        ({"a": {}}, {}, "stage a: must be one command"),
        ({}, {"result": "none"}, "result must be the name of a bundle stage"),
        ({}, {"sumary": "x"}, "'sumary' is unknown; did you mean summary"),
        ({}, {"stages": {}}, "stages must map"),
    ],
)
def test_a_wrong_recipe_is_refused_with_the_place(
    stages: dict, fields: dict, message: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=message):
        load_recipe(written(tmp_path, stages, **fields))


def test_a_wrong_option_is_found_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stages = {"a": {"generate": TASK}, "b": {"generate": {**TASK, "sead": 1}}}
    path = written(tmp_path, stages)
    assert main(["recipe", str(path), "--output", str(tmp_path / "work")]) == 2
    assert "stage b" in (said := capsys.readouterr().err) and "--sead" in said
    assert not (tmp_path / "work").exists()


def test_what_is_done_is_not_done_again(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """And the card reads what the stages left."""
    path, work = written(tmp_path, {"lift": {"generate": TASK}}), tmp_path / "work"
    command = ["recipe", str(path), "--output", str(work)]
    assert main([*command, "--until", "lift"]) == 0
    (stamp,) = work.glob("lift-*/stage.json")
    first = json.loads(stamp.read_text())
    assert main(command) == 0
    assert json.loads(stamp.read_text()) == first
    assert "[1/2] lift: done" in capfd.readouterr().out
    (card,) = work.glob("models-*/README.md")
    assert "generate --task lift" in card.read_text() and "not measured" in card.read_text()
    assert (card.parent / "inverse_dynamics" / "model.safetensors").exists()


def test_a_failed_stage_is_not_stamped(tmp_path: Path) -> None:
    stages = {"a": {"import": {"bag": str(tmp_path / "absent.mcap")}}}
    path, work = written(tmp_path, stages), tmp_path / "work"
    assert main(["recipe", str(path), "--output", str(work)]) == 2
    assert not list(work.glob("*/stage.json"))


@pytest.mark.slow
def test_an_interrupted_training_goes_on_where_it_was(tmp_path: Path) -> None:
    """SIGINT saves its state; the same command resumes the stage and goes on."""
    tiny = {"ranks": 1, "batch": 1, "frames": 16, "context-frames": 16, "width": 32, "depth": 3}
    training = {"data": ["lift"], "minutes": 0.5, "heads": 2, "stem-width": 8, **tiny}
    stages = {"lift": {"generate": TASK}, "video": {"train-video": training}}
    path, work = written(tmp_path, stages), tmp_path / "work"
    command = [sys.executable, "-m", "dva_ros", "recipe", str(path), "--output", str(work)]
    running = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120.0
    while not list(work.glob("video-*/commands.txt")) and time.monotonic() < deadline:
        time.sleep(0.2)
    time.sleep(5.0)
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=120)
    assert running.returncode == 130
    (folder,) = work.glob("video-*")
    assert (folder / "training_state.pt").exists() and not (folder / "stage.json").exists()
    assert subprocess.run(command, cwd=ROOT).returncode == 0
    lines = (folder / "commands.txt").read_text().splitlines()
    assert len(lines) == 2 and lines[1].endswith("--resume")
    assert not lines[1].startswith("from step 0:")
    assert json.loads((folder / "stage.json").read_text())["seconds"] >= 25.0


@pytest.mark.slow
def test_the_smoke_recipe_runs_from_nothing_to_its_card(tmp_path: Path) -> None:
    """Every kind of stage: data, both trainings, interventions, distillation, evaluation."""
    path = ROOT / "recipes" / "smoke.yaml"
    assert main(["recipe", str(path), "--output", str(tmp_path)]) == 0
    (card,) = tmp_path.glob("models-*/README.md")
    assert "| `lift` | validation, 0 to 1 |" in card.read_text()
    assert "| one_step |" in card.read_text()
