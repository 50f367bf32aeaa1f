"""Files of past events: Parquet or CSV with ``ts_utc`` and ``url``, read in order and in batches.

Optional columns are ``label`` (1 positive, 0 negative, empty unknown), ``source`` (becomes the
channel) and ``label_known_at``; others are left aside. Times without an offset are UTC. The whole
file is checked before the first row is used. An event's id is made from the content of the file
and the number of its row, so the same file gives the same events.

When a label became known is ``label_known_at``; where that column has no value the label never did.
A file without the column has its delays drawn: lognormal, by row and seed, see `Delay`.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid5

import duckdb
import pyarrow as pa

from ingest.errors import InputError
from ingest.event_sql import BAD, USED, Delay, check_sql, events_sql, known_sql, reader_sql
from ingest.sealed import sha256

MEMORY = "1GB"
COLUMNS = "columns ts_utc and url (and, where known, label, source, label_known_at)"


@dataclass(frozen=True)
class EventFile:
    """A file that was checked.

    Parameters
    ----------
    path
        Where it is.
    columns
        Its columns, of those that are used.
    content
        The namespace of its event ids: from the sha256 of its bytes.
    row_count
        All its rows.
    first_at, newest_at
        The times of its first and its last event, aware, UTC.
    """

    path: Path
    columns: frozenset[str]
    content: UUID
    row_count: int
    first_at: datetime
    newest_at: datetime

    def event_id(self, row: int) -> UUID:
        """Return the id of the event in a row, counted from 0."""
        return uuid5(self.content, str(row))


def open_events(path: Path, now: datetime) -> EventFile:
    """Check a file of events.

    Parameters
    ----------
    path
        Ends in .parquet or .csv.
    now
        An event later than this has a wrong time.

    Raises
    ------
    InputError
        No such file, not readable, columns missing, no row, a time or a label that does not read.
    """
    if not path.is_file():
        raise InputError(f"there is no file {path}")
    if any(sign in str(path) for sign in "*?["):
        raise InputError(f"{path.name}: a file name with * ? or [ cannot be read: rename it")
    with _connection() as connection:
        try:
            names = connection.sql(f"select * from {reader_sql(path)} limit 0").columns
            columns = frozenset({name.lower() for name in names} & USED)
            if not {"ts_utc", "url"} <= columns:
                raise InputError(f"{path.name}: give it {COLUMNS}; it has {', '.join(names)[:200]}")
            found = connection.execute(check_sql(path, columns), [now.astimezone(UTC)]).fetchone()
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            raise InputError(f"{path.name} cannot be read as events: {reason}") from None
    rows, first, newest, *bad = found or (0, None, None)
    if not rows:
        raise InputError(f"{path.name} has no rows: nothing to do")
    for what, row in zip(BAD, bad, strict=True):
        if row is not None:
            raise InputError(f"{path.name}, row {row + 1}: {what}")
    digest = sha256(path)
    return EventFile(
        path,
        columns,
        UUID(digest[:32]),
        rows,
        first.replace(tzinfo=UTC),
        newest.replace(tzinfo=UTC),
    )


def read_events(
    file: EventFile, from_: datetime | None, until: datetime | None, batch: int
) -> Iterator[pa.RecordBatch]:
    """Yield events in order of time, then row: columns row, occurred_at, url, channel.

    Parameters
    ----------
    file
        The checked file.
    from_, until
        Events from `from_` on and before `until`; None is no limit.
    batch
        Rows of a batch at most.
    """
    sql = f"""
        select row, occurred_at, url, channel from ({events_sql(file.path, file.columns)})
        where (occurred_at >= $1 or $1 is null) and (occurred_at < $2 or $2 is null)
        order by occurred_at, row
    """
    return _stream(sql, [from_ and naive(from_), until and naive(until)], batch)


def read_labels(
    file: EventFile, from_: datetime | None, until: datetime | None, seed: int, delay: Delay
) -> Iterator[pa.RecordBatch]:
    """Yield labels in the order in which they became known: columns row, known_at, label.

    Those of the events of `read_events` with the same `from_` and `until`.
    """
    if "label" not in file.columns:
        return iter(())
    sql = f"""
        select row, {known_sql(file.columns, seed, delay)} as known_at, label
        from ({events_sql(file.path, file.columns)})
        where (occurred_at >= $1 or $1 is null) and (occurred_at < $2 or $2 is null)
            and label is not null and known_at is not null
        order by known_at, row
    """
    return _stream(sql, [from_ and naive(from_), until and naive(until)], 50_000)


def read_known(file: EventFile, until: datetime) -> pa.Table:
    """Return the events before `until`, in order of time, with the labels known by then.

    Columns row, occurred_at, url, channel, label; a label is NULL when there is none or, in a file
    that says when labels became known, when it was not known before `until`.
    """
    known = "label" if "label_known_at" not in file.columns else (
        "case when label_known_at < $1 then label end"
    )  # fmt: skip
    sql = f"""
        select row, occurred_at, url, channel, {known} as label
        from ({events_sql(file.path, file.columns)})
        where occurred_at < $1
        order by occurred_at, row
    """
    with _connection() as connection:
        return connection.sql(sql, params=[naive(until)]).to_arrow_table()


def naive(moment: datetime) -> datetime:
    """Return a time as UTC without a zone, as it stands in columns; a naive one is UTC already."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _stream(sql: str, values: list[datetime | None], batch: int) -> Iterator[pa.RecordBatch]:
    with _connection() as connection:
        reader: pa.RecordBatchReader = connection.sql(sql, params=values).to_arrow_reader(batch)
        yield from reader


@contextmanager
def _connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database of its own, in memory, that spills into a folder of its own."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect(":memory:") as connection:
        connection.execute(f"set memory_limit = '{MEMORY}'")
        connection.execute(f"set temp_directory = '{folder}'")
        connection.execute("set threads = 2")
        connection.execute("set TimeZone = 'UTC'")
        yield connection
