"""Compacted files: the older part of a chain in few large files.

``landing/<topic>/<source_id>/compacted/p=<partition>/<from>-<to>.parquet`` (20 digits each) holds
what the chain had from `from` up to `to`, exclusive. Together they cover the chain from 0 to the
compacted end without a hole; the chain's own files go on from there. A file that lies within a
larger one, and a chain file that lies before the compacted end, are what a killed compaction left,
or a zombie's: they are never read. A pruned part is such a file too, of no rows (but those of
events that are still held) and with its reason.

Only a holder of the build's lock (`ingest.landed.compaction`, `ingest.landed.pruning`) writes here.
"""

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = "compacted"
DIGITS = 20
_NAME = re.compile(rf"(\d{{{DIGITS}}})-(\d{{{DIGITS}}})\.parquet")


@dataclass(frozen=True)
class Span:
    """One compacted file: the offsets from `position` up to `next_offset`, exclusive."""

    position: int
    next_offset: int
    path: Path


def compacted_folder(folder: Path) -> Path:
    """Return where the compacted files of a chain's folder stand.

    Examples
    --------
    >>> compacted_folder(Path("landing/t/s/p=0")).as_posix()
    'landing/t/s/compacted/p=0'
    """
    return folder.parent / FOLDER / folder.name


def span_name(position: int, next_offset: int) -> str:
    """Return the name of a compacted file.

    Examples
    --------
    >>> span_name(0, 42)
    '00000000000000000000-00000000000000000042.parquet'
    """
    return f"{position:0{DIGITS}d}-{next_offset:0{DIGITS}d}.parquet"


def all_spans(folder: Path) -> list[Span]:
    """Return every compacted file of a chain's folder, the larger first where two begin alike."""
    found = [
        Span(int(match[1]), int(match[2]), path)
        for path in compacted_folder(folder).glob("*.parquet")
        if (match := _NAME.fullmatch(path.name))
    ]
    return sorted(found, key=lambda span: (span.position, -span.next_offset))


def spans(folder: Path) -> list[Span]:
    """Return the compacted files to read, in order: those that lie in no other."""
    whole: list[Span] = []
    for span in all_spans(folder):
        if not whole or span.next_offset > whole[-1].next_offset:
            whole.append(span)
    return whole


def compacted_end(folder: Path) -> int:
    """Return where the compacted part of a chain ends; 0 where nothing is compacted."""
    return max((span.next_offset for span in all_spans(folder)), default=0)
