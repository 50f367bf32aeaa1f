"""A year of invented traffic without drift: slow."""

from collections import Counter
from pathlib import Path

import pytest

from tests.retrain.year import CALM_WEEKS, begin

pytestmark = pytest.mark.slow

FIRST, LAST = CALM_WEEKS, CALM_WEEKS + 52


def test_a_year_without_drift_promotes_nobody(tmp_path: Path) -> None:
    year = begin(tmp_path, LAST, events_per_week=450)
    year.play(FIRST, LAST)
    weeks = range(FIRST + 1, LAST + 1)
    kinds = Counter(year.retrain(week, dry_run=True).kind for week in weeks)
    forced = [year.retrain(week, force=True, dry_run=True) for week in range(FIRST + 8, LAST, 6)]
    print(f"by policy, each week: {dict(kinds)}; forced: {dict(Counter(x.kind for x in forced))}")
    assert "promoted" not in kinds
    assert {outcome.kind for outcome in forced} == {"lost"}
