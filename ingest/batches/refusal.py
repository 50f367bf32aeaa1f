"""When most rows break one rule, the map is wrong, not the rows."""

import duckdb

from ingest.batches.plan import Plan
from ingest.errors import InputError


def refuse_mostly_bad(
    connection: duckdb.DuckDBPyConnection, plan: Plan, rows: str, most: float = 0.5
) -> None:
    """Refuse rows of which more than a share breaks one rule: then the map is wrong.

    Parameters
    ----------
    connection, plan
        Of the import.
    rows
        A relation with ``_error``.
    most
        The share in [0, 1].

    Raises
    ------
    InputError
        Naming the rule and the column.
    """
    found = connection.execute(f"""
        select _error, count(*), sum(count(*)) over () from {rows}
        group by _error order by _error is null, count(*) desc, _error
    """).fetchall()
    for error, count, total in found:
        if error is not None and count > most * total:
            field = str(error).split()[0]
            key = {"is_predicted_positive": "decision", "is_actual_positive": "label"}.get(
                field, field
            )
            column = f" ({key} is column {plan.columns[key]})" if key in plan.columns else ""
            raise InputError(
                f"{plan.source.name}: {count} of {total} rows are bad: {error}{column};"
                " map another column, mend these rows or filter them out"
            )
