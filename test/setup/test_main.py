"""The table of verbs: complete, light, and plain about errors."""

from __future__ import annotations

import subprocess
import sys
import types

import pytest

import dva_ros.__main__ as cli
from dva_ros.errors import UserError


def use_verb(monkeypatch: pytest.MonkeyPatch, error: BaseException | None) -> None:
    """Make `doctor` a verb that raises `error`, or succeeds."""

    def run(_: object) -> int:
        if error is not None:
            raise error
        return 0

    verb = types.SimpleNamespace(SUMMARY="a verb", add_arguments=lambda parser: None, run=run)
    monkeypatch.setattr(cli, "load_verb", lambda name: verb)


def test_every_verb_has_a_summary_arguments_and_a_function() -> None:
    parser = cli.build_parser(cli.verb_names())
    text = parser.format_help()
    for name in cli.verb_names():
        assert name in text
        assert len(cli.load_verb(name).SUMMARY) > 10


def test_listing_the_verbs_imports_nothing_heavy() -> None:
    program = (
        "import sys; import dva_ros.__main__ as cli; cli.build_parser(cli.verb_names());"
        "print([m for m in ('torch', 'mujoco', 'av', 'rclpy', 'matplotlib') if m in sys.modules])"
    )
    output = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert output.stdout.strip() == "[]"


def test_user_error_is_a_message_and_status_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_verb(monkeypatch, UserError("the tray is upside down; turn it"))
    assert cli.main(["doctor"]) == 2
    assert capsys.readouterr().err == "error: the tray is upside down; turn it\n"


def test_interrupt_is_status_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_verb(monkeypatch, KeyboardInterrupt())
    assert cli.main(["doctor"]) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_unknown_verb_names_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        cli.main(["dance"])
    assert raised.value.code == 2
    assert "doctor" in capsys.readouterr().err


def test_success_returns_the_status_of_the_verb(monkeypatch: pytest.MonkeyPatch) -> None:
    use_verb(monkeypatch, None)
    assert cli.main(["doctor"]) == 0
