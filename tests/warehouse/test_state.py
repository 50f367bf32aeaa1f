"""What the warehouse counts, it counts once, whatever comes in which order."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from tests.warehouse.home import BEGIN, Home, draw

MARTS = [
    "dim_models",
    "dim_features",
    "dim_bins",
    "fct_histogram_bins",
    "fct_drift_bins",
    "fct_drift_metrics",
    "fct_drift_breaches",
]
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def reference() -> Rows:
    return draw(np.random.default_rng(1), 6_000, BEGIN - timedelta(days=60), 60)


@pytest.fixture(scope="module")
def events() -> Rows:
    rng = np.random.default_rng(2)
    return draw(rng, 6_000, BEGIN, 21) + draw(rng, 2_000, BEGIN + timedelta(days=21), 7, shift=1)


@pytest.fixture(scope="module")
def at_once(make_home: Callable[[], Home], reference: Rows, events: Rows) -> Home:
    """A home where all came in order and was folded by one build."""
    home = make_home()
    home.register("toy", reference)
    home.send("toy", events)
    home.label("toy", events[:3_000], is_positive=True)
    home.land()
    home.build()
    return home


def test_three_builds_of_late_and_repeated_events_end_as_one_build(
    make_home: Callable[[], Home], at_once: Home, reference: Rows, events: Rows
) -> None:
    home = make_home()
    home.register("toy", reference)
    late, rest = events[100:400], events[:100] + events[400:]
    home.label("toy", events[:500], is_positive=False)
    home.send("toy", rest[:4_000])
    home.land()
    home.build()
    home.send("toy", rest[3_900:] + late)
    home.label("toy", events[:3_000], is_positive=True)
    home.land()
    home.build()
    home.build()
    for mart in MARTS:
        ours, theirs = home.rows(mart), at_once.rows(mart)
        if mart in {"fct_drift_bins", "fct_drift_metrics", "fct_drift_breaches"}:
            ours, theirs = _without(home, mart, "fold_id"), _without(at_once, mart, "fold_id")
        assert len(ours) == len(theirs) > 0, mart
        _assert_same(ours, theirs, mart)
    statuses = dict(home.query("select event_status, count(*) from int_predictions group by 1"))
    assert statuses == {"counted": 8_000, "duplicate": 100}


def _without(home: Home, mart: str, column: str) -> list[tuple[Any, ...]]:
    dropped = {column, "comparison_state", "computed_at", "invocation_id"}
    columns = [name for name, *_ in home.query(f"describe {mart}") if name not in dropped]
    return home.query(f"select {', '.join(columns)} from {mart} order by all")


def _assert_same(ours: list[tuple[Any, ...]], theirs: list[tuple[Any, ...]], mart: str) -> None:
    for mine, other in zip(ours, theirs, strict=True):
        for left, right in zip(mine, other, strict=True):
            if isinstance(left, float) and right is not None:
                assert left == pytest.approx(right, rel=1e-12, abs=1e-15), (mart, mine, other)
            else:
                assert left == right, (mart, mine, other)


def test_a_full_refresh_ends_in_the_same_tables(at_once: Home) -> None:
    before = {mart: at_once.rows(mart) for mart in MARTS}
    at_once.build("--full-refresh")
    for mart in MARTS:
        _assert_same(at_once.rows(mart), before[mart], mart)


def test_the_cube_counts_what_a_direct_count_of_the_values_counts(
    at_once: Home, events: Rows
) -> None:
    edges = at_once.query(
        "select lower_bound, upper_bound, bin_kind, bin_index from dim_bins"
        " where feature_name = 'amount' order by bin_index"
    )
    cube = dict(
        at_once.query(
            "select bin_index, sum(event_count) from fct_histogram_bins"
            " where window_grain = 'day' and segment_name = 'all' and feature_name = 'amount'"
            " group by 1"
        )
    )
    amounts = [event["features"]["amount"] for event in events]
    assert len([row for row in edges if row[2] == "range"]) == 10
    for lower, upper, bin_kind, index in edges:
        if bin_kind == "range":
            low = -np.inf if lower is None else lower
            high = np.inf if upper is None else upper
            expected = sum(value is not None and low < value <= high for value in amounts)
        else:
            expected = amounts.count(None) if bin_kind == "null" else 0
        assert cube.get(index, 0) == expected, (bin_kind, lower, upper)


def test_the_cube_knows_scores_and_labels(at_once: Home, events: Rows) -> None:
    ((count, labelled, positive, score_sum),) = at_once.query(
        "select sum(event_count), sum(labelled_count), sum(positive_count), sum(score_sum)"
        " from fct_histogram_bins where window_grain = 'day' and segment_name = 'all'"
        " and feature_name = 'decision'"
    )
    assert (count, labelled, positive) == (8_000, 3_000, 3_000)
    assert score_sum == pytest.approx(sum(event["score"] for event in events), abs=1e-5)


def test_weeks_and_months_are_sums_of_days(at_once: Home) -> None:
    totals = at_once.query(
        "select window_grain, feature_name, bin_index, sum(event_count) from fct_histogram_bins"
        " group by all"
    )
    by_grain: dict[str, dict[tuple[str, int], int]] = {}
    for grain, feature, index, count in totals:
        by_grain.setdefault(grain, {})[feature, index] = count
    assert by_grain["day"] == by_grain["week"] == by_grain["month"]


def test_a_shift_of_one_feature_is_found_in_its_week_and_nowhere_else(at_once: Home) -> None:
    breaches = at_once.query(
        "select distinct feature_name, window_start_at from fct_drift_breaches"
        " where is_decision and window_grain = 'week'"
    )
    assert breaches == []  # the week of the shift has not been over for a day
    days = at_once.query(
        "select feature_name, min(window_start_at), count(*) from fct_drift_breaches"
        " where is_decision and window_grain = 'day' group by 1"
    )
    assert [(name, str(start.date())) for name, start, _ in days] == [("amount", "2024-04-22")]


def test_bin_specs_do_not_move_with_current_data(
    make_home: Callable[[], Home], at_once: Home, reference: Rows
) -> None:
    home = make_home()
    home.register("toy", reference)
    home.send("toy", draw(np.random.default_rng(99), 500, BEGIN, 3, shift=5))
    home.land()
    home.build()
    assert home.rows("int_bin_specs") == at_once.rows("int_bin_specs")
    assert home.rows("dim_bins") == at_once.rows("dim_bins")


def test_unknown_versions_wait_bad_messages_are_kept_and_other_types_show(
    make_home: Callable[[], Home], reference: Rows
) -> None:
    home = make_home()
    home.register("toy", reference)
    good = draw(np.random.default_rng(3), 300, BEGIN, 2)
    home.send("toy", good)
    home.send("toy", draw(np.random.default_rng(4), 7, BEGIN, 2), version="2")
    home.send("stranger", draw(np.random.default_rng(5), 5, BEGIN, 2))
    home.send_raw(b"null", b"{", b"\xff")
    changed = draw(np.random.default_rng(6), 1, BEGIN, 2)[0]
    changed["features"] = {"amount": "many", "kind": "unheard of", "colour": "red"}
    home.send_raw(
        json.dumps(
            {
                "schema_version": 1,
                "event_id": str(changed["event_id"]),
                "occurred_at": changed["occurred_at"].isoformat(),
                "model_name": "toy",
                "model_version": "1",
                "score": 0.5,
                "features": changed["features"],
            }
        ).encode()
    )
    home.land()
    home.build()
    statuses = dict(home.query("select event_status, count(*) from int_predictions group by 1"))
    assert statuses == {"counted": 301, "held": 12, "dead": 3}
    codes = home.query(
        "select covariate_amount, covariate_kind, covariate_is_new, prediction_decision"
        f" from int_predictions where event_id = '{changed['event_id']}'"
    )
    assert codes == [(254, 253, 255, 1)]


def test_held_events_are_counted_once_their_version_has_a_reference(
    make_home: Callable[[], Home], at_once: Home, reference: Rows, events: Rows
) -> None:
    home = make_home()
    home.send("toy", events[:5_000])
    home.land()
    home.build()
    home.send("toy", events[4_900:])
    home.label("toy", events[:3_000], is_positive=True)
    home.land()
    home.build()
    assert home.query("select distinct event_status from int_predictions order by 1") == [
        ("duplicate",),
        ("held",),
    ]
    home.register("toy", reference)
    home.build()  # nothing new has landed
    statuses = dict(home.query("select event_status, count(*) from int_predictions group by 1"))
    assert statuses == {"counted": 8_000, "duplicate": 100}
    days = home.query(
        "select sum(landed_count), sum(duplicate_count), sum(held_count) from int_event_days"
    )
    assert days == [(8_100, 100, 0)]
    for mart in MARTS:
        ours, theirs = _without(home, mart, "fold_id"), _without(at_once, mart, "fold_id")
        assert len(ours) == len(theirs) > 0, mart
        _assert_same(ours, theirs, mart)
    home.build()
    assert home.query("select count(*) from int_predictions") == [(8_100,)]


def test_segments_are_the_frequent_values_of_the_reference_and_sum_to_the_whole(
    make_home: Callable[[], Home], reference: Rows, events: Rows
) -> None:
    home = make_home()
    home.register("toy", reference)
    home.send("toy", events)
    home.land()
    home.build("--vars", "{segment_columns: [channel, kind], segment_values: 3}")
    names = ["1", "2", "3", "other"]
    counts = [
        sum(min(int(e["features"]["kind"]), 4) == place for e in events) for place in range(1, 5)
    ]
    assert home.query(
        "select segment_name, segment_value, sum(event_count) from fct_histogram_bins"
        " where window_grain = 'month' and feature_name = 'amount' group by all order by 1, 2"
    ) == [("all", "all", 8_000), *(("kind", *pair) for pair in zip(names, counts, strict=True))]


def test_an_empty_home_builds_empty_marts(make_home: Callable[[], Home]) -> None:
    home = make_home()
    home.build()
    for mart in MARTS:
        assert home.rows(mart) == []
