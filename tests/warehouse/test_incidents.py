"""Incidents and the timeline: the same story after any number of builds."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from ingest.happenings import Happening, identify, land_happenings
from tests.warehouse.home import BEGIN, Home, draw

WEEK = timedelta(days=7)
#: How far `amount` is moved, week by week: it drifts, recovers, comes back once, and recovers.
SHIFTS = (0, 1, 1, 0, 1, 0, 0)
Rows = list[dict[str, Any]]


def weeks(shifts: Sequence[float]) -> list[Rows]:
    rng = np.random.default_rng(2)
    return [draw(rng, 1_500, BEGIN + WEEK * n, 7, shift) for n, shift in enumerate(shifts)]


def alarm(day: int, number: int = 1) -> Happening:
    at = BEGIN + timedelta(days=day)
    return Happening(
        identify("alarm", number), at, "stream", "alarm", "toy", "1", "errors", 2, "errors rose"
    )


@pytest.fixture(scope="module")
def reference() -> Rows:
    return draw(np.random.default_rng(1), 6_000, BEGIN - timedelta(days=60), 60)


@pytest.fixture(scope="module")
def at_once(make_home: Callable[[], Home], reference: Rows) -> Home:
    home = make_home()
    home.register("toy", reference)
    for events in weeks(SHIFTS):
        home.send("toy", events)
    land_happenings(home.path / "landing", "r1", [alarm(10)])
    home.land()
    home.build()
    return home


def test_a_feature_that_comes_and_goes_makes_one_incident_for_each_island(at_once: Home) -> None:
    found = at_once.query(
        "select status, window_count, opened_window_start_at, last_window_start_at, resolved_at,"
        " previous_incident_id is not null, worst_severity from fct_incidents"
        " where feature_name = 'amount' order by opened_at"
    )
    start = BEGIN.replace(tzinfo=None)
    assert found == [
        ("resolved", 2, start + WEEK, start + 2 * WEEK, start + 4 * WEEK, False, 2),
        ("resolved", 1, start + 4 * WEEK, start + 4 * WEEK, start + 6 * WEEK, True, 2),
    ]


def test_an_alarm_of_the_watch_is_an_incident_of_suite_concept(at_once: Home) -> None:
    [(kind, status, first)] = at_once.query(
        "select drift_kind, status, first_happening_id from fct_incidents"
        " where feature_name = 'errors'"
    )
    assert (kind, status, first) == ("concept", "resolved", str(identify("alarm", 1)))
    [(value, severity)] = at_once.query(
        "select check_value, severity from fct_concept_checks where window_grain = 'week'"
        " and check_name = 'alarms' and check_value > 0"
    )
    assert (value, severity) == (1, 2)


@pytest.mark.slow
def test_build_by_build_the_incident_opens_goes_on_resolves_and_reopens(
    make_home: Callable[[], Home], at_once: Home, reference: Rows
) -> None:
    home = make_home()
    home.register("toy", reference)
    seen = []
    for number, events in enumerate(weeks(SHIFTS)):
        home.send("toy", events)
        # The alarm is told again under another name, as by a run after a kill: it counts once.
        if number in (2, 3):
            land_happenings(home.path / "landing", f"r{number}", [alarm(10)])
        home.land()
        if number in (2, 3, 5, 6):
            home.build()
            [(status,)] = home.query(
                "select status from fct_incidents where feature_name = 'amount'"
                " order by opened_at desc limit 1"
            )
            seen.append(status)
    assert seen == ["opened", "ongoing", "reopened", "resolved"]
    for mart in ("fct_incidents", "fct_timeline"):
        columns = [
            name
            for name, kind, *_ in home.query(f"describe {mart}")
            if kind != "DOUBLE" and name != "detail"
        ]
        asked = f"select {', '.join(columns)} from {mart} order by all"
        assert home.query(asked) == at_once.query(asked) != [], mart


def test_the_timeline_tells_each_happening_once(at_once: Home) -> None:
    kinds = dict(
        at_once.query("select kind, count(*) from fct_timeline where subject_name <> '' group by 1")
    )
    assert kinds == {
        "alarm": 1,
        "breach": 4,
        "incident opened": 2,
        "incident reopened": 1,
        "incident resolved": 3,
        "registration": 1,
    }
