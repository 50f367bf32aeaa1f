"""What samples, moments and profiles say is what the events say, however they came."""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.warehouse.home import BEGIN, Home, draw
from udfs.mmd import mmd_squared

SIZE = 150
SETTINGS = {
    "sample_size": SIZE,
    "embedding_sample_size": SIZE,
    "segment_columns": ["kind"],
    "sample_segments": ["kind"],
    "segment_minimum_count": 30,
}
OPTIONS = ("--vars", json.dumps(SETTINGS))
BATCHED = ("--vars", json.dumps({**SETTINGS, "batch_rows": 2 * SIZE}))
Rows = list[dict[str, Any]]


def _hash(row: dict[str, Any]) -> str:
    return hashlib.md5(str(row["event_id"]).lower().encode()).hexdigest()  # noqa: S324


def _with_embeddings(rows: Rows, seed: int, shift: float = 0.0) -> Rows:
    rng = np.random.default_rng(seed)
    return [
        {**row, "embedding": [float(x) for x in rng.normal(shift, 1, 4).astype(np.float32)]}
        for row in rows
    ]


@pytest.fixture(scope="module")
def reference() -> Rows:
    rows = draw(np.random.default_rng(1), 6_000, BEGIN - timedelta(days=70), 70)
    return _with_embeddings(rows, 11)


@pytest.fixture(scope="module")
def events() -> Rows:
    rng = np.random.default_rng(2)
    calm = _with_embeddings(draw(rng, 4_000, BEGIN, 14), 12)
    return calm + _with_embeddings(draw(rng, 2_000, BEGIN + timedelta(days=14), 7), 13, shift=0.8)


@pytest.fixture(scope="module")
def at_once(make_home: Callable[[], Home], reference: Rows, events: Rows) -> Home:
    home = make_home()
    home.register("toy", reference)
    home.send("toy", events)
    home.land()
    home.build(*OPTIONS)
    return home


@pytest.fixture(scope="module")
def bit_by_bit(make_home: Callable[[], Home], reference: Rows, events: Rows) -> Home:
    """Before its reference is known, then in pieces and batches, late events and copies too."""
    home = make_home()
    late, rest = events[100:400], events[:100] + events[400:]
    home.send("toy", rest[:1_500])
    home.land()
    home.build(*BATCHED)
    home.register("toy", reference)
    home.send("toy", rest[1_400:4_000])
    home.land()
    home.build(*BATCHED)
    home.send("toy", rest[4_000:] + late)
    home.land()
    home.build(*BATCHED)
    home.build(*BATCHED)
    return home


def test_a_sample_is_the_events_of_the_lowest_hashes_whatever_came_late(
    at_once: Home, bit_by_bit: Home, events: Rows
) -> None:
    for home in (at_once, bit_by_bit):
        found: dict[str, set[str]] = {}
        for day, value in home.query(
            "select cast(cast(window_start_at as date) as varchar), sample_hash from int_samples"
        ):
            found.setdefault(day, set()).add(value)
        expected: dict[str, list[str]] = {}
        for row in events:
            expected.setdefault(str(row["occurred_at"].date()), []).append(_hash(row))
        assert found == {day: set(sorted(hashes)[:SIZE]) for day, hashes in expected.items()}


@pytest.mark.parametrize(
    "table",
    [
        "int_sample_scales",
        "int_bases",
        "int_number_comparisons",
        "int_vector_comparisons",
        "int_reference_distances",
        "int_sample_units",
        "int_sample_windows",
        "int_moments",
        "int_sample_metrics",
        "fct_embedding_components",
        "fct_feature_profiles",
        "fct_vector_sums",
    ],
)
def test_in_pieces_or_at_once_every_table_is_the_same(
    at_once: Home, bit_by_bit: Home, table: str
) -> None:
    _assert_same(bit_by_bit, at_once, table)


