"""Planted drifts: what changes, how much, from when to when, and where it can be seen.

A drift changes the rows of whole weeks (or of days of one). Its `size` is in the unit that its kind
names below; the truth that `synthesize` writes says the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Literal

from ingest.errors import InputError
from ingest.traffic import SLUGS, code

DriftKind = Literal["covariate", "prior", "concept", "segment", "outage", "broken_field"]
MOVED_SHARE = 0.04  # of all pages stand in a folder of their own at all times
EXTENSIONS = {"html": "xhtml", "pdf": "epub", "png": "avif", "jpg": "webp"}
"""Extensions that covariate drift replaces, and by what: none of these is seen before."""


@dataclass(frozen=True)
class Drift:
    """One planted drift.

    Parameters
    ----------
    kind
        covariate: share of all rows, of both classes, whose path stands in a folder of its own
        (there are always a few of them), and then with a new extension. It says nothing of the
        truth, and a model has seen some: inputs drift, errors do not.
        prior: added to the share of positives of every channel (0.2 is 20 points).
        concept: share of the positives that look like negatives; as many negatives look like
        positives, so that neither features nor the share of positives move.
        segment: share of the rows of one channel that get tracking parameters.
        outage: share of the rows of one channel that are lost.
        broken_field: share of the rows of one channel that lose their scheme.
    week
        The week it begins in, from 0, at Monday 00:00 UTC.
    day_count
        How long it lasts.
    size
        In [0, 1], see `kind`.
    channel
        The only channel it touches; None is all.
    """

    kind: DriftKind
    week: int
    day_count: int
    size: float
    channel: str | None = None

    def is_on(self, day: int, channel: str) -> bool:
        """Return whether it touches a channel on a day, counted from the first day."""
        begun = self.week * 7
        return begun <= day < begun + self.day_count and self.channel in (None, channel)


PLAN = (
    Drift("covariate", 16, 14, 0.35),
    Drift("concept", 19, 14, 0.40),
    Drift("prior", 22, 7, 0.40),
    Drift("segment", 24, 7, 0.80, "web_proxy"),
    Drift("outage", 26, 7, 1.0, "partner_feed"),
    Drift("broken_field", 28, 5, 1.0, "mail_gateway"),
)
"""What the demo plants: after 14 quiet weeks, with a quiet week or more around each."""

_SEEN: dict[DriftKind, tuple[str, tuple[str, ...], str]] = {
    "covariate": (
        "covariate",
        ("file_extension", "path_depth", "path_length", "path_entropy", "url_length"),
        "paths grow longer and end in extensions not seen before, in both classes",
    ),
    "prior": ("prediction", ("score", "decision"), "the share of positives jumps in all channels"),
    "concept": (
        "label",
        (),
        "positives look like negatives and as many negatives like positives; inputs do not move",
    ),
    "segment": (
        "covariate",
        ("query_length", "parameter_count", "url_length"),
        "one channel adds tracking parameters to its URLs",
    ),
    "outage": ("pipeline", (), "one channel is silent"),
    "broken_field": (
        "covariate",
        ("scheme", "special_share"),
        "one channel sends its URLs without the scheme",
    ),
}


def changed(url: str, random: Random, on: dict[DriftKind, float]) -> str | None:
    """Return a URL as the drifts that are on leave it; None when it is lost."""
    draw = random.random()
    if draw < max(on.get("covariate", 0.0), MOVED_SHARE):
        url = _moved(url, code(random, 12), EXTENSIONS if "covariate" in on else {})
    if random.random() < on.get("segment", 0.0):
        mark = "&" if "?" in url else "?"
        url = f"{url}{mark}utm_source={random.choice(SLUGS)}&utm_medium=mail&cid={code(random, 16)}"
    if random.random() < on.get("broken_field", 0.0):
        url = url.partition("://")[2]
    return None if random.random() < on.get("outage", 0.0) else url


def _moved(url: str, folder: str, extensions: Mapping[str, str]) -> str:
    """Return a URL with its page in another folder, perhaps of another extension.

    Examples
    --------
    >>> _moved("https://www.example.com/a/b.html?c=1", "f0", {"html": "xhtml"})
    'https://www.example.com/s/f0/a/b.xhtml?c=1'
    """
    page, mark, query = url.partition("?")
    scheme, _, rest = page.partition("://")
    host, _, path = rest.partition("/")
    stem, dot, extension = path.rpartition(".")
    path = f"{stem}{dot}{extensions.get(extension, extension)}"
    return f"{scheme}://{host}/s/{folder}/{path}{mark}{query}"


def truth(drifts: tuple[Drift, ...], start: datetime) -> list[dict[str, object]]:
    """Return the planted drifts as they stand in ``truth.json``, by time."""
    found: list[dict[str, object]] = []
    for place, drift in enumerate(sorted(drifts, key=lambda item: (item.week, item.kind)), 1):
        visible_in, names, description = _SEEN[drift.kind]
        begun = start + timedelta(weeks=drift.week)
        found.append(
            {
                "drift_id": f"d{place}",
                "kind": drift.kind,
                "feature_names": list(names),
                "segment": {"channel": drift.channel} if drift.channel else None,
                "started_at": f"{begun:%Y-%m-%dT%H:%M:%SZ}",
                "ended_at": f"{begun + timedelta(days=drift.day_count):%Y-%m-%dT%H:%M:%SZ}",
                "size": drift.size,
                "description": description,
                "visible_in": visible_in,
            }
        )
    return found


def check_drifts(drifts: tuple[Drift, ...], channels: tuple[str, ...]) -> None:
    """Refuse a size outside [0, 1], an unknown channel, and kinds that need a channel without."""
    for drift in drifts:
        if not 0 <= drift.size <= 1 or drift.day_count < 1 or drift.week < 0:
            raise InputError(f"drift {drift.kind}: size is in [0, 1], day_count at least 1")
        needs = drift.kind in ("segment", "outage", "broken_field")
        if (drift.channel or not needs) and drift.channel in (None, *channels):
            continue
        raise InputError(f"drift {drift.kind}: give it a channel, one of {', '.join(channels)}")
