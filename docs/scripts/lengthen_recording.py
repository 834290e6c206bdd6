"""Makes a long recording of a short one, to measure `import`: its messages again and again.

python docs/scripts/lengthen_recording.py SHORT.mcap LONG.mcap --minutes 60
"""

from __future__ import annotations

import argparse
import struct
from pathlib import Path

from tqdm import tqdm

from dva_ros.recordings.bag import RawMessage, open_bag
from dva_ros.recordings.bag_writer import BagWriter
from dva_ros.recordings.marks import MARKS

STAMP = struct.Struct("<iI")
"""Seconds and nanoseconds, where a message that begins with a header has its stamp."""


def main() -> None:
    """Write the long recording."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("short", type=Path)
    parser.add_argument("long", type=Path)
    parser.add_argument("--minutes", type=float, default=60.0)
    args = parser.parse_args()
    (file,) = open_bag(args.short)
    messages = [m for m in file.messages() if not m.topic.name.endswith(MARKS)]
    definitions = {m.topic.type_name: m.topic.definition for m in messages}
    length_s = messages[-1].log_s - messages[0].log_s + 0.02
    bag = BagWriter(args.long, definition=definitions.__getitem__)
    for repeat in tqdm(range(round(60 * args.minutes / length_s))):
        for message in messages:
            bag.open_topic(message.topic.name, message.topic.type_name)
            shift_s = repeat * length_s
            log_ns = round((message.log_s + shift_s) * 1e9)
            bag.write(message.topic.name, shifted(message, shift_s), log_ns)
    bag.close()


def shifted(message: RawMessage, by_s: float) -> bytes:
    """The message with a later stamp; as it is where it has none."""
    data = bytearray(message.data)
    own_fields = message.topic.definition.partition("=" * 80)[0]
    if "Header header" in own_fields:
        seconds, nanoseconds = STAMP.unpack_from(data, 4)
        if seconds:
            total = round(by_s * 1e9) + seconds * 10**9 + nanoseconds
            STAMP.pack_into(data, 4, *divmod(total, 10**9))
    return bytes(data)


if __name__ == "__main__":
    main()
