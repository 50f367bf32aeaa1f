"""Counts by bin, straight from a relation, against NumPy."""

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from tests.sql.rendered import package

NULL_BIN = 255
EDGES = {"amount": [-0.3, 0.1 + 0.2, 1.0], "level": [0.0, 2.0], "constant": []}


def _table() -> pa.Table:
    rng = np.random.default_rng(3)
    count = 20_000
    amount = rng.normal(size=count)
    # values at the edges, and the neighbours of one
    on_edge = [-0.3, 0.1 + 0.2, np.nextafter(0.3, 1), 0.3, 1.0, 1.7976931348623157e308]
    places = rng.integers(0, count, 3_000)
    amount[places] = rng.choice([*on_edge, np.nan, np.inf, -np.inf], 3_000)
    return pa.table(
        {
            "day": rng.integers(0, 3, count),
            "amount": pa.array(amount, mask=rng.random(count) < 0.1),
            "level": pa.array(rng.integers(-1, 5, count), pa.int32()),
            "constant": pa.array(np.ones(count, dtype=np.float32)),
        }
    )


def _counted(table: pa.Table) -> dict[tuple[int, str, int], int]:
    """Count with NumPy; lower open, upper closed."""
    days = table["day"].to_numpy()
    expected: dict[tuple[int, str, int], int] = {}
    for name, edges in EDGES.items():
        values = table[name].to_pandas().to_numpy(dtype=np.float64)
        codes = np.where(np.isfinite(values), np.searchsorted(edges, values, "left"), NULL_BIN)
        found = np.unique(np.stack([days, codes]), axis=1, return_counts=True)
        for (day, code), count in zip(found[0].T, found[1], strict=True):
            expected[int(day), name, int(code)] = int(count)
    return expected


def test_rows_are_counted_as_numpy_counts_them_whatever_is_not_a_number() -> None:
    table = _table()
    connection = duckdb.connect()
    connection.register("events", table)
    sql = package().count_bins("events", list(EDGES), EDGES, ["day"])
    found = connection.execute(sql).fetchall()
    expected = _counted(table)
    assert {(day, name, index): count for day, name, index, count in found} == expected
    assert len(found) == len(expected)
    assert any(index == NULL_BIN for _, _, index in expected)


@pytest.mark.parametrize("bins", [2, 10])
def test_edges_are_the_distinct_quantiles_below_the_greatest_value(bins: int) -> None:
    table = _table()
    connection = duckdb.connect()
    connection.register("events", table)
    sql = package().quantile_edges("events", list(EDGES), bins)
    found = connection.execute(sql).fetchone() or ()
    shares = np.arange(1, bins) / bins
    for (name, _), edges in zip(EDGES.items(), found, strict=True):
        values = table[name].to_pandas().to_numpy(dtype=np.float64)
        kept = values[np.isfinite(values)]
        quantiles = np.unique(np.quantile(kept, shares, method="inverted_cdf"))
        assert edges == [value for value in quantiles if value < kept.max()], name
