"""Landing: from the event log to Parquet, each position exactly once.

Every message becomes a row, also a bad one (``_error``, ``_raw``): nothing is dropped and nothing
blocks a partition. The rule of the commit is `ingest.landed.chain`; the rules of a message are
`ingest.fields`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

import duckdb
import pyarrow as pa

from ingest.engine import connect, write_parquet
from ingest.errors import DriftnetError
from ingest.events import LABEL_FIELDS, PREDICTION_FIELDS
from ingest.landed import chain
from ingest.landed.footer import count_errors
from ingest.landed.sql import landing_sql
from ingest.landed.tails import Tails
from ingest.log import EventLog, Gone, Record
from ingest.model import Feature
from ingest.progress import Advance, ignore
from ingest.subjects import SubjectStorage

EventKind = Literal["prediction", "label"]
FIELDS: Final = {"prediction": PREDICTION_FIELDS, "label": LABEL_FIELDS}

BATCH_BYTES = 1 << 25
"""About how much of the log becomes one file."""

_CHUNK_ROWS = 4_096  # per record batch: what one thread takes at a time
_BATCH = pa.schema([("_offset", pa.int64()), ("_raw", pa.binary()), ("_refusal", pa.string())])


@dataclass(frozen=True)
class Landed:
    """What was landed.

    Parameters
    ----------
    file_count
        Files committed by this call.
    row_count
        Rows in them, one per message.
    error_count
        Of these the bad ones.
    """

    file_count: int = 0
    row_count: int = 0
    error_count: int = 0

    def __add__(self, other: "Landed") -> "Landed":
        """Return the sum."""
        return Landed(
            self.file_count + other.file_count,
            self.row_count + other.row_count,
            self.error_count + other.error_count,
        )


def land(
    log: EventLog,
    topic: str,
    kind: EventKind,
    folder: Path,
    features: Sequence[Feature],
    clock: Callable[[], datetime],
    batch_bytes: int = BATCH_BYTES,
    advance: Advance = ignore,
    *,
    tails: Tails | None = None,
    storage: SubjectStorage = "full",
    threads: int = 2,
    memory_limit: str = "1GB",
) -> Landed:
    """Land what a topic holds now, from the end of each chain on.

    Parameters
    ----------
    log, topic, kind
        What to read, and which contract its messages have.
    folder
        The landing folder.
    features
        The registered ones: each gets a column ``feature_<name>``.
    clock
        Gives now, aware: ``_landed_at``, and what tells a time in the future.
    batch_bytes
        About how much of the log becomes one file.
    advance
        Is told the rows of each file landed.
    tails
        Of one who lands again and again: the same each time.
    storage
        What is kept of subjects, whoever sent them.
    threads, memory_limit
        Of DuckDB.

    Raises
    ------
    DriftnetError
        No hard links; a broken chain; a log that is shorter than what was landed of it.
    """
    chain.require_links(folder)
    total = Landed()
    tails = tails or Tails()
    with connect(folder, threads, memory_limit) as connection:
        for partition in log.partitions(topic):
            place = chain.partition_folder(folder, topic, log.source_id(topic), partition)
            chain.sweep(place)
            end = log.end_offset(topic, partition)
            position = tails.end(place)
            if position > end:
                raise DriftnetError(
                    f"{place} holds offsets up to {position}, the log of {topic} ends at {end}: "
                    "the log was cut or replaced; restore it, or move the topic's folder away"
                )
            while position < end:
                reason = ""
                try:
                    records = log.read(topic, partition, position, batch_bytes)
                    next_offset = records[-1].next_offset if records else position
                except Gone as gap:
                    records, next_offset, reason = [], gap.resume_at, str(gap)
                if next_offset == position:
                    break
                sql = landing_sql(FIELDS[kind], features, clock(), storage)
                try:
                    landed = land_batch(
                        connection, place, position, next_offset, table(records), sql, reason
                    )
                except chain.Fenced:
                    position = tails.end(place)
                    continue
                total += landed
                position = next_offset
                advance(landed.row_count)
    return total


def land_batch(
    connection: duckdb.DuckDBPyConnection,
    place: Path,
    position: int,
    next_offset: int,
    batch: Any,
    sql: str,
    reason: str = "",
    check: Callable[[], object] = lambda: None,
) -> Landed:
    """Write and commit one file.

    Parameters
    ----------
    connection
        Of `ingest.engine.connect`.
    place
        The folder of the chain.
    position, next_offset
        What the file holds.
    batch
        An Arrow table as `table` makes it; without rows where the log has a gap.
    sql
        Of `landing_sql`.
    reason
        Why there are no rows.
    check
        Is called right before the link and may raise.

    Raises
    ------
    Fenced
        Another writer has taken the position.
    """
    connection.register("batch", batch)
    source = place.parent
    facts = {
        "topic": source.parent.name,
        "source_id": source.name,
        "partition": place.name.removeprefix("p="),
        "position": str(position),
        "next_offset": str(next_offset),
        "reason": reason,
    }
    try:
        with chain.unfinished(place, position) as temporary:
            write_parquet(connection, sql, temporary, facts)
            errors = count_errors(temporary)
            check()
            chain.commit(temporary, place, position)
    finally:
        connection.unregister("batch")
    return Landed(1, batch.num_rows, errors)


def table(records: Sequence[Record]) -> Any:
    """Return the Arrow table of some records that landing's SQL reads."""
    return rows_table([(record.offset, record.value, record.refusal) for record in records])


def rows_table(rows: Sequence[tuple[int, bytes | None, str | None]]) -> Any:
    """Return the Arrow table of offsets, values and refusals, in parts that threads can share."""
    return pa.Table.from_batches(
        [
            pa.record_batch(
                [
                    pa.array(column, kind)
                    for column, kind in zip(columns, _BATCH.types, strict=True)
                ],
                schema=_BATCH,
            )
            for columns in (
                list(zip(*rows[start : start + _CHUNK_ROWS], strict=True))
                for start in range(0, len(rows), _CHUNK_ROWS)
            )
        ],
        _BATCH,
    )
