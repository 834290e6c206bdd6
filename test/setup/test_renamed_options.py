"""Deprecated names of command line options."""

from __future__ import annotations

import argparse

import pytest

from dva_ros.renamed_options import add_deprecated_name


@pytest.fixture
def parser() -> argparse.ArgumentParser:
    """Two options with deprecated names."""
    parser = argparse.ArgumentParser()
    scale = parser.add_argument("--time-scaling", type=float, default=1.0, metavar="SHARE")
    add_deprecated_name(parser, scale, "--speed-scaling")
    flag = parser.add_argument("--interventions", action="store_true")
    add_deprecated_name(parser, flag, "--takeovers")
    return parser


def test_a_deprecated_name_sets_the_option_and_warns(
    parser: argparse.ArgumentParser, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the option's type, and for flags."""
    given = parser.parse_args(["--speed-scaling", "0.5", "--takeovers"])
    assert (given.time_scaling, given.interventions) == (0.5, True)
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "warning: --speed-scaling is deprecated; use --time-scaling",
        "warning: --takeovers is deprecated; use --interventions",
    ]


def test_the_new_name_and_the_default_say_nothing(
    parser: argparse.ArgumentParser, capsys: pytest.CaptureFixture[str]
) -> None:
    """The help does not name the old one."""
    assert vars(parser.parse_args([])) == {"time_scaling": 1.0, "interventions": False}
    assert parser.parse_args(["--time-scaling", "0.5"]).time_scaling == 0.5
    assert capsys.readouterr().err == ""
    assert "speed" not in parser.format_help()


def test_a_wrong_value_is_refused_under_the_deprecated_name(
    parser: argparse.ArgumentParser,
) -> None:
    with pytest.raises(SystemExit):
        parser.parse_args(["--speed-scaling", "fast"])
