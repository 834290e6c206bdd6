"""Bags on disk: whole, cut anywhere, damaged, of another program; what is there is read."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from bags import CellBag, definition, message
from mcap.reader import make_reader
from rosbags.rosbag2 import StoragePlugin

from dva_ros.recordings.bag import open_bag
from dva_ros.recordings.bag_file import BagFile, RawMessage
from dva_ros.recordings.bag_writer import BagWriter
from dva_ros.recordings.errors import RecordingError
from dva_ros.recordings.message_decoding import Decoder, MessageError
from dva_ros.recordings.message_definitions import message_definition

STRING = "std_msgs/msg/String"


def write_strings(path: Path, texts: list[str], each: int, compression: str = "none") -> Path:
    """A bag of texts, flushed after `each` of them."""
    bag = BagWriter(path, compression, definition=definition)
    bag.open_topic("/text", STRING)
    for number, text in enumerate(texts):
        bag.write("/text", message(STRING, data=text), number * 10**9)
        if number % each == each - 1:
            bag.flush()
    bag.close()
    return path


def texts_of(path: Path) -> tuple[list[str], BagFile]:
    (file,) = open_bag(path)
    decoder = Decoder()
    return [decoder.decode(item).data for item in file.messages()], file


@pytest.mark.parametrize("compression", ["none", "lz4", "zstd"])
def test_a_file_that_is_cut_anywhere_gives_its_messages_up_to_there(
    tmp_path: Path, compression: str
) -> None:
    texts = [f"{number} {os.urandom(40).hex()}" for number in range(40)]
    whole = write_strings(tmp_path / "whole.mcap", texts, each=10, compression=compression)
    content = whole.read_bytes()
    assert texts_of(whole)[0] == texts
    cut = tmp_path / "cut.mcap"
    counts = []
    for length in range(60, len(content), 97):
        cut.write_bytes(content[:length])
        read, file = texts_of(cut)
        assert read == texts[: len(read)]
        counts.append(len(read))
        if len(read) < len(texts):
            (found,) = file.breaks
            assert found.ends
            assert 0 < found.offset <= length
            assert found.log_s == (pytest.approx(len(read) - 1) if read else None)
            assert f"byte {found.offset}" in str(found)
    assert counts == sorted(counts)
    assert counts[0] == 0
    assert counts[-1] == 40
    if compression == "none":
        assert len(set(counts)) > 20, "messages of a chunk that is cut are given too"


def test_a_damaged_chunk_costs_itself_only_and_is_named(tmp_path: Path) -> None:
    texts = [f"text {number}" for number in range(40)]
    path = write_strings(tmp_path / "bag.mcap", texts, each=10)
    content = bytearray(path.read_bytes())
    content[content.index(b"text 15")] ^= 0xFF
    path.write_bytes(content)
    read, file = texts_of(path)
    assert read == texts[:10] + texts[20:]
    (found,) = file.breaks
    assert "checksum" in str(found)
    assert found.log_s == 9.0


def test_where_records_are_overwritten_reading_goes_on_at_the_next_chunk(tmp_path: Path) -> None:
    texts = [f"text {number}" for number in range(40)]
    path = write_strings(tmp_path / "bag.mcap", texts, each=10)
    content = bytearray(path.read_bytes())
    (file,) = open_bag(path)
    with path.open("rb") as stream:
        summary = make_reader(stream).get_summary()
    assert summary is not None
    second = summary.chunk_indexes[1].chunk_start_offset
    content[second : second + 30] = b"\xee" * 30
    path.write_bytes(content)
    read, file = texts_of(path)
    assert read == texts[:10] + texts[20:]
    assert file.breaks[0].offset == second


WRITE_FOREVER = """
import sys, time
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from bags import definition, message
from dva_ros.recordings.bag_writer import BagWriter
bag = BagWriter(Path(sys.argv[1]), definition=definition)
bag.open_topic("/text", "std_msgs/msg/String")
number = 0
while True:
    bag.write("/text", message("std_msgs/msg/String", data=f"text {number}"), number * 10**6)
    number += 1
    if number % 200 == 0:
        bag.flush()
        print(number, flush=True)
    time.sleep(0.0005)
