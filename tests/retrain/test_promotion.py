"""What a promotion moves and what it leaves, over the whole path: slow."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ops import watching
from retrain.policy import Policy, decide
from stream.policy import shipped
from tests.retrain.year import Year, copied, naive

pytestmark = pytest.mark.slow

JUDGED = """
    select window_start_at, drift_kind, feature_name, metric_name, metric_value, fail_bound,
        severity
    from fct_drift_metrics
    where model_version = '1' and window_grain = 'week' and reference_kind = 'training'
        and segment_name = 'all' and window_end_at <= ?
        and drift_kind <> 'label' -- late labels may still come
    order by window_start_at, drift_kind, feature_name, metric_name
"""
SERVED = """
    select model_version, sum(event_count)::bigint as event_count
    from fct_histogram_bins
    where drift_kind = 'prediction' and feature_name = 'decision' and segment_name = 'all'
        and window_grain = ? and window_start_at >= ? and window_start_at < ?
    group by all order by all
"""


@dataclass
class Recovered:
    """The year after the second version has served four weeks."""

    year: Year
    judged_before: Sequence[dict[str, Any]]


@pytest.fixture(scope="module")
def recovered(turned: Year) -> Recovered:
    """Let the watch look at the first version's errors, then let the second one serve."""
    before = turned.ask(JUDGED, naive(20))
    watching.watch(
        turned.settings,
        shipped(),
        (),
        "log",
        clock=lambda: datetime.now(UTC),
        tell=lambda alarm: print(alarm.happened_at, alarm.summary),
        say=print,
        wait=None,
    )
    turned.play(21, 25)
    return Recovered(turned, before)


def test_the_quality_that_is_realised_recovers(recovered: Recovered) -> None:
    year = recovered.year
    before, drifted, after = year.auc(12, 14), year.auc(15, 21), year.auc(21, 25)
    print(f"ROC AUC before {before:.3f}, drifted {drifted:.3f}, retrained {after:.3f}")
    assert before > 0.9 > 0.6 > drifted
    assert after > 0.8  # one label of ten is wrong, so 0.9 is the most


def test_alarms_of_the_watch_alone_make_a_new_version_due(
    recovered: Recovered, tmp_path: Path
) -> None:
    facts = copied(recovered.year, tmp_path).retrain(21, dry_run=True).facts
    assert facts.alarms >= 1
    deaf = Policy(alarms=0, failing_windows=0, quality_breaches=0)
    assert not decide(deaf, facts).is_due
    due = decide(replace(deaf, alarms=1), facts)
    assert due.is_due
    assert "alarms of the watch since" in due.reasons[0]


def test_reference_bins_basis_and_calibration_move_by_themselves(recovered: Recovered) -> None:
    ask = recovered.year.ask
    champions = ask("select model_version, is_champion from dim_models order by all")
    assert [(row["model_version"], row["is_champion"]) for row in champions] == [
        ("1", False),
        ("2", True),
    ]
    for made_of_the_reference in (
        "dim_bins where drift_kind = 'covariate'",
        "fct_embedding_components",
        "fct_quality_metrics where basis = 'estimated' and metric_value is not null",
        "fct_drift_metrics where drift_kind = 'embedding' and metric_value is not null",
    ):
        rows = ask(f"select distinct model_version from {made_of_the_reference} order by all")
        assert [row["model_version"] for row in rows] == ["1", "2"], made_of_the_reference


def test_a_window_that_holds_two_versions_keeps_them_apart(recovered: Recovered) -> None:
    june = datetime(2025, 6, 1)  # a Sunday of the first version, then the second
    until = datetime(2025, 7, 1)
    by_month = recovered.year.ask(SERVED, "month", june, until)
    assert by_month == recovered.year.ask(SERVED, "day", june, until)
    assert [row["model_version"] for row in by_month] == ["1", "2"]
    assert all(row["event_count"] > 0 for row in by_month)


def test_history_keeps_the_rows_of_the_old_version(recovered: Recovered) -> None:
    after = recovered.year.ask(JUDGED, naive(20))
    assert len(after) == len(recovered.judged_before) > 100
    for name in ("metric_value", "fail_bound"):  # judged again: equal but for the last bits
        now, before = (
            np.array([row.pop(name) for row in rows], dtype=float)
            for rows in (after, recovered.judged_before)
        )
        np.testing.assert_allclose(now, before, rtol=1e-9, atol=1e-12)
    assert after == recovered.judged_before


def test_decisions_and_promotions_are_on_the_line_of_time(recovered: Recovered) -> None:
    rows = recovered.year.ask("select kind, model_version from fct_timeline where room = 'retrain'")
    assert {"kind": "promoted", "model_version": "2"} in rows
