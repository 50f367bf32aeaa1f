"""The local log: durable, shared, and honest about torn and damaged frames."""

import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.errors import DriftnetError, InputError
from ingest.fields import MAX_MESSAGE_BYTES
from ingest.local.frames import HEAD, pack, scan
from ingest.local.log import LocalLog
from ingest.local.tail import repair
from ingest.log import Record


def refuse(text: str) -> None:
    raise AssertionError(text)


def values(log: LocalLog, topic: str = "t", max_bytes: int = 1 << 20) -> list[bytes | None]:
    """Read all, in pieces of `max_bytes`."""
    found: list[Record] = []
    offset = 0
    while records := log.read(topic, 0, offset, max_bytes):
        assert records[0].offset == offset
        found += records
        offset = records[-1].next_offset
    return [record.value for record in found]


def crash(folder: Path, tail: bytes) -> Path:
    """Leave bytes behind the synced end, as a killed appender would."""
    path = folder / "t" / "p=0.log"
    with path.open("ab") as file:
        file.write(tail)
    return path


@settings(max_examples=30)
@given(st.lists(st.lists(st.binary(max_size=300), max_size=5), max_size=5), st.integers(1, 400))
def test_what_is_appended_is_read_in_order_whatever_the_pieces(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[bytes]], max_bytes: int
) -> None:
    log = LocalLog(tmp_path_factory.mktemp("log"), refuse)
    positions = [place for batch in batches for place in log.append("t", batch)]
    flat = [value for batch in batches for value in batch]
    assert values(log, max_bytes=max_bytes) == flat
    for place, value in zip(positions, flat, strict=True):
        assert log.read("t", 0, place.offset, 1)[0].value == value
    assert log.end_offset("t", 0) == sum(HEAD.size + len(value) for value in flat)


def test_a_tail_torn_at_any_byte_is_cut_set_aside_and_reported(tmp_path: Path) -> None:
    frame = pack(b"the last")
    for size in range(1, len(frame)):
        folder = tmp_path / str(size)
        told: list[str] = []
        log = LocalLog(folder, told.append)
        end = log.append("t", [b"one", b"two"])[1].offset + len(pack(b"two"))
        path = crash(folder, frame[:size])
        assert values(log) == [b"one", b"two"]
        assert path.stat().st_size == end + size, "a reader cuts nothing"
        assert log.append("t", [b"three"])[0].offset == end
        assert values(log) == [b"one", b"two", b"three"]
        aside = folder / "t" / f"p=0.torn-{end}"
        assert aside.read_bytes() == frame[:size]
        assert told == [
            f"{path}: cut a torn tail of {size} bytes at offset {end}, kept as {aside.name}"
        ]


def test_a_tail_of_zeros_is_torn(tmp_path: Path) -> None:
    told: list[str] = []
    log = LocalLog(tmp_path, told.append)
    log.append("t", [b"one"])
    crash(tmp_path, bytes(4096))
    log.append("t", [b"two"])
    assert values(log) == [b"one", b"two"]
    assert len(told) == 1


def test_two_torn_tails_at_one_place_are_both_kept(tmp_path: Path) -> None:
    told: list[str] = []
    log = LocalLog(tmp_path, told.append)
    log.append("t", [b"one"])
    for tail in (b"x", b"yy"):
        crash(tmp_path, tail)
        path = tmp_path / "t" / "p=0.log"
        with path.open("rb+") as file:
            assert repair(path, file.fileno(), told.append) == 11
    assert {path.read_bytes() for path in (tmp_path / "t").glob("*torn*")} == {b"x", b"yy"}
    assert len(told) == 2


def test_whole_frames_behind_the_remembered_end_are_kept(tmp_path: Path) -> None:
    """The appender died between its write and its note of the end: nothing is lost."""
    log = LocalLog(tmp_path, refuse)
    log.append("t", [b"one"])
    crash(tmp_path, pack(b"two") + pack(b"three"))
    assert values(log) == [b"one", b"two", b"three"]
    log.append("t", [b"four"])
    assert values(log) == [b"one", b"two", b"three", b"four"]


@pytest.mark.parametrize("note", [None, b"", b"123456789012", b"short"])
def test_an_end_that_was_lost_is_found_again(tmp_path: Path, note: bytes | None) -> None:
    log = LocalLog(tmp_path, refuse)
    log.append("t", [b"one", b"two"])
    end = tmp_path / "t" / "p=0.end"
    end.unlink() if note is None else end.write_bytes(note)
    assert values(log) == [b"one", b"two"]
    log.append("t", [b"three"])
    assert values(log) == [b"one", b"two", b"three"]


def test_damage_before_the_synced_end_is_an_error_and_never_cut(tmp_path: Path) -> None:
    log = LocalLog(tmp_path, refuse)
    places = log.append("t", [b"one", b"two", b"three"])
    path = tmp_path / "t" / "p=0.log"
    data = bytearray(path.read_bytes())
    for index in range(places[1].offset, places[2].offset):
        damaged = bytearray(data)
        damaged[index] ^= 0xFF
        path.write_bytes(damaged)
        assert [record.value for record in log.read("t", 0, 0, 1 << 20)] == [b"one"]
        with pytest.raises(DriftnetError, match=rf"{path}: the frame at offset 11 is damaged"):
            log.read("t", 0, places[1].offset, 1 << 20)
    log.append("t", [b"four"])
    assert path.read_bytes() == bytes(damaged) + pack(b"four")


