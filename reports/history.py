"""What the windows say together: since when a feature is out of bounds, and the order of worst."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from reports.rows import MetricRow


@dataclass(frozen=True)
class Track:
    """One feature through time: its decision rows, oldest first."""

    drift_kind: str
    feature_name: str
    rows: tuple[MetricRow, ...]

    def at(self, window_start_at: datetime | None) -> MetricRow | None:
        """Return the row of a window, None where the feature has none there."""
        for row in reversed(self.rows):
            if row.window_start_at == window_start_at:
                return row
        return None

    def count(self, severity: int) -> int:
        """Return how many windows have exactly this severity."""
        return sum(row.severity == severity for row in self.rows)

    def until(self, window_start_at: datetime) -> tuple[MetricRow, ...]:
        """Return the rows up to and with a window."""
        return tuple(row for row in self.rows if row.window_start_at <= window_start_at)


@dataclass(frozen=True)
class Streak:
    """The judged windows in a row, ending with the judged one, that are out of bounds."""

    since: datetime
    window_count: int


def tracks(decisions: Iterable[MetricRow], window_start_at: datetime | None) -> list[Track]:
    """Group decision rows by feature, the worst first; of a window's rows of a feature the worst.

    Worst is: the severity in the judged window, then the number of windows that fail, the number
    that warn, and the value in the judged window.
    """
    grouped: dict[tuple[str, str], dict[datetime, MetricRow]] = {}
    for row in decisions:
        of_feature = grouped.setdefault((row.drift_kind, row.feature_name), {})
        known = of_feature.get(row.window_start_at)
        if known is None or row.severity > known.severity:
            of_feature[row.window_start_at] = row
    found = [Track(*key, tuple(rows.values())) for key, rows in grouped.items()]

    def badness(track: Track) -> tuple[float, ...]:
        row = track.at(window_start_at)
        value = row.metric_value if row is not None else None
        now = row.severity if row is not None else 0
        return (-now, -track.count(2), -track.count(1), -(value or 0.0))

    return sorted(found, key=lambda track: (*badness(track), track.drift_kind, track.feature_name))


def streak(rows: Sequence[MetricRow], severity: int = 1) -> Streak | None:
    """Return since when the rows, oldest first, are at `severity` or more; None if the last is not.

    Windows that were not judged have no row: they neither lengthen a streak nor break it.
    """
    since, number = None, 0
    for row in reversed(rows):
        if row.severity < severity:
            break
        since, number = row.window_start_at, number + 1
    return None if since is None else Streak(since, number)
