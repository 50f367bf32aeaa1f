"""Real rows: odd against even days of a month, and every week against the days before it all."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.sql.macros import statistics
from tests.sql.real_days import Month, by_day, codes, features_of, months
from tests.sql.test_laws import oracle

Counts = npt.NDArray[np.int64]
Result = dict[str, npt.NDArray[np.float64]]
STREAM = "url_stream_2019_2022.parquet"


def _stacked(tables: list[Counts], days: int, bins: int) -> Counts:
    stack = np.zeros((len(tables), days, bins), dtype=np.int64)
    for number, table in enumerate(tables):
        stack[number, : table.shape[0], : table.shape[1]] = table
    return stack


@pytest.mark.slow
def test_at_most_a_tenth_of_the_features_alarm_and_half_of_them_without_the_design_effect(
    shared_data: Path, compare: Callable[..., Result]
) -> None:
    cases: list[Month] = list(months(shared_data / STREAM))
    bins = max(case.odd.shape[1] for case in cases)
    days = max(max(len(case.learnt), len(case.odd), len(case.even)) for case in cases)
    learnt, odd, even = (
        _stacked(tables, days, bins)
        for tables in (
            [case.learnt for case in cases],
            [case.odd for case in cases],
            [case.even for case in cases],
        )
    )
    result = compare(
        odd.sum(axis=1),
        even.sum(axis=1),
        reference_days=learnt,
        reference_day_sizes=odd.sum(axis=2),
        current_day_sizes=even.sum(axis=2),
    )
    tested = ~np.isnan(result["p_value"])
    alarms = np.mean(result["p_value"][tested] < 0.05)
    naive = np.mean(result["independent_p_value"][tested] < 0.05)
    print(f"{tested.sum()} feature-months: {alarms:.1%} alarms, {naive:.1%} without design effect")
    assert tested.sum() > 500
    assert alarms <= 0.10
    assert naive > 3 * alarms


@pytest.mark.slow
def test_every_metric_equals_its_oracle_on_the_real_stream_by_week(shared_data: Path) -> None:
    rows, columns = features_of(shared_data / STREAM)
    first = rows["day"] < rows["day"].min() + 180
    weeks = (rows["day"] + 3) // 7
    compared = 0
    for name, (kind, values) in columns.items():
        found = codes(values[first], values, kind)
        width = int(found.max()) + 1
        table = by_day(found[~first], weeks[~first], width)
        table = table[table.sum(axis=1) > 0]
        reference = np.tile(np.bincount(found[first], minlength=width), (len(table), 1))
        answer = statistics(reference, table)
        for case in range(len(table)):
            for metric, expected in oracle(reference[case], table[case]).items():
                value = answer[metric][case]
                assert value == pytest.approx(expected, rel=1e-9, abs=1e-9), (name, metric, case)
                compared += 1
    print(f"{compared} values")
    assert compared > 30_000
