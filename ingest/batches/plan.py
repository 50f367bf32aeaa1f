"""What each column of a source means: the plan of an import, checked before a row is read."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from ingest.batches.source import Source
from ingest.card import MODEL_NAME, Feature, Kind, check_features
from ingest.errors import InputError
from ingest.fields import FEATURE_NAME, FEATURE_NAME_RULE

INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
NUMERIC = (*INTEGERS, *(f"U{name}" for name in INTEGERS), "FLOAT", "DOUBLE", "DECIMAL")
TIMES = ("DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS")
ZONED = "TIMESTAMP WITH TIME ZONE"
TEXT = ("VARCHAR", "ENUM", "NULL")

ALLOWED: Mapping[str, tuple[tuple[str, ...], str]] = {
    "score": ((*NUMERIC, "VARCHAR"), "map a column of probabilities"),
    "occurred_at": ((*TIMES, ZONED, "VARCHAR"), "make it a timestamp (in a query: to_timestamp)"),
    "labelled_at": ((*TIMES, ZONED, "VARCHAR"), "make it a timestamp (in a query: to_timestamp)"),
    "label": ((*NUMERIC, "BOOLEAN", "VARCHAR"), "map a column of 0 and 1"),
    "decision": ((*NUMERIC, "BOOLEAN", "VARCHAR"), "map a column of 0 and 1"),
    "threshold": ((*NUMERIC, "VARCHAR"), "map a column of numbers, or a number"),
    "event_id": (("UUID", "VARCHAR"), "leave event_id out and ids are made from the rows"),
    "channel": ((*TEXT, *NUMERIC, "BOOLEAN", "UUID"), "map a column of texts"),
    "cluster": ((*TEXT, *NUMERIC, "BOOLEAN", "UUID"), "map a column of texts"),
    "embedding": (("LIST",), "map a column of lists of numbers"),
}
"""What may be mapped: the types that fit, and the remedy for others."""

REQUIRED = ("score", "occurred_at")


@dataclass(frozen=True)
class Plan:
    """How a source is read.

    Parameters
    ----------
    source
        What is read.
    source_id
        Names the import: the same content, model and meaning have the same.
    model_name, model_version
        Whose predictions they are.
    columns
        For each mapped key the column of the source.
    threshold
        A threshold given as a number.
    features
        The features, by name; each is the column of that name, ignoring case.
    """

    source: Source
    source_id: UUID
    model_name: str
    model_version: str
    columns: Mapping[str, str]
    threshold: float | None
    features: tuple[Feature, ...]


def make_plan(
    source: Source,
    model_name: str,
    model_version: str,
    mapping: Mapping[str, str],
    features: Sequence[str] | None,
    ignore: Sequence[str],
    selection: Mapping[str, object],
) -> Plan:
    """Check what the caller says about the columns.

    Parameters
    ----------
    source
        The opened source.
    model_name, model_version
        Whose predictions they are.
    mapping
        Column of each key of `ALLOWED`; threshold may be a number instead.
    features
        Columns that are features; None: all that are neither mapped nor ignored.
    ignore
        Columns to leave out.
    selection
        What else chose the rows (filter, sample); part of `source_id`.

    Raises
    ------
    InputError
        Naming the column and the remedy.
    """
    for what, value in (("model name", model_name), ("model version", model_version)):
        if not MODEL_NAME.fullmatch(value):
            raise InputError(f"{what} {value!r} is not allowed: use letters, digits, '.', '_', '-'")
    unknown = sorted(set(mapping) - set(ALLOWED))
    if unknown:
        raise InputError(f"map key {unknown[0]} is unknown: use {', '.join(ALLOWED)}")
    threshold = _number(mapping.get("threshold"), source)
    columns = {
        key: _find(source, name, f"map {key}={name}")
        for key, name in mapping.items()
        if not (key == "threshold" and threshold is not None)
    }
    for key in REQUIRED:
        if key not in columns:
            raise InputError(
                f"{source.name}: say which column is the {key}: map {key}=COLUMN"
                f" (it has {_names(source)})"
            )
    for key, name in columns.items():
        _check_type(source, key, name)
    left_out = {_find(source, name, f"ignore {name}") for name in ignore}
    if features is None:
        used = left_out | set(columns.values())
        chosen = [name for name in source.columns if name not in used]
    else:
        chosen = [_find(source, name, f"feature {name}") for name in features]
    if not chosen:
        raise InputError(f"{source.name} has no column left as a feature: name some")
    found = tuple(_feature(source, name) for name in chosen)
    check_features(found)
    described = json.dumps(
        [source.content, model_name, model_version, dict(mapping), chosen, dict(selection)],
        sort_keys=True,
    )
    return Plan(
        source,
        UUID(bytes=sha256(described.encode()).digest()[:16], version=5),
        model_name,
        model_version,
        columns,
        threshold,
        found,
    )


def base_type(name: str) -> str:
    """Return a DuckDB type without its arguments; LIST for lists and arrays.

    Examples
    --------
    >>> base_type("DECIMAL(18,3)"), base_type("FLOAT[32]")
    ('DECIMAL', 'LIST')
    """
    return "LIST" if name.endswith("]") else name.split("(")[0].strip('"')


def _find(source: Source, name: str, asked: str) -> str:
    for known in source.columns:
        if known.lower() == name.lower():
            return known
    raise InputError(f"{asked}: {source.name} has no such column, it has {_names(source)}")


def _names(source: Source) -> str:
    return ", ".join(source.columns)[:300]


def _number(value: str | None, source: Source) -> float | None:
    """Return a threshold that is given as a number, not as a column."""
    if value is None or value.lower() in map(str.lower, source.columns):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    if not 0 <= number <= 1:
        raise InputError(f"threshold {value} must be a number from 0 to 1")
    return number


def _check_type(source: Source, key: str, name: str) -> None:
    types, remedy = ALLOWED[key]
    if base_type(source.columns[name]) not in types:
        raise InputError(
            f"{source.name}: column {name} is {source.columns[name]}, no {key}: {remedy}"
        )


def _feature(source: Source, name: str) -> Feature:
    if not FEATURE_NAME.fullmatch(name):
        raise InputError(
            f"{source.name}: column {name!r} cannot be a feature: {FEATURE_NAME_RULE}; "
            "or ignore it, or rename it in a query"
        )
    kind = base_type(source.columns[name])
    kinds: list[tuple[tuple[str, ...], Kind]] = [
        (NUMERIC, "numeric"), (("BOOLEAN",), "boolean"), (TEXT, "categorical")
    ]  # fmt: skip
    for types, meant in kinds:
        if kind in types:
            return Feature(name, meant)
    raise InputError(
        f"{source.name}: column {name} is {source.columns[name]}, which no feature can be: "
        f"ignore it (ignore {name}), or cast it in a query"
    )
