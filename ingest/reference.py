"""The reference of a model: the rows that its drift is measured against, as one Parquet file."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from ingest.card import Card, Feature
from ingest.errors import InputError

TYPES = {"numeric": pa.float64(), "categorical": pa.string(), "boolean": pa.bool_()}
OPTIONAL = ("is_actual_positive", "channel", "cluster", "embedding")


def reference_schema(features: Sequence[Feature]) -> pa.Schema:
    """Return the columns of ``reference.parquet`` for a feature list."""
    fixed = [
        ("model_name", pa.string()),
        ("model_version", pa.string()),
        ("event_id", pa.uuid()),
        ("occurred_at", pa.timestamp("us")),
        ("score", pa.float64()),
        ("is_predicted_positive", pa.bool_()),
        ("is_actual_positive", pa.bool_()),
        ("channel", pa.string()),
        ("cluster", pa.string()),
        ("embedding", pa.list_(pa.float32())),
    ]
    return pa.schema(fixed + [(f"feature_{item.name}", TYPES[item.kind]) for item in features])


def shape_reference(table: pa.Table, card: Card, features: Sequence[Feature]) -> pa.Table:
    """Bring a table of reference rows into the columns of ``reference.parquet``.

    Parameters
    ----------
    table
        Needs event_id (UUID, text or 16 bytes), occurred_at (UTC), score and one column
        ``feature_<name>`` per feature. model_name and model_version come from the card.
        is_predicted_positive may be missing when the card has a threshold (score >= threshold);
        is_actual_positive, channel, cluster and embedding may be missing: NULL.
    card, features
        Of the model.

    Raises
    ------
    InputError
        No row; a column is missing, too many or of another type; a score outside [0, 1]; an
        embedding of another length than the card's; an infinite feature (NaN becomes NULL).
    """
    schema = reference_schema(features)
    extra = sorted(set(table.column_names) - set(schema.names))
    if extra:
        raise InputError(f"reference of {card.name}: column {extra[0]} is not in its feature list")
    if table.num_rows == 0:
        raise InputError(f"reference of {card.name} is empty: give it rows")
    columns = [_column(table, column, card) for column in schema]
    shaped = pa.Table.from_arrays(columns, schema=schema)
    _check(shaped, card)
    return shaped


def span(table: pa.Table) -> tuple[datetime, datetime]:
    """Return the first and the last `occurred_at` of a shaped reference, aware, UTC."""
    ends = pc.min_max(table.column("occurred_at")).as_py()
    return ends["min"].replace(tzinfo=UTC), ends["max"].replace(tzinfo=UTC)


def _column(table: pa.Table, column: pa.Field, card: Card) -> pa.ChunkedArray | pa.Array:
    rows = table.num_rows
    if column.name == "model_name":
        return pa.repeat(pa.scalar(card.name, pa.string()), rows)
    if column.name == "model_version":
        return pa.repeat(pa.scalar(card.version, pa.string()), rows)
    if column.name not in table.column_names:
        if column.name == "is_predicted_positive" and card.threshold is not None:
            return pc.greater_equal(table.column("score").cast(pa.float64()), card.threshold)
        if column.name in OPTIONAL:
            return pa.nulls(rows, column.type)
        raise InputError(f"reference of {card.name} has no column {column.name}: add it")
    values = table.column(column.name)
    try:
        if column.name == "event_id":
            return _uuids(values)
        values = values.cast(column.type)
        if column.name.startswith("feature_") and column.type == pa.float64():
            return pc.if_else(pc.is_nan(values), pa.scalar(None, pa.float64()), values)
        return values
    except (pa.ArrowException, ValueError) as error:
        raise InputError(
            f"reference of {card.name}: column {column.name} does not read as {column.type}: "
            f"{str(error).splitlines()[0]}"
        ) from None


def _uuids(values: pa.ChunkedArray) -> pa.ChunkedArray:
    if values.type == pa.uuid():
        return values
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        plain = pc.replace_substring(values, "-", "").to_pylist()
        return pa.chunked_array(
            [pa.array([bytes.fromhex(text) for text in plain], pa.binary(16)).cast(pa.uuid())]
        )
    return values.cast(pa.binary(16)).cast(pa.uuid())


def _check(table: pa.Table, card: Card) -> None:
    where = f"reference of {card.name}"
    for name in ("event_id", "occurred_at", "score", "is_predicted_positive"):
        if table.column(name).null_count:
            raise InputError(f"{where}: column {name} has empty values: fill or drop these rows")
    score = table.column("score")
    inside = pc.and_(pc.greater_equal(score, 0.0), pc.less_equal(score, 1.0))
    if not pc.all(inside).as_py():
        raise InputError(f"{where}: a score lies outside [0, 1]: give probabilities")
    for field in table.schema:
        is_number = field.name.startswith("feature_") and field.type == pa.float64()
        if is_number and pc.any(pc.is_inf(table.column(field.name))).as_py():
            raise InputError(f"{where}: column {field.name} has an infinite value: correct it")
    lengths = set(pc.unique(pc.list_value_length(table.column("embedding"))).to_pylist()) - {None}
    if lengths - {card.embedding_dimension}:
        raise InputError(
            f"{where}: an embedding has {max(lengths)} numbers, "
            f"the card says {card.embedding_dimension}"
        )
