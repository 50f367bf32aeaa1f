"""Labels find their predictions whenever they come, and each of them is counted once."""

import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from ingest.events import Label
from ops import stretches
from ops.settings import Settings
from tests.warehouse.home import BEGIN, VOLATILE, Home, draw
from tests.warehouse.test_orders import NO_TESTS, assert_same, snapshot

Rows = list[dict[str, Any]]
Said = tuple[uuid.UUID, datetime, bool]
TABLES = ["fct_labelled_predictions", "int_label_counts", "int_event_labels"]
COUNTS = (
    "landed_count, applied_count, superseded_count, waiting_count, orphaned_count, dead_count,"
    " contradicted_count"
)


def send_labels(home: Home, said: Sequence[Said]) -> None:
    messages = [
        Label(event_id=event, model_name="toy", labelled_at=at, is_actual_positive=truth).to_json()
        for event, at, truth in said
    ]
    home.append_labels(messages)


def after(event: dict[str, Any], days: float) -> datetime:
    occurred_at: datetime = event["occurred_at"]
    return occurred_at + timedelta(days=days)


def naive(event: dict[str, Any], days: float) -> datetime:
    return after(event, days).replace(tzinfo=None)


def content(home: Home, table: str) -> list[tuple[Any, ...]]:
    """Return what a table says, without where and by which build it came."""
    places = {"fold_id", "source_id", "partition_id", "position", "computed_at"}
    columns = [name for name, *_ in home.query(f"describe {table}") if name not in places]
    return home.query(f"select {', '.join(columns)} from {table} order by all")


@pytest.fixture(scope="module")
def reference() -> Rows:
    return draw(np.random.default_rng(1), 1_500, BEGIN - timedelta(days=30), 30)


@pytest.fixture(scope="module")
def events() -> Rows:
    return draw(np.random.default_rng(2), 600, BEGIN, 60)


@pytest.fixture(scope="module")
def said(events: Rows) -> list[Said]:
    """Return labels: prompt, months late, repeated, contradicting, at the same instant, unknown."""
    prompt = [(e["event_id"], after(e, 0.1), e["score"] > 0.3) for e in events[:200]]
    late = [(e["event_id"], after(e, 90), True) for e in events[200:250]]
    revised = [(e["event_id"], after(e, 3), e["score"] <= 0.3) for e in events[:40]]
    back = [(e["event_id"], after(e, 5), e["score"] > 0.3) for e in events[:10]]
    torn = [(e["event_id"], after(e, 0.1), e["score"] <= 0.3) for e in events[100:120]]
    strangers: list[Said] = [(uuid.UUID(int=n), BEGIN, False) for n in range(7)]
    recent: list[Said] = [(uuid.UUID(int=99), after(events[-1], 80), True)]
    return prompt + late + revised + back + torn + prompt[50:60] + strangers + recent


@pytest.fixture(scope="module")
def at_once(make_home: Callable[[], Home], reference: Rows, events: Rows, said: list[Said]) -> Home:
    home = make_home()
    home.register("toy", reference)
    home.send("toy", events)
    send_labels(home, said)
    home.append_labels([b"null", b"{}"])
    home.land()
    home.build()
    return home


def test_each_landed_label_is_counted_once(at_once: Home) -> None:
    counts = dict(at_once.query(f"select model_name, row({COUNTS}) from int_label_counts"))
    assert counts["toy"] == (338, 250, 80, 1, 7, 0, 60)
    assert counts["*"][-2] == 2
    checks = dict(
        at_once.query(
            "select check_name, check_value from int_label_checks where model_name = 'toy'"
        )
    )
    parts = ("applied", "superseded", "waiting", "orphaned", "dead")
    assert checks["labels_landed"] == sum(checks[f"labels_{part}"] for part in parts)


def test_the_newest_label_holds_and_what_it_says_is_known_since_it_was_first_said(
    at_once: Home, events: Rows
) -> None:
    rows = {
        row[0]: row[1:]
        for row in at_once.query(
            "select event_id, is_actual_positive, labelled_at, label_known_at"
            " from fct_labelled_predictions"
        )
    }
    assert len(rows) == 250
    twice, once, torn = events[5], events[30], events[110]
    assert rows[twice["event_id"]] == (twice["score"] > 0.3, naive(twice, 5), naive(twice, 0.1))
    assert rows[once["event_id"]] == (once["score"] <= 0.3, naive(once, 3), naive(once, 3))
    assert rows[torn["event_id"]][0] is True


