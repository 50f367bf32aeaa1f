"""A year of invented traffic without drift: slow."""

from collections import Counter
from pathlib import Path

import pytest

from tests.retrain.year import begin

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

FIRST = 20  # weeks that the first champion knows
LAST = FIRST + 52


def test_a_year_without_drift_promotes_nobody(tmp_path: Path) -> None:
    year = begin(tmp_path, LAST, events_per_week=500, calm_weeks=FIRST)
    year.play(FIRST, LAST)
    weeks = range(FIRST + 1, LAST + 1)
    kinds = Counter(year.retrain(week, dry_run=True).kind for week in weeks)
    forced = [year.retrain(week, force=True, dry_run=True) for week in range(FIRST + 8, LAST, 8)]
    print(f"by policy, each week: {dict(kinds)}; forced: {dict(Counter(x.kind for x in forced))}")
    assert sum(kinds.values()) == 52
    assert "promoted" not in kinds
    assert {outcome.kind for outcome in forced} == {"lost"}
