"""Import of a reference: an external model folder made from rows of a file or a query."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ingest.batches.plan import Plan, make_plan
from ingest.batches.refusal import refuse_mostly_bad
from ingest.batches.source import first_line, open_source
from ingest.batches.sql import labels_sql, predictions_sql, reference_sql
from ingest.card import Card
from ingest.engine import connect
from ingest.errors import InputError
from ingest.model import describe, registered, save
from ingest.progress import Advance
from ingest.progress import ignore as tell_no_one
from ingest.reference import shape_reference


def import_reference(
    source: Path | str | None,
    *,
    models: Path,
    model_name: str,
    model_version: str = "0",
    mapping: Mapping[str, str],
    clock: Callable[[], datetime],
    scratch: Path,
    features: Sequence[str] | None = None,
    ignore: Sequence[str] = (),
    where: str | None = None,
    sample: int | None = None,
    query: str | None = None,
    database: Path | None = None,
    advance: Advance = tell_no_one,
    threads: int = 2,
    memory_limit: str = "1GB",
) -> Card:
    """Give a model a reference: write ``models/<name>/<version>/`` of kind external.

    The same reference again changes nothing. Parameters are those of `ingest.batch.import_file`,
    and `scratch`, a folder for temporary files.

    Returns
    -------
    Card
        As written, now or before.

    Raises
    ------
    InputError
        As `import_file`; also: a bad row, no decision, a trained model has the name, the version
        is there with other content.
    """
    trained = [card for card in registered(models) if card.name == model_name]
    if any(card.kind == "trained" for card in trained):
        raise InputError(
            f"model {model_name} was trained here, it has its own reference: "
            "import under another model name"
        )
    path = None if source is None else Path(source)
    with (
        connect(scratch, threads, memory_limit) as connection,
        open_source(connection, path, query, database, where, sample, scratch) as opened,
    ):
        plan = make_plan(
            opened,
            model_name,
            model_version,
            mapping,
            features,
            ignore,
            {"where": where, "sample": sample},
        )
        try:
            table = _rows(connection, plan, clock())
        except duckdb.Error as error:
            raise InputError(f"{opened.name} cannot be read: {first_line(error)}") from None
    card = _card(plan, table, clock())
    if not (models / model_name / model_version).exists():
        card = save(models, card, plan.features, table)
    else:
        card = _same(models, plan, shape_reference(table, card, plan.features))
    advance(table.num_rows)
    return card


def _rows(connection: duckdb.DuckDBPyConnection, plan: Plan, now: datetime) -> Any:
    """Return the reference's rows; every row must be good."""
    name = f"landed_{uuid4().hex}"
    connection.execute(f"create temp table {name} as {predictions_sql(plan, [], now)}")
    refuse_mostly_bad(connection, plan, name, most=0.0)
    if "label" in plan.columns:
        refuse_mostly_bad(connection, plan, f"({labels_sql(plan, now)})", most=0.0)
    connection.execute(f"create temp view landed as from {name}")
    return connection.sql(reference_sql(plan)).to_arrow_table()


def _card(plan: Plan, table: pa.Table, now: datetime) -> Card:
    if table.column("is_predicted_positive").null_count:
        raise InputError(
            f"{plan.source.name}: a reference needs decisions: "
            "map decision=COLUMN, or threshold=COLUMN or a number such as threshold=0.5"
        )
    lengths = pc.min_max(pc.list_value_length(table.column("embedding"))).as_py()
    return Card(
        name=plan.model_name,
        version=plan.model_version,
        kind="external",
        created_at=now,
        threshold=plan.threshold,
        embedding_dimension=lengths["max"] or 0,
    )


def _same(models: Path, plan: Plan, rows: pa.Table) -> Card:
    """Return the card that is there when it says the same; refuse when not."""
    card, features = describe(models, plan.model_name, plan.model_version)
    folder = models / plan.model_name / plan.model_version
    stored = pq.read_table(folder / "reference.parquet").cast(rows.schema)
    if (
        card.kind == "external"
        and card.threshold == plan.threshold
        and features == plan.features
        and stored.equals(rows)
    ):
        return card
    raise InputError(
        f"model {plan.model_name} version {plan.model_version} is there with another reference: "
        "import this one under a new version"
    )
