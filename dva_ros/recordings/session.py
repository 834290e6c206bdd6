"""One run of the recorder: a bag, and the episodes that are marked in it."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import RecordingError
from .marks import Mark, MarkKind

VERDICTS = (MarkKind.SUCCESS, MarkKind.FAILURE, MarkKind.STOP)


@dataclass(frozen=True)
class Episode:
    """What is said of an episode when it begins; see `Mark`."""

    task: str = ""
    instruction: str = ""
    seed: int = -1


class RecordingSession:
    """Marks in the right order. The caller gives the marks' bytes to the bag.

    Attributes:
        episode: number of the running episode, or of the next one.
        running: what is said of the running episode, None where none runs.
        verdicts: how many episodes ended in which way; discarded ones count as that only.
    """

    def __init__(self) -> None:
        self.episode = 0
        self.running: Episode | None = None
        self.verdicts = dict.fromkeys((*VERDICTS, MarkKind.DISCARD), 0)
        self._last: tuple[Episode, MarkKind] | None = None

    def mark(self, kind: MarkKind, begun: Episode | None = None, note: str = "") -> Mark:
        """The mark to write.

        Args:
            kind: what happened.
            begun: of `MarkKind.START`, what is said of the episode.
            note: for people.

        Raises:
            RecordingError: an episode runs already, none runs, or there is none to discard.
        """
        if kind is MarkKind.START:
            return self._start(begun or Episode(), note)
        if kind is MarkKind.DISCARD and self.running is None:
            return self._discard_last(note)
        if self.running is None:
            raise RecordingError(f"no episode runs that could be marked {kind.value}: start one")
        ended, self.running = self.running, None
        mark = _mark(kind, self.episode, ended, note)
        self._last = None if kind is MarkKind.DISCARD else (ended, kind)
        self.verdicts[kind] += 1
        self.episode += 1
        return mark

    def _start(self, begun: Episode, note: str) -> Mark:
        if self.running is not None:
            raise RecordingError(
                f"episode {self.episode} runs already: mark it as success or failure first"
            )
        self.running = begun
        return _mark(MarkKind.START, self.episode, begun, note)

    def _discard_last(self, note: str) -> Mark:
        if self._last is None:
            raise RecordingError("there is no episode to discard")
        (ended, kind), self._last = self._last, None
        self.verdicts[kind] -= 1
        self.verdicts[MarkKind.DISCARD] += 1
        return _mark(MarkKind.DISCARD, self.episode - 1, ended, note)


def _mark(kind: MarkKind, number: int, episode: Episode, note: str) -> Mark:
    return Mark(kind, number, episode.task, episode.instruction, episode.seed, note)
