"""Files are found in the source tree, else where colcon installed them, else both are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from dva_ros import resources
from dva_ros.errors import UserError


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An ament prefix with share/dva_ros, and no source tree beside the package."""
    share = tmp_path / "prefix" / "share" / "dva_ros"
    (share / "config").mkdir(parents=True)
    (share / "config" / "only_installed.yaml").write_text("a: 1\n")
    monkeypatch.setattr(resources, "SOURCE_ROOT", tmp_path / "elsewhere")
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"/nowhere:{tmp_path / 'prefix'}")
    return share


def test_source_tree_comes_first() -> None:
    assert resources.share_root() == Path(resources.__file__).parent.parent
    assert resources.config_path("joint_limits").name == "joint_limits.yaml"
    assert resources.config_path("joint_limits.yaml").is_file()


def test_installed_share_is_used_without_a_source_tree(installed: Path) -> None:
    assert resources.share_root() == installed
    assert resources.config_path("only_installed") == installed / "config/only_installed.yaml"


def test_a_missing_file_names_both_places(installed: Path) -> None:
    with pytest.raises(UserError) as raised:
        resources.model_path("cpu/none")
    message = str(raised.value)
    assert "cpu/none" in message
    assert str(installed) in message
    assert "elsewhere" in message


def test_nothing_installed_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(resources, "SOURCE_ROOT", tmp_path)
    monkeypatch.setenv("AMENT_PREFIX_PATH", "")
    with pytest.raises(UserError, match="AMENT_PREFIX_PATH"):
        resources.share_root()


def test_a_path_to_an_existing_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    assert resources.model_path(str(tmp_path)) == tmp_path.resolve()
