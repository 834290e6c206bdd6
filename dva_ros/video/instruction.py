"""An instruction as a fixed number of hashed words: no vocabulary file, any language."""

from __future__ import annotations

import re
import zlib

import numpy as np

from dva_ros.errors import UserError

_WORD = re.compile(r"\w+")


def hash_words(instruction: str, buckets: int, max_words: int) -> np.ndarray:
    """Lower-cased words, each hashed by CRC-32 into a bucket.

    Returns:
        int64 [max_words]; `buckets` itself fills the places after the last word.

    Raises:
        UserError: more words than `max_words`.
    """
    words = _WORD.findall(instruction.lower())
    if len(words) > max_words:
        raise UserError(
            f"the instruction has {len(words)} words, the model reads {max_words}: {instruction!r}"
        )
    hashed = np.full(max_words, buckets, dtype=np.int64)
    hashed[: len(words)] = [zlib.crc32(word.encode()) % buckets for word in words]
    return hashed
