"""The warehouse file: the only module that opens it and publishes from it.

Readers never open the warehouse: they get the marts, copied as tables into a folder of their own,
and `current`, a relative link, moves to it only when it is whole.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from ingest.errors import DriftnetError
from ops import copying, shelf
from ops.settings import Settings

Query = Callable[[str, Sequence[object]], pa.Table]

#: A DuckDB of this version or later opens the published file.
STORAGE_VERSION = "v1.2.0"
FILE = "driftnet.duckdb"


@dataclass(frozen=True)
class Publication:
    """A published copy: its folder and the marts that are in it."""

    folder: Path
    marts: tuple[str, ...]


@dataclass(frozen=True)
class Folded:
    """What a warehouse has folded of landing.

    Parameters
    ----------
    ends
        By topic, source_id and partition: up to which offset.
    held
        By source_id and partition: offsets of predictions whose version has no reference yet.
    """

    ends: Mapping[tuple[str, str, int], int]
    held: Mapping[tuple[str, int], Sequence[int]]


def publish(settings: Settings, clock: Callable[[], datetime]) -> Publication:
    """Copy the marts of the warehouse to a new published folder and make it current.

    The caller holds the build's lock. A kill at any point leaves `current` whole: at worst a
    folder that no one reads stays until the next publication removes it.

    Returns
    -------
    Publication
        The folder that `current` now points to.

    Raises
    ------
    DriftnetError
        When there is no warehouse, no mart in it, or no room for the copy.
    """
    source = shelf.state_of(settings.warehouse)
    if not source:
        raise DriftnetError(f"no warehouse at {settings.warehouse}: run `driftnet build` first")
    stamp = f"{clock():%Y%m%dT%H%M%S.%fZ}"
    part = shelf.begin(settings.published, stamp)
    with copying.told(part):
        with _warehouse(settings) as connection, copying.told(part):
            connection.execute(
                f"attach {_quoted(str(part / FILE))} as copy (storage_version '{STORAGE_VERSION}')"
            )
            names = copying.copy_marts(connection, part)
            connection.execute("detach copy")
        folder = shelf.finish(part, settings.current, source)
    shelf.prune(settings.published, clock())
    return Publication(folder, names)


def published(settings: Settings) -> Publication:
    """Return the current published copy."""
    folder = _current(settings)
    return Publication(folder, tuple(sorted(path.stem for path in folder.glob("*.parquet"))))


def is_newer_than_published(settings: Settings) -> bool:
    """Return whether the warehouse has been written since it was last published."""
    state = shelf.state_of(settings.warehouse)
    return bool(state) and state != shelf.published_state(settings.current)


def published_at(settings: Settings) -> datetime | None:
    """Return when the current copy was published (UTC), None when nothing is."""
    return shelf.published_at(settings.current)


@contextmanager
def reader(settings: Settings) -> Iterator[Query]:
    """Open the current published copy for reading.

    Yields
    ------
    Query
        SQL and its parameters -> pyarrow.Table. It speaks of one publication, however long it
        is used.

    Raises
    ------
    DriftnetError
        When nothing is published yet, or the SQL fails.
    """
    path = _current(settings) / FILE
    try:
        connection = duckdb.connect(str(path), read_only=True)
    except duckdb.Error as error:
        line = str(error).strip().splitlines()[0]
        raise DriftnetError(f"cannot read {path}: {line}") from error
    connection.execute("set timezone = 'UTC'")

    def query(sql: str, parameters: Sequence[object] = ()) -> pa.Table:
        try:
            return connection.sql(sql, params=list(parameters) or None).to_arrow_table()
        except duckdb.Error as error:
            line = str(error).strip().splitlines()[0]
            raise DriftnetError(f"the published copy cannot answer: {line}") from error

    try:
        yield query
    finally:
        connection.close()


@contextmanager
def shut_to_builds(settings: Settings) -> Iterator[Callable[[], Folded]]:
    """Keep the warehouse open for reading: DuckDB refuses a plain `dbt build` for so long.

    Yields
    ------
    Callable
        Returns what the warehouse has folded of landing.
    """
    if not settings.warehouse.is_file():
        yield lambda: Folded({}, {})
        return
    with _warehouse(settings) as connection:
        yield lambda: _folded(connection)


def _folded(connection: duckdb.DuckDBPyConnection) -> Folded:
    ends = connection.execute(
        "select topic, source_id, partition_id, max(upto_offset) from driftnet.main.int_folds"
        " group by all"
    ).fetchall()
    rows = connection.execute(
        "select source_id, partition_id, list(position order by position)"
        " from driftnet.main.int_predictions where event_status = 'held' group by all"
    ).fetchall()
    return Folded(
        {(topic, source, partition): end for topic, source, partition, end in ends},
        {(source, partition): positions for source, partition, positions in rows},
    )


def written_at(settings: Settings) -> datetime | None:
    """Return when the warehouse was last written (UTC), None when there is none."""
    return shelf.written_at(settings.warehouse)


def _current(settings: Settings) -> Path:
    folder = settings.current.resolve()
    if not (folder / FILE).is_file():
        raise DriftnetError(f"nothing is published in {settings.home}: run `driftnet build` first")
    return folder


@contextmanager
def _warehouse(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    # Views hold the catalog's name, so the file is attached under its stem, and read-only.
    connection = duckdb.connect()
    try:
        connection.execute("set timezone = 'UTC'")
        connection.execute(f"set memory_limit = {_quoted(settings.memory_limit)}")
        connection.execute(
            f"attach {_quoted(str(settings.warehouse))} as driftnet (read_only)",
        )
        yield connection
    except duckdb.IOException as error:
        line = str(error).strip().splitlines()[0]
        raise DriftnetError(f"cannot read {settings.warehouse}: {line}") from error
    finally:
        connection.close()


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
