"""What Prometheus is told of the marts, and that each metric is described."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ops.exporter import Exporter
from ops.mart_metrics import GAUGES, MartMetrics, samples
from ops.settings import CHECKOUT, Settings, read
from ops.target import Target
from ops.timetable import Job
from tests.reports import more_marts
from tests.reports.conftest import FIRST, WEEK, Marts, empty_marts, marts

__all__ = ["empty_marts", "marts"]  # fixtures

END = (FIRST + 12 * WEEK).replace(tzinfo=UTC).timestamp()
STEADY = Target("steady", "1", "week")


def now() -> datetime:
    return datetime.now(UTC)


def told(marts: Marts, target: Target) -> dict[tuple[Any, ...], float]:
    return {(name, *labels): value for name, labels, value in samples(marts.query, target)}


def test_drift_is_told_of_the_window_that_the_gate_judges(marts: Marts) -> None:
    found = told(marts, Target("drifting", "2", "week"))
    [row] = marts.query(
        "select metric_value, warn_bound, fail_bound, severity from fct_drift_metrics"
        " where model_name = 'drifting' and model_version = '2' and window_grain = 'week'"
        " and feature_name = 'host_length' and metric_name = 'psi' and segment_name = 'all'"
        " and reference_kind = 'training' and window_start_at = ?",
        [FIRST + 11 * WEEK],
    ).to_pylist()
    who = ("drifting", "2", "covariate", "host_length")
    assert row["severity"] == 2
    assert found["drift_value", *who, "psi"] == row["metric_value"]
    assert found["drift_warn_bound", *who, "psi"] == row["warn_bound"]
    assert found["drift_fail_bound", *who, "psi"] == row["fail_bound"]
    assert found["drift_severity", *who] == row["severity"]
    assert found["window_end_timestamp_seconds", "drifting", "2", "week"] == END
    assert found["window_events", "drifting", "2"] == 4000


def test_every_label_is_one_of_the_models_own_and_every_sample_fits_its_metric(
    marts: Marts,
) -> None:
    names = {shape.name for shape in marts.models["drifting"].shapes}
    for name, *labels in told(marts, Target("drifting", "2", "week")):
        known = GAUGES[name][1]
        assert len(labels) == len(known)
        assert dict(zip(known, labels, strict=True)).get("feature", "score") in names


def test_quality_is_that_of_the_newest_mature_window_and_checks_are_the_worst_subject(
    marts: Marts, tmp_path: Path
) -> None:
    before = {"window_start_at": FIRST + 10 * WEEK, "window_end_at": FIRST + 11 * WEEK}
    more = more_marts.with_tables(
        marts,
        tmp_path,
        {
            "fct_quality_metrics": [
                more_marts.quality(metric_value=0.5, is_mature=False),
                more_marts.quality(metric_value=0.9, severity=1, **before),
                more_marts.quality(basis="estimated", metric_value=0.8, is_mature=False),
                more_marts.quality(basis="estimated", metric_value=0.7, **before),
            ],
            "fct_window_checks": [
                more_marts.check(),
                more_marts.check(subject_name="labels", severity=2),
            ],
            "dim_feeds": [
                {
                    "model_name": "steady",
                    "is_stale": True,
                    "newest_event_at": FIRST + 12 * WEEK,
                    "as_of": FIRST + 14 * WEEK,
                }
            ],
        },
    )
    found = told(more, STEADY)
    assert found["quality_value", "steady", "1", "roc_auc", "realised"] == 0.9
    assert found["quality_severity", "steady", "1", "roc_auc", "realised"] == 1
    assert found["quality_value", "steady", "1", "roc_auc", "estimated"] == 0.8
    window_end = "quality_window_end_timestamp_seconds"
    assert found[window_end, "steady", "1", "realised"] == END - WEEK.total_seconds()
    assert found["label_coverage_share", "steady", "1"] == 0.9
    assert found["check_severity", "steady", "1", "dead_letters"] == 2
    assert found["newest_event_timestamp_seconds", "steady"] == END
    assert found["feed_is_stale", "steady"] == 1


def test_a_model_that_no_one_watched_yet_has_no_drift(empty_marts: Marts) -> None:
    assert told(empty_marts, STEADY) == {}


def test_a_copy_that_cannot_be_read_is_told_and_breaks_no_scrape(tmp_path: Path) -> None:
    settings = read({}).at(tmp_path / "home")
    folder = settings.published / "20260101T000000.000000Z"
    folder.mkdir(parents=True)
    for name in ("driftnet.duckdb", "published.json"):
        (folder / name).write_text("no database")
    settings.current.symlink_to(folder.name)
    value = Exporter(settings, now).registry.get_sample_value
    assert value("driftnet_marts_are_readable") == 0


def test_a_home_without_marts_has_the_counters_of_its_jobs(settings: Settings) -> None:
    job = Job("land", (), "0 0 1 1 *")
    value = Exporter(settings, now, [job]).registry.get_sample_value
    assert value("driftnet_marts_are_readable") == 1
    for outcome in ("done", "drift", "usage", "failed", "stopped"):
        assert value("driftnet_job_runs_total", {"verb": "land", "outcome": outcome}) == 0


def test_every_metric_is_described_and_every_described_one_exists(settings: Settings) -> None:
    shown = {
        sample.name
        for metric in Exporter(settings, now, [Job("land", (), "0 0 1 1 *")]).registry.collect()
        for sample in metric.samples
        if not sample.name.endswith("_created")
    }
    families = {metric.name for metric in Exporter(settings, now).collect()}
    text = (CHECKOUT / "ops" / "METRICS.md").read_text()
    described = set(re.findall(r"`(driftnet_[a-z_]+[a-z])`", text))
    assert described == shown | families


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read({}).at(tmp_path / "home")


def test_the_marts_are_asked_once_for_each_publication(settings: Settings) -> None:
    """Nothing is published: nothing is asked, and the families are there all the same."""
    names = [metric.name for metric in MartMetrics(settings).collect()]
    assert names == [*(f"driftnet_{name}" for name in GAUGES), "driftnet_marts_are_readable"]
