"""What was planted against what was seen: hits, misses, delays and false alarms. No output here.

A drift counts as seen when a deciding row of a named feature, in a suite that can show it, reaches
severity 2 in a complete window that overlaps it. It is known when that window ends: the delay, in
days, runs from the planted start to there. A row of severity 2 in a window that no planted drift
overlaps is a false alarm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from ops.target import Target
from ops.warehouse import Query

WARN, FAIL = 1, 2

#: The suites of fct_drift_metrics; what moves errors only or loses events shows in the others.
DRIFT = frozenset({"covariate", "prediction", "embedding", "label"})

Outcome = Literal["seen", "warned", "missed", "not looked for"]


@dataclass(frozen=True)
class Planted:
    """A drift that is known to be in the events.

    Parameters
    ----------
    kind
        covariate, prior, concept, segment, outage, field ...
    starts_at, ends_at
        When it is in the events (UTC, without a zone); `ends_at` is None when it stays.
    features
        Those that move, or the channel that is silent; empty when any may.
    description
        One line for people.
    suites
        In which it can be seen.
    """

    kind: str
    starts_at: datetime
    ends_at: datetime | None
    features: frozenset[str] = frozenset()
    description: str = ""
    suites: frozenset[str] = DRIFT


@dataclass(frozen=True)
class Decision:
    """A deciding row of a complete window; times UTC, without a zone.

    Parameters
    ----------
    drift_kind
        The suite of the gate.
    """

    window_start_at: datetime
    window_end_at: datetime
    drift_kind: str
    feature_name: str
    severity: int


@dataclass(frozen=True)
class Found:
    """What became of one planted drift at one window length.

    Parameters
    ----------
    warned_at, failed_at
        End of the first window of severity 1 or more, and of severity 2: when it was known.
    features
        The named features at severity 2 in that first window, in order of their names.
    is_looked_for
        Whether any row that could show it was judged: without labels no quality is.
    """

    planted: Planted
    warned_at: datetime | None
    failed_at: datetime | None
    features: tuple[str, ...]
    is_looked_for: bool = True

    @property
    def outcome(self) -> Outcome:
        """Return seen (severity 2), warned (severity 1 at most), missed or not looked for."""
        if self.failed_at:
            return "seen"
        if self.warned_at:
            return "warned"
        return "missed" if self.is_looked_for else "not looked for"

    @property
    def delay_days(self) -> float | None:
        """Return the days from the planted start to the end of the window that showed it."""
        known_at = self.failed_at or self.warned_at
        return (known_at - self.planted.starts_at) / timedelta(days=1) if known_at else None


def decisions(query: Query, target: Target) -> list[Decision]:
    """Return the deciding rows of all complete windows, oldest first."""
    scope = "model_name = ? and model_version = ? and window_grain = ?"
    found = query(
        f"""
        select window_start_at, window_end_at, drift_kind, feature_name, severity
        from fct_drift_metrics
        where
            {scope}
            and reference_kind = 'training'
            and segment_name = 'all'
            and is_decision
            and is_complete
        union all
        select window_start_at, window_end_at, 'quality', metric_name, severity
        from fct_quality_metrics
        where {scope} and segment_name = 'all' and is_complete and is_mature
        union all
        select window_start_at, window_end_at, 'concept', subject_name, severity
        from fct_concept_checks
        where {scope} and is_complete
        union all
        select
            window_start_at,
            window_end_at,
            'pipeline',
            coalesce(nullif(subject_name, ''), check_name),
            severity
        from fct_window_checks
        where {scope}
        order by 1, 3, 4, 5
        """,
        [target.model_name, target.model_version, target.grain] * 4,
    )
    return [Decision(**row) for row in found.to_pylist()]


def find(planted: Planted, rows: Sequence[Decision]) -> Found:
    """Return when one planted drift was first seen; the rows are of one window length.

    Examples
    --------
    >>> monday, sunday = datetime(2021, 3, 1), datetime(2021, 3, 8)
    >>> rows = [Decision(monday, sunday, "covariate", "path_depth", 2)]
    >>> drift = Planted("covariate", datetime(2021, 3, 4), None, frozenset({"path_depth"}))
    >>> find(drift, rows).delay_days
    4.0
    """
    looked = [r for r in rows if r.drift_kind in planted.suites and _overlaps(planted, r)]
    inside = [r for r in looked if not planted.features or r.feature_name in planted.features]
    warned_at = min((row.window_end_at for row in inside if row.severity >= WARN), default=None)
    failed_at = min((row.window_end_at for row in inside if row.severity >= FAIL), default=None)
    features = sorted(
        row.feature_name
        for row in inside
        if row.severity >= FAIL and row.window_end_at == failed_at
    )
    return Found(planted, warned_at, failed_at, tuple(dict.fromkeys(features)), bool(looked))


def calm(planted: Sequence[Planted], rows: Sequence[Decision]) -> list[Decision]:
    """Return the rows of windows that no planted drift overlaps."""
    return [row for row in rows if not any(_overlaps(drift, row) for drift in planted)]


def counts_by_window(rows: Sequence[Decision]) -> dict[datetime, tuple[int, int]]:
    """Return for each window how many features are at severity 2, and how many were judged."""
    counts: dict[datetime, tuple[int, int]] = {}
    for row in rows:
        failed, judged = counts.get(row.window_start_at, (0, 0))
        counts[row.window_start_at] = failed + (row.severity >= FAIL), judged + 1
    return counts


def event_counts_by_month(query: Query, target: Target) -> dict[datetime, int]:
    """Return how many events of the model the warehouse has counted in each month (UTC)."""
    found = query(
        """
        select window_start_at, cast(sum(event_count) as bigint) as event_count
        from fct_histogram_bins
        where
            model_name = ?
            and model_version = ?
            and window_grain = 'month'
            and segment_name = 'all'
            and drift_kind = 'prediction'
            and feature_name = 'score'
        group by window_start_at
        order by window_start_at
        """,
        [target.model_name, target.model_version],
    )
    return {row["window_start_at"]: row["event_count"] for row in found.to_pylist()}


def rises(counts: Mapping[datetime, int], back: int = 4) -> dict[datetime, float]:
    """Return for each window how far it stands over the mean of the `back` windows before it.

    Examples
    --------
    >>> weeks = [datetime(2021, 3, 1), datetime(2021, 3, 8), datetime(2021, 3, 15)]
    >>> list(rises(dict(zip(weeks, [1, 3, 9], strict=True)), back=2).values())
    [0.0, 2.0, 7.0]
    """
    windows, values = list(counts), list(counts.values())
    found = {}
    for place, window in enumerate(windows):
        before = values[max(0, place - back) : place]
        found[window] = values[place] - sum(before) / len(before) if before else 0.0
    return found


def lines_by_year(counts: Mapping[datetime, int]) -> list[tuple[int, str]]:
    """Return for each ISO year one sign per week: _ where there is no count, else `sparkline`."""
    signs = dict(zip(counts, sparkline(list(counts.values())), strict=True))
    years = sorted({at.isocalendar().year for at in counts})
    weeks = {at.isocalendar()[:2]: sign for at, sign in signs.items()}
    last = {year: date(year, 12, 28).isocalendar().week for year in years}
    return [
        (year, "".join(weeks.get((year, week), "_") for week in range(1, last[year] + 1)))
        for year in years
    ]


def sparkline(values: Sequence[int]) -> str:
    """Return one sign for each value, from blank (0) to # (the greatest).

    Examples
    --------
    >>> sparkline([0, 1, 5, 10])
    ' .=#'
    """
    signs = " .:-=+*%#"
    top = max(values, default=0)
    steps = len(signs) - 1
    return "".join(signs[-(-value * steps // top)] if top else signs[0] for value in values)


def _overlaps(planted: Planted, row: Decision) -> bool:
    ends = planted.ends_at
    return row.window_end_at > planted.starts_at and (ends is None or row.window_start_at < ends)
