"""Copying the marts of an open warehouse into the folder of a new published copy."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from ingest.errors import DriftnetError

_MARTS = """
    select schema_name, relation_name, comment
    from (
        select database_name, schema_name, table_name as relation_name, comment
        from duckdb_tables()
        union all
        select database_name, schema_name, view_name as relation_name, comment
        from duckdb_views()
    )
    where
        database_name = 'driftnet'
        and regexp_matches(relation_name, '^(dim|fct|rpt)_')
    order by relation_name
"""
_COLUMN_COMMENTS = """
    select column_name, comment
    from duckdb_columns()
    where database_name = 'driftnet' and schema_name = ? and table_name = ? and comment is not null
"""
_MACROS = """
    select function_name, parameters, macro_definition
    from duckdb_functions()
    where database_name = 'driftnet' and function_type = 'table_macro' and not internal
    order by function_name
"""


def copy_marts(connection: duckdb.DuckDBPyConnection, part: Path) -> tuple[str, ...]:
    """Copy every mart of the catalog `driftnet` to the catalog `copy` and to Parquet.

    Parameters
    ----------
    connection
        Has both attached under these names.
    part
        The folder of the Parquet files.

    Returns
    -------
    tuple of str
        The names of the marts.

    Raises
    ------
    DriftnetError
        There is no mart, or there are two of one name.
    """
    marts = connection.execute(_MARTS).fetchall()
    names = tuple(name for _, name, _ in marts)
    if not names or len(set(names)) < len(names):
        what = "no marts" if not names else "two marts of one name"
        raise DriftnetError(f"the warehouse has {what}: look at the dbt project")
    for schema, name, comment in marts:
        _copy(connection, part, schema, name, comment)
    _copy_macros(connection)
    return names


@contextmanager
def told(part: Path) -> Iterator[None]:
    """Remove the folder that is written to, and say what to do, when the disk does not take it."""
    try:
        yield
    except (OSError, duckdb.OperationalError, duckdb.FatalException) as error:
        shutil.rmtree(part, ignore_errors=True)
        line = str(error).strip().splitlines()[0]
        raise DriftnetError(
            f"cannot write to {part.parent}: {line}; make room on that disk and build again"
            " (readers keep the last published copy)"
        ) from error


def _copy(
    connection: duckdb.DuckDBPyConnection, part: Path, schema: str, name: str, comment: str | None
) -> None:
    target = f'copy.main."{name}"'
    connection.execute(f'create table {target} as select * from driftnet."{schema}"."{name}"')
    if comment:
        connection.execute(f"comment on table {target} is {_quoted(comment)}")
    for column, text in connection.execute(_COLUMN_COMMENTS, [schema, name]).fetchall():
        connection.execute(f'comment on column {target}."{column}" is {_quoted(text)}')
    parquet = _quoted(str(part / f"{name}.parquet"))
    connection.execute(f"copy {target} to {parquet} (format parquet, compression zstd)")


def _copy_macros(connection: duckdb.DuckDBPyConnection) -> None:
    # A macro names its tables without a catalog: it is made, and later called, from inside its own.
    macros = connection.execute(_MACROS).fetchall()
    connection.execute("use copy")
    for name, parameters, body in macros:
        connection.execute(f"create macro {name}({', '.join(parameters)}) as table ({body})")
    connection.execute("use memory")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
