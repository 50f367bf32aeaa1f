"""The checks of the pipeline and the watch, ready to show: what is in order folds together."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.rows import MetricRow

MANY = 6


@dataclass(frozen=True)
class Feed:
    """The checks of one window: those that are shown, and those that are in order and many."""

    lines: tuple[MetricRow, ...]
    folded: tuple["Folded", ...]


@dataclass(frozen=True)
class Folded:
    """A check that is in order for many subjects: how many, and its row that is nearest to one."""

    count: int
    nearest: MetricRow


def feed(found: Sequence[MetricRow], many: int = MANY) -> Feed:
    """Return the rows, the worst first; of a check in order for more than `many`, one line."""
    checks: dict[str, list[MetricRow]] = {}
    for row in found:
        if not row.severity:
            checks.setdefault(row.metric_name, []).append(row)
    folded = {name: rows for name, rows in checks.items() if len(rows) > many}
    lines = [row for row in found if row.severity or row.metric_name not in folded]
    return Feed(
        tuple(sorted(lines, key=lambda row: -row.severity)),
        tuple(Folded(len(rows), max(rows, key=_badness)) for rows in folded.values()),
    )


def _badness(row: MetricRow) -> float:
    value = row.metric_value or 0.0
    return -value if row.is_higher_better else value
