"""Disturbances that make an expert show how it recovers.

Frames in which one is being injected are marked as not clean: they are context to learn from,
never behaviour to imitate.
"""

from __future__ import annotations

import numpy as np

from .expert import Expert
from .timing import CONTROL_PERIOD_S
from .world import World

MISS_PROBABILITY = 0.30
DROP_PROBABILITY = 0.15
NUDGE_PROBABILITY = 0.20
KICKS_PER_S = 0.45
KICK_S = 0.25
NUDGE_SETTLES_S = 0.4
PAUSES_PER_S = 0.10
PAUSE_S = (0.3, 2.0)
LOWEST_KICK_M = 0.05


class Perturber:
    """Injects missed grasps, drops, nudges, pauses and kicks of the arms into one episode."""

    def __init__(self, expert: Expert, rng: np.random.Generator) -> None:
        self._expert = expert
        self._rng = rng
        self._kick_left_s = 0.0
        self._dirty_left_s = 0.0
        self._pause_left_s = 0.0
        self._kicks: dict[str, np.ndarray] = {}
        self._miss = rng.random() < MISS_PROBABILITY
        self._drop_after_s = rng.uniform(0.2, 0.8) if rng.random() < DROP_PROBABILITY else None
        nudged = rng.random() < NUDGE_PROBABILITY
        self._nudge_at_s = rng.uniform(0.3, 2.0) if nudged else None
        self._time_s = 0.0
        if self._miss:
            side = str(rng.choice(list(expert.active_sides)))
            angle = rng.uniform(0, 2 * np.pi)
            size = rng.uniform(0.025, 0.06)
            expert.aim_offset[side][:2] = size * np.cos(angle), size * np.sin(angle)

    @property
    def pausing(self) -> bool:
        """Whether the robot stands still now, as it does when no motion is committed."""
        return self._pause_left_s > 0.0

    def disturb(self, world: World) -> bool:
        """Called before every control period; returns whether the present frame is clean."""
        self._time_s += CONTROL_PERIOD_S
        self._dirty_left_s = max(0.0, self._dirty_left_s - CONTROL_PERIOD_S)
        if self.pausing:
            self._pause_left_s -= CONTROL_PERIOD_S
            return False
        if self._kick_left_s <= 0.0 and self._rng.random() < PAUSES_PER_S * CONTROL_PERIOD_S:
            self._pause_left_s = self._rng.uniform(*PAUSE_S)
            return False
        self._maybe_drop()
        self._maybe_nudge(world)
        self._maybe_kick()
        aiming_wrong = any(np.any(offset) for offset in self._expert.aim_offset.values())
        return not aiming_wrong and self._dirty_left_s == 0.0

    def _maybe_drop(self) -> None:
        if self._drop_after_s is None or not self._expert.holding:
            return
        self._drop_after_s -= CONTROL_PERIOD_S
        if self._drop_after_s <= 0.0:
            self._drop_after_s = None
            self._expert.drop()
            self._dirty_left_s = 0.5

    def _maybe_nudge(self, world: World) -> None:
        due = self._nudge_at_s is not None and self._time_s >= self._nudge_at_s
        body = self._expert.loose_body
        if not due or body is None:
            return
        self._nudge_at_s = None
        angle, speed = self._rng.uniform(0, 2 * np.pi), self._rng.uniform(0.4, 0.8)
        world.push(body, np.array([speed * np.cos(angle), speed * np.sin(angle), 0.0]))
        self._dirty_left_s = max(self._dirty_left_s, NUDGE_SETTLES_S)

    def _maybe_kick(self) -> None:
        if self._kick_left_s > 0.0:
            self._kick_left_s -= CONTROL_PERIOD_S
            for side, velocity in self._kicks.items():
                arm = self._expert.arms[side]
                arm.velocity += (velocity - arm.velocity) * 0.15
                if arm.position[2] < LOWEST_KICK_M:
                    arm.velocity[2] = max(arm.velocity[2], 0.0)
            return
        if self._expert.steady or self._rng.random() > KICKS_PER_S * CONTROL_PERIOD_S:
            return
        self._kick_left_s = KICK_S
        self._dirty_left_s = max(self._dirty_left_s, KICK_S)
        velocity = self._rng.normal(0.0, 0.12, 3)
        same = self._expert.holding
        self._kicks = {
            side: velocity if same else self._rng.normal(0.0, 0.12, 3)
            for side in self._expert.active_sides
        }
