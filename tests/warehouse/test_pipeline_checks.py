"""The checks of the feed: each says what it saw, and none stops a build."""

import json
from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest

from tests.warehouse.home import BEGIN, Home, draw


@pytest.fixture(scope="module")
def home(make_home: Callable[[], Home]) -> Home:
    """A home whose feed has one fault of each kind."""
    home = make_home()
    home.register("toy", draw(np.random.default_rng(1), 3_000, BEGIN - timedelta(days=60), 60))
    events = draw(np.random.default_rng(2), 1_400, BEGIN, 14)
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
    ) == [("phishing_logs", "2 of 1264 landed messages")]
