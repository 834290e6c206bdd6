"""`train idm` and `measure-idm` refuse what cannot work before anything is computed."""

from __future__ import annotations

from pathlib import Path

import pytest

from dva_ros.__main__ import main


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The message of a command that ends with status 2."""
    assert main(list(arguments)) == 2
    return capsys.readouterr().err


def test_a_folder_that_holds_a_run_is_not_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Going on takes --resume, and --resume takes a run."""
    train = ("train", "idm", "--data", "nowhere", "--output", str(tmp_path))
    assert "holds no run to resume" in refusal(capsys, *train, "--resume")
    (tmp_path / "state.pt").touch()
    assert "add --resume or choose another --output" in refusal(capsys, *train)


@pytest.mark.parametrize(
    ("option", "value"), [("--minutes", "0"), ("--batch", "-1"), ("--predicted-share", "1.5")]
)
def test_senseless_numbers_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, value: str
) -> None:
    """The option and the value are in the message."""
    train = ("train", "idm", "--data", "nowhere", "--output", str(tmp_path))
    message = refusal(capsys, *train, option, value)
    assert option in message
    assert value in message


def test_a_missing_checkpoint_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """measure-idm says which folder it looked for."""
    assert "no/such/model" in refusal(capsys, "measure-idm", "--model", "no/such/model")
