"""Landed files as a chain: names, the walk from link to link, and the commit that fences.

A file ``landing/<topic>/<source_id>/p=<partition>/<position>.parquet`` (20 digits) holds what the
log had from `position` up to its `next_offset` (in its key-value metadata), which is the position
of the next file. A position can be taken once: the commit is a hard link, which fails if the name
is there. So a writer that was frozen while another went on cannot add a row. Compaction frees
names (`ingest.landed.compacted`): so after its link a writer reads the compacted end, and withdraws
its file if it lies before it; and everyone lists the chain first, the compacted files second.

A writer's unfinished file, ``.<position>-<uuid>.tmp``, is locked as long as its writer lives;
`sweep` removes those whose writer is dead. They are never read.
"""

import errno
import fcntl
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from ingest.durable import make_folder, sync
from ingest.errors import DriftnetError
from ingest.landed.compacted import Span, compacted_end, spans

SUFFIX = ".parquet"
DIGITS = 20


class Fenced(DriftnetError):  # noqa: N818 - a verdict of the chain, named as it is spoken of
    """Another writer has taken the position: drop the rows and go on from the chain's end."""


@dataclass(frozen=True)
class Link:
    """One landed file, the chain's or compacted: the offsets from `position` to `next_offset`."""

    position: int
    next_offset: int
    path: Path


def partition_folder(landing: Path, topic: str, source_id: str, partition: int) -> Path:
    """Return the folder of one chain.

    Examples
    --------
    >>> partition_folder(Path("landing"), "t", "s", 0).as_posix()
    'landing/t/s/p=0'
    """
    return landing / topic / source_id / f"p={partition}"


def file_name(position: int) -> str:
    """Return the name of the file that begins at a position.

    Examples
    --------
    >>> file_name(42)
    '00000000000000000042.parquet'
    """
    return f"{position:0{DIGITS}d}{SUFFIX}"


def listing(folder: Path) -> dict[int, Path]:
    """Return the landed files of a folder by position, in order; nothing of one not there."""
    found = {
        int(path.stem): path
        for path in folder.glob(f"*{SUFFIX}")
        if len(path.stem) == DIGITS and path.stem.isdecimal()
    }
    return dict(sorted(found.items()))


def metadata(path: Path) -> Mapping[str, str]:
    """Return the key-value metadata of a landed file.

    Raises
    ------
    DriftnetError
        The file cannot be read as Parquet.
    """
    try:
        raw = pq.read_metadata(path).metadata or {}
    except (OSError, ValueError) as error:
        raise DriftnetError(
            f"{path} is no readable Parquet file ({str(error).splitlines()[0]}): "
            "restore it from a copy"
        ) from error
    return {key.decode(): value.decode() for key, value in raw.items()}


def walk(folder: Path, start: int = 0) -> Iterator[Link]:
    """Walk a chain from `start`; stop at the first missing link.

    Compacted files are walked first; the first link may begin before `start` when it is one of
    them: its reader leaves out the offsets before. Names are listed once, before the first link,
    and once more where a compaction took one away in the meantime.

    Raises
    ------
    DriftnetError
        A file does not say where the next begins, or says a place that is not behind it.
    """
    files, compacted = listing(folder), spans(folder)  # in this order: see above
    position = start
    while link := _link_at(position, files, compacted):
        if link.path.exists():
            yield link
            position = link.next_offset
        else:
            files, compacted = listing(folder), spans(folder)


def _link_at(position: int, files: Mapping[int, Path], compacted: list[Span]) -> Link | None:
    """Return the link that holds a position."""
    for span in compacted:
        if span.position <= position < span.next_offset:
            return Link(span.position, span.next_offset, span.path)
    path = files.get(position)
    if path is None:
        return None
    try:
        text = metadata(path).get("next_offset", "")
    except DriftnetError:
        if path.exists():
            raise
        return Link(position, position, path)  # compacted this moment: it is looked for again
    if not text.isdecimal() or int(text) <= position:
        raise DriftnetError(f"{path} has next_offset {text!r}: restore it from a copy")
    return Link(position, int(text), path)


def chain_end(folder: Path, start: int = 0) -> int:
    """Return the position of the next file to write: where the walk ends."""
    end = start
    for link in walk(folder, start):
        end = link.next_offset
    return end


@contextmanager
def unfinished(folder: Path, position: int) -> Iterator[Path]:
    """Give the path of a new unfinished file; it is gone when the block ends, committed or not."""
    make_folder(folder)
    temporary = folder / f".{position:0{DIGITS}d}-{uuid.uuid4().hex}.tmp"
    file = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)
        os.close(file)


def commit(temporary: Path, folder: Path, position: int) -> Path:
    """Make an unfinished file the link at a position, durably, or not at all.

    Raises
    ------
    Fenced
        The position is taken (or a sweep took this writer for dead).
    """
    final = folder / file_name(position)
    make_folder(folder)
    try:
        sync(temporary)
        os.link(temporary, final)
    except (FileExistsError, FileNotFoundError) as error:
        raise Fenced(f"{final} was landed by another writer: nothing was added") from error
    sync(folder)
    temporary.unlink(missing_ok=True)
    if position < compacted_end(folder):
        final.unlink(missing_ok=True)
        raise Fenced(f"{final} was landed and compacted by others: nothing was added")
    return final


def sweep(folder: Path) -> int:
    """Remove the unfinished files of dead writers; return how many."""
    count = 0
    for path in folder.glob(".*.tmp"):
        with suppress(FileNotFoundError), path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            path.unlink()
            count += 1
    return count


def require_links(folder: Path) -> None:
    """Refuse a folder whose file system has no hard links.

    Raises
    ------
    DriftnetError
        With the remedy.
    """
    make_folder(folder)
    first = folder / f".links-{uuid.uuid4().hex}.tmp"
    second = first.with_suffix(".link")
    first.touch()
    try:
        os.link(first, second)
        second.unlink()
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
            raise
        raise DriftnetError(
            f"{folder} is on a file system without hard links, which landing needs "
            f"({error.strerror}): set DRIFTNET_HOME to a local disk"
        ) from error
    finally:
        first.unlink(missing_ok=True)
