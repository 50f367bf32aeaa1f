"""The tail of a local log's file: up to where it is synced, and what stands behind that.

``p=0.end`` beside ``p=0.log`` holds the synced end (8 bytes, little end first) and its crc32. It is
written after the sync and not synced itself: after a power cut it may be old or unreadable (then
the frames behind it are looked at again), never ahead of the data.
"""

import os
import zlib
from collections.abc import Callable
from pathlib import Path

from ingest.durable import sync
from ingest.errors import DriftnetError
from ingest.fields import MAX_MESSAGE_BYTES
from ingest.local.frames import HEAD, scan

MAX_FRAME_BYTES = HEAD.size + MAX_MESSAGE_BYTES
_CHUNK = max(1 << 22, MAX_FRAME_BYTES)


def remembered(path: Path) -> int | None:
    """Return the synced end of a log file; None when nothing readable is remembered.

    Raises
    ------
    DriftnetError
        The file is shorter: it lost what was acknowledged.
    """
    try:
        data = path.with_suffix(".end").read_bytes()
    except FileNotFoundError:
        return None
    if data[8:] != _sum(data[:8]):
        return None
    end = int.from_bytes(data[:8], "little")
    if path.stat().st_size < end:
        raise DriftnetError(
            f"{path} is shorter than its synced end, offset {end}: "
            "restore the file from a copy, or move the topic's folder away"
        )
    return end


def remember(path: Path, end: int) -> None:
    """Write down the end of a log file that was just synced; the lock is held."""
    number = end.to_bytes(8, "little")
    file = os.open(path.with_suffix(".end"), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        os.pwrite(file, number + _sum(number), 0)
    finally:
        os.close(file)


def settle(path: Path, file: int) -> int:
    """Return the end of the whole frames, synced and remembered; the lock is held."""
    known = remembered(path)
    end = known or 0
    size = os.fstat(file).st_size
    while end < size:
        data = os.pread(file, _CHUNK, end)
        found = max((stop for _, stop, _ in scan(data)), default=0)
        if not found:
            break
        end += found
    if end != known:
        os.fsync(file)
        remember(path, end)
    return end


def repair(path: Path, file: int, on_repair: Callable[[str], object]) -> int:
    """Return where to append, after a torn tail was set aside, cut and reported; the lock is held.

    The torn bytes are kept beside as ``p=0.torn-<offset>``.
    """
    end = settle(path, file)
    size = os.fstat(file).st_size
    if size == end:
        return end
    aside, count = path.with_suffix(f".torn-{end}"), 1
    while aside.exists():
        count += 1
        aside = path.with_suffix(f".torn-{end}-{count}")
    with aside.open("xb") as copy:
        for at in range(end, size, _CHUNK):
            copy.write(os.pread(file, min(_CHUNK, size - at), at))
    sync(aside)
    sync(aside.parent)
    os.ftruncate(file, end)
    os.fsync(file)
    on_repair(
        f"{path}: cut a torn tail of {size - end} bytes at offset {end}, kept as {aside.name}"
    )
    return end


def _sum(number: bytes) -> bytes:
    return zlib.crc32(number).to_bytes(4, "little")