"""


def test_kill_9_leaves_everything_up_to_the_last_flush(tmp_path: Path) -> None:
    path = tmp_path / "killed.mcap"
    arguments = [sys.executable, "-c", WRITE_FOREVER, str(path), str(Path(__file__).parent)]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    flushed = [int(process.stdout.readline()) for _ in range(3)][-1]
    process.send_signal(signal.SIGKILL)
    process.wait()
    read, file = texts_of(path)
    assert len(read) >= flushed
    assert read == [f"text {number}" for number in range(len(read))]
    assert "did not close it" in str(file.breaks[-1])


def test_the_mcap_package_reads_what_the_recorder_writes(tmp_path: Path) -> None:
    path = CellBag(seconds=1.0).write(tmp_path / "bag.mcap", "zstd")
    with path.open("rb") as stream:
        reader = make_reader(stream)
        assert reader.get_header().profile == "ros2"
        messages = list(reader.iter_messages())
    (file,) = open_bag(path)
    ours = list(file.messages())
    assert len(messages) == len(ours) > 100
    schema, channel, _ = messages[-1]
    assert (schema.encoding, channel.message_encoding) == ("ros2msg", "cdr")


@pytest.mark.parametrize("storage", list(StoragePlugin))
def test_bags_of_another_program_give_the_same_messages(
    tmp_path: Path, storage: StoragePlugin
) -> None:
    bag = CellBag(seconds=1.0)
    folder = bag.write_rosbag2(tmp_path / "bag", storage)
    (file,) = open_bag(folder)
    read = [(item.topic.name, bytes(item.data)) for item in file.messages()]
    assert read == [(topic, data) for topic, _, _, data in bag.messages()]
    assert not file.breaks
    assert {topic.name for topic in file.topics()} == {topic for topic, _ in read}


def test_a_cut_sqlite_file_gives_its_messages_up_to_there(tmp_path: Path) -> None:
    folder = CellBag(seconds=2.0).write_rosbag2(tmp_path / "bag", StoragePlugin.SQLITE3)
    (path,) = folder.glob("*.db3")
    whole = sum(1 for _ in open_bag(path)[0].messages())
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    (file,) = open_bag(path)
    count = sum(1 for _ in file.messages())
    assert whole // 4 < count < whole
    assert file.breaks[0].ends


def test_files_of_a_folder_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for number in (0, 2, 10):
        write_strings(tmp_path / f"bag_{number}.mcap", [str(number)], 1)
    assert [file.path.name for file in open_bag(tmp_path)] == [
        "bag_0.mcap", "bag_2.mcap", "bag_10.mcap",
    ]  # fmt: skip


def test_what_is_no_bag_says_why(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="does not exist"):
        open_bag(tmp_path / "nothing.mcap")
    (tmp_path / "a.mcap").write_bytes(b"not a bag at all")
    with pytest.raises(RecordingError, match="no MCAP file"):
        open_bag(tmp_path / "a.mcap")
    (tmp_path / "a.db3").write_bytes(b"not a bag at all")
    with pytest.raises(RecordingError, match="no sqlite3 bag"):
        open_bag(tmp_path / "a.db3")
    (tmp_path / "empty").mkdir()
    with pytest.raises(RecordingError, match=r"no \.mcap or \.db3"):
        open_bag(tmp_path / "empty")


def test_a_message_that_is_cut_names_its_topic_and_time(tmp_path: Path) -> None:
    path = write_strings(tmp_path / "bag.mcap", ["a text"], 1)
    (item,) = open_bag(path)[0].messages()
    with pytest.raises(MessageError, match=r"/text at 0\.000 s"):
        Decoder().decode(RawMessage(item.topic, item.log_s, item.data[:9]))


def test_a_full_disk_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    path = tmp_path / "bag.mcap"
    with pytest.raises(RecordingError, match="GB free"):
        BagWriter(path, least_free_bytes=10**18)
    assert not path.exists()
    write_strings(path, ["a"], 1)
    with pytest.raises(RecordingError, match="cannot be made"):
        BagWriter(path)


def test_a_definition_holds_every_type_in_it(tmp_path: Path) -> None:
    for package, kind, text in (
        ("one", "Outer", "# comment\nother/Inner[<=3] parts\nLocal here\nstring<=5 word x=1\n"),
        ("one", "Local", "int32 A=3\nfloat64[3] numbers\n"),
        ("other", "Inner", "one/Local again\nuint8[] data\n"),
    ):
        path = tmp_path / package / "msg" / f"{kind}.msg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = message_definition("one/msg/Outer", [tmp_path])
    assert found.count("MSG: ") == 2
    assert "MSG: other/Inner" in found
    assert "MSG: one/Local" in found
    with pytest.raises(RecordingError, match="one/msg/Nothing is not installed"):
        message_definition("one/msg/Nothing", [tmp_path])


def test_writing_keeps_up_with_three_cameras(tmp_path: Path) -> None:
    """Three 640x480 cameras at 30 Hz are 83 MB/s; a second of them takes less than that."""
    picture = os.urandom(640 * 480 * 3)
    bag = BagWriter(tmp_path / "bag.mcap", definition=definition)
    bag.open_topic("/image", STRING)
    begun = time.process_time()
    for number in range(90):
        bag.write("/image", picture, number)
    bag.flush()
    assert time.process_time() - begun < 1.0
    bag.close()