def _assert_same(mine: Home, other: Home, table: str) -> None:
    columns = [name for name, *_ in other.query(f"describe {table}")]
    kept = [c for c in columns if c not in {"fold_id", "computed_at", "invocation_id"}]
    texts = [
        c
        for c in kept
        if c.endswith(("_name", "_version", "_grain", "_at", "_number", "segment_value"))
    ]
    sql = f"select {', '.join(kept)} from {table} order by {', '.join(texts)}"
    ours, theirs = mine.query(sql), other.query(sql)
    assert len(ours) == len(theirs) > 0
    for row, expected in zip(ours, theirs, strict=True):
        for left, right in zip(row, expected, strict=True):
            if isinstance(left, float) and right is not None:
                assert left == pytest.approx(right, rel=1e-7, abs=1e-9), (row, expected)
            elif isinstance(left, list):
                _assert_near(left, right)
            else:
                assert left == right, (row, expected)


def _assert_near(left: list[Any], right: list[Any]) -> None:
    if left and isinstance(left[0], str):
        assert left == right
    else:
        np.testing.assert_allclose(
            np.array(left, dtype=float), np.array(right, dtype=float), rtol=1e-7, atol=1e-9
        )


@pytest.mark.slow
def test_samples_go_on_over_compacted_and_pruned_files(
    make_home: Callable[[], Home], reference: Rows
) -> None:
    # more events a day than its sample holds
    events = _with_embeddings(draw(np.random.default_rng(3), 5_200, BEGIN, 2), 14)
    order = np.random.default_rng(4).permutation(len(events))
    first, second, third, late = (
        [events[place] for place in places] for places in np.split(order, [2_000, 3_000, 4_500])
    )
    whole, parted = make_home(), make_home()
    for home in (whole, parted):
        home.register("toy", reference)
    whole.send("toy", events)
    whole.land()
    whole.build()

    parted.send("toy", first)
    parted.land()
    parted.build()
    for part in (second, third):
        parted.send("toy", part)
        parted.land()
    # a folded file and two that are not become one
    assert parted.driftnet("compact").stdout.startswith("landing: 3 files are now 1")
    assert parted.driftnet("build").returncode == 0
    pruned = parted.driftnet("prune", "--older-than", "0")
    assert pruned.stdout.startswith("removed 4,500 rows"), pruned
    parted.send("toy", late)
    parted.land()
    parted.build()
    hashes = "select sample_hash from int_samples order by 1"
    assert parted.query(hashes) == whole.query(hashes)
    assert parted.query("select count(*) from int_samples") == [(4_000,)]
    for table in ("int_moments", "int_sample_metrics", "fct_embedding_components"):
        _assert_same(parted, whole, table)


def test_moments_are_those_of_all_events(bit_by_bit: Home, events: Rows) -> None:
    values = np.array([row["features"]["item_count"] for row in events])
    days = np.array([str(row["occurred_at"].date()) for row in events])
    for day, count, zeros, mean, squares in bit_by_bit.query(
        "select cast(cast(window_start_at as date) as varchar), value_count, zero_count, mean,"
        " squared_deviation_sum from int_moments where feature_name = 'item_count'"
    ):
        ours = values[days == day]
        assert (count, zeros) == (len(ours), int((ours == 0).sum()))
        assert mean == pytest.approx(ours.mean(), rel=1e-12)
        assert squares == pytest.approx(ours.var() * len(ours), rel=1e-12)


def _sample(rows: Rows, size: int) -> Rows:
    return sorted(rows, key=_hash)[:size]


def _week(events: Rows, number: int) -> Rows:
    begin = BEGIN + timedelta(days=7 * number)
    return [row for row in events if begin <= row["occurred_at"] < begin + timedelta(days=7)]


