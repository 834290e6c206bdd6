"""A recipe: named stages, each one command of this project, that depend on earlier stages."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ...errors import UserError

COMMANDS: dict[str, tuple[str, ...]] = {
    "generate": ("generate",),
    "import": ("import",),
    "train-video": ("train", "video"),
    "train-idm": ("train", "idm"),
    "evaluate": ("evaluate",),
    "bundle": (),
}
"""Kinds of stages and the command of each. `bundle` joins a video checkpoint and an inverse
dynamics checkpoint to a folder of models."""

REFERENCES = ("data", "init", "predicted-by", "intervention-from", "models", "video", "idm")
"""Options whose values are earlier stages, or folders that exist."""

OUTPUT = "output"


@dataclass(frozen=True)
class Stage:
    """One step of a recipe.

    Attributes:
        name: unique in the recipe.
        kind: a key of `COMMANDS`.
        options: of the command, without its output.
        inputs: names of the earlier stages that it uses.
        key: hash of kind, options and the keys of its inputs: another key, another result.
    """

    name: str
    kind: str
    options: Mapping[str, Any]
    inputs: tuple[str, ...]
    key: str

    @property
    def folder(self) -> str:
        """Name of the folder with its result: a changed stage never overwrites another one."""
        return f"{self.name}-{self.key[:8]}"


@dataclass(frozen=True)
class Recipe:
    """A file's content.

    Attributes:
        name: of the file, without its ending.
        summary: what it makes, for people.
        stages: in the order in which they run.
        result: name of the `bundle` stage that is the checkpoint.
    """

    name: str
    summary: str
    stages: tuple[Stage, ...]
    result: str

    def stage(self, name: str) -> Stage:
        """A stage by its name.

        Raises:
            UserError: there is none.
        """
        for stage in self.stages:
            if stage.name == name:
                return stage
        known = ", ".join(stage.name for stage in self.stages)
        raise UserError(f"recipe {self.name} has no stage {name!r}; its stages: {known}")


def load_recipe(path: Path) -> Recipe:
    """Read a recipe file.

    Raises:
        UserError: it cannot be read, or a field or a stage is wrong; names the file and the place.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"recipe {path} cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise UserError(f"recipe {path} must have the fields summary, result and stages")
    _require_known(document, ("summary", "result", "stages"), f"recipe {path}")
    for field in ("summary", "result", "stages"):
        if field not in document:
            raise UserError(f"recipe {path} has no field {field}")
    if not isinstance(document["stages"], dict) or not document["stages"]:
        raise UserError(f"recipe {path}: stages must map names to one command each")
    stages: dict[str, Stage] = {}
    for name, body in document["stages"].items():
        stages[str(name)] = _stage(str(name), body, stages, path)
    result = str(document["result"])
    if result not in stages or stages[result].kind != "bundle":
        raise UserError(
            f"recipe {path}: result must be the name of a bundle stage, got {result!r}"
        )
    return Recipe(path.stem, str(document["summary"]), tuple(stages.values()), result)


def _stage(name: str, body: Any, earlier: Mapping[str, Stage], path: Path) -> Stage:
    place = f"recipe {path}, stage {name}"
    if not isinstance(body, dict) or len(body) != 1:
        raise UserError(f"{place}: must be one command with its options")
    ((kind, given),) = body.items()
    _require_known([kind], tuple(COMMANDS), place)
    options = dict(given or {})
    if OUTPUT in options:
        raise UserError(f"{place}: leave {OUTPUT} out; the runner chooses the folder")
    if kind == "bundle":
        _require_known(options, ("video", "idm"), place)
        for part in ("video", "idm"):
            if part not in options:
                raise UserError(f"{place}: a bundle needs {part}")
    inputs: list[str] = []
    for option in REFERENCES:
        for value in _values(options.get(option, ())):
            if value in earlier:
                inputs.append(value)
            elif not Path(value).exists():
                known = ", ".join(earlier) or "none"
                raise UserError(
                    f"{place}: {option}: {value!r} is no earlier stage ({known}) and no folder"
                )
    unique = tuple(dict.fromkeys(inputs))
    described = [kind, options, [earlier[one].key for one in unique]]
    key = hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()
    return Stage(name, kind, options, unique, key)


def _require_known(
    given: Sequence[str] | Mapping[str, Any], known: Sequence[str], at: str
) -> None:
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1)
            hint = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(known)}"
            raise UserError(f"{at}: {name!r} is unknown{hint}")


def _values(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, (list, tuple)) else (str(value),)


def arguments(stage: Stage, folders: Mapping[str, Path], output: Path) -> list[str]:
    """The stage's command line behind ``python -m dva_ros``; empty for a bundle.

    Args:
        stage: to be run.
        folders: where the result of each earlier stage lies.
        output: the folder of this one.
    """
    if stage.kind == "bundle":
        return []
    line = list(COMMANDS[stage.kind])
    if stage.kind == "import":
        line += _values(stage.options.get("bag", ()))
    for option, value in stage.options.items():
        if option == "bag" or value is False:
            continue
        line.append(f"--{option}")
        if value is True:
            continue
        values = _values(value)
        if option in REFERENCES:
            values = tuple(str(folders.get(one, one)) for one in values)
        separate = option == "intervention-between"
        line += values if separate else [",".join(values)]
    target = output / "report.json" if stage.kind == "evaluate" else output
    return [*line, "--json" if stage.kind == "evaluate" else "--output", str(target)]