def test_a_log_that_lost_synced_bytes_is_an_error(tmp_path: Path) -> None:
    log = LocalLog(tmp_path, refuse)
    log.append("t", [b"one", b"two"])
    path = tmp_path / "t" / "p=0.log"
    os.truncate(path, 12)
    with pytest.raises(DriftnetError, match=r"shorter than its synced end, offset 22: restore"):
        log.append("t", [b"three"])
    with pytest.raises(DriftnetError, match="shorter than its synced end"):
        log.read("t", 0, 0, 100)


def test_a_reader_sees_nothing_that_is_not_synced_while_an_appender_works(tmp_path: Path) -> None:
    log = LocalLog(tmp_path, refuse)
    log.append("t", [b"one"])
    path = crash(tmp_path, pack(b"two")[:-1])
    with path.open("rb+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert values(log) == [b"one"]
        file.seek(0, os.SEEK_END)
        file.write(pack(b"two")[-1:])
        file.flush()
        assert values(log) == [b"one"]
    assert values(log) == [b"one", b"two"]


def test_a_message_that_is_too_long_is_refused_and_nothing_is_added(tmp_path: Path) -> None:
    log = LocalLog(tmp_path, refuse)
    with pytest.raises(InputError, match="a message has 1048577 bytes: 1048576 at most"):
        log.append("t", [b"good", bytes(MAX_MESSAGE_BYTES + 1)])
    assert log.partitions("t") == []
    log.append("t", [bytes(MAX_MESSAGE_BYTES)])
    assert len(log.read("t", 0, 0, 1)) == 1


def test_a_full_disk_leaves_the_log_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = LocalLog(tmp_path, refuse)
    log.append("t", [b"one"])

    def full(file: int, data: bytes, at: int) -> None:
        os.pwrite(file, data[:5], at)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("ingest.local.log.write_all", full)
        with pytest.raises(DriftnetError, match=r"cannot append .*No space left"):
            log.append("t", [b"two"])
    log.append("t", [b"three"])
    assert values(log) == [b"one", b"three"]


def test_a_topic_that_is_not_there_is_empty_and_reading_does_not_make_it(tmp_path: Path) -> None:
    log = LocalLog(tmp_path / "log", refuse)
    assert (log.partitions("t"), log.read("t", 0, 0, 10), log.end_offset("t", 0)) == ([], [], 0)
    assert not (tmp_path / "log").exists()


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden", "a b"])
def test_a_topic_needs_a_name_that_is_a_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="is no name"):
        LocalLog(tmp_path, refuse).append(name, [b"x"])


def test_a_topic_keeps_its_source_id_and_one_made_again_has_another(tmp_path: Path) -> None:
    log = LocalLog(tmp_path, refuse)
    first = log.append("t", [b"one"])[0].source_id
    assert LocalLog(tmp_path, refuse).source_id("t") == first
    (tmp_path / "t").rename(tmp_path / "old")
    assert log.source_id("t") != first


def test_racers_agree_on_one_source_id(tmp_path: Path) -> None:
    found: set[str] = set()
    barrier = threading.Barrier(16)

    def ask() -> None:
        barrier.wait()
        found.add(LocalLog(tmp_path, refuse).source_id("t"))

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 1
    assert [path.name for path in (tmp_path / "t").iterdir()] == ["source_id"]


WRITE_MANY = """
import sys
from pathlib import Path
from ingest.local.log import LocalLog
log = LocalLog(Path(sys.argv[1]), print)
for number in range(0, 400, 10):
    log.append("t", [b"%s:%d" % (sys.argv[2].encode(), number + step) for step in range(10)])
"""

WRITE_FOR_EVER = """
import itertools, sys
from pathlib import Path
from ingest.local.log import LocalLog
log = LocalLog(Path(sys.argv[1]), print)
for number in itertools.count():
    print(log.append("t", [b"%d" % number * 50])[0].offset, flush=True)
"""


def run(script: str, *arguments: object) -> subprocess.Popen[str]:
    """Start another process."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_two_processes_append_while_another_reads_and_nothing_is_lost(tmp_path: Path) -> None:
    writers = [run(WRITE_MANY, tmp_path, who) for who in range(2)]
    log, offset = LocalLog(tmp_path, refuse), 0
    found: list[bytes] = []
    while any(writer.poll() is None for writer in writers) or log.end_offset("t", 0) > offset:
        for record in log.read("t", 0, offset, 500):
            found.append(record.value or b"")
            offset = record.next_offset
    assert [writer.communicate()[0] for writer in writers] == ["", ""]
    assert [writer.returncode for writer in writers] == [0, 0]
    for who in range(2):
        mine = [value for value in found if value.startswith(b"%d:" % who)]
        assert mine == [b"%d:%d" % (who, number) for number in range(400)]
    assert len(found) == 800


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    writer = run(WRITE_FOR_EVER, tmp_path)
    assert writer.stdout is not None
    last = [int(writer.stdout.readline()) for _ in range(20)][-1]
    writer.kill()
    last = max([last, *map(int, writer.communicate()[0].split())])
    log = LocalLog(tmp_path, lambda text: None)
    assert log.end_offset("t", 0) > last
    found = values(log)
    assert found == [b"%d" % number * 50 for number in range(len(found))]
    assert len(found) >= 20


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_walked_without_an_exception(data: bytes) -> None:
    assert all(stop <= len(data) for _, stop, _ in scan(data))
