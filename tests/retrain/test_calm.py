"""A year of invented traffic without drift: slow."""

from collections import Counter
from pathlib import Path

import pytest

from tests.retrain.year import CALM_WEEKS, begin

pytestmark = pytest.mark.slow

LAST = 52


def test_a_year_without_drift_promotes_nobody(tmp_path: Path) -> None:
    year = begin(tmp_path, LAST, events_per_week=1_000)
    year.play(CALM_WEEKS, LAST)
    weeks = range(CALM_WEEKS + 2, LAST + 1)
    kinds = Counter(year.retrain(week, dry_run=True).kind for week in weeks)
    forced = Counter(year.retrain(w, force=True, dry_run=True).kind for w in range(20, LAST, 8))
    print(f"by the policy, week by week: {dict(kinds)}; by force, every eighth: {dict(forced)}")
    assert "promoted" not in kinds
    assert "promoted" not in forced
