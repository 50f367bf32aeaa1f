"""Reads one message by the rules of `ingest.fields`, in Python.

Landing does the same for many messages at once in SQL; a test holds the two to one answer.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from ingest.errors import InputError
from ingest.fields import (
    EARLIEST,
    FEATURE_NAME,
    FEATURE_NAME_RULE,
    FEATURE_RULE,
    FUTURE_MINUTES,
    MAX_EMBEDDING_LENGTH,
    SCHEMA_VERSION,
    TIME_PATTERN,
    Field,
    FieldKind,
)

NO_JSON = "message is not JSON"
NO_UTF8 = "message is not UTF-8"
NO_OBJECT = "message is not a JSON object"
TOMBSTONE = "message has no bytes (a tombstone)"

_TIME = re.compile(TIME_PATTERN, re.ASCII)
_EARLIEST = datetime.fromisoformat(EARLIEST).replace(tzinfo=UTC)
_FLOAT_MAX: Final = 3.4028235677973366e38  # from here on a double rounds to an infinite float32


def read_message(
    message: bytes, fields: Iterable[Field], landed_at: datetime | None
) -> dict[str, Any]:
    """Return the values of the fields that a message holds.

    Raises
    ------
    InputError
        The first rule that is broken, in the order of the fields.
    """
    document = _document(message)
    values: dict[str, Any] = {}
    for field in fields:
        value = document.get(field.name)
        if value is None:
            if field.is_required:
                raise InputError(field.missing)
            continue
        read = READERS[field.kind](field, value)
        if field.kind == "time":
            _check_time(field, read, landed_at)
        if field.kind != "version":
            values[field.name] = read
    return values


def _document(message: bytes) -> Mapping[str, Any]:
    try:
        text = message.decode()
    except UnicodeDecodeError:
        raise InputError(NO_UTF8) from None
    try:
        document = json.loads(text, object_pairs_hook=_first_wins)
        if "\\u" in text:
            json.dumps(document, ensure_ascii=False).encode()  # a lone surrogate is not text
    except (ValueError, RecursionError):
        raise InputError(NO_JSON) from None
    if not isinstance(document, dict):
        raise InputError(NO_OBJECT)
    return document


def _first_wins(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        document = {}
        for name, value in pairs:
            document.setdefault(name, value)
    return document


def _version(field: Field, value: object) -> int:
    if type(value) is not int or value != SCHEMA_VERSION:
        raise InputError(field.broken)
    return value


def _uuid(field: Field, value: object) -> UUID:
    try:
        read = UUID(value) if isinstance(value, str) else None
    except ValueError:
        read = None
    if read is None or str(read) != str(value).lower():
        raise InputError(field.broken)
    return read


def _time(field: Field, value: object) -> datetime:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise InputError(field.broken)
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InputError(field.broken) from None


def _check_time(field: Field, moment: datetime, landed_at: datetime | None) -> None:
    if moment < _EARLIEST:
        raise InputError(field.early)
    if landed_at is not None and moment > landed_at + timedelta(minutes=FUTURE_MINUTES):
        raise InputError(field.late)


def _text(field: Field, value: object) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= field.max_length:
        raise InputError(field.broken)
    return value


def _finite(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _number(field: Field, value: object) -> float:
    number = _finite(value)
    low = -math.inf if field.minimum is None else field.minimum
    high = math.inf if field.maximum is None else field.maximum
    if number is None or not low <= number <= high:
        raise InputError(field.broken)
    return number


def _boolean(field: Field, value: object) -> bool:
    if not isinstance(value, bool):
        raise InputError(field.broken)
    return value


def _vector(field: Field, value: object) -> tuple[float, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_EMBEDDING_LENGTH:
        raise InputError(field.broken)
    numbers = [_finite(item) for item in value]
    if any(number is None or abs(number) >= _FLOAT_MAX for number in numbers):
        raise InputError(field.broken)
    return tuple(number for number in numbers if number is not None)


def _features(field: Field, value: object) -> dict[str, float | str | bool | None]:
    if not isinstance(value, dict):
        raise InputError(field.broken)
    for name in value:
        if not FEATURE_NAME.fullmatch(name):
            raise InputError(f"feature name {name[:80]} is not allowed: {FEATURE_NAME_RULE}")
    features: dict[str, float | str | bool | None] = {}
    for name, item in value.items():
        if not isinstance(item, str | bool | None) and _finite(item) is None:
            raise InputError(f"feature {name.lower()} {FEATURE_RULE}")
        features.setdefault(name.lower(), item)
    return features


READERS: Final[Mapping[FieldKind, Callable[[Field, Any], Any]]] = {
    "version": _version,
    "uuid": _uuid,
    "time": _time,
    "text": _text,
    "number": _number,
    "boolean": _boolean,
    "vector": _vector,
    "features": _features,
}
