"""Two stretches of a cube against each other: the numbers of their sums."""

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from scipy.spatial.distance import jensenshannon

from tests.sql.macros import METRICS, statistics
from tests.sql.rendered import package

DAYS, FEATURES, BINS, RHO = 20, 12, 7, 0.02
REFERENCE, CURRENT = slice(2, 9), slice(9, 14)


def _cube() -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    rng = np.random.default_rng(8)
    cube = rng.poisson(rng.gamma(0.7, 15, (FEATURES, 1, BINS)), (FEATURES, DAYS, BINS))
    # whichever bin the one row is in, the statistic is the same
    cube[0] = 0
    cube[0, 2, 0] = 1
    cube[0, 9, :2] = [1, 2]
    return cube.astype(np.int64)


def _stretches(by_rho: float) -> dict[tuple[int, str], dict[str, float]]:
    cube = _cube()
    feature, day, index = np.nonzero(cube)
    connection = duckdb.connect()
    connection.register(
        "counts",
        pa.table(
            {"feature": feature, "day": day, "bin_index": index, "event_count": cube[cube > 0]}
        ),
    )
    connection.execute(
        "create table cube as select feature, bin_index, event_count,"
        " timestamp '2024-01-01' + to_days(cast(day as int)) as window_start_at from counts"
    )
    connection.execute(
        f"create table features as select distinct feature, {by_rho}::double as rho from cube"
    )
    sql = package().compare_stretches(
        "cube",
        "features",
        by=["feature"],
        feature_by=["feature"],
        reference_from="timestamp '2024-01-03'",
        reference_to="timestamp '2024-01-10'",
        current_from="timestamp '2024-01-10'",
        current_to="timestamp '2024-01-15'",
    )
    rows = connection.sql(sql).to_arrow_table().to_pylist()
    return {(row["feature"], row["metric_name"]): row for row in rows}


def test_two_stretches_are_compared_as_their_sums_with_the_spread_of_their_days() -> None:
    cube, found = _cube(), _stretches(RHO)
    sizes = cube.sum(axis=2).astype(np.float64)
    x, y = cube[:, REFERENCE].sum(axis=1), cube[:, CURRENT].sum(axis=1)
    n, m = x.sum(axis=1), y.sum(axis=1)
    variance = (1 + RHO * ((sizes[:, REFERENCE] ** 2).sum(axis=1) / n - 1)) / n + (
        1 + RHO * ((sizes[:, CURRENT] ** 2).sum(axis=1) / m - 1)
    ) / m
    answer = statistics(x, y, design_effect=variance / (1 / n + 1 / m))
    assert len(found) == FEATURES * len(METRICS)
    for (feature, metric), row in found.items():
        case = f"{metric} of feature {feature}"
        assert row["metric_value"] == pytest.approx(answer[metric][feature], rel=1e-9), case
        assert (row["reference_count"], row["current_count"]) == (n[feature], m[feature]), case
        for name, column in (
            ("expected", "expected_value"),
            ("detectable", "min_detectable_value"),
        ):
            expected = answer.get(f"{name}_{metric}")
            if expected is not None:
                assert row[column] == pytest.approx(expected[feature], rel=1e-9), case
        if feature:
            p = answer["approximate_p_value"][feature]
            assert row["p_value"] == pytest.approx(p, rel=1e-9), case


def test_where_the_margins_leave_no_room_nothing_is_surprising() -> None:
    found = _stretches(0.0)
    assert {row["p_value"] for (feature, _), row in found.items() if feature == 0} == {1.0}


@pytest.mark.parametrize("q", [0.0, 0.2, 0.5001, 0.9])
def test_a_part_of_js_needs_no_column_of_sums(q: float) -> None:
    part = package().js_part("p", "q")
    sql = f"select sum({part}) from (values (0.5::double, {q}), (0.5, 1 - {q})) as bins (p, q)"
    ((found,),) = duckdb.execute(sql).fetchall()
    assert found == pytest.approx(jensenshannon([0.5, 0.5], [q, 1 - q], base=2) ** 2, abs=1e-12)
