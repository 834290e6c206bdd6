"""Files are data: nothing that the project reads from a file can run code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(
    path
    for folder in ("dva_ros", "launch", "scripts", "docs/scripts")
    for path in (ROOT / folder).rglob("*.py")
)
PICKLES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
HARMLESS = {("pickle", "UnpicklingError")}
"""What torch raises where a file is damaged."""


def findings(source: str) -> Iterator[str]:
    """What in a module could run code from a file."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] in PICKLES:
                    yield f"line {node.lineno}: import {alias.name}"
        elif isinstance(node, ast.ImportFrom) and node.module in PICKLES:
            for alias in node.names:
                if (node.module, alias.name) not in HARMLESS:
                    yield f"line {node.lineno}: from {node.module} import {alias.name}"
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            given = {word.arg: ast.unparse(word.value) for word in node.keywords}
            if name.endswith("torch.load") and given.get("weights_only") != "True":
                yield f"line {node.lineno}: torch.load without weights_only=True"
            if given.get("allow_pickle", "False") != "False":
                yield f"line {node.lineno}: allow_pickle"
            if name in ("yaml.load", "yaml.unsafe_load", "yaml.full_load", "eval", "exec"):
                yield f"line {node.lineno}: {name}"
            if name.startswith(("torch.jit.load", "torch.hub.", "torch.package.")):
                yield f"line {node.lineno}: {name}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_module_reads_a_file_that_could_run_code(path: Path) -> None:
    assert list(findings(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path, allow_pickle=True)",
        "yaml.load(text, yaml.Loader)",
        "eval(text)",
    ],
)
def test_the_check_finds(source: str) -> None:
    assert len(list(findings(source))) == 1


def test_shipped_models_are_data() -> None:
    """Weights are safetensors, beside YAML, a card and a licence."""
    kinds = {path.suffix for path in (ROOT / "models").rglob("*") if path.is_file()}
    assert kinds <= {".safetensors", ".yaml", ".md", ".json", ".png"}
