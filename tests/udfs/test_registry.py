"""What SQL sees of the functions: NULL rules, lists, structs, and no exception in a query."""

import re
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import duckdb
import numpy as np
import pytest
from scipy import stats

from udfs import plugin
from udfs.function import ARROW
from udfs.plugin import Plugin
from udfs.registry import REGISTRY


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        Plugin.configure_connection(SimpleNamespace(), opened)  # type: ignore[arg-type]
        yield opened


def ask(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:
    ((answer,),) = connection.execute(f"select {sql}").fetchall()
    return answer


def test_every_function_says_what_it_is() -> None:
    assert len({function.name for function in REGISTRY}) == len(REGISTRY)
    for function in REGISTRY:
        assert re.fullmatch("[a-z][a-z0-9_]*", function.name)
        assert function.description.endswith(".")
        kinds = [kind for _, kind in function.parameters]
        fields = () if isinstance(function.returns, str) else function.returns
        assert set(kinds) | {kind for _, kind in fields} <= set(ARROW)


def test_a_filter_on_an_answer_does_not_have_it_computed_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []
    (known,) = (function for function in REGISTRY if function.name == "ks_two_sample")

    def kernel(x: Any, y: Any) -> Any:
        asked.append(len(x))
        return known.kernel(x, y)

    monkeypatch.setattr(plugin, "REGISTRY", (replace(known, kernel=kernel),))
    with duckdb.connect() as opened:
        Plugin.configure_connection(SimpleNamespace(), opened)  # type: ignore[arg-type]
        found = opened.execute(
            "with pairs as (select [1.0, 2, 3] as x, range(n)::double[] as y from range(50) t(n)),"
            " answers as (select ks_two_sample(x, y) as answer from pairs)"
            " select answer.statistic from answers where answer is not null"
        ).fetchall()
    assert len(found) == 48, "fewer than two numbers give no answer"
    assert len(asked) == 50


def test_a_table_of_lists_is_answered_row_by_row(connection: duckdb.DuckDBPyConnection) -> None:
    rng = np.random.default_rng(1)
    connection.execute("create or replace table pairs (id int, x double[], y double[])")
    expected = []
    for number in range(300):
        x = rng.normal(size=rng.integers(0, 40)).round(1)
        y = rng.normal(0.5, size=rng.integers(2, 40)).round(1)
        connection.execute("insert into pairs values (?, ?, ?)", [number, list(x), list(y)])
        expected.append(
            (stats.ks_2samp(x, y).statistic, stats.wasserstein_distance(x, y))
            if len(x) > 1
            else None
        )
    rows = connection.execute(
        "select ks_two_sample(x, y).statistic, wasserstein_distance(x, y).distance"
        " from pairs where id % 3 != 1 order by id"
    ).fetchall()
    kept = [pair for number, pair in enumerate(expected) if number % 3 != 1]
    assert len(rows) == len(kept) == 200
    for ours, theirs in zip(rows, kept, strict=True):
        if theirs is None:
            assert ours == (None, None)
        else:
            assert ours == pytest.approx(theirs, rel=1e-9)


def test_null_lists_give_null_and_null_elements_are_counted(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    assert ask(connection, "ks_two_sample(null, [1, 2])") is None
    assert ask(connection, "ks_two_sample([1, 2], [])") is None
    found = ask(connection, "ks_two_sample([1, null, 2, 'nan'::double], [1, 2, 3])")
    assert (found["reference_count"], found["dropped_count"]) == (2, 2)
    assert ask(connection, "kolmogorov_sf(null)") is None
    assert ask(connection, "wasserstein_scale([4, 4, 4]).wasserstein_scale") is None
    assert ask(connection, "wasserstein_scale([4, 4, 4]).std") == 0


def test_rows_of_other_lengths_are_dropped_never_an_error(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    rows = "[[1, 2], null, [3, 4], [5], [6, null], [7, 9]]"
    found = ask(connection, f"mmd_squared({rows}, {rows}, null, null, 1, 0, 1)")
    assert (found["reference_count"], found["current_count"], found["dropped_count"]) == (3, 3, 6)
    assert found["p_value"] is None
    basis = ask(connection, f"fit_basis({rows}, 8)")
    assert (len(basis["means"]), basis["row_count"], basis["dropped_count"]) == (2, 3, 3)
    assert ask(connection, f"mmd_squared({rows}, [], null, null, 1, 0, 1)") is None
    assert ask(connection, f"mmd_squared({rows}, null, null, null, 1, 0, 1)") is None
    assert ask(connection, f"mmd_squared({rows}, {rows}, null, null, null, 0, 1)") is None
    assert ask(connection, "fit_basis([null, []], 8)") is None
    odd = f"pca_wasserstein({rows}, {rows}, null, null, [0, 0], [1], [1, 1], 0, 1)"
    assert ask(connection, odd) is None


def test_blocks_that_do_not_fit_their_rows_give_null(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    rows = "[[1, 2], [3, 4], [7, 9]]"
    assert ask(connection, f"mmd_squared({rows}, {rows}, [1], [1, 2, 3], 1, 9, 1)") is None
    basis = "[0, 0], [1, 0], [1]"
    assert ask(connection, f"pca_wasserstein({rows}, {rows}, [1], null, {basis}, 9, 1)") is None
