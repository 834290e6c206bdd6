"""What is wrong with a recording."""

from __future__ import annotations

from ..errors import UserError


class RecordingError(UserError):
    """A recording cannot be written, read or used; the message names the file and says why."""
