"""What a window is compared with, and that every way to ask gives the same numbers."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from ops import cli, stretches, warehouse
from ops.settings import Settings
from tests import cookbook
from tests.sql.macros import METRICS
from tests.sql.test_laws import oracle
from tests.warehouse.home import BEGIN, Home, draw

KINDS = ["previous", "seasonal", "training"]
SETTINGS = {
    "segment_columns": ["is_new"],
    "segment_minimum_count": 30,
    "segment_reference_kinds": KINDS,
}
SEGMENTS = ("--vars", json.dumps(SETTINGS))
ALL = "segment_name = 'all' and reference_kind = 'training'"
WEEK = timedelta(days=7)


def _publish(home: Home) -> Settings:
    settings = Settings(home=home.path)
    warehouse.publish(settings, lambda: datetime.now(UTC))
    return settings


@pytest.fixture(scope="module")
def home(make_home: Callable[[], Home]) -> Home:
    """Five calm weeks, then one in which one feature shifts; a pinned stretch of the first."""
    home = make_home()
    rng = np.random.default_rng(1)
    home.register("toy", draw(rng, 8_000, BEGIN - timedelta(days=70), 70))
    events = draw(rng, 5_000, BEGIN, 35) + draw(rng, 1_500, BEGIN + 5 * WEEK, 9, shift=1)
    home.send("toy", events)
    home.land()
    stretches.pin(
        Settings(home=home.path),
        "toy",
        BEGIN.replace(tzinfo=None),
        (BEGIN + WEEK).replace(tzinfo=None),
        lambda: datetime.now(UTC),
    )
    home.build(*SEGMENTS)
    return home


@pytest.fixture(scope="module")
def published(home: Home) -> Settings:
    return _publish(home)


def _counts(home: Home, where: str) -> dict[tuple[str, str, int], int]:
    rows = home.query(
        "select drift_kind, feature_name, bin_index, sum(event_count) from fct_histogram_bins"
        f" where window_grain = 'day' and {where} group by all"
    )
    return {(kind, feature, index): int(count) for kind, feature, index, count in rows}


def _sides(
    reference: dict[tuple[str, str, int], int], current: dict[tuple[str, str, int], int]
) -> dict[tuple[str, str], dict[str, float]]:
    features = {key[:2] for key in current}
    answer = {}
    for feature in features:
        bins = sorted({key[2] for key in (*reference, *current) if key[:2] == feature})
        x = np.array([reference.get((*feature, index), 0) for index in bins])
        y = np.array([current.get((*feature, index), 0) for index in bins])
        answer[feature] = oracle(x, y)
    return answer


def _values(home: Home, where: str) -> dict[tuple[str, str, str], float]:
    rows = home.query(
        "select drift_kind, feature_name, metric_name, metric_value from fct_drift_metrics"
        f" where {where}"
    )
    return {(kind, feature, metric): value for kind, feature, metric, value in rows}


def _assert_equal(
    found: dict[tuple[str, str, str], float], expected: dict[tuple[str, str], dict[str, float]]
) -> None:
    assert {key[:2] for key in found} == set(expected)
    for (kind, feature, metric), value in found.items():
        if metric in expected[kind, feature]:
            assert value == pytest.approx(expected[kind, feature][metric], rel=1e-9, abs=1e-9), (
                feature,
                metric,
            )


def _week(number: int) -> str:
    start = BEGIN + number * WEEK
    return f"window_grain = 'week' and window_start_at = '{start:%Y-%m-%d}'"


def _between(first: int, until: int) -> str:
    return (
        f"window_start_at >= '{BEGIN + first * WEEK:%Y-%m-%d}'"
        f" and window_start_at < '{BEGIN + until * WEEK:%Y-%m-%d}'"
    )


def test_the_parts_of_the_bins_are_those_of_the_metrics_on_every_row(home: Home) -> None:
    rows = home.query(
        """
        with sums as (
            select * exclude (bin_index, bin_label, bin_kind, bin_spec_id, is_complete, fold_id),
            from fct_drift_bins
        ),
        parts as (
            select model_name, model_version, window_grain, window_start_at, reference_kind,
                segment_name, segment_value, drift_kind, feature_name,
                sum(psi_part) as psi, sqrt(sum(js_part)) as js_distance,
                sum(chi_square_part) as chi_square,
                sum(reference_count) as reference_count, sum(current_count) as current_count
            from sums group by all
        )
        select metrics.metric_name, metrics.metric_value,
            case metrics.metric_name when 'psi' then psi when 'js_distance' then js_distance
            else chi_square end,
            metrics.reference_count = parts.reference_count
            and metrics.current_count = parts.current_count
        from fct_drift_metrics as metrics
        left join parts using (model_name, model_version, window_grain, window_start_at,
            reference_kind, segment_name, segment_value, drift_kind, feature_name)
        where metrics.metric_name in ('psi', 'js_distance', 'chi_square')
            and (reference_kind in ('training', 'pinned') or window_grain = 'week')
        """
    )
    assert len(rows) > 1_000
    for metric, value, parts, has_same_counts in rows:
        assert has_same_counts
        assert value == pytest.approx(parts, rel=1e-12, abs=1e-12), metric


def test_every_metric_equals_its_oracle_on_the_counts_of_the_bins(home: Home) -> None:
    bins = home.query(
        "select window_start_at, drift_kind, feature_name, list(reference_count),"
        f" list(current_count) from fct_drift_bins where window_grain = 'week' and {ALL}"
        " group by all"
    )
    assert len(bins) > 30
    for start, kind, feature, x, y in bins:
        found = _values(
            home,
            f"window_grain = 'week' and window_start_at = '{start}' and {ALL}"
            f" and drift_kind = '{kind}' and feature_name = '{feature}'",
        )
        expected = oracle(np.array(x), np.array(y))
        assert {metric for *_, metric in found} >= set(expected)
        for (_, _, metric), value in found.items():
            if metric in expected:
                assert value == pytest.approx(expected[metric], rel=1e-9, abs=1e-9), metric


def test_the_training_reference_counts_are_those_of_the_bins(home: Home) -> None:
    (wrong,) = home.query(
        "select count(*) from fct_drift_bins as parts inner join dim_bins as bins"
        " using (bin_spec_id, model_name, model_version, segment_name, segment_value, bin_index)"
        " where reference_kind = 'training' and parts.reference_count != bins.reference_count"
    )[0]
    assert wrong == 0


@pytest.mark.parametrize(
    ("kind", "first", "until"), [("previous", 3, 4), ("seasonal", 0, 4), ("pinned", 0, 1)]
)
def test_traffic_of_before_is_a_reference_too(
    home: Home, kind: str, first: int, until: int
) -> None:
    expected = _sides(
        _counts(home, f"segment_name = 'all' and {_between(first, until)}"),
        _counts(home, f"segment_name = 'all' and {_between(4, 5)}"),
    )
    found = _values(home, f"{_week(4)} and segment_name = 'all' and reference_kind = '{kind}'")
    _assert_equal(found, expected)
    assert {metric for *_, metric in found} == set(METRICS)


def test_a_days_season_is_its_weekday(home: Home) -> None:
    day = BEGIN + 4 * WEEK + timedelta(days=2)
    before = ", ".join(f"'{day - n * WEEK:%Y-%m-%d}'" for n in range(1, 5))
    expected = _sides(
        _counts(home, f"segment_name = 'all' and window_start_at in ({before})"),
        _counts(home, f"segment_name = 'all' and window_start_at = '{day:%Y-%m-%d}'"),
    )
    found = _values(
        home,
        f"window_grain = 'day' and window_start_at = '{day:%Y-%m-%d}'"
        " and segment_name = 'all' and reference_kind = 'seasonal'",
    )
    _assert_equal(found, expected)


def test_a_window_inside_the_pinned_stretch_is_not_compared_with_it(home: Home) -> None:
    weeks = home.query(
        "select distinct window_start_at from fct_drift_metrics"
        " where reference_kind = 'pinned' and window_grain = 'week' order by 1"
    )
    assert weeks[0][0] == (BEGIN + WEEK).replace(tzinfo=None)


def test_a_segment_is_compared_with_the_same_segment(home: Home) -> None:
    where = "segment_name = 'is_new' and segment_value = 'false'"
    reference = home.query(
        f"select drift_kind, feature_name, bin_index, reference_count from dim_bins where {where}"
    )
    expected = _sides(
        {(kind, feature, index): count for kind, feature, index, count in reference},
        _counts(home, f"{where} and {_between(4, 5)}"),
    )
    found = _values(home, f"{_week(4)} and {where} and reference_kind = 'training'")
    _assert_equal(found, expected)
    assert {metric for *_, metric in found} == {"psi", "js_distance", "chi_square"}


@pytest.mark.parametrize(("kind", "first"), [("previous", 3), ("seasonal", 0)])
def test_a_segment_is_compared_with_the_same_segment_of_earlier_traffic(
    home: Home, kind: str, first: int
) -> None:
    where = "segment_name = 'is_new' and segment_value = 'false'"
    expected = _sides(
        _counts(home, f"{where} and {_between(first, 4)}"),
        _counts(home, f"{where} and {_between(4, 5)}"),
    )
    found = _values(home, f"{_week(4)} and {where} and reference_kind = '{kind}'")
    _assert_equal(found, expected)
    assert {metric for *_, metric in found} == {"psi", "js_distance", "chi_square"}


def test_segments_are_compared_with_the_reference_kinds_that_are_named_alone(home: Home) -> None:
    kinds = home.query(
        "select distinct reference_kind from fct_drift_metrics"
        " where segment_name != 'all' order by 1"
    )
    assert [kind for (kind,) in kinds] == KINDS


def test_a_segment_with_too_few_rows_is_not_judged(home: Home) -> None:
    rows = home.query(
        "select min(current_count) from fct_drift_metrics where segment_name = 'is_new'"
    )
    assert rows[0][0] >= 30
    days = home.query(
        "select count(*) from fct_drift_metrics"
        " where segment_value = 'true' and window_grain = 'day'"
    )
    assert days == [(0,)]


def test_the_shifted_feature_leads_and_the_calm_weeks_hold_still(home: Home) -> None:
    leader = home.query(
        f"select feature_name, severity from fct_drift_metrics where {_week(5)} and {ALL}"
        " and is_decision order by metric_value desc limit 1"
    )
    assert leader == [("amount", 2)]
    calm = home.query(
        f"select count(*) from fct_drift_metrics where window_start_at < '2024-05-06' and {ALL}"
        " and window_grain = 'week' and severity > 0"
    )
    assert calm == [(0,)]


@pytest.mark.parametrize("grain", ["day", "week"])
def test_any_two_stretches_give_the_numbers_of_the_previous_window(
    home: Home, published: Settings, grain: str
) -> None:
    length = WEEK if grain == "week" else timedelta(days=1)
    start = (BEGIN + 4 * WEEK).replace(tzinfo=None)
    with warehouse.reader(published) as query:
        rows = query(
            "select drift_kind, feature_name, metric_name, metric_value, expected_value,"
            " p_value, reference_count, current_count from drift_between(?, ?, ?, ?)",
            [start - length, start, start, start + length],
        ).to_pylist()
    stored = home.query(
        "select drift_kind, feature_name, metric_name, metric_value, expected_value, p_value,"
        " reference_count, current_count from fct_drift_metrics"
        f" where window_grain = '{grain}' and window_start_at = '{start}'"
        " and segment_name = 'all' and reference_kind = 'previous'"
    )
    found = {(row["drift_kind"], row["feature_name"], row["metric_name"]): row for row in rows}
    assert len(found) == len(rows) == len(stored) > 0
    for kind, feature, metric, value, expected, p, n, m in stored:
        row = found[kind, feature, metric]
        assert row["metric_value"] == pytest.approx(value, rel=1e-9, abs=1e-9)
        assert (row["reference_count"], row["current_count"]) == (n, m)
        if expected is None:
            assert row["expected_value"] is None
        elif grain == "day":
            assert row["expected_value"] == pytest.approx(expected, rel=1e-9)
            # a tail in plain SQL is near the exact one
            assert row["p_value"] == pytest.approx(p, rel=0.07, abs=0.01)
        else:
            # the stored row takes the larger of day and week blocks
            assert row["expected_value"] <= expected * (1 + 1e-9)


def test_segments_can_be_compared_between_any_two_stretches(published: Settings) -> None:
    with warehouse.reader(published) as query:
        rows = query(
            "select distinct segment_value from segment_drift_between('is_new', ?, ?, ?, ?)",
            [(BEGIN + n * WEEK).replace(tzinfo=None) for n in (0, 2, 2, 4)],
        )
    assert sorted(rows["segment_value"].to_pylist()) == ["false", "true"]


def test_the_wide_mart_has_the_same_values(home: Home) -> None:
    rows = home.query(
        "select count(*), max(abs(wide.psi - metrics.metric_value)) from rpt_drift_wide as wide"
        " inner join fct_drift_metrics as metrics using (model_name, model_version, window_grain,"
        " window_start_at, reference_kind, segment_name, segment_value, drift_kind, feature_name)"
        " where metrics.metric_name = 'psi'"
    )
    (long,) = home.query("select count(*) from fct_drift_metrics where metric_name = 'psi'")[0]
    assert rows == [(long, 0.0)]


@pytest.mark.parametrize(
    "sql", [pytest.param(sql, id=title) for title, sql in cookbook.queries().items()]
)
def test_a_query_of_the_cookbook_runs_and_answers(sql: str, published: Settings) -> None:
    with warehouse.reader(published) as query:
        assert query(sql, []).num_rows > 0


def test_the_verb_drift_prints_what_moved_most_first(
    published: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DRIFTNET_HOME", str(published.home))
    days = [f"{BEGIN + n * WEEK:%Y-%m-%d}" for n in (0, 5, 6)]
    arguments = ["drift", "--reference", days[0], days[1], "--current", days[1], days[2]]
    assert cli.call(arguments) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if "covariate" in line]
    assert "amount" in lines[0]
    assert cli.call([*arguments, "--metric", "charm"]) == 2
    assert "choose from" in capsys.readouterr().err
    assert cli.call(["drift", "--reference", days[1], days[0], "--current", days[1], days[2]]) == 2
    assert "empty" in capsys.readouterr().err


@pytest.mark.slow
def test_late_events_judge_again_all_windows_that_are_compared_with_theirs(
    make_home: Callable[[], Home], tmp_path: Path
) -> None:
    rng = np.random.default_rng(4)
    reference = draw(rng, 6_000, BEGIN - timedelta(days=60), 60)
    events = draw(rng, 3_000, BEGIN, 21)
    late, rest = events[:100], events[100:]
    in_time, behind = make_home(), make_home()
    for home in (in_time, behind):
        home.register("toy", reference)
    in_time.send("toy", events)
    in_time.land()
    in_time.build()
    behind.send("toy", rest)
    behind.land()
    behind.build()
    before = behind.query(
        f"select computed_at, metric_value from fct_drift_metrics where {_week(1)}"
        " and reference_kind = 'previous' and is_decision order by all"
    )
    behind.send("toy", late)
    behind.land()
    behind.build()
    values = "select drift_kind, feature_name, metric_value from fct_drift_metrics"
    where = f"where {_week(1)} and reference_kind = 'previous' and is_decision order by all"
    after = behind.query(f"{values} {where}")
    expected = in_time.query(f"{values} {where}")
    assert [row[:-1] for row in after] == [row[:-1] for row in expected]
    assert [row[-1] for row in after] == pytest.approx([row[-1] for row in expected], rel=1e-12)
    assert [row[-1] for row in after] != [row[-1] for row in before]
    untouched = behind.query(
        f"select count(distinct computed_at) from fct_drift_metrics where {_week(2)}"
    )
    assert untouched == [(1,)]


@pytest.mark.slow
def test_a_baseline_that_is_cleared_leaves_no_row(
    make_home: Callable[[], Home], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = make_home()
    rng = np.random.default_rng(5)
    home.register("toy", draw(rng, 3_000, BEGIN - timedelta(days=30), 30))
    home.send("toy", draw(rng, 1_500, BEGIN, 14))
    home.land()
    monkeypatch.setenv("DRIFTNET_HOME", str(home.path))
    assert cli.call(["baseline", "--from", "2024-04-01"]) == 2
    assert cli.call(["baseline", "--from", "2024-04-01", "--to", "2024-04-08"]) == 0
    home.build()
    pinned = "select count(*) from fct_drift_metrics where reference_kind = 'pinned'"
    assert home.query(pinned)[0][0] > 0
    assert cli.call(["baseline", "--clear"]) == 0
    home.build()
    assert home.query(pinned) == [(0,)]
    assert home.query("select count(*) from fct_drift_metrics")[0][0] > 0
