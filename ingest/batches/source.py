"""Where batch predictions come from: a Parquet file, a CSV file or a DuckDB query."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingest.errors import InputError
from ingest.landed import chain
from ingest.quoting import column, text
from ingest.sealed import sha256

ROW = "driftnet source row"
"""The column of the relation ``source`` that numbers its rows from 0."""


@dataclass(frozen=True)
class Source:
    """An opened source: the relation ``source`` of the connection holds its rows.

    Parameters
    ----------
    name
        For messages.
    content
        A digest of what is in it: of a file its bytes, of a query its rows (in any order).
    columns
        The DuckDB type of each column.
    row_count
        Rows, after filter and sample.
    """

    name: str
    content: str
    columns: dict[str, str]
    row_count: int


@contextmanager
def open_source(
    connection: duckdb.DuckDBPyConnection,
    path: Path | None,
    query: str | None,
    database: Path | None,
    where: str | None,
    sample: int | None,
    scratch: Path,
) -> Iterator[Source]:
    """Open a source; the relation is good until the block ends.

    Parameters
    ----------
    connection
        Of `ingest.engine.connect`.
    path
        A file that ends in .parquet or .csv; or None and
    query, database
        A SELECT, and the DuckDB file that it reads (None: it names files itself).
    where
        An SQL condition: the rows to take.
    sample
        At most this many rows, the same ones each time (those of the lowest md5 of their number),
        in their order.
    scratch
        A folder for the rows of a query; they stay in it until the block ends.

    Raises
    ------
    InputError
        Not readable, no row; the message says which and what to do.
    """
    if (path is None) == (query is None):
        raise InputError("give either a file or a query to import")
    if sample is not None and sample < 1:
        raise InputError(f"sample {sample} is no number of rows: use 1 or more")
    chain.sweep(scratch)
    with chain.unfinished(scratch, 0) as stored:
        if path is not None:
            name, reader = path.name, _reader(path)
            content = sha256(path)
        else:
            name, reader = "the query", f"read_parquet({text(str(stored))})"
            content = _store(connection, str(query), database, stored)
        try:
            row_count = _number(connection, reader, where, sample)
            described = connection.execute(f"describe select * from {reader}").fetchall()
        except duckdb.Error as error:
            raise InputError(f"{name} cannot be read: {first_line(error)}") from None
        if not row_count:
            raise InputError(f"{name} has no rows{' that fit the filter' if where else ''}")
        yield Source(name, content, {str(row[0]): str(row[1]) for row in described}, row_count)


def first_line(error: Exception) -> str:
    """Return the first line of an error's text."""
    return str(error).strip().splitlines()[0]


def _reader(path: Path) -> str:
    if not path.is_file():
        raise InputError(f"there is no file {path}")
    if re.search(r"[*?\[]", str(path)):
        raise InputError(f"{path.name}: a file name with * ? or [ cannot be read: rename it")
    if path.suffix == ".parquet":
        return f"read_parquet({text(str(path))})"
    if path.suffix == ".csv":
        return f"read_csv({text(str(path))}, header = true, sample_size = -1)"
    raise InputError(f"{path.name}: use a file that ends in .parquet or .csv, or a query")


def _store(
    connection: duckdb.DuckDBPyConnection, query: str, database: Path | None, stored: Path
) -> str:
    """Store the rows of a query as a file; return a digest that does not depend on their order."""
    if database is not None and not database.is_file():
        raise InputError(f"there is no database {database}")
    try:
        if database is not None:
            connection.execute(f"attach {text(str(database))} as origin (read_only)")
            connection.execute("use origin")
        copied = query.strip().rstrip(";")
        target = f"{text(str(stored))} (format parquet, use_tmp_file false)"
        connection.execute(f"copy ({copied}) to {target}").fetchall()
    except duckdb.Error as error:
        raise InputError(f"the query fails: {first_line(error)}") from None
    finally:
        if database is not None:
            connection.execute("use memory")
    found = connection.execute(f"""
        select count(*), sum(md5_number_lower(line)), sum(md5_number_upper(line))
        from (select cast(to_json(row_) as varchar) as line
            from read_parquet({text(str(stored))}) as row_)
    """).fetchall()
    return "-".join(map(str, found[0]))


def _number(
    connection: duckdb.DuckDBPyConnection, reader: str, where: str | None, sample: int | None
) -> int:
    """Make the view ``source``; return its rows."""
    kept = f"select * from {reader}" + (f" where ({where})" if where else "")
    numbered = f"select row_number() over () - 1 as {column(ROW)}, * from ({kept})"
    if sample is not None:
        connection.execute(f"""
            create or replace temp table sampled as
            select place from (select {column(ROW)} as place from ({numbered}))
            order by md5(cast(place as varchar)) limit {sample}
        """)
        numbered = f"select * from ({numbered}) where {column(ROW)} in (from sampled)"
    connection.execute(f"create or replace temp view source as {numbered}")
    return int(connection.execute("select count(*) from source").fetchall()[0][0])
