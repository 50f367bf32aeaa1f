"""What changed since the last page: the severities then and now, in sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reports import figures
from reports.rows import MetricRow
from reports.verdict import Verdict

VERDICTS = ("within bounds", "warn", "fail")


@dataclass(frozen=True)
class Since:
    """The former page in a line, and each subject whose severity is another now."""

    former: str
    changes: tuple[str, ...]


def state(verdict: Verdict, rows: Sequence[MetricRow], now: datetime) -> dict[str, Any]:
    """Return what the next page has to know of this one; it can be written as JSON."""
    return {
        "made_at": f"{now:%Y-%m-%d %H:%M}",
        "status": verdict.status,
        "window": figures.window(verdict.window_start_at, verdict.window_grain),
        "severities": {_key(row): row.severity for row in rows if row.is_decision and row.is_whole},
    }


def since(former: Mapping[str, Any] | None, current: Mapping[str, Any]) -> Since | None:
    """Compare two pages; None where there was none before.

    Examples
    --------
    >>> before = {"made_at": "then", "status": "pass", "window": "a week", "severities": {"x y": 0}}
    >>> since(before, before | {"severities": {"x y": 2}}).changes
    ('x y: within bounds, now fail',)
    """
    if not former or not isinstance(former.get("severities"), Mapping):
        return None
    before, after = former["severities"], current["severities"]
    told = [
        f"{key}: {_word(before.get(key))}, now {_word(after.get(key))}"
        for key in sorted({*before, *after}, key=lambda key: (-(after.get(key) or 0), key))
        if before.get(key) != after.get(key)
    ]
    line = f"{former.get('status')} for {former.get('window')}, made {former.get('made_at')} UTC"
    return Since(line, tuple(told))


def _key(row: MetricRow) -> str:
    return f"{row.drift_kind} {row.feature_name}"


def _word(severity: int | None) -> str:
    return "not judged" if severity is None else VERDICTS[severity]
