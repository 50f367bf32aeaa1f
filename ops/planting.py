"""What a demo knows beforehand: the drifts of made-up traffic, or the counts of a given file."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from ingest.event_file import naive, open_events, read_events
from ops.story import DRIFT, Planted

BATCH = 50_000
SUITES = {"label": frozenset({"quality", "concept"}), "pipeline": frozenset({"pipeline"})}


def read_truth(truth: Path) -> list[Planted]:
    """Return the planted drifts that `ingest.synthesize` wrote, by start."""
    found = [
        Planted(
            kind=row["kind"].replace("_", " "),
            starts_at=_time(row["started_at"]),
            ends_at=_time(row["ended_at"]),
            features=frozenset(row["feature_names"] or _silent(row)),
            description=row["description"],
            suites=SUITES.get(row["visible_in"], DRIFT),
        )
        for row in json.loads(truth.read_text())
    ]
    return sorted(found, key=lambda drift: drift.starts_at)


def event_counts_by_month(events: Path, since: datetime, now: datetime) -> dict[datetime, int]:
    """Return how many events a file holds in each month (UTC) from a time on.

    Parameters
    ----------
    since, now
        Events before the first are not counted; one after the second has a wrong time.
    """
    counts: Counter[datetime] = Counter()
    for batch in read_events(open_events(events, now), since, None, BATCH):
        counts.update(
            datetime(moment.year, moment.month, 1)
            for moment in batch.column("occurred_at").to_pylist()
        )
    return dict(counts)


def _silent(row: Mapping[str, Any]) -> Iterable[str]:
    """Return the channel that is silent: the check of its volume bears its name."""
    return (row["segment"] or {}).values() if row["visible_in"] == "pipeline" else ()


def _time(text: str) -> datetime:
    moment = naive(datetime.fromisoformat(text))
    assert moment is not None  # noqa: S101  (only a None gives None)
    return moment
