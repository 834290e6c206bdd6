"""Marks of episodes: messages in the bag, text on the topic `MARKS`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import Enum

MARKS = "episode_marks"
"""Topic of the marks, std_msgs/String with JSON, relative to the cell's namespace."""


class MarkKind(Enum):
    """What happened to an episode."""

    START = "start"
    SUCCESS = "success"
    FAILURE = "failure"
    STOP = "stop"
    """It ended without a verdict; counts as a success when it is imported."""
    DISCARD = "discard"
    """Discards the running episode, or the last one if none is running."""


@dataclass(frozen=True)
class Mark:
    """One mark.

    Attributes:
        kind: what happened.
        episode: number of the episode in its recording, from 0.
        task: name of the task; may be empty.
        instruction: the instruction in words; may be empty.
        seed: of the episode, -1 for none.
        note: the reason, if the recorder itself ended the episode.
    """

    kind: MarkKind
    episode: int
    task: str = ""
    instruction: str = ""
    seed: int = -1
    note: str = ""

    def to_json(self) -> str:
        """The text of the message."""
        return json.dumps({**asdict(self), "kind": self.kind.value}, ensure_ascii=False)

    @staticmethod
    def from_json(text: str) -> Mark:
        """Inverse of `to_json`.

        Raises:
            ValueError: the text is no mark.
        """
        try:
            values = json.loads(text)
            return Mark(
                kind=MarkKind(values["kind"]),
                episode=int(values["episode"]),
                task=str(values.get("task", "")),
                instruction=str(values.get("instruction", "")),
                seed=int(values.get("seed", -1)),
                note=str(values.get("note", "")),
            )
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"no episode mark: {text!r}") from error
