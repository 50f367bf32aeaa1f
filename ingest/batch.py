"""Import: batch predictions of any model, straight into landing.

An import is a source of its own with one partition: its `source_id` is a digest of content, model,
version, map and selection, an offset is a row number. So the same import lands once, however often
it is asked for. Rows that break a rule land as bad rows; when most rows break the same rule the map
is wrong, and the whole is refused before anything has landed.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

import duckdb
import pyarrow.parquet as pq

from ingest.batches.plan import Plan, make_plan
from ingest.batches.reference import import_reference
from ingest.batches.refusal import refuse_mostly_bad
from ingest.batches.source import first_line, open_source
from ingest.batches.sql import labels_sql, predictions_sql
from ingest.engine import connect, write_parquet
from ingest.errors import InputError
from ingest.landed import chain
from ingest.landed.footer import count_errors
from ingest.landed.subject_sql import kept_bytes_sql
from ingest.log import Topics
from ingest.model import registered_features
from ingest.progress import Advance
from ingest.progress import ignore as tell_no_one
from ingest.quoting import text
from ingest.subjects import SubjectStorage

__all__ = ["STAGING", "Imported", "import_file", "import_reference"]

STAGING = ".import"
"""The folder in landing where files stand before they are committed; never read."""


@dataclass(frozen=True)
class Imported:
    """What an import did.

    Parameters
    ----------
    source_id
        Under which it landed.
    row_count, error_count
        Predictions, and of these the bad rows.
    label_count, label_error_count
        Labels, and of these the bad rows.
    is_new
        False when all of it had landed before: nothing was changed.
    """

    source_id: UUID
    row_count: int
    error_count: int
    label_count: int
    label_error_count: int
    is_new: bool


def import_file(
    source: Path | str | None,
    *,
    landing: Path,
    topics: Topics,
    model_name: str,
    model_version: str = "0",
    mapping: Mapping[str, str],
    models: Path,
    clock: Callable[[], datetime],
    features: Sequence[str] | None = None,
    ignore: Sequence[str] = (),
    where: str | None = None,
    sample: int | None = None,
    query: str | None = None,
    database: Path | None = None,
    storage: SubjectStorage = "full",
    advance: Advance = tell_no_one,
    threads: int = 2,
    memory_limit: str = "1GB",
) -> Imported:
    """Land batch predictions, and labels when they are in the same source.

    Parameters
    ----------
    source
        A file that ends in .parquet or .csv; None with `query`.
    landing, models
        The folders of landed files and of models.
    topics
        Where predictions and labels land.
    model_name, model_version
        Whose predictions they are.
    mapping
        Which column is what: score and occurred_at; optionally label, labelled_at (else
        occurred_at), event_id (else uuid5 of `source_id` and row), channel, cluster, threshold (a
        column or a number), decision, embedding. Times without an offset are UTC.
    clock
        Gives now, aware.
    features, ignore
        Columns that are features, and columns to leave out; by default every column that is
        neither mapped nor ignored is a feature: numbers numeric, booleans boolean, texts
        categorical.
    where, sample
        An SQL condition, and how many rows at most: the rows to take.
    query, database
        Instead of `source`: a SELECT, and the DuckDB file that it reads.
    storage
        Not full: of a bad row only hash and length are kept, for its columns may hold subjects.
    advance
        Is told the rows landed.
    threads, memory_limit
        Of DuckDB.

    Raises
    ------
    InputError
        One line that names the column and the remedy; nothing has landed.
    """
    chain.require_links(landing)
    staging = landing / STAGING
    with connect(landing, threads, memory_limit) as connection:
        path = None if source is None else Path(source)
        with open_source(connection, path, query, database, where, sample, staging) as opened:
            selection = {"where": where, "sample": sample}
            plan = make_plan(
                opened, model_name, model_version, mapping, features, ignore, selection
            )
            registered = registered_features(models)
            parts = [(topics.predictions, predictions_sql(plan, registered, clock()))]
            if "label" in plan.columns:
                parts.append((topics.labels, labels_sql(plan, clock())))
            if storage != "full":
                kept = f"select * replace ({kept_bytes_sql('_raw', storage)} as _raw) from"
                parts = [(topic, f"{kept} ({sql})") for topic, sql in parts]
            is_new = _land(connection, plan, parts, landing)
    counts = []
    for topic, _ in parts:
        final = next(chain.walk(_folder(landing, topic, plan))).path
        counts += [pq.read_metadata(final).num_rows, count_errors(final)]
        advance(counts[-2])
    rows, errors, labels, label_errors = [*counts, 0, 0][:4]
    return Imported(plan.source_id, rows, errors, labels, label_errors, is_new)


def _folder(landing: Path, topic: str, plan: Plan) -> Path:
    return chain.partition_folder(landing, topic, str(plan.source_id), 0)


def _land(
    connection: duckdb.DuckDBPyConnection,
    plan: Plan,
    parts: Sequence[tuple[str, str]],
    landing: Path,
) -> bool:
    """Land what is not there yet: write and judge all of it first, then commit.

    Returns
    -------
    bool
        Whether anything was added.
    """
    is_new = False
    with ExitStack() as stack:
        written = []
        for topic, sql in parts:
            folder = _folder(landing, topic, plan)
            if not chain.chain_end(folder):
                temporary = stack.enter_context(chain.unfinished(landing / STAGING, 0))
                _write(connection, plan, topic, sql, temporary)
                written.append((temporary, folder))
        for temporary, folder in written:
            with suppress(chain.Fenced):  # another process imports the same: as good
                chain.commit(temporary, folder, 0)
                is_new = True
    return is_new


def _write(
    connection: duckdb.DuckDBPyConnection, plan: Plan, topic: str, sql: str, path: Path
) -> None:
    """Write the rows of a topic; refuse them when most break one rule."""
    facts = {
        "topic": topic,
        "source_id": str(plan.source_id),
        "partition": "0",
        "position": "0",
        "next_offset": str(plan.source.row_count),
        "reason": "",
    }
    try:
        write_parquet(connection, sql, path, facts)
    except duckdb.Error as error:
        raise InputError(f"{plan.source.name} cannot be read: {first_line(error)}") from None
    refuse_mostly_bad(connection, plan, f"read_parquet({text(str(path))})")
