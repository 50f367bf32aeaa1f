"""The SQL that turns raw messages into landed rows, made from the list of fields.

It reads a relation ``batch`` (``_offset BIGINT, _raw BLOB, _refusal VARCHAR``: why a log could not
give the message whole) and gives one row per message: good ones typed, bad ones with ``_error`` and
``_raw``, in the order of the log (which DuckDB does not keep by itself when it reads Arrow with two
threads). JSON is never trusted: bytes are decoded under
``try``, JSON types are compared with the contract (DuckDB would read "0.5" as a number and take
NaN, 1e400 and trailing commas), then numbers are held to be finite and in their range.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from ingest.fields import (
    EARLIEST,
    FUTURE_MINUTES,
    JSON_TYPES,
    MAX_EMBEDDING_LENGTH,
    SCHEMA_VERSION,
    SQL_TYPES,
    TIME_PATTERN,
    Field,
    FieldKind,
)
from ingest.landed.feature_sql import feature_ctes, feature_errors, feature_outputs
from ingest.landed.reading import NO_JSON, NO_OBJECT, NO_UTF8, TOMBSTONE
from ingest.landed.subject_sql import kept_bytes_sql, kept_sql
from ingest.model import Feature
from ingest.quoting import column, listed, structure, text
from ingest.subjects import SubjectStorage

_READ_AS: dict[FieldKind, str] = {
    "version": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "vector": "JSON",
    "features": "JSON",
}
_TRAILING_COMMA = text(r",\s*[}\]]")
_STRING = text(r'"(\\.|[^"\\])*"')
_NUMBERS = text(r"\[[-+0-9.eE,\s]*\]")


def landing_sql(
    fields: Sequence[Field],
    features: Iterable[Feature],
    landed_at: datetime,
    storage: SubjectStorage = "full",
) -> str:
    """Return the SELECT over ``batch``.

    Parameters
    ----------
    fields
        Of the kind of event, in order of checking and landing.
    features
        The registered ones; each gets a column when the fields hold ``features``.
    landed_at
        Now; aware.
    storage
        What is kept of subjects, and of the bytes of bad messages, which may hold them.
    """
    registered = list(features) if any(field.kind == "features" for field in fields) else None
    landed = f"timestamp {text(landed_at.astimezone(UTC).replace(tzinfo=None).isoformat(' '))}"
    steps = [
        "decoded as (select _offset, _raw, _refusal, try(decode(_raw)) as _text from batch)",
        f"checked as (select *, {_message()} as _message from decoded)",
        f"parsed as (select *, {_parsed(fields)} from checked)",
        f"converted as (select *, {_converted(fields)} from parsed)",
    ]
    errors = _document_errors() + [
        line for place, field in enumerate(fields, 1) for line in _errors(place, field, landed)
    ]
    outputs = [_output(field, storage) for field in fields if field.kind in SQL_TYPES]
    last = "converted"
    if registered is not None:
        steps += feature_ctes(registered, "converted")
        errors += feature_errors(tells_names=storage == "full")
        outputs += feature_outputs(registered)
        last = "spread"
    cases = "\n        ".join(errors)
    steps.append(f"judged as (select *, case\n        {cases}\n    end as _reason from {last})")
    columns = ",\n    ".join(
        f"case when _reason is null then {value} end as {column(name)}" for name, value in outputs
    )
    joined = ",\n".join(steps)
    return f"""with {joined}
select
    _offset,
    {landed} as _landed_at,
    _reason as _error,
    case when _reason is not null then {kept_bytes_sql("_raw", storage)} end as _raw,
    {columns}
from judged
order by _offset"""


def _message() -> str:
    bare = f"regexp_replace(_text, {_STRING}, '', 'g')"
    return (
        "case when json_valid(_text) and (not regexp_matches(_text, "
        f"{_TRAILING_COMMA}) or not regexp_matches({bare}, {_TRAILING_COMMA})) then "
        "case when json_type(_text) = 'OBJECT' then _text else '' end end"
    )


def _parsed(fields: Sequence[Field]) -> str:
    shape = structure((field.name, _READ_AS.get(field.kind, "VARCHAR")) for field in fields)
    paths = listed(f"$.{field.name}" for field in fields)
    document = "nullif(_message, '')"
    return (
        f"json_type({document}, {paths}) as _types, json_transform({document}, {shape}) as _values"
    )


def _converted(fields: Sequence[Field]) -> str:
    """Return the columns ``_as_<name>``: a value in its SQL type, NULL where it does not read."""
    parts = []
    for place, field in enumerate(fields, 1):
        value = f"_values.{column(field.name)}"
        read = {
            "uuid": f"try_cast({value} as uuid)",
            "time": f"case when regexp_full_match({value}, {text(TIME_PATTERN)}) then "
            f"cast(try_cast(upper({value}) as timestamptz) at time zone 'UTC' as timestamp) end",
            "vector": f"case when regexp_full_match(cast({value} as varchar), {_NUMBERS}) "
            f"then json_transform({value}, '[\"FLOAT\"]') end",
        }.get(field.kind, value)
        fits = f"_types[{place}] in ({', '.join(map(text, JSON_TYPES[field.kind]))})"
        parts.append(f"case when {fits} then {read} end as _as_{field.name}")
    return ",\n    ".join(parts)


def _document_errors() -> list[str]:
    return [
        "when _refusal is not null then _refusal",
        f"when _raw is null then {text(TOMBSTONE)}",
        f"when _text is null then {text(NO_UTF8)}",
        f"when _message is null then {text(NO_JSON)}",
        f"when _message = '' then {text(NO_OBJECT)}",
    ]


def _errors(place: int, field: Field, landed: str) -> list[str]:
    """Return the arms of the CASE that judge one field."""
    value = f"_as_{field.name}"
    lines = []
    absent = f"coalesce(_types[{place}], 'NULL') = 'NULL'"
    if field.is_required:
        lines.append(f"when {absent} then {text(field.missing)}")
    conditions = {
        "version": f"{value} = {SCHEMA_VERSION}",
        "uuid": f"cast({value} as varchar) = lower(_values.{field.name})",
        "text": f"length({value}) between 1 and {field.max_length}",
        "number": " and ".join(["isfinite({0})", *_range(field)]).format(value),
        "vector": f"len({value}) between 1 and {MAX_EMBEDDING_LENGTH}"
        f" and list_count({value}) = len({value}) and isfinite(list_sum({value}))",
    }
    valid = conditions.get(field.kind, f"{value} is not null")
    lines.append(f"when not {absent} and not coalesce({valid}, false) then {text(field.broken)}")
    if field.kind == "time":
        late = f"{landed} + interval {FUTURE_MINUTES} minute"
        lines.append(f"when {value} < timestamp '{EARLIEST}' then {text(field.early)}")
        lines.append(f"when {value} > {late} then {text(field.late)}")
    return lines


def _range(field: Field) -> list[str]:
    low = [] if field.minimum is None else [f"{{0}} >= {field.minimum!r}"]
    high = [] if field.maximum is None else [f"{{0}} <= {field.maximum!r}"]
    return low + high


def _output(field: Field, storage: SubjectStorage) -> tuple[str, str]:
    """Return the name and the expression of a landed column; absent values get their default."""
    value = {
        "model_version": "coalesce(_as_model_version, '0')",
        "is_predicted_positive": "coalesce(_as_is_predicted_positive, _as_score >= _as_threshold)",
        "subject": kept_sql("_as_subject", storage),
    }.get(field.name, f"_as_{field.name}")
    return field.name, f"cast({value} as {SQL_TYPES[field.kind]})"
