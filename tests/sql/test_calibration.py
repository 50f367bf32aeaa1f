"""The one p-value of a feature keeps its promise: alarms at alpha 5% are 5% of calm windows."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

Counts = npt.NDArray[np.int64]
Shares = npt.NDArray[np.float64]
Result = dict[str, npt.NDArray[np.float64]]
TRIALS = 5_000
DAY_TRIALS = 2_500

ZIPF = 1 / np.arange(1, 51)
CASES: dict[str, Shares] = {
    "a boolean with empty bins": np.array([0.7, 0.3, 0.0, 0.0]),
    "10 bins": np.full(10, 0.1),
    "Zipf 50": ZIPF / ZIPF.sum(),
    "a rare boolean": np.array([0.98, 0.02]),
}


def _alarms(p_value: Shares) -> float:
    return float(np.mean(p_value[~np.isnan(p_value)] <= 0.05))


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("current_size", [100, 1_000, 10_000])
def test_independent_rows_alarm_in_five_of_a_hundred(
    case: str, current_size: int, compare: Callable[..., Result]
) -> None:
    rng = np.random.default_rng(11)
    shares = CASES[case]
    result = compare(
        rng.multinomial(20_000, shares, size=TRIALS),
        rng.multinomial(current_size, shares, size=TRIALS),
    )
    alarms = _alarms(result["p_value"])
    expected_least = current_size * shares[shares > 0].min()
    upper = 0.09 if expected_least < 5 else 0.07
    print(f"{case}, {current_size} rows: {alarms:.2%} alarms")
    assert 0.03 <= alarms <= upper


@pytest.mark.slow
@pytest.mark.parametrize("correlation", [0.0, 0.01, 0.05])
@pytest.mark.parametrize("volume", [0.1, 1, 10])
def test_rows_that_resemble_each_other_within_a_day_alarm_no_more_often(
    correlation: float, volume: float, compare: Callable[..., Result]
) -> None:
    rng = np.random.default_rng(12)
    bins, reference_days, current_days, rows_a_day = 10, 90, 7, 100

    def days(count: int, rows: int) -> Counts:
        if correlation == 0:
            shares = np.full((DAY_TRIALS, count, bins), 1 / bins)
        else:
            weight = (1 - correlation) / correlation
            shares = rng.dirichlet(np.full(bins, weight / bins), size=(DAY_TRIALS, count))
        return rng.multinomial(rows, shares)

    reference = days(reference_days, rows_a_day)
    current = days(current_days, int(rows_a_day * volume))
    result = compare(
        reference.sum(axis=1),
        current.sum(axis=1),
        reference_days=reference,
        current_day_sizes=current.sum(axis=2),
    )
    alarms, naive = _alarms(result["p_value"]), _alarms(result["independent_p_value"])
    print(f"correlation {correlation}, {volume} x volume: {alarms:.2%}, naive {naive:.2%}")
    assert 0.03 <= alarms <= 0.08
    if correlation:
        assert naive > alarms


@pytest.mark.slow
def test_the_correlation_within_days_is_found(compare: Callable[..., Result]) -> None:
    rng = np.random.default_rng(13)
    weight = (1 - 0.05) / 0.05
    shares = rng.dirichlet(np.full(10, weight / 10), size=(400, 90))
    reference = rng.multinomial(100, shares)
    total = reference.sum(axis=1)
    result = compare(
        total, total, reference_days=reference, current_day_sizes=reference.sum(axis=2)
    )
    assert result["rho"].mean() == pytest.approx(0.05, rel=0.05)
