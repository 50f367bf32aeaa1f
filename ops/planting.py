"""What a demo knows beforehand: the traffic it makes up, or the counts of the file it is given."""

from collections import Counter
from datetime import datetime
from pathlib import Path

from ingest.event_file import open_events, read_events

BATCH = 50_000


def event_counts_by_month(events: Path, since: datetime, now: datetime) -> dict[datetime, int]:
    """Return how many events a file holds in each month (UTC) from a time on."""
    counts: Counter[datetime] = Counter()
    file = open_events(events, now)
    for batch in read_events(file, since, None, BATCH):
        counts.update(
            datetime(moment.year, moment.month, 1)
            for moment in batch.column("occurred_at").to_pylist()
        )
    return dict(counts)
