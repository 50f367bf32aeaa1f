"""The checks of the feed: each says what it saw, and none stops a build."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
import pytest

from tests.warehouse.home import BEGIN, Home, draw


@pytest.fixture(scope="module")
def home(make_home: Callable[[], Home]) -> Home:
    """A home whose feed has one fault of each kind."""
    home = make_home()
    home.register("toy", draw(np.random.default_rng(1), 3_000, BEGIN - timedelta(days=60), 60))
    events = draw(np.random.default_rng(2), 2_400, BEGIN, 16)
    outage = range(10, 12)
    for event in events:
        if (event["occurred_at"] - BEGIN).days == 8:
            event["features"]["is_new"] = None
    kept = [event for event in events if (event["occurred_at"] - BEGIN).days not in outage]
    home.send("toy", [*kept, *kept[:60]])
    home.send("stranger", events[:5])
    home.send_raw(b"null", b"{")
    odd = draw(np.random.default_rng(6), 1, BEGIN + timedelta(days=3), 1)[0]
    home.send_raw(
        json.dumps(
            {
                "event_id": str(odd["event_id"]),
                "occurred_at": odd["occurred_at"].isoformat(),
                "model_name": "toy",
                "model_version": "1",
                "score": 0.5,
                "features": {"amount": "many", "Colour": "red"},
            }
        ).encode()
    )
    home.land()
    home.build()
    return home


def found(home: Home, check: str) -> list[tuple[str, str, str, int]]:
    """Return what is not in order by day: model, day or build, subject and severity."""
    return [
        (model, start if grain == "day" else grain, subject, severity)
        for model, grain, start, subject, severity in home.query(
            "select model_name, window_grain, strftime(window_start_at, '%m-%d'), subject_name,"
            f" severity from fct_pipeline_checks where check_name = '{check}'"
            " and severity > 0 and window_grain in ('day', 'build') order by all"
        )
    ]


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        ("volume", [("toy", "04-11", "", 2), ("toy", "04-12", "", 2)]),
        ("missing_features", [("toy", "04-09", "is_new", 2)]),
        ("changed_types", [("toy", "04-04", "amount", 1)]),
        ("unknown_features", [("toy", "04-04", "colour", 1)]),
        ("duplicates", [("toy", "04-01", "", 1)]),
        ("held_events", [("stranger", "04-01", "", 1)]),
        ("dead_letters", []),
        ("freshness", []),
        ("gaps", []),
    ],
)
def test_a_fault_of_the_feed_is_a_row_of_its_day(
    home: Home, check: str, expected: list[tuple[str, str, str, int]]
) -> None:
    assert found(home, check) == expected


def test_dead_letters_are_counted_by_topic(home: Home) -> None:
    assert home.query(
        "select subject_name, note from fct_pipeline_checks where check_name = 'dead_letters'"
    ) == [("phishing_logs", "2 of 2189 landed messages")]


WEEKS = [datetime(2024, 4, 1), datetime(2024, 4, 8)]


@pytest.mark.parametrize(
    ("check", "place", "subject", "severity", "day"),
    [
        ("duplicates", 0, "", 1, "2024-04-01"),
        ("changed_types", 0, "amount", 1, ""),
        ("unknown_features", 0, "colour", 1, "2024-04-04"),
        ("missing_features", 1, "is_new", 2, "2024-04-09"),
        ("volume", 1, "", 2, "2024-04-11"),
    ],
)
def test_a_fault_of_one_day_reaches_the_week_that_the_gate_judges(
    home: Home, check: str, place: int, subject: str, severity: int, day: str
) -> None:
    [(at, note)] = home.query(
        f"""
        select window_start_at, note from fct_window_checks
        where window_grain = 'week' and model_name = 'toy' and severity = {severity}
            and check_name = '{check}' and subject_name = '{subject}'
        """
    )
    assert at == WEEKS[place]
    assert note.startswith(f"{day}: ") if day else not note.startswith("2024")


def test_what_came_by_the_clock_counts_to_the_newest_week_that_was_complete(home: Home) -> None:
    assert home.query(
        "select window_start_at, subject_name, severity from fct_window_checks"
        " where window_grain = 'week' and model_name = 'toy' and check_name = 'dead_letters'"
    ) == [(WEEKS[1], "phishing_logs", 0)]


def test_a_fault_of_the_feed_is_an_incident_and_stands_on_the_timeline(home: Home) -> None:
    asked = (
        "select {}, severity from {} where {} and model_name = 'toy' and severity = 2 order by all"
    )
    told = asked.format("feature_name", "fct_incidents", "drift_kind = 'pipeline'")
    assert home.query(told) == [("is_new", 2), ("volume", 2)]
    told = asked.format("subject_name", "fct_timeline", "kind = 'breach'")
    assert {("is_new", 2), ("volume", 2)} <= set(home.query(told))
