"""What is written about a model: its features and its card, and how both stand in JSON."""

import dataclasses
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from ingest.errors import InputError

Kind = Literal["numeric", "categorical", "boolean"]
KINDS = ("numeric", "categorical", "boolean")
FEATURE_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
TIMES = ("created_at", "trained_from", "trained_until", "reference_from", "reference_until")


@dataclass(frozen=True)
class Feature:
    """One input of a model.

    Parameters
    ----------
    name
        Its name; kept in lower case, then ``[a-z_][a-z0-9_]{0,62}``.
    kind
        numeric (DOUBLE), categorical (VARCHAR) or boolean (BOOLEAN).
    unit
        What a numeric value counts, such as ``characters`` or ``share``; may be empty.
    description
        One sentence for people.

    Examples
    --------
    >>> Feature("Path_Depth", "numeric", "segments").name
    'path_depth'
    """

    name: str
    kind: Kind
    unit: str = ""
    description: str = ""

    def __post_init__(self) -> None:
        """Lower the name; refuse one that no column may bear, and a kind that there is not."""
        object.__setattr__(self, "name", self.name.lower())
        if not FEATURE_NAME.fullmatch(self.name):
            raise InputError(
                f"feature name {self.name!r} is not allowed: "
                "use a letter or _, then letters, digits, _, 63 at most"
            )
        if self.kind not in KINDS:
            raise InputError(
                f"feature {self.name} has kind {self.kind!r}: use one of {', '.join(KINDS)}"
            )


@dataclass(frozen=True)
class Card:
    """What is known of one model version; times are aware and UTC, None where unknown.

    `recipe` names what trained it, as ``module:NAME``; the next retraining uses the same.
    `history` says how it came to be, where it was trained on what was logged: when, why, from which
    positions, and how it did against the champion before it.
    """

    name: str
    version: str
    kind: Literal["trained", "external"]
    created_at: datetime
    threshold: float | None
    embedding_dimension: int = 0
    seed: int | None = None
    trained_from: datetime | None = None
    trained_until: datetime | None = None
    reference_from: datetime | None = None
    reference_until: datetime | None = None
    training_row_count: int | None = None
    reference_row_count: int | None = None
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    libraries: Mapping[str, str] = field(default_factory=dict)
    estimator: str | None = None
    recipe: str | None = None
    history: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse names that are no folder names, and an unknown kind."""
        for what, value in (("model name", self.name), ("model version", self.version)):
            if not MODEL_NAME.fullmatch(value) or value == "champion":
                raise InputError(
                    f"{what} {value!r} is not allowed: use letters, digits, '.', '_', '-', "
                    "63 at most, and not 'champion'"
                )
        if self.kind not in ("trained", "external"):
            raise InputError(f"model kind {self.kind!r} is unknown: use trained or external")


def check_features(features: Sequence[Feature]) -> None:
    """Refuse an empty list of features, and two names that differ only in case (or not at all)."""
    if not features:
        raise InputError("a model needs at least one feature")
    names = [feature.name for feature in features]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"feature {twice[0]} is named twice (case is ignored): rename one of them")


def to_rfc3339(moment: datetime | None) -> str | None:
    """Return a time as RFC 3339 in UTC; a naive one is taken as UTC.

    Examples
    --------
    >>> to_rfc3339(datetime(2020, 1, 1, tzinfo=UTC))
    '2020-01-01T00:00:00Z'
    """
    if moment is None:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat().replace("+00:00", "Z")


def card_to_json(card: Card) -> str:
    """Return the text of ``card.json``."""
    document: dict[str, Any] = dataclasses.asdict(card)
    for name in TIMES:
        document[name] = to_rfc3339(document[name])
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def card_from_json(text: str) -> Card:
    """Return the card of the text of ``card.json``; fields of a later version are left aside."""
    document = json.loads(text)
    known = {item.name for item in dataclasses.fields(Card)}
    values = {name: value for name, value in document.items() if name in known}
    for name in TIMES:
        if values.get(name) is not None:
            values[name] = datetime.fromisoformat(values[name])
    return Card(**values)


def features_to_json(features: Iterable[Feature]) -> str:
    """Return the text of ``features.json``."""
    return json.dumps([dataclasses.asdict(feature) for feature in features], indent=2) + "\n"


def features_from_json(text: str) -> tuple[Feature, ...]:
    """Return the features of the text of ``features.json``."""
    return tuple(
        Feature(item["name"], item["kind"], item.get("unit", ""), item.get("description", ""))
        for item in json.loads(text)
    )
