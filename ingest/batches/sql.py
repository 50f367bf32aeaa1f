"""The SQL that turns a source's rows into landed rows and reference rows.

Rules and their words are those of `ingest.fields`. As a feature NaN counts as no value (as data
frames have it), an infinite number makes a bad row. Finite numbers are told by ``isfinite`` alone:
DuckDB answers ``isnan`` and comparisons from Parquet statistics, which leave NaN aside.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from ingest.batches.plan import TIMES, ZONED, Plan, base_type
from ingest.batches.source import ROW
from ingest.fields import (
    EARLIEST,
    FEATURE_RULE,
    FUTURE_MINUTES,
    LABEL_FIELDS,
    MAX_EMBEDDING_LENGTH,
    MAX_OTHER_BYTES,
    PREDICTION_FIELDS,
    SQL_TYPES,
    Field,
)
from ingest.landed.feature_sql import COLUMN_TYPES, TOO_MANY
from ingest.model import Feature
from ingest.quoting import column, text

_FIELDS = {field.name: field for field in (*PREDICTION_FIELDS, *LABEL_FIELDS)}
_KEYS = {"is_predicted_positive": "decision", "is_actual_positive": "label"}


def predictions_sql(plan: Plan, registered: Sequence[Feature], landed_at: datetime) -> str:
    """Return landed predictions: a column per registered feature, others in ``features_other``."""
    columns = {
        name: _value(plan, name)
        for name in (
            "event_id", "occurred_at", "score", "threshold", "is_predicted_positive",
            "channel", "cluster", "embedding",
        )
    }  # fmt: skip
    fixed = {field.name: field for field in registered}
    own = {feature.name: feature for feature in plan.features}
    fitting = {name for name in own if name in fixed and fixed[name].kind == own[name].kind}
    others = [feature for feature in plan.features if feature.name not in fitting]
    spread = [
        (
            f"feature_{name}",
            _feature(own[name]) if name in fitting else f"cast(null as {COLUMN_TYPES[item.kind]})",
        )
        for name, item in fixed.items()
    ]
    other = _other(others)
    landed = _moment(landed_at)
    errors = [arm for name in columns for arm in _errors(plan, name, landed)]
    errors += [_feature_error(feature) for feature in plan.features if feature.kind == "numeric"]
    errors.append(f"when strlen({_own('other')}) > {MAX_OTHER_BYTES} then {text(TOO_MANY)}")
    score, threshold, decision = map(_own, ("score", "threshold", "is_predicted_positive"))
    decided = f"coalesce({decision}, {score} >= {threshold})"
    outputs = [
        ("event_id", _own("event_id")),
        ("occurred_at", _own("occurred_at")),
        ("model_name", text(plan.model_name)),
        ("model_version", text(plan.model_version)),
        ("score", _own("score")),
        ("threshold", _own("threshold")),
        ("is_predicted_positive", decided),
        ("channel", _own("channel")),
        ("subject", "cast(null as varchar)"),
        ("cluster", _own("cluster")),
        ("latency_ms", "cast(null as double)"),
        ("embedding", _own("embedding")),
        *spread,
        ("features_other", _own("other")),
    ]
    read = [f"{value} as {_own(name)}" for name, value in columns.items()]
    read.append(f"{other} as {_own('other')}")
    return _select(plan, read, errors, outputs, landed, "source")


def labels_sql(plan: Plan, landed_at: datetime) -> str:
    """Return landed labels: one row for each row whose label is not empty."""
    names = ("event_id", "labelled_at", "is_actual_positive")
    landed = _moment(landed_at)
    errors = [arm for name in names for arm in _errors(plan, name, landed)]
    outputs = [
        ("event_id", _own("event_id")),
        ("model_name", text(plan.model_name)),
        ("labelled_at", _own("labelled_at")),
        ("is_actual_positive", _own("is_actual_positive")),
        ("label_source", "cast(null as varchar)"),
    ]
    read = [f"{_value(plan, name)} as {_own(name)}" for name in names]
    rows = f"(select * from source where {column(plan.columns['label'])} is not null)"
    return _select(plan, read, errors, outputs, landed, rows)


def reference_sql(plan: Plan) -> str:
    """Return the rows for ``reference.parquet`` out of the rows of `predictions_sql` (landed).

    They are read from a relation ``landed``, joined with the source for labels and features.
    """
    label = _value(plan, "is_actual_positive") if "label" in plan.columns else "null"
    features = "".join(
        f", {_feature(feature)} as {column(f'feature_{feature.name}')}" for feature in plan.features
    )
    return f"""
        select landed.event_id, landed.occurred_at, landed.score, landed.is_predicted_positive,
            cast({label} as boolean) as is_actual_positive, landed.channel, landed.cluster,
            landed.embedding{features}
        from landed join source on landed._offset = source.{column(ROW)}
        order by landed._offset
    """


def _own(name: str) -> str:
    """Return a column of ours, of a name that no feature can have."""
    return column(f"driftnet {name}")


def _select(
    plan: Plan,
    read: Sequence[str],
    errors: Sequence[str],
    outputs: Sequence[tuple[str, str]],
    landed: str,
    rows: str,
) -> str:
    columns = ",\n    ".join(
        f"case when {_own('reason')} is null then {value} end as {column(name)}"
        for name, value in outputs
    )
    arms = "\n        ".join(errors)
    pairs = ", ".join(f"{text(name)}, {column(name)}" for name in plan.source.columns)
    reason, row = _own("reason"), column(ROW)
    return f"""with read as (select *, {", ".join(read)} from {rows}),
