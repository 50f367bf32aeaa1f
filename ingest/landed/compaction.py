"""Compaction: small landed files into large ones, row for row.

A new compacted file is whole and durable under its name before the first file that it replaces
goes; readers and writers hold to the rule of `ingest.landed.compacted`. So a kill at any point
loses no row and shows none twice, and the next compaction removes what is left over. The caller
holds the build's lock; landing may go on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from ingest.durable import make_folder, sync
from ingest.engine import connect, write_parquet
from ingest.landed import chain
from ingest.landed.chain import Link
from ingest.landed.compacted import FOLDER, all_spans, compacted_folder, span_name
from ingest.progress import Advance, ignore
from ingest.quoting import text

TARGET_BYTES = 1 << 27
"""About how large a compacted file becomes."""


@dataclass(frozen=True)
class Compacted:
    """What a compaction did.

    Parameters
    ----------
    file_count_before, file_count
        Landed files that readers opened before, and open now.
    row_count
        Rows that were written anew.
    """

    file_count_before: int = 0
    file_count: int = 0
    row_count: int = 0

    def __add__(self, other: "Compacted") -> "Compacted":
        """Return the sum."""
        return Compacted(
            self.file_count_before + other.file_count_before,
            self.file_count + other.file_count,
            self.row_count + other.row_count,
        )


def compact(
    landing: Path,
    topics: Sequence[str],
    target_bytes: int = TARGET_BYTES,
    advance: Advance = ignore,
    *,
    threads: int = 2,
    memory_limit: str = "1GB",
) -> Compacted:
    """Merge neighbouring landed files of every chain.

    Files are merged only where their columns have the same types, and never one that says why it
    has no rows. The last file of a chain stays as it is when it has no neighbour to merge with.

    Parameters
    ----------
    landing
        The landing folder; the caller holds the build's lock.
    topics
        Whose chains.
    target_bytes
        About how large a file becomes; files of half of it and more are left alone.
    advance
        Is told of files as they are done with.
    """
    total = Compacted()
    with connect(landing, threads, memory_limit) as connection:
        for folder in chains(landing, topics):
            clean(folder)
            links = list(chain.walk(folder))
            written = 0
            groups = _groups(links, target_bytes)
            for group in groups:
                if len(group) > 1 or group[0].path.parent == folder:
                    written += replace(connection, folder, group)
                advance(len(group))
            after = len(list(chain.walk(folder)))
            total += Compacted(len(links), after, written)
    return total


def chains(landing: Path, topics: Sequence[str]) -> Iterator[Path]:
    """Yield the folder of every chain of some topics."""
    for topic in topics:
        for folder in sorted((landing / topic).glob("[!.]*/p=*")):
            if folder.parent.name != FOLDER and folder.is_dir():
                yield folder


def clean(folder: Path) -> None:
    """Remove what a killed compaction or a zombie left: files that no one reads."""
    kept = compacted_folder(folder)
    chain.sweep(folder)
    chain.sweep(kept)
    known = all_spans(folder)
    end = max((span.next_offset for span in known), default=0)
    whole = 0
    for span in known:
        if span.next_offset <= whole:
            span.path.unlink(missing_ok=True)
        whole = max(whole, span.next_offset)
    for position, path in chain.listing(folder).items():
        if position < end:
            path.unlink(missing_ok=True)


def replace(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    links: Sequence[Link],
    condition: str = "true",
    reason: str = "",
) -> int:
    """Write one compacted file in place of neighbouring links, then remove them.

    Parameters
    ----------
    links
        In order; the compacted part of the chain reaches up to the first of them.
    condition
        An SQL condition on the rows to keep.
    reason
        Why rows are not kept.

    Returns
    -------
    int
        Rows written; 0 when the one file only moved.
    """
    first, last = links[0], links[-1]
    target = compacted_folder(folder)
    final = target / span_name(first.position, last.next_offset)
    make_folder(target)
    rows = 0
    if len(links) == 1 and condition == "true":
        final.hardlink_to(first.path)
    else:
        with chain.unfinished(target, first.position) as temporary:
            paths = ", ".join(text(str(link.path)) for link in links)
            facts = {
                "topic": folder.parent.parent.name,
                "source_id": folder.parent.name,
                "partition": folder.name.removeprefix("p="),
                "position": str(first.position),
                "next_offset": str(last.next_offset),
                "reason": reason,
            }
            options = "union_by_name = true, hive_partitioning = false"
            source = f"read_parquet([{paths}], {options})"
            query = f"select * from {source} where {condition} order by _offset"
            write_parquet(connection, query, temporary, facts)
            rows = pq.read_metadata(temporary).num_rows
            sync(temporary)
            temporary.replace(final)
    sync(target)
    for link in links:
        if link.path != final:
            link.path.unlink(missing_ok=True)
    return rows


def types(path: Path) -> dict[str, str]:
    """Return the columns of a landed file and their types."""
    schema = pq.read_schema(path)
    return {name: str(kind) for name, kind in zip(schema.names, schema.types, strict=True)}


def agree(one: dict[str, str], other: dict[str, str]) -> bool:
    """Return whether the columns that both have are of the same types.

    Examples
    --------
    >>> agree({"a": "double"}, {"a": "double", "b": "string"}), agree({"a": "double"}, {"a": "x"})
    (True, False)
    """
    return all(other.get(name, kind) == kind for name, kind in one.items())


def _groups(links: Sequence[Link], target_bytes: int) -> list[list[Link]]:
    """Part links into neighbours to be merged; the last goes where only one file is left."""
    groups: list[list[Link]] = []
    columns: dict[str, str] = {}
    size = 0
    was_alone = True
    for link in links:
        own, bytes_ = types(link.path), link.path.stat().st_size
        is_alone = bytes_ * 2 >= target_bytes or bool(chain.metadata(link.path).get("reason"))
        fits = not is_alone and not was_alone and size + bytes_ <= target_bytes
        if fits and agree(columns, own):
            groups[-1].append(link)
            size, columns = size + bytes_, {**columns, **own}
        else:
            groups.append([link])
            size, columns = bytes_, own
        was_alone = is_alone
    if groups and len(groups[-1]) == 1:
        groups.pop()
    return groups
