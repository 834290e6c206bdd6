"""The table of commands: complete, quick to import, with plain errors."""

from __future__ import annotations

import subprocess
import sys
import types

import pytest

import dva_ros.__main__ as cli
from dva_ros.errors import UserError


def use_command(monkeypatch: pytest.MonkeyPatch, error: BaseException | None) -> None:
    """Make `doctor` a command that raises `error`, or succeeds."""

    def run(_: object) -> int:
        if error is not None:
            raise error
        return 0

    command = types.SimpleNamespace(
        SUMMARY="a command", add_arguments=lambda parser: None, run=run
    )
    monkeypatch.setattr(cli, "load_command", lambda name: command)


def test_every_command_has_a_summary_arguments_and_a_function() -> None:
    parser = cli.build_parser(cli.command_names())
    text = parser.format_help()
    for name in cli.command_names():
        assert name in text
        assert len(cli.load_command(name).SUMMARY) > 10


def test_listing_the_commands_imports_nothing_heavy() -> None:
    program = (
        "import sys; import dva_ros.__main__ as cli; cli.build_parser(cli.command_names());"
        "print([m for m in ('torch', 'mujoco', 'av', 'rclpy', 'matplotlib') if m in sys.modules])"
    )
    output = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert output.stdout.strip() == "[]"


def test_user_error_is_a_message_and_status_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_command(monkeypatch, UserError("the tray is upside down; turn it"))
    assert cli.main(["doctor"]) == 2
    assert capsys.readouterr().err == "error: the tray is upside down; turn it\n"


def test_interrupt_is_status_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_command(monkeypatch, KeyboardInterrupt())
    assert cli.main(["doctor"]) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_unknown_command_names_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        cli.main(["dance"])
    assert raised.value.code == 2
    assert "doctor" in capsys.readouterr().err


def test_success_returns_the_status_of_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    use_command(monkeypatch, None)
    assert cli.main(["doctor"]) == 0