judged as (select *, case
        {arms}
    end as {reason} from read)
select
    {row} as _offset,
    {landed} as _landed_at,
    {reason} as _error,
    case when {reason} is not null then encode(cast(json_object({pairs}) as varchar)) end as _raw,
    {columns}
from judged"""


def _moment(moment: datetime) -> str:
    naive = moment.astimezone(UTC).replace(tzinfo=None)
    return f"timestamp {text(naive.isoformat(' '))}"


def _value(plan: Plan, name: str) -> str:
    """Return a field's value in its SQL type; NULL where it does not read."""
    field = _FIELDS[name]
    key = _KEYS.get(name, name)
    if key == "labelled_at" and key not in plan.columns:
        key = "occurred_at"
    if key == "threshold" and plan.threshold is not None:
        return f"cast({plan.threshold!r} as double)"
    if key not in plan.columns:
        return _made_id(plan) if key == "event_id" else f"cast(null as {SQL_TYPES[field.kind]})"
    source = column(plan.columns[key])
    kind = base_type(plan.source.columns[plan.columns[key]])
    if field.kind == "time":
        zoned = source if kind == ZONED else f"try_cast({source} as timestamptz)"
        if kind in TIMES:
            return f"try_cast({source} as timestamp)"
        return f"try_cast({zoned} at time zone 'UTC' as timestamp)"
    if field.kind == "boolean":
        word = f"lower(cast({source} as varchar))"
        if kind not in ("BOOLEAN", "VARCHAR"):
            word = f"cast(try_cast({source} as double) as varchar)"
        return (
            f"case when {word} in ('true', '1', '1.0') then true"
            f" when {word} in ('false', '0', '0.0') then false end"
        )
    if field.kind == "number":
        return _finite(f"try_cast({source} as double)")
    if field.kind == "text":
        return f"nullif(cast({source} as varchar), '')"
    return f"try_cast({source} as {SQL_TYPES[field.kind]})"


def _made_id(plan: Plan) -> str:
    """Return uuid5(source_id, row number) as SQL: a sha1 with version and variant set."""
    row = f"encode(cast({column(ROW)} as varchar))"
    digest = f"sha1(unhex('{plan.source_id.hex}') || {row})"
    variant = f"'89ab'[(strpos('0123456789abcdef', substr({digest}, 17, 1)) - 1) % 4 + 1]"
    made = f"substr({digest}, 1, 12) || '5' || substr({digest}, 14, 3) || {variant}"
    return f"cast({made} || substr({digest}, 18, 15) as uuid)"


def _finite(value: str) -> str:
    return f"case when isfinite({value}) then {value} end"


def _feature(feature: Feature) -> str:
    value = f"cast({column(feature.name)} as {COLUMN_TYPES[feature.kind]})"
    return _finite(value) if feature.kind == "numeric" else value


def _feature_error(feature: Feature) -> str:
    infinite = f"abs(cast({column(feature.name)} as double)) = cast('infinity' as double)"
    return f"when {infinite} then {text(f'feature {feature.name} {FEATURE_RULE}')}"


def _other(features: Sequence[Feature]) -> str:
    if not features:
        return "cast(null as varchar)"
    pairs = ", ".join(f"{text(item.name)}, {_feature(item)}" for item in features)
    return f"nullif(cast(json_merge_patch('{{}}', json_object({pairs})) as varchar), '{{}}')"


def _errors(plan: Plan, name: str, landed: str) -> list[str]:
    """Return the arms of the CASE that judge one mapped field."""
    field: Field = _FIELDS[name]
    key = _KEYS.get(name, name)
    if key == "labelled_at" and key not in plan.columns:
        key = "occurred_at"
    if key not in plan.columns:
        return []
    source, value = column(plan.columns[key]), _own(name)
    arms = []
    if field.is_required:
        arms.append(f"when {source} is null then {text(field.missing)}")
    conditions = {
        "text": f"length({value}) <= {field.max_length} or {value} is null",
        "number": f"{value} between {field.minimum} and {field.maximum}",
        "vector": f"len({value}) between 1 and {MAX_EMBEDDING_LENGTH} and"
        f" list_count({value}) = len({value}) and isfinite(list_sum({value}))",
    }
    valid = conditions.get(field.kind, f"{value} is not null")
    broken = f"{source} is not null and not coalesce({valid}, false)"
    arms.append(f"when {broken} then {text(field.broken)}")
    if field.kind == "time":
        late = f"{landed} + interval {FUTURE_MINUTES} minute"
        arms.append(f"when {value} < timestamp '{EARLIEST}' then {text(field.early)}")
        arms.append(f"when {value} > {late} then {text(field.late)}")
    return arms
