"""What the sentences of the page are made of: the rows of a window and what is around them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from reports.bins import Comparison
from reports.figures import window
from reports.history import Streak, Track, streak
from reports.rows import MetricRow
from reports.verdict import Verdict

NAMED = 3


@dataclass(frozen=True)
class Evidence:
    """What the sentences are made of: the offending rows of the window and what is around them."""

    verdict: Verdict
    rows: Sequence[MetricRow]
    tracks: Sequence[Track]
    comparisons: Mapping[tuple[str, str], Comparison]
    timezone: str
    parts: Sequence[MetricRow] = ()

    @property
    def deciding(self) -> list[MetricRow]:
        """The window's rows that decide by default."""
        return [row for row in self.rows if row.is_decision]

    @property
    def offending(self) -> list[MetricRow]:
        """The deciding rows that warn or fail, in the verdict's order."""
        known = {(r.drift_kind, r.feature_name, r.metric_name): r for r in self.rows}
        keys = [(o.suite, o.feature_name, o.metric_name) for o in self.verdict.offenders]
        return [known[key] for key in keys if key in known]

    @property
    def named(self) -> list[MetricRow]:
        """The few offending rows that the sentences name: the worst, and that of other concern.

        Whether the model errs, and whether the pipeline is broken, is said however many features
        drifted more.
        """
        first = self.offending[:1]
        for suite in ("quality", "concept", "pipeline"):
            of_suite = [row for row in self.offending if row.drift_kind == suite]
            first += [row for row in of_suite[:1] if row.severity > 1 and row not in first]
        rest = [row for row in self.offending if row not in first]
        return [*first, *rest][:NAMED]

    def worst_parts(self, row: MetricRow, number: int = 5) -> list[MetricRow]:
        """Return the parts in which a row's feature moved most, as far as chance leaves any."""
        key = (row.drift_kind, row.feature_name)
        found = [
            part
            for part in self.parts
            if (part.drift_kind, part.feature_name) == key and part.is_significant
        ]
        way = -1 if row.is_higher_better else 1

        def badness(part: MetricRow) -> tuple[float, ...]:
            return (-part.severity, -way * (part.metric_value or 0.0))

        return sorted(found, key=badness)[:number]

    def name(self, at: datetime | None) -> str:
        """Name a window in the model's timezone."""
        return window(at, self.verdict.window_grain, self.timezone)

    def streak_of(self, row: MetricRow) -> Streak | None:
        """Since when a row's feature is out of bounds, as of its window."""
        for track in self.tracks:
            if (track.drift_kind, track.feature_name) == (row.drift_kind, row.feature_name):
                return streak(track.until(row.window_start_at))
        return None
