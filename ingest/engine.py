"""DuckDB as the workhorse of ingest: a private database in memory, and Parquet files out of it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb

from ingest.quoting import text


@contextmanager
def connect(
    folder: Path, threads: int = 2, memory_limit: str = "1GB"
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection of its own, without network, that spills under `folder` when it must.

    Parameters
    ----------
    folder
        Where ``.spill`` is made when memory runs out.
    threads, memory_limit
        The most it may use.
    """
    connection = duckdb.connect(
        config={
            "threads": threads,
            "memory_limit": memory_limit,
            "temp_directory": str(folder / ".spill"),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    try:
        connection.execute("set TimeZone = 'UTC'")
        yield connection
    finally:
        connection.close()


def write_parquet(
    connection: duckdb.DuckDBPyConnection, sql: str, path: Path, facts: Mapping[str, str]
) -> None:
    """Write the rows of a query, in their order, into the file at `path` (zstd), with `facts`."""
    pairs = ", ".join(f"{name}: {text(value)}" for name, value in facts.items())
    connection.execute(
        f"copy ({sql}) to {text(str(path))}"
        f" (format parquet, compression zstd, use_tmp_file false, kv_metadata {{{pairs}}})"
    ).fetchall()
