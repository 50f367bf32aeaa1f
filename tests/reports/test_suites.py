"""Every suite can fail a window, a mute keeps it from deciding, and blindness is no pass."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ingest.errors import DriftnetError
from reports.gate import judge
from reports.verdict import Verdict

from .conftest import FIRST, WEEK, Marts
from .more_marts import alarms, check, quality, with_tables

Clock = Callable[[], datetime]
Tables = Mapping[str, Sequence[Mapping[str, Any]]]


def verdict_on(
    marts: Marts, folder: Path, clock: Clock, tables: Tables, name: str = "steady", **more: Any
) -> Verdict:
    return judge(
        with_tables(marts, folder, tables).query,
        folder / "docs",
        model_name=name,
        model_version=marts.models[name].version,
        window_grain="week",
        clock=clock,
        **more,
    )


OFFENDERS = {
    "quality": {
        "fct_quality_metrics": [
            quality(metric_value=0.80, upper_limit=0.83, severity=2, is_breach=True)
        ]
    },
    "concept": {"fct_concept_checks": [alarms(check_value=2.0, severity=2)]},
    "pipeline": {"fct_window_checks": [check(check_value=0.2, severity=2)]},
}
CALM = {
    "fct_quality_metrics": [quality(), quality(basis="estimated", metric_value=0.92)],
    "fct_concept_checks": [alarms()],
    "fct_window_checks": [check()],
}


def test_suites_that_are_in_order_pass(marts: Marts, tmp_path: Path, clock: Clock) -> None:
    verdict = verdict_on(marts, tmp_path, clock, CALM)
    assert verdict.status == "pass"
    assert list(verdict.severities) == ["covariate", "prediction", "quality", "concept", "pipeline"]


@pytest.mark.parametrize("suite", OFFENDERS)
def test_one_offender_of_a_suite_fails_the_window(
    marts: Marts, tmp_path: Path, clock: Clock, suite: str
) -> None:
    verdict = verdict_on(marts, tmp_path, clock, CALM | OFFENDERS[suite])
    assert (verdict.status, verdict.severities[suite]) == ("fail", 2)
    [offender] = verdict.offenders
    assert offender.suite == suite
    [page] = (tmp_path / "docs").glob(f"runs/*/validations/{suite}/**/*.html")
    assert "OUT OF BOUNDS" in page.read_text()


def test_quality_fails_under_its_bound_and_says_so(
    marts: Marts, tmp_path: Path, clock: Clock
) -> None:
    verdict = verdict_on(marts, tmp_path, clock, OFFENDERS["quality"])
    assert "first roc_auc: realised 0.800 under 0.840" in verdict.reason


def test_a_check_that_is_bad_when_low_fails_under_its_bound(
    marts: Marts, tmp_path: Path, clock: Clock
) -> None:
    bounds = {"warn_bound": 0.5, "fail_bound": 0.2, "is_low_bad": True}
    row = check(check_name="volume", check_value=0.1, severity=2, **bounds)
    verdict = verdict_on(marts, tmp_path, clock, {"fct_window_checks": [row]})
    assert "first volume: volume 0.100 under 0.200" in verdict.reason


def test_immature_labels_are_shown_and_do_not_decide(
    marts: Marts, tmp_path: Path, clock: Clock
) -> None:
    row = quality(metric_value=0.80, is_mature=False, severity=2)
    verdict = verdict_on(marts, tmp_path, clock, {"fct_quality_metrics": [row]})
    assert verdict.status == "pass"
    assert verdict.severities["quality"] == 0


def mute(**more: Any) -> dict[str, Any]:
    return {
        "model_name": "*",
        "drift_kind": "*",
        "feature_name": "*",
        "metric_name": "*",
        "why": "a known campaign",
        "muted_until": FIRST + 12 * WEEK,
    } | more


def test_a_muted_row_is_shown_with_its_reason_and_does_not_decide(
    marts: Marts, tmp_path: Path, clock: Clock
) -> None:
    mutes = [mute(feature_name=name) for name in ("public_suffix", "score", "host_length")]
    verdict = verdict_on(marts, tmp_path, clock, {"dim_mutes": mutes}, name="drifting")
    assert (verdict.status, [o.feature_name for o in verdict.offenders]) == ("warn", ["path_depth"])
    assert {o.feature_name: o.mute for o in verdict.muted} == dict.fromkeys(
        ("public_suffix", "score", "host_length"), "a known campaign"
    )
    text = (tmp_path / "docs" / "index.html").read_text()
    assert "a known campaign" in text
    assert "(3 rows muted)" in verdict.reason


@pytest.mark.parametrize(
    "late", [mute(muted_until=FIRST + 11 * WEEK), mute(model_name="another"), mute(metric_name="x")]
)
def test_a_mute_that_has_ended_or_is_of_another_row_mutes_nothing(
    marts: Marts, tmp_path: Path, clock: Clock, late: dict[str, Any]
) -> None:
    verdict = verdict_on(marts, tmp_path, clock, {"dim_mutes": [late]}, name="drifting")
    assert (verdict.status, verdict.muted) == ("fail", ())


def test_a_feed_that_has_stopped_fails_although_its_last_week_was_calm(
    marts: Marts, tmp_path: Path, clock: Clock
) -> None:
    stopped = FIRST + 12 * WEEK
    feed = {
        "model_name": "steady",
        "is_stale": True,
        "newest_event_at": stopped,
        "as_of": stopped + timedelta(days=9),
    }
    verdict = verdict_on(marts, tmp_path, clock, {"dim_feeds": [feed]})
    assert (verdict.status, verdict.is_stale, verdict.offenders) == ("fail", True, ())
    assert "events have stopped: the newest is of 2021-08-30 00:00" in verdict.reason
    older = verdict_on(marts, tmp_path, clock, {"dim_feeds": []}, window_start_at=FIRST + 3 * WEEK)
    assert older.status == "pass"


def test_a_suite_whose_bounds_do_not_bear_out_its_severity_is_an_error(
    marts: Marts, tmp_path: Path, clock: Clock
) -> None:
    with pytest.raises(DriftnetError, match="disagree on dead_letters"):
        verdict_on(marts, tmp_path, clock, {"fct_window_checks": [check(severity=2)]})


def test_data_docs_keep_the_newest_runs_and_link_them(marts: Marts, tmp_path: Path) -> None:
    clocks = [datetime(2021, 9, 6, hour) for hour in range(5)]
    for at in clocks:
        judge(
            marts.query,
            tmp_path / "docs",
            model_name="silent",
            model_version="1",
            window_grain="week",
            kept_runs=3,
            clock=lambda at=at: at,  # type: ignore[misc]
        )
    runs = sorted(path.name for path in (tmp_path / "docs" / "runs").iterdir())
    assert [name[:11] for name in runs] == ["20210906T02", "20210906T03", "20210906T04"]
    index = (tmp_path / "docs" / "index.html").read_text()
    assert f'href="runs/{runs[1]}/index.html"' in index
    assert runs[2] not in index  # the run itself is what the page shows
