"""Pruning: old landed rows go, once the warehouse has folded them.

What goes is the oldest part of a chain: it becomes one compacted file without rows that says so, so
that the chain still begins at 0 and nothing lands a second time. Rows of events that are still held
(their version has no reference yet) stay in that file, for they will be read again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ingest.engine import connect
from ingest.landed import chain
from ingest.landed.chain import Link
from ingest.landed.compaction import chains, clean, replace
from ingest.landed.footer import chunks

REASON = "pruned"
"""How the reason of a pruned file begins."""

Chain = tuple[str, str, int]
"""Topic, source_id and partition."""


@dataclass(frozen=True)
class Pruned:
    """What pruning removed.

    Parameters
    ----------
    file_count
        Files that are gone.
    row_count
        Rows that are gone.
    held_count
        Rows of that age that stay, because their events are still held.
    byte_count
        By how much the files are smaller.
    """

    file_count: int = 0
    row_count: int = 0
    held_count: int = 0
    byte_count: int = 0

    def __add__(self, other: "Pruned") -> "Pruned":
        """Return the sum."""
        return Pruned(
            self.file_count + other.file_count,
            self.row_count + other.row_count,
            self.held_count + other.held_count,
            self.byte_count + other.byte_count,
        )


def prune(
    landing: Path,
    topics: Sequence[str],
    before: datetime,
    folded: Mapping[Chain, int],
    held: Mapping[Chain, Sequence[int]],
    *,
    threads: int = 2,
    memory_limit: str = "1GB",
) -> Pruned:
    """Remove what landed before a time.

    Parameters
    ----------
    landing
        The landing folder; the caller holds the build's lock.
    topics
        Whose chains.
    before
        Aware; a file goes when all its rows landed before.
    folded
        Up to which offset each chain is in every table; nothing from there on is touched.
    held
        Offsets of rows to keep.
    """
    total = Pruned()
    with connect(landing, threads, memory_limit) as connection:
        for folder in chains(landing, topics):
            clean(folder)
            name = (folder.parent.parent.name, folder.parent.name, int(folder.name[2:]))
            links = _old(folder, before, folded.get(name, 0))
            if all(_is_pruned(link) for link in links):
                continue
            kept = pa.table({"position": pa.array(held.get(name, ()), pa.int64())})
            rows = sum(pq.read_metadata(link.path).num_rows for link in links)
            size = sum(link.path.stat().st_size for link in links)
            connection.register("held", kept)
            left = replace(
                connection,
                folder,
                links,
                "_offset in (select position from held)",
                f"{REASON}: rows that landed before {before:%Y-%m-%d %H:%M} UTC",
            )
            connection.unregister("held")
            size -= next(chain.walk(folder)).path.stat().st_size
            total += Pruned(len(links) - 1, rows - left, left, size)
    return total


def _old(folder: Path, before: datetime, folded: int) -> list[Link]:
    links = []
    for link in chain.walk(folder):
        newest = newest_landing(link.path)
        if link.next_offset > folded or (newest is not None and newest >= before):
            break
        links.append(link)
    return links


def _is_pruned(link: Link) -> bool:
    return chain.metadata(link.path).get("reason", "").startswith(REASON)


def newest_landing(path: Path) -> datetime | None:
    """Return when the last row of a landed file landed, from its statistics; None without rows."""
    facts = pq.read_metadata(path)
    if not facts.num_rows:
        return None
    newest: Any = max(chunk.statistics.max for chunk in chunks(facts, "_landed_at"))
    return datetime.fromisoformat(str(newest)).replace(tzinfo=UTC)