@pytest.mark.slow
def test_any_order_of_arrival_over_any_number_of_builds_ends_in_the_same_tables(
    make_home: Callable[[], Home], at_once: Home, reference: Rows, events: Rows, said: list[Said]
) -> None:
    rng = np.random.default_rng(7)
    home = make_home()
    arrivals = [("event", n) for n in range(len(events))] + [("said", n) for n in range(len(said))]
    rng.shuffle(arrivals)
    registered = int(rng.integers(0, 3))  # held events until then
    for build, part in enumerate(np.array_split(np.array(arrivals, dtype=object), 3)):
        if build == registered:
            home.register("toy", reference)
        home.send("toy", [events[n] for what, n in part if what == "event"])
        send_labels(home, [said[n] for what, n in part if what == "said"])
        home.land()
        home.build("--select", "+int_label_counts", "+fct_labelled_predictions")
    home.append_labels([b"null", b"{}"])
    home.land()
    home.build("--select", "+int_label_counts", "+fct_labelled_predictions")
    for table in TABLES:
        assert content(home, table) == content(at_once, table), table


def test_what_is_older_than_the_kept_days_leaves_the_mart(
    make_home: Callable[[], Home], reference: Rows, events: Rows, said: list[Said]
) -> None:
    home = make_home()
    home.register("toy", reference)
    home.send("toy", events)
    send_labels(home, said)
    home.land()
    home.build("--vars", "{labelled_prediction_days: 50}", "--select", "+fct_labelled_predictions")
    edge = max(event["occurred_at"] for event in events) - timedelta(days=50)
    kept = {event["event_id"] for event in events[:250] if event["occurred_at"] >= edge}
    assert 0 < len(kept) < 250
    assert {row[0] for row in home.query("select event_id from fct_labelled_predictions")} == kept


@pytest.mark.slow
def test_late_labels_have_only_labels_judged_again_and_only_where_they_are(
    make_home: Callable[[], Home],
) -> None:
    rng = np.random.default_rng(3)
    home = make_home()
    truths = [bool(rng.random() < 0.4) for _ in range(3_000)]
    home.register("toy", draw(rng, 3_000, BEGIN - timedelta(days=60), 60), truths=truths)
    events = draw(rng, 30 * 150, BEGIN, 30)
    late = [event for event in events if event["occurred_at"].date() == date(2024, 4, 11)][:20]
    known = [event for event in events if event not in late]
    begin = BEGIN.replace(tzinfo=None)
    week = begin + timedelta(days=7)
    stretches.pin(Settings(home.path), "toy", begin, week, lambda: datetime.now(UTC))
    home.send("toy", events)
    home.label("toy", known[::2], is_positive=True)
    home.label("toy", known[1::2], is_positive=False)
    home.land()
    home.build(*NO_TESTS)
    home.label("toy", late, is_positive=True)
    home.land()
    home.build(*NO_TESTS)

    def done_again(table: str, columns: str) -> set[tuple[Any, ...]]:
        newest = f"fold_id = (select max(fold_id) from {table})"
        return set(home.query(f"select {columns} from {table} where {newest}"))

    window = "window_grain, strftime(window_start_at, '%m-%d')"
    touched = {("day", "04-11"), ("week", "04-08"), ("month", "04-01")}
    later_days = {("day", "04-12"), ("day", "04-18"), ("day", "04-25")}  # compared with the 11th
    later_weeks = {("week", "04-15"), ("week", "04-22"), ("week", "04-29")}
    assert done_again("int_realised_quality", window) == touched
    assert done_again("fct_quality_metrics", window) == touched
    assert done_again("fct_drift_metrics", window) == touched | later_days | later_weeks
    for table in ("fct_drift_metrics", "fct_drift_bins"):
        assert done_again(table, "drift_kind") == {("label",)}
    ((kinds, runs),) = home.query(
        "select list(distinct drift_kind), count(distinct invocation_id) from fct_drift_metrics"
        " where invocation_id in (select invocation_id from int_folds where fold_id = 2)"
    )
    assert (kinds, runs) == (["label"], 1)

    # windows with new events and windows with new labels alone, beside each other
    home.send("toy", draw(rng, 150, BEGIN + timedelta(days=30), 1))
    home.label("toy", known[300:900:7], is_positive=True)
    home.land()
    home.build(*NO_TESTS)
    tables = ["int_histograms", "fct_drift_metrics", "fct_drift_bins", "fct_quality_metrics"]
    folded = snapshot(home, tables, VOLATILE)
    home.build("--full-refresh", *NO_TESTS)
    assert_same(folded, snapshot(home, tables, VOLATILE))
