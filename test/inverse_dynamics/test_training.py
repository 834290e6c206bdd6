"""Training: it learns, resumes exactly, stops and exports."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from synthetic import SMALL, synthetic_store

from dva_ros.errors import UserError
from dva_ros.inverse_dynamics.decoder import InverseDynamics
from dva_ros.training.data_parallel import Group
from dva_ros.training.idm_run import IdmRun
from dva_ros.training.idm_settings import IdmSettings


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def settings(folder: Path, steps: int, **changes: object) -> IdmSettings:
    """A short training into `folder`."""
    given = IdmSettings(data=(Path("synthetic"),), output=folder, steps=steps, batch=4)
    return replace(given, **changes)  # type: ignore[arg-type]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    """Trained and averaged weights of a run."""
    state = torch.load(folder / "state.pt", weights_only=True)
    return {f"{part}.{k}": v for part in ("net", "average") for k, v in state[part].items()}


def test_resuming_gives_the_weights_of_an_uninterrupted_run(tmp_path: Path) -> None:
    """Stopped after 3 of 6 steps and continued: bit for bit the same."""
    store = synthetic_store(episodes=3)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    IdmRun(settings(whole, 6), Group(), store, SMALL).run()

    class StopAfterThree(IdmRun):
        def _batch(self, rng: np.random.Generator):  # type: ignore[no-untyped-def]
            self._stop.received = self._trainer.step == 2
            return super()._batch(rng)

    assert not StopAfterThree(settings(parts, 6), Group(), store, SMALL).run()
    assert not (parts / "model.safetensors").exists()
    assert torch.load(parts / "state.pt", weights_only=True)["step"] == 3
    assert IdmRun(settings(parts, 6, resume=True), Group(), store, SMALL).run()
    expected, resumed = weights(whole), weights(parts)
    assert all(torch.equal(expected[name], resumed[name]) for name in expected)


def test_a_run_exports_a_model_with_card_metrics_plot_and_contact_sheet(tmp_path: Path) -> None:
    """What a user finds afterwards; the model loads and decodes."""
    store = synthetic_store(episodes=3)
    IdmRun(settings(tmp_path, 2), Group(), store, SMALL).run()
    for name in ("metrics.csv", "training.png", "contact_sheet.png"):
        assert (tmp_path / name).stat().st_size > 0
    card = (tmp_path / "README.md").read_text()
    assert "| real |" in card
    assert "train idm" in card
    model = InverseDynamics.load(tmp_path)
    frames = store.gather_frames(np.arange(10))
    assert model.decode(frames[:2], frames[2:], store.state[1]).shape == (8, 14)


def test_a_damaged_or_other_state_is_refused(tmp_path: Path) -> None:
    """The message names the file, and the field that differs."""
    store = synthetic_store(episodes=3)
    IdmRun(settings(tmp_path, 1), Group(), store, SMALL).run()
    with pytest.raises(UserError, match="was trained with depth = 1, now it is 2"):
        IdmRun(settings(tmp_path, 2, resume=True), Group(), store, replace(SMALL, depth=2))
    (tmp_path / "state.pt").write_bytes(b"half a state")
    with pytest.raises(UserError, match=r"state.pt cannot be resumed"):
        IdmRun(settings(tmp_path, 2, resume=True), Group(), store, SMALL)


def test_episodes_shorter_than_the_horizon_are_said_plainly(tmp_path: Path) -> None:
    """Not an IndexError from deep inside."""
    with pytest.raises(UserError, match="longer than the horizon of 8 frames"):
        IdmRun(settings(tmp_path, 1), Group(), synthetic_store(length=8), SMALL)


@pytest.mark.slow
def test_it_learns_a_synthetic_motion(tmp_path: Path) -> None:
    """After a short training the targets are twice as good as holding still, at least."""
    store = synthetic_store(episodes=6)
    run = IdmRun(
        settings(tmp_path, 120, batch=16, learning_rate=4e-3, validation_fraction=0.01),
        Group(),
        store,
        SMALL,
    )
    run.run()
    windows = run._train.gather(run._train.spread(64))
    error = np.abs(run._trainer.predict(windows) - windows.command).mean()
    hold = np.abs(windows.offset).mean()
    assert error < 0.5 * hold
