"""The p-values of samples keep their promise: alarms at a level are that share of calm trials."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from udfs.ks import ks_two_sample
from udfs.mmd import mmd_squared
from udfs.pca import fit_basis, pca_wasserstein

Blocks = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
LEVELS = (0.01, 0.05, 0.10)
DIMENSIONS = 8


def _p_values(trial: Callable[[np.random.Generator], float], trials: int, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    return np.array([trial(rng) for _ in range(trials)], dtype=np.float64)


def _deviations(p: Floats, level: float) -> float:
    """Return by how many Monte Carlo standard errors alarms are over the level."""
    share = float(np.mean(p <= level))
    print(f"   at {level:.0%}: {share:.2%} of {len(p)}")
    return float((share - level) / np.sqrt(level * (1 - level) / len(p)))


def _ks(size: int) -> Callable[[np.random.Generator], float]:
    def trial(rng: np.random.Generator) -> float:
        found = ks_two_sample(rng.normal(size=size), rng.normal(size=size))
        assert found is not None
        return found.p_value

    return trial


def _mmd(
    size: int, current_days: int = 0, spread: float = 0.0, shift: float = 0.0
) -> Callable[[np.random.Generator], float]:
    """Rows of 8 numbers; with days, rows of one day share a part of their place."""

    def trial(rng: np.random.Generator) -> float:
        x, y = rng.normal(size=(size, DIMENSIONS)), rng.normal(size=(size, DIMENSIONS))
        days: tuple[Blocks | None, Blocks | None] = None, None
        if current_days:
            left, right = np.arange(size) * 60 // size, np.arange(size) * current_days // size
            x += rng.normal(0, spread, (60, DIMENSIONS))[left]
            y += rng.normal(shift, spread, (current_days, DIMENSIONS))[right]
            days = left, right
        found = mmd_squared(x, y, *days, np.sqrt(2 * DIMENSIONS), 200, int(rng.integers(1 << 30)))
        assert found is not None
        return found.p_value

    return trial


@pytest.mark.slow
@pytest.mark.parametrize("size", [1_000, 5_000])
def test_ks_alarms_as_often_as_it_says(size: int) -> None:
    p = _p_values(_ks(size), 5_000, size)
    assert all(abs(_deviations(p, level)) <= 3 for level in LEVELS)


@pytest.mark.slow
def test_ks_alarms_no_more_often_than_it_says_on_200_values() -> None:
    p = _p_values(_ks(200), 5_000, 20)
    assert all(_deviations(p, level) <= 3 for level in LEVELS)


@pytest.mark.slow
@pytest.mark.parametrize(("size", "trials"), [(1_000, 150), (2_000, 30)])
def test_mmd_alarms_as_often_as_it_says(size: int, trials: int) -> None:
    p = _p_values(_mmd(size), trials, size)
    assert all(abs(_deviations(p, level)) <= 3 for level in LEVELS)


@pytest.mark.slow
def test_mmd_alarms_no_more_often_than_it_says_on_200_rows() -> None:
    p = _p_values(_mmd(200), 500, 21)
    assert all(_deviations(p, level) <= 3 for level in LEVELS)


@pytest.mark.slow
@pytest.mark.parametrize("spread", [0.0, 0.1, 0.3])
def test_mmd_keeps_its_promise_on_days_whose_rows_resemble_each_other(spread: float) -> None:
    # the reference has 60 days, the window 7 bigger ones
    print(f"   days differ by {spread} std")
    p = _p_values(_mmd(420, 7, spread), 400, 22)
    assert all(_deviations(p, level) <= 3 for level in LEVELS)
    found = _p_values(_mmd(420, 7, spread, shift=0.3), 100, 22)
    print(f"   a shift of 0.3 std is found in {np.mean(found <= 0.05):.0%}")
    assert np.mean(found <= 0.05) >= 0.15


@pytest.mark.slow
def test_pca_wasserstein_alarms_in_at_most_8_of_100_calm_cases() -> None:
    spikes = np.r_[np.sqrt([30.0, 15.0, 8.0, 5.0]), np.ones(28)]

    basis = fit_basis(np.random.default_rng(4).normal(size=(8_000, 32)) * spikes, 8)
    assert basis is not None
    parts = basis.means, basis.components, basis.explained_variances

    def trial(rng: np.random.Generator) -> float:
        x, y = rng.normal(size=(500, 32)) * spikes, rng.normal(size=(500, 32)) * spikes
        found = pca_wasserstein(x, y, None, None, *parts, 199, int(rng.integers(1 << 30)))
        assert found is not None
        return found.p_value

    p = _p_values(trial, 300, 23)
    print(f"   at 5%: {np.mean(p <= 0.05):.2%} of {len(p)}")
    assert np.mean(p <= 0.05) <= 0.08


def _shifted(kind: str, rng: np.random.Generator, size: int) -> Floats:
    rows = rng.normal(size=(size, DIMENSIONS))
    if kind == "mean":
        rows[:, 0] += 0.3
    elif kind == "variance":
        rows[:, 0] *= 1.5
    elif kind == "correlation":  # each column by itself is as before
        rows[:, 1] = 0.8 * rows[:, 0] + 0.6 * rows[:, 1]
    return rows


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mean", "variance", "correlation"])
def test_power_on_a_planted_shift_is_told(kind: str) -> None:
    rng = np.random.default_rng(24)
    found = {"ks, worst column of 8": 0, "mmd": 0, "pca": 0}
    trials, size = 30, 600
    basis = fit_basis(rng.normal(size=(20_000, DIMENSIONS)), DIMENSIONS)
    assert basis is not None
    parts = basis.means, basis.components, basis.explained_variances
    for seed in range(trials):
        x, y = rng.normal(size=(size, DIMENSIONS)), _shifted(kind, rng, size)
        columns = [ks_two_sample(x[:, i], y[:, i]) for i in range(DIMENSIONS)]
        found["ks, worst column of 8"] += min(c.p_value for c in columns if c) * 8 <= 0.05
        joint = mmd_squared(x, y, None, None, np.sqrt(2 * DIMENSIONS), 200, seed)
        along = pca_wasserstein(x, y, None, None, *parts, 199, seed)
        assert joint is not None
        assert along is not None
        found["mmd"] += joint.p_value <= 0.05
        found["pca"] += along.p_value <= 0.05
    for name, count in found.items():
        print(f"   a shift of {kind}: {name} finds {count / trials:.0%}")
    # KS sees one column at a time: only vectors show a shift of correlation alone
    assert found["mmd"] / trials >= 0.5
    if kind == "correlation":
        assert found["ks, worst column of 8"] / trials <= 0.2
