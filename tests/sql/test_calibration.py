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
SIZES = (100, 1_000, 10_000)

ZIPF = 1 / np.arange(1, 51)
CASES: dict[str, Shares] = {
    "a boolean with empty bins": np.array([0.7, 0.3, 0.0, 0.0]),
    "10 bins": np.full(10, 0.1),
    "Zipf 50": ZIPF / ZIPF.sum(),
    "a rare boolean": np.array([0.98, 0.02]),
}


def _alarms(p_value: Shares) -> float:
    return float(np.mean(p_value[~np.isnan(p_value)] <= 0.05))


@pytest.fixture(scope="module")
def independent(compare: Callable[..., Result]) -> dict[tuple[str, int], Shares]:
    """Return p of calm windows by case and size; one dbt run compares them all."""
    rng = np.random.default_rng(11)
    cells = [(case, size) for case in CASES for size in SIZES]
    bins = max(len(shares) for shares in CASES.values())
    sides: tuple[list[Counts], list[Counts]] = ([], [])
    for case, size in cells:
        shares = CASES[case]
        room = ((0, 0), (0, bins - len(shares)))
        reference = rng.multinomial(20_000, shares, size=TRIALS)
        sides[0].append(np.pad(reference, room, constant_values=-1))
        sides[1].append(np.pad(rng.multinomial(size, shares, size=TRIALS), room))
    result = compare(*(np.concatenate(side) for side in sides))
    return dict(zip(cells, np.split(result["p_value"], len(cells)), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("current_size", SIZES)
def test_independent_rows_alarm_in_five_of_a_hundred(
    case: str, current_size: int, independent: dict[tuple[str, int], Shares]
) -> None:
    alarms = _alarms(independent[case, current_size])
    shares = CASES[case]
    expected_least = current_size * shares[shares > 0].min()
    upper = 0.09 if expected_least < 5 else 0.07
    print(f"{case}, {current_size} rows: {alarms:.2%} alarms")
    assert 0.03 <= alarms <= upper


def _days(rng: np.random.Generator, correlation: float, count: int, rows: int) -> Counts:
    bins = 10
    if correlation == 0:
        shares = np.full((DAY_TRIALS, count, bins), 1 / bins)
    else:
        weight = (1 - correlation) / correlation
        shares = rng.dirichlet(np.full(bins, weight / bins), size=(DAY_TRIALS, count))
    return rng.multinomial(rows, shares)


@pytest.mark.slow
@pytest.mark.parametrize("correlation", [0.0, 0.01, 0.05])
def test_rows_that_resemble_each_other_within_a_day_alarm_no_more_often(
    correlation: float, compare: Callable[..., Result]
) -> None:
    rng = np.random.default_rng(12)
    volumes = (0.1, 1, 10)
    reference = np.concatenate([_days(rng, correlation, 90, 100) for _ in volumes])
    current = np.concatenate([_days(rng, correlation, 7, int(100 * volume)) for volume in volumes])
    result = compare(
        reference.sum(axis=1),
        current.sum(axis=1),
        reference_days=reference,
        current_day_sizes=current.sum(axis=2),
    )
    for number, volume in enumerate(volumes):
        cell = slice(number * DAY_TRIALS, (number + 1) * DAY_TRIALS)
        alarms = _alarms(result["p_value"][cell])
        naive = _alarms(result["independent_p_value"][cell])
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