def test_ks_and_wasserstein_of_a_week_are_those_of_its_sample(
    at_once: Home, reference: Rows, events: Rows
) -> None:
    for number in range(3):
        x = np.array([row["score"] for row in reference])
        y = np.array([row["score"] for row in _sample(_week(events, number), SIZE)])
        start = (BEGIN + timedelta(days=7 * number)).replace(tzinfo=None)
        rows = at_once.query(
            "select metric_name, metric_value, reference_count, current_count"
            f" from fct_drift_metrics where window_grain = 'week' and window_start_at = '{start}'"
            " and feature_name = 'score' and metric_name in ('ks_statistic', 'wasserstein')"
            " and segment_name = 'all'"
            " order by 1"
        )
        area = stats.wasserstein_distance(x, y) / x.std(ddof=1)
        assert [row[2:] for row in rows] == [(6_000, SIZE)] * 2
        assert rows[0][1] == pytest.approx(stats.ks_2samp(x, y).statistic, abs=1e-12)
        assert rows[1][1] == pytest.approx(area, rel=1e-9)


def test_ks_of_a_segment_is_that_of_the_sampled_rows_of_it(
    at_once: Home, reference: Rows, events: Rows
) -> None:
    rows = at_once.query(
        "select window_start_at, segment_value, metric_value, reference_count, current_count,"
        " p_value from fct_drift_metrics where window_grain = 'week' and segment_name = 'kind'"
        " and feature_name = 'score' and metric_name = 'ks_statistic' order by all"
    )
    assert {row[1] for row in rows} >= {"1", "other"}
    common = [row for row in rows if row[1] == "1"]
    assert len(common) == 3
    for number, (start, _, value, reference_count, current_count, p) in enumerate(common):
        assert start == (BEGIN + timedelta(days=7 * number)).replace(tzinfo=None)
        sides = reference, _sample(_week(events, number), SIZE)
        x, y = (
            np.array([row["score"] for row in side if row["features"]["kind"] == "1"])
            for side in sides
        )
        assert (reference_count, current_count) == (len(x), len(y))
        assert value == pytest.approx(stats.ks_2samp(x, y).statistic, abs=1e-12)
        assert 0 < p <= 1


def test_mmd_of_a_segment_is_that_of_the_sampled_rows_of_it_in_the_space_of_the_whole(
    at_once: Home, reference: Rows, events: Rows
) -> None:
    rows = at_once.query(
        "select window_start_at, metric_value, reference_count, current_count, p_value"
        " from fct_drift_metrics where window_grain = 'week' and segment_name = 'kind'"
        " and segment_value = '1' and metric_name = 'mmd_squared' and drift_kind = 'embedding'"
        " order by all"
    )
    (median,) = at_once.query(
        "select median_distance from int_bases where drift_kind = 'embedding'"
    )
    shares = []
    for number, (start, value, reference_count, current_count, p) in enumerate(rows):
        assert start == (BEGIN + timedelta(days=7 * number)).replace(tzinfo=None)
        x, y = (
            np.array(
                [row["embedding"] for row in side if row["features"]["kind"] == "1"], np.float32
            )
            for side in (_sample(reference, SIZE), _sample(_week(events, number), SIZE))
        )
        assert (reference_count, current_count) == (len(x), len(y))
        exact = mmd_squared(x, y, None, None, median[0], 0, 1)
        assert exact is not None
        assert value == pytest.approx(exact.statistic, abs=1e-6)
        shares.append(p <= 0.05)
    assert shares == [False, False, True]


def test_sums_of_fourier_features_tell_of_any_two_stretches_what_the_kernel_does(
    at_once: Home,
) -> None:
    (median,) = at_once.query(
        "select median_distance from int_bases where drift_kind = 'embedding'"
    )
    found = {}
    for name, first, second, last in (("calm", 0, 5, 14), ("moved", 0, 14, 21)):
        days = [BEGIN + timedelta(days=day) for day in (first, second, last)]
        begin, middle, end = (f"timestamp '{day:%Y-%m-%d}'" for day in days)
        ((ours, chance, effect, n, m),) = at_once.query(
            "select mmd_squared, expected_value, design_effect, reference_count, current_count from"
            f" vector_drift_between({begin}, {middle}, {middle}, {end})"
            " where drift_kind = 'embedding'"
        )
        x, y = (
            np.array(
                [
                    row[0]
                    for row in at_once.query(
                        "select embedding from int_samples"
                        f" where window_start_at >= {since} and window_start_at < {until}"
                    )
                ]
            )
            for since, until in ((begin, middle), (middle, end))
        )
        exact = mmd_squared(x, y, None, None, median[0], 0, 1)
        assert exact is not None
        print(f"   {name}: {ours:.5f}, exact {exact.statistic:.5f}, chance {chance:.5f}")
        assert (n, m) == (len(x), len(y))
        assert ours == pytest.approx(exact.statistic, rel=0.25, abs=5e-4)
        assert 0 <= chance < 0.01
        assert effect >= 1
        found[name] = ours
    assert abs(found["calm"]) < 0.005 < 0.05 < found["moved"]


