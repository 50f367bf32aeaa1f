"""Landing: from the event log to Parquet, each position exactly once.

Every message becomes a row, also a bad one (``_error``, ``_raw``): nothing is dropped and nothing
blocks a partition. The rule of the commit is `ingest.chain`; the rules of a message are
`ingest.fields`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

import duckdb
import pyarrow as pa

from ingest import chain
from ingest.engine import connect, write_parquet
from ingest.errors import DriftnetError
from ingest.events import LABEL_FIELDS, PREDICTION_FIELDS
from ingest.landing_sql import landing_sql
from ingest.log import EventLog, Record
from ingest.model import Feature
from ingest.progress import Advance, ignore

EventKind = Literal["prediction", "label"]
FIELDS: Final = {"prediction": PREDICTION_FIELDS, "label": LABEL_FIELDS}

BATCH_BYTES = 1 << 25
"""About how much of the log becomes one file."""

_CHUNK_ROWS = 4_096  # per record batch: what one thread takes at a time


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
    threads, memory_limit
        Of DuckDB.

    Raises
    ------
    DriftnetError
        No hard links; a broken chain; a log that is shorter than what was landed of it.
    """
    chain.require_links(folder)
    total = Landed()
    with connect(folder, threads, memory_limit) as connection:
        for partition in log.partitions(topic):
            place = chain.partition_folder(folder, topic, log.source_id(topic), partition)
            chain.sweep(place)
            end = log.end_offset(topic, partition)
            position = chain.chain_end(place)
            if position > end:
                raise DriftnetError(
                    f"{place} holds offsets up to {position}, the log of {topic} ends at {end}: "
                    "the log was cut or replaced; restore it, or move the topic's folder away"
                )
            while position < end:
                records = log.read(topic, partition, position, batch_bytes)
                if not records:
                    break
                sql = landing_sql(FIELDS[kind], features, clock())
                try:
                    landed = _land_batch(connection, place, position, records, sql)
                except chain.Fenced:
                    position = chain.chain_end(place)
                    continue
                total += landed
                position = records[-1].next_offset
                advance(landed.row_count)
    return total


def _land_batch(
    connection: duckdb.DuckDBPyConnection,
    place: Path,
    position: int,
    records: Sequence[Record],
    sql: str,
) -> Landed:
    """Write and commit one file."""
    connection.register("batch", _table(records))
    source = place.parent
    facts = {
        "topic": source.parent.name,
        "source_id": source.name,
        "partition": place.name.removeprefix("p="),
        "position": str(position),
        "next_offset": str(records[-1].next_offset),
        "reason": "",
    }
    try:
        with chain.unfinished(place, position) as temporary:
            write_parquet(connection, sql, temporary, facts)
            errors = chain.count_errors(temporary)
            chain.commit(temporary, place, position)
    finally:
        connection.unregister("batch")
    return Landed(1, len(records), errors)


def _table(records: Sequence[Record]) -> Any:
    schema = pa.schema([("_offset", pa.int64()), ("_raw", pa.binary())])
    return pa.Table.from_batches(
        [
            pa.record_batch(
                [
                    pa.array([record.offset for record in part], pa.int64()),
                    pa.array([record.value for record in part], pa.binary()),
                ],
                schema=schema,
            )
            for part in (
                records[start : start + _CHUNK_ROWS]
                for start in range(0, len(records), _CHUNK_ROWS)
            )
        ],
        schema,
    )
