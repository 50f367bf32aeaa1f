"""What an event is: a prediction or a label, and its bytes.

The contract is JSON in UTF-8, one object a message. `ingest.fields` lists the fields; what breaks a
rule is refused here with the words that landing writes into `_error`. Keys that the contract does
not name are left aside; of a key that comes twice the first counts; a null is as good as absent.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from ingest.errors import InputError
from ingest.fields import (
    FEATURE_NAME,
    LABEL_FIELDS,
    MAX_MESSAGE_BYTES,
    PREDICTION_FIELDS,
    SCHEMA_VERSION,
    Field,
)
from ingest.landed.reading import read_message

__all__ = [
    "FEATURE_NAME",
    "LABEL_FIELDS",
    "MAX_MESSAGE_BYTES",
    "PREDICTION_FIELDS",
    "SCHEMA_VERSION",
    "Field",
    "Label",
    "Prediction",
    "parse_label",
    "parse_prediction",
]

FeatureValue = float | str | bool | None


@dataclass(frozen=True)
class Prediction:
    """One score that a model gave.

    Parameters
    ----------
    event_id
        Names the prediction; its label bears the same.
    occurred_at
        When it was given; aware.
    model_name, model_version
        Who gave it.
    score
        In [0, 1].
    features
        What the model saw; names as `FEATURE_NAME`, case ignored.
    threshold
        In [0, 1]: at or over it the decision is positive.
    is_predicted_positive
        The decision, when it is not score >= threshold.
    embedding
        Finite floats (kept as 32 bits), one length per model.
    channel
        Where the event came from.
    subject
        What was scored.
    cluster
        Rows of one cluster belong together (they are not independent).
    latency_ms
        How long scoring took, milliseconds.

    Examples
    --------
    >>> event = Prediction(
    ...     UUID(int=1), datetime(2020, 1, 1, tzinfo=UTC), "churn", "3", 0.25, {"age": 41}
    ... )
    >>> parse_prediction(event.to_json()) == event
    True
    """

    event_id: UUID
    occurred_at: datetime
    model_name: str
    model_version: str
    score: float
    features: Mapping[str, FeatureValue]
    threshold: float | None = None
    is_predicted_positive: bool | None = None
    embedding: Sequence[float] | None = None
    channel: str | None = None
    subject: str | None = None
    cluster: str | None = None
    latency_ms: float | None = None

    def to_json(self) -> bytes:
        """Return the message: compact JSON, UTF-8, absent what is None.

        Raises
        ------
        InputError
            A number is not finite, a time has no zone, a text is no Unicode. All other rules are
            checked where the event lands.
        """
        document: dict[str, object] = {
            "schema_version": SCHEMA_VERSION,
            "event_id": str(self.event_id),
            "occurred_at": _time(self.occurred_at, "occurred_at"),
            "model_name": self.model_name,
            "model_version": self.model_version,
            "score": self.score,
        }
        for name in (
            "threshold", "is_predicted_positive", "channel", "subject", "cluster", "latency_ms"
        ):  # fmt: skip
            value = getattr(self, name)
            if value is not None:
                document[name] = value
        document["features"] = dict(self.features)
        return _encode(document, self.embedding)


@dataclass(frozen=True)
class Label:
    """What was true of one prediction.

    Parameters
    ----------
    event_id, model_name
        Which prediction.
    labelled_at
        When the truth became known; aware.
    is_actual_positive
        The truth.
    label_source
        Who says so.

    Examples
    --------
    >>> label = Label(UUID(int=1), "churn", datetime(2020, 2, 1, tzinfo=UTC), True)
    >>> parse_label(label.to_json()) == label
    True
    """

    event_id: UUID
    model_name: str
    labelled_at: datetime
    is_actual_positive: bool
    label_source: str | None = None

    def to_json(self) -> bytes:
        """Return the message: compact JSON, UTF-8; errors as `Prediction.to_json`."""
        document: dict[str, object] = {
            "schema_version": SCHEMA_VERSION,
            "event_id": str(self.event_id),
            "model_name": self.model_name,
            "labelled_at": _time(self.labelled_at, "labelled_at"),
            "is_actual_positive": self.is_actual_positive,
        }
        if self.label_source is not None:
            document["label_source"] = self.label_source
        return _encode(document, None)


def parse_prediction(message: bytes, landed_at: datetime | None = None) -> Prediction:
    """Read a prediction and check every rule; feature names come out in lower case.

    Parameters
    ----------
    message
        The bytes.
    landed_at
        Against which a time in the future is told; None: not checked.

    Raises
    ------
    InputError
        One line: what is wrong, in the words of `_error`.
    """
    values = read_message(message, PREDICTION_FIELDS, landed_at)
    return Prediction(**{"model_version": "0", **values})


def parse_label(message: bytes, landed_at: datetime | None = None) -> Label:
    """Read a label and check every rule; parameters and errors as `parse_prediction`."""
    return Label(**read_message(message, LABEL_FIELDS, landed_at))


def _time(moment: datetime, name: str) -> str:
    if moment.tzinfo is None:
        raise InputError(f"{name} has no time zone: make the time aware")
    aware = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return aware.isoformat()[:-6] + "Z"


_ENCODER = json.JSONEncoder(
    separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
)


def _encode(document: Mapping[str, Any], embedding: Sequence[float] | None) -> bytes:
    try:
        text = _ENCODER.encode(document)
        if embedding is not None:
            numbers = _vector_format(len(embedding)) % tuple(embedding)
            if "n" in numbers:  # inf and nan are the only numbers with a letter n
                raise InputError("embedding holds a number that is not finite")
            text = f'{text[:-1]},"embedding":{numbers}}}'
        return text.encode()
    except UnicodeEncodeError:
        raise InputError("a text of the event is not Unicode: a surrogate stands alone") from None
    except ValueError:
        raise InputError("a number of the event is not finite: leave it out") from None


@cache
def _vector_format(length: int) -> str:
    """Return a format of `length` floats; nine digits give back every 32-bit float."""
    return "[" + ",".join(["%.9g"] * length) + "]"