def test_a_shift_of_the_embedding_is_found_in_its_week_and_decides(at_once: Home) -> None:
    rows = at_once.query(
        "select metric_name, p_value <= 0.05, is_decision, warn_bound is not null"
        " from fct_drift_metrics where drift_kind = 'embedding' and window_grain = 'week'"
        " and segment_name = 'all' order by window_start_at, metric_name"
    )
    assert [row[:3] for row in rows] == [
        ("mmd_squared", False, True),
        ("pca_wasserstein", False, False),
        ("mmd_squared", False, True),
        ("pca_wasserstein", False, False),
        ("mmd_squared", True, True),
        ("pca_wasserstein", True, False),
    ]
    assert all(row[3] for row in rows)  # ten weeks of reference: the bounds are learnt


def test_the_contributions_of_the_components_sum_to_the_distance(at_once: Home) -> None:
    sums = at_once.query(
        "select window_grain, window_start_at, segment_name, segment_value, sum(contribution)"
        " from fct_embedding_components group by all order by all"
    )
    wholes = at_once.query(
        "select window_grain, window_start_at, segment_name, segment_value, metric_value"
        " from fct_drift_metrics where metric_name = 'pca_wasserstein' order by all"
    )
    assert len(sums) == len(wholes) > 0
    for part, whole in zip(sums, wholes, strict=True):
        assert part[:-1] == whole[:-1]
        assert part[-1] == pytest.approx(whole[-1], rel=1e-12)
    assert {row[2] for row in wholes} == {"all", "kind"}


def test_a_profile_tells_what_the_values_are_like(at_once: Home, events: Rows) -> None:
    ((count, nulls, mean, std, least, greatest, sampled, is_estimate),) = at_once.query(
        "select event_count, null_count, mean, std, minimum, maximum, sample_count, is_estimate"
        " from fct_feature_profiles where window_grain = 'week' and feature_name = 'amount'"
        f" and window_start_at = '{BEGIN:%Y-%m-%d}'"
    )
    week = [row["features"]["amount"] for row in _week(events, 0)]
    values = np.array([value for value in week if value is not None])
    assert (count, nulls, sampled, is_estimate) == (len(week), week.count(None), SIZE, True)
    assert (least, greatest) == (values.min(), values.max())
    assert mean == pytest.approx(values.mean(), rel=1e-12)
    assert std == pytest.approx(values.std(ddof=1), rel=1e-12)


def test_new_values_are_those_that_no_day_of_the_reference_shows(
    at_once: Home, reference: Rows, events: Rows
) -> None:
    known = {row["features"]["kind"] for row in reference}
    for number in range(3):
        sample = _sample(_week(events, number), SIZE)
        kinds = [row["features"]["kind"] for row in sample]
        start = (BEGIN + timedelta(days=7 * number)).replace(tzinfo=None)
        ((share, distinct, top, shares),) = at_once.query(
            "select new_share, distinct_count, top_values, top_shares from fct_feature_profiles"
            " where window_grain = 'week' and feature_name = 'kind'"
            f" and window_start_at = '{start}'"
        )
        assert share == pytest.approx(sum(kind not in known for kind in kinds) / SIZE)
        assert distinct == len(set(kinds))
        assert shares == [pytest.approx(kinds.count(value) / SIZE) for value in top]
        assert shares[0] == max(kinds.count(kind) for kind in set(kinds)) / SIZE
