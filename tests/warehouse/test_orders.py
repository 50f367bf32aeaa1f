"""The order of landing, the number of files and of builds leave no trace in what is counted."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from tests.warehouse.home import BEGIN, VOLATILE, Home, draw

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

# Numbers of folds, and what is made of them, tell in how many builds rows came, not what they say.
BY_BUILD = VOLATILE | {"fold_id", "counted_fold_id", "comparison_state"}
# Where in the log an event stands is another in another order.
BY_ORDER = BY_BUILD | {"source_id", "partition_id", "position"}
COMPARED = (
    "int_histograms",
    "int_reference_codes",
    "int_bin_specs",
    "fct_histogram_bins",
    "fct_drift_metrics",
    "fct_drift_bins",
    "fct_labelled_predictions",
    "fct_pipeline_checks",
)
NO_TESTS = ("--exclude-resource-type", "test")
Rows = list[dict[str, Any]]


def snapshot(
    home: Home, tables: Iterable[str], dropped: set[str]
) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of tables without what may differ."""
    kept: dict[str, list[tuple[Any, ...]]] = {}
    for table in tables:
        columns = [name for name, *_ in home.query(f"describe {table}") if name not in dropped]
        # the check of gaps stands at the time of its fold
        where = "where check_name <> 'gaps'" if table == "fct_pipeline_checks" else ""
        kept[table] = home.query(f"select {', '.join(columns)} from {table} {where} order by all")
    return kept


def assert_same(ours: dict[str, list[tuple[Any, ...]]], theirs: dict[str, Any]) -> None:
    """Compare tables: integers and text exactly, floats to 1e-12."""
    for table, rows in ours.items():
        assert len(rows) == len(theirs[table]) > 0, table
        for mine, other in zip(rows, theirs[table], strict=True):
            for left, right in zip(mine, other, strict=True):
                if isinstance(left, float) and right is not None:
                    assert left == pytest.approx(right, rel=1e-12, abs=1e-15), (table, mine, other)
                else:
                    assert left == right, (table, mine, other)
        print(f"{table}: {len(rows)} rows alike")


def test_days_in_any_order_in_one_file_or_many_through_two_builds_or_six(
    make_home: Callable[[], Home],
) -> None:
    rng = np.random.default_rng(7)
    reference = draw(rng, 3_000, BEGIN - timedelta(days=60), 60)
    days: list[Rows] = []
    for day in range(18):
        rows = draw(rng, 60, BEGIN + timedelta(days=day), 1, shift=float(day > 11))
        days.append(rows + rows[:4])  # a client that retries

    once = make_home()
    once.register("toy", reference)
    for part in (days[:9], days[9:]):
        for rows in part:
            once.send("toy", rows)
            once.label("toy", rows[:20], is_positive=rows[0]["event_id"].int % 2 == 0)
        once.land()
        once.build(*NO_TESTS)

    shuffled = make_home()
    shuffled.register("toy", reference)
    order = [int(day) for day in rng.permutation(len(days))]
    print(f"days in the order {order}")
    for place, day in enumerate(order):
        rows = days[day]
        shuffled.send("toy", rows)
        shuffled.label("toy", rows[:20], is_positive=rows[0]["event_id"].int % 2 == 0)
        shuffled.land(batch_bytes=4_000)
        if place % 3 == 2:
            shuffled.build(*NO_TESTS)
    files = [len(list((home.path / "landing").rglob("p=0/*.parquet"))) for home in (once, shuffled)]
    print(f"{files} files")
    assert files[0] == 4
    assert files[1] > 100

    assert_same(snapshot(shuffled, COMPARED, BY_ORDER), snapshot(once, COMPARED, BY_ORDER))
    tables = ("int_predictions", "int_labels", *COMPARED)
    folded = snapshot(shuffled, tables, BY_BUILD)
    shuffled.build("--full-refresh", *NO_TESTS)
    assert_same(folded, snapshot(shuffled, tables, BY_BUILD))
