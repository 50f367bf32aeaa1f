"""The embedded event log: one file a partition, durable, for several processes of one machine.

``<folder>/<topic>/p=0.log`` holds frames (`ingest.local.frames`); an offset is a byte position in
it. Appenders take turns by `flock`. One that finds bytes behind the synced end
(`ingest.local.tail`) keeps the whole frames, cuts the torn rest, sets it aside and reports it.
Readers stop at the synced end, so that nothing lands that a power cut could take back. A broken
frame before the synced end is damage, not a torn tail: it is an error, never cut.
"""

import fcntl
import os
import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ingest.durable import make_folder, sync, write_all
from ingest.errors import DriftnetError, InputError
from ingest.local.frames import pack, scan
from ingest.local.tail import MAX_FRAME_BYTES, remember, remembered, repair, settle
from ingest.log import Position, Record, require_fit

PARTITION = 0
TOPIC_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,248}")


class LocalLog:
    """An event log in a folder; satisfies `ingest.log.EventLog`.

    Parameters
    ----------
    folder
        Where the topics stand; made when absent.
    on_repair
        Is told, in one line, of a torn tail that was cut.

    Examples
    --------
    >>> import tempfile
    >>> log = LocalLog(Path(tempfile.mkdtemp()), print)
    >>> [position.offset for position in log.append("t", [b"one", b"two"])]
    [0, 11]
    >>> [record.value for record in log.read("t", 0, 11, 100)]
    [b'two']
    """

    def __init__(self, folder: Path, on_repair: Callable[[str], object]) -> None:
        self._folder = folder
        self._on_repair = on_repair

    def append(self, topic: str, values: Iterable[bytes]) -> list[Position]:
        """Add messages in order with one write and one sync.

        Parameters
        ----------
        topic
            Made when absent.
        values
            The messages, each at most `MAX_MESSAGE_BYTES` long.

        Raises
        ------
        InputError
            A message is too long; none was added.
        DriftnetError
            The disk refused; none was acknowledged.
        """
        values = list(values)
        require_fit(values)
        frames = [pack(value) for value in values]
        if not frames:
            return []
        source = self.source_id(topic)
        path = self._path(topic)
        with _locked(path) as file:
            start = repair(path, file, self._on_repair)
            try:
                write_all(file, b"".join(frames), start)
                os.fsync(file)
            except OSError as error:
                with suppress(OSError):
                    os.ftruncate(file, start)
                raise DriftnetError(f"{path}: cannot append ({error}): free the disk") from error
            remember(path, start + sum(map(len, frames)))
        positions = []
        for frame in frames:
            positions.append(Position(source, topic, PARTITION, start))
            start += len(frame)
        return positions

    def source_id(self, topic: str) -> str:
        """Return the UUID of the topic; it is made with the topic, once, whoever comes first."""
        path = self._path(topic).with_name("source_id")
        with suppress(FileNotFoundError):
            return _read_source(path)
        make_folder(path.parent)
        temporary = path.with_name(f".source_id-{uuid.uuid4().hex}")
        temporary.write_text(f"{uuid.uuid4()}\n", encoding="ascii")
        try:
            sync(temporary)
            with suppress(FileExistsError):
                os.link(temporary, path)
            sync(path.parent)
        finally:
            temporary.unlink()
        return _read_source(path)

    def partitions(self, topic: str) -> list[int]:
        """Return [0], or nothing when the topic has no message yet."""
        return [PARTITION] if self._path(topic).exists() else []

    def end_offset(self, topic: str, partition: int) -> int:
        """Return where the synced frames end.

        Bytes behind the remembered end are looked at when no appender is at work: whole frames
        are synced and counted, a torn rest is left for the next appender to cut.
        """
        path = self._path(topic, partition)
        if not path.exists():
            return 0
        known = remembered(path)
        if known is not None and path.stat().st_size == known:
            return known
        with path.open("rb+") as file:
            try:
                must_wait = 0 if known is None else fcntl.LOCK_NB
                fcntl.flock(file, fcntl.LOCK_EX | must_wait)
            except BlockingIOError:  # an appender is at work: what it adds is seen next time
                return known or 0
            return settle(path, file.fileno())

    def read(self, topic: str, partition: int, offset: int, max_bytes: int) -> list[Record]:
        """Return the whole, synced records from `offset` on.

        Parameters
        ----------
        topic, partition
            Which file.
        offset
            A position that `append` gave, a record's `next_offset`, or 0.
        max_bytes
            About how much; one record at least.

        Raises
        ------
        DriftnetError
            The frame at `offset` is damaged; the message names file and offset. (Good records
            before a damaged frame are given first, the damage is told by the read after them.)
        """
        left = self.end_offset(topic, partition) - offset
        if left <= 0:
            return []
        path = self._path(topic, partition)
        with path.open("rb") as file:
            for size in (min(max_bytes, left), min(MAX_FRAME_BYTES, left)):
                file.seek(offset)
                data = file.read(size)
                records = [
                    Record(offset + start, offset + stop, message)
                    for start, stop, message in scan(data)
                ]
                if records:
                    return records
        raise DriftnetError(
            f"{path}: the frame at offset {offset} is damaged: "
            "restore the file from a copy, or move the topic's folder away"
        )

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def _path(self, topic: str, partition: int = PARTITION) -> Path:
        if not TOPIC_NAME.fullmatch(topic):
            raise InputError(f"topic {topic!r} is no name: use letters, digits, '.', '_' and '-'")
        return self._folder / topic / f"p={partition}.log"


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Open a log file, made when absent, with the lock that all appenders take."""
    is_new = not path.exists()
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        if is_new:
            sync(path.parent)
        yield file
    finally:
        os.close(file)


def _read_source(path: Path) -> str:
    text = path.read_text(encoding="ascii").strip()
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise DriftnetError(f"{path} holds no UUID: restore it from a copy") from None
