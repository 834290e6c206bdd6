"""The emulation reproduces traces of the real joint_trajectory_controller."""

from __future__ import annotations

import json
from dataclasses import replace as with_
from pathlib import Path

import pytest

from dva_ros.__main__ import main
from dva_ros.cell.controller.replay import replay
from dva_ros.cell.controller.trace_file import read_traces

PATH = Path(__file__).parent.parent / "data" / "jtc_traces.json"
FILE = read_traces(PATH)
SCENARIOS = {scenario.name: scenario for scenario in FILE.scenarios}

ODD_SCENARIO = (
    b'{"period": 0.01, "joints": ["j1"], "tolerances": {"position": 1, "velocity": 1,'
    b' "acceleration": 1}, "scenarios": [{"name": "odd", "messages": 3}]}'
)


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_version_reproduces_the_scenario(name: str) -> None:
    """Reference, command, acceptance and installed trajectories, within the file's tolerances."""
    scenario = SCENARIOS[name]
    for version in scenario.traces:
        deviation = replay(FILE, scenario, version)
        assert deviation.within(FILE.tolerances), f"{version}: {deviation}"


def test_all_traced_versions_are_covered() -> None:
    """The file that the tests hold has all 75 scenarios and all five versions."""
    assert len(SCENARIOS) == 75
    versions = {version for scenario in FILE.scenarios for version in scenario.traces}
    assert versions == {"4.0.0", "4.42.1", "5.17.0", "6.9.0", "master"}


@pytest.mark.parametrize(
    ("emulated", "traced", "name"),
    [
        ("4.42.1", "6.9.0", "replace_future_pv"),
        ("6.9.0", "master", "replace_future_pv"),
        ("4.42.1", "master", "replace_now_pv"),
        ("4.42.1", "4.0.0", "all_past_several_points"),
        ("4.42.1", "4.0.0", "action_end_p"),
    ],
)
def test_another_version_is_told_apart(emulated: str, traced: str, name: str) -> None:
    """A replay by the wrong version is out of tolerance, so the comparison can fail."""
    scenario = SCENARIOS[name]
    swapped = with_(scenario, traces={emulated: scenario.traces[traced]})
    assert not replay(FILE, swapped, emulated).within(FILE.tolerances)


def test_verb_prints_a_summary_and_succeeds(capsys: pytest.CaptureFixture[str]) -> None:
    """`traces FILE` names the scenario and sums up; exit 0 where all is in tolerance."""
    assert main(["traces", str(PATH), "--version", "master", "--scenario", "replace_now_pv"]) == 0
    output = capsys.readouterr().out
    assert "replace_now_pv" in output
    assert "1 of 1 traces" in output


def test_verb_fails_where_a_trace_differs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 1 where one number is out of tolerance."""
    content = json.loads(PATH.read_text())
    content["scenarios"] = [s for s in content["scenarios"] if s["name"] == "replace_now_pv"]
    content["scenarios"][0]["traces"]["4.42.1"]["position"][1][60] += 1e-6
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps(content))
    assert main(["traces", str(changed)]) == 1
    assert "out of tolerance" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read"),
        (b'{"about": "x", "peri', "corrupt"),
        (b"\xff\xfe\x00", "not text"),
        (b"[1, 2]", "no JSON object"),
        (b'{"frames": 3}', "'period' is missing"),
        (
            ODD_SCENARIO,
            "scenario 'odd'",
        ),
    ],
)
def test_verb_explains_a_bad_file(
    content: bytes | None,
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A missing, cut off, binary or foreign file: a message without a traceback, exit 2."""
    path = tmp_path / "file.json"
    if content is not None:
        path.write_bytes(content)
    assert main(["traces", str(path)]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--scenario", "no_such"], "no scenario 'no_such'"),
        (["--version", "3.0.0"], "'3.0.0' is not emulated"),
        (["--version", "4.0.0", "--scenario", "upsampled_single_chunk"], "only of master"),
    ],
)
def test_verb_explains_what_the_file_lacks(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unknown scenarios and versions are named together with what there is."""
    assert main(["traces", str(PATH), *arguments]) == 2
    assert message in " ".join(capsys.readouterr().err.split())
