"""The fields of an event: the one list from which validation in Python and in SQL are both made.

A field's `kind` says how it stands in JSON and how it lands; its `rule` is the text that a person
reads when a value breaks it, the same wherever it was found.
"""

import re
from dataclasses import dataclass
from typing import Literal

SCHEMA_VERSION = 1
"""The version of the event contract that this code writes and reads; absent means 1."""

FEATURE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
"""What a feature may be called; case is ignored, lower case is kept."""

FEATURE_NAME_RULE = "use a letter or _, then letters, digits, _, 63 at most"
FEATURE_RULE = "must be a finite number, a string, a boolean or null"

MAX_MESSAGE_BYTES = 1 << 20
"""The longest message, in bytes, that a log takes."""

MAX_EMBEDDING_LENGTH = 4096
MAX_OTHER_BYTES = 1 << 16
"""The longest JSON text, in bytes of UTF-8, of the features that have no column of their own."""

EARLIEST = "2000-01-01"
"""A time before this day is a broken clock."""

FUTURE_MINUTES = 5
"""A time later than this after landing is a broken clock."""

TIME_PATTERN = (
    r"\d{4}-\d{2}-\d{2}[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?"
    r"([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)"
)
"""RFC 3339 (leap seconds apart); read alike by `re` and by DuckDB."""

FieldKind = Literal["version", "uuid", "time", "text", "number", "boolean", "vector", "features"]

JSON_TYPES: dict[FieldKind, tuple[str, ...]] = {
    "version": ("UBIGINT", "BIGINT"),
    "uuid": ("VARCHAR",),
    "time": ("VARCHAR",),
    "text": ("VARCHAR",),
    "number": ("DOUBLE", "UBIGINT", "BIGINT", "HUGEINT", "UHUGEINT"),
    "boolean": ("BOOLEAN",),
    "vector": ("ARRAY",),
    "features": ("OBJECT",),
}
"""The answers of DuckDB's `json_type` that fit a kind."""

SQL_TYPES: dict[FieldKind, str] = {
    "uuid": "uuid",
    "time": "timestamp",
    "text": "varchar",
    "number": "double",
    "boolean": "boolean",
    "vector": "float[]",
}
"""The column type of a kind that lands as one column."""


@dataclass(frozen=True)
class Field:
    """One field of an event.

    Parameters
    ----------
    name
        Its key in JSON, and its column when it lands as one.
    kind
        How it is written, checked and landed.
    rule
        Completes the sentence "<name> ..." when a value is refused.
    is_required
        Whether it may be absent or null.
    minimum, maximum
        Of a number: the closed range, None when open.
    max_length
        Of a text: characters (Unicode code points), at least one.
    """

    name: str
    kind: FieldKind
    rule: str
    is_required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    max_length: int = 200

    @property
    def missing(self) -> str:
        """Return the message for an absent required field."""
        return f"{self.name} is missing"

    @property
    def broken(self) -> str:
        """Return the message for a value that breaks the rule."""
        return f"{self.name} {self.rule}"

    @property
    def early(self) -> str:
        """Return the message for a time that lies too far back."""
        return f"{self.name} lies before {EARLIEST}"

    @property
    def late(self) -> str:
        """Return the message for a time that lies in the future."""
        return f"{self.name} lies more than {FUTURE_MINUTES} minutes after it landed"


def _text(name: str, is_required: bool = False, max_length: int = 200) -> Field:
    rule = f"must be a string of 1 to {max_length} characters"
    return Field(name, "text", rule, is_required, max_length=max_length)


def _share(name: str, is_required: bool = False) -> Field:
    return Field(name, "number", "must be a number from 0 to 1", is_required, 0.0, 1.0)


def _time(name: str) -> Field:
    rule = "must be an RFC 3339 time with Z or an offset, such as 2020-01-31T12:00:00Z"
    return Field(name, "time", rule, True)


_VERSION = Field("schema_version", "version", f"must be {SCHEMA_VERSION}")
_EVENT_ID = Field(
    "event_id",
    "uuid",
    "must be a UUID such as 6fa459ea-ee8a-3ca4-894e-db77e160355e",
    is_required=True,
)
_BOOLEAN_RULE = "must be true or false"

PREDICTION_FIELDS: tuple[Field, ...] = (
    _VERSION,
    _EVENT_ID,
    _time("occurred_at"),
    _text("model_name", is_required=True),
    _text("model_version"),
    _share("score", is_required=True),
    _share("threshold"),
    Field("is_predicted_positive", "boolean", _BOOLEAN_RULE),
    _text("channel"),
    _text("subject", max_length=65_536),
    _text("cluster"),
    Field("latency_ms", "number", "must be a finite number of 0 or more", minimum=0.0),
    Field("embedding", "vector", f"must be an array of 1 to {MAX_EMBEDDING_LENGTH} finite numbers"),
    Field("features", "features", "must be an object of names and values", True),
)
"""The fields of a prediction, in the order in which they are checked and land."""

LABEL_FIELDS: tuple[Field, ...] = (
    _VERSION,
    _EVENT_ID,
    _text("model_name", is_required=True),
    _time("labelled_at"),
    Field("is_actual_positive", "boolean", _BOOLEAN_RULE, True),
    _text("label_source"),
)
"""The fields of a label, in the order in which they are checked and land."""
