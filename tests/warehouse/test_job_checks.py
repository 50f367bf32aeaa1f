"""A job of the scheduler that fails is an incident of the pipeline until it is well again."""

from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest

from ingest.happenings import Happening, identify, land_happenings
from tests.warehouse.home import BEGIN, Home, draw


def job(name: str, hour: int, is_bad: bool) -> Happening:
    at = BEGIN + timedelta(hours=hour)
    kind = "job_failed" if is_bad else "job_recovered"
    severity = 2 if is_bad else 0
    said = f"job {name} failed (no space)" if is_bad else f"job {name} is well again"
    return Happening(identify(name, hour), at, "ops", kind, "", "", name, severity, said)


@pytest.fixture(scope="module")
def home(make_home: Callable[[], Home]) -> Home:
    home = make_home()
    home.register("toy", draw(np.random.default_rng(1), 300, BEGIN - timedelta(days=9), 9))
    home.send("toy", draw(np.random.default_rng(2), 150, BEGIN, 1))
    told = [job("land", 1, True), job("land", 2, True), job("land", 3, False), job("run", 2, True)]
    land_happenings(home.path / "landing", "jobs", told)
    home.land()
    home.build()
    return home


def test_failures_in_a_row_are_one_incident_which_ends_when_the_job_is_well(home: Home) -> None:
    found = home.query(
        "select feature_name, status, window_count, opened_at, resolved_at, severity"
        " from fct_incidents where model_name = '*' and metric_name = 'failed_jobs' order by 1"
    )
    at = BEGIN.replace(tzinfo=None)
    assert found == [
        ("land", "resolved", 2, at + timedelta(hours=1), at + timedelta(hours=3), 2),
        ("run", "opened", 1, at + timedelta(hours=2), None, 2),
    ]


def test_a_failed_job_is_a_check_of_the_pipeline_of_no_model(home: Home) -> None:
    found = home.query(
        "select model_name, subject_name, window_grain, check_value, severity, note"
        " from fct_pipeline_checks where check_name = 'failed_jobs' order by window_start_at, 2"
    )
    assert found[-1] == ("*", "land", "run", 0.0, 0, "job land is well again")
    assert found[0] == ("*", "land", "run", 1.0, 2, "job land failed (no space)")
    assert len(found) == 4
