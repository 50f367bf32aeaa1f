"""The checks of a feed that has stopped, and of a log that lost a part before it landed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from ingest.engine import connect
from ingest.landed import chain
from ingest.landed.sql import landing_sql
from ingest.landing import FIELDS, land_batch, table
from ingest.local.log import LocalLog
from ingest.log import Gone
from tests.warehouse.home import BEGIN, Home, draw


@pytest.fixture(scope="module")
def home(make_home: Callable[[], Home]) -> Home:
    """A home whose log lost its beginning, and whose feed stopped 60 hours before the build."""
    home = make_home()
    home.register("toy", draw(np.random.default_rng(1), 3_000, BEGIN - timedelta(days=60), 60))
    events = draw(np.random.default_rng(2), 700, BEGIN, 7)
    home.send("toy", events[:50])
    log = LocalLog(home.path / "log", print)
    lost = log.end_offset("phishing_logs", 0)
    landing = home.path / "landing"
    place = chain.partition_folder(landing, "phishing_logs", log.source_id("phishing_logs"), 0)
    place.mkdir(parents=True)
    with connect(landing, 1, "1GB") as connection:
        sql = landing_sql(FIELDS["prediction"], [], datetime.now(UTC))
        land_batch(connection, place, 0, lost, table([]), sql, str(Gone(0, lost)))
    home.send("toy", events[50:])
    home.land()
    stopped = BEGIN + timedelta(days=7)
    home.build("--vars", f"{{as_of: '{stopped + timedelta(hours=60):%Y-%m-%d %H:%M:%S}'}}")
    return home


def test_a_part_of_the_log_that_was_gone_is_a_gap_of_its_chain(home: Home) -> None:
    ((subject, value, severity, note),) = home.query(
        "select subject_name, check_value, severity, note from fct_pipeline_checks"
        " where check_name = 'gaps'"
    )
    assert subject.startswith("phishing_logs/")
    assert (value, severity) == (1, 1)
    assert "were deleted by the log's retention before they landed" in note
    assert home.query("select count(*) from int_predictions") == [(650,)]


def test_a_feed_that_has_stopped_is_not_fresh(home: Home) -> None:
    ((value, severity, note),) = home.query(
        "select check_value, severity, note from fct_pipeline_checks where check_name = 'freshness'"
    )
    assert 60 <= value < 61
    assert severity == 1
    assert note.startswith("The newest event is of 2024-04-07")


def test_the_windows_that_the_clock_closed_say_so(home: Home) -> None:
    found = home.query(
        "select window_grain, strftime(window_start_at, '%m-%d'), severity, note"
        " from fct_pipeline_checks where check_name = 'incomplete_windows' order by all"
    )
    note = "Closed by the clock of the build: the feed is stale"
    assert found == [
        ("day", "04-06", 1, note),
        ("day", "04-07", 1, note),
        ("week", "04-01", 1, note),
    ]
    assert home.query("select count(*) from int_windows where not is_complete") == [(1,)]


def test_a_silence_is_a_fact_of_the_day_on_which_it_began(home: Home) -> None:
    found = home.query(
        "select window_start_at, severity, note from fct_pipeline_checks"
        " where check_name = 'silence' and severity > 0"
    )
    [(at, severity, note)] = found
    assert (at, severity) == (BEGIN.replace(tzinfo=None) + timedelta(days=6), 1)
    assert note.startswith("No event from 2024-04-07")
    told = "select severity, note from fct_window_checks where window_grain = 'week' and {}"
    assert home.query(told.format("check_name = 'silence'")) == [(1, f"2024-04-07: {note}")]
    assert home.query("select status from fct_incidents where feature_name = 'silence'") == [
        ("opened",)
    ]


def test_a_gap_is_a_breach_of_its_window_and_a_line_of_time_of_its_own(home: Home) -> None:
    told = "select severity from fct_window_checks where window_grain = 'week' and {}"
    assert home.query(told.format("check_name = 'gaps'")) == [(1,)]
    [(summary,)] = home.query("select summary from fct_timeline where kind = 'gap'")
    assert "were deleted by the log's retention" in summary


def test_a_gap_is_told_once_and_not_again_by_the_next_build(home: Home) -> None:
    home.build()
    assert home.query("select sum(gap_count) from int_landing_gaps") == [(1,)]
