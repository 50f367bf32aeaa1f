"""Sums of Fourier features add up, and give about the MMD that the kernel gives."""

import numpy as np
import numpy.typing as npt
import pytest

from udfs.fourier import fourier_frequencies, fourier_sums
from udfs.mmd import mmd_squared

Floats = npt.NDArray[np.float64]
WIDTH = 32


def _frequencies(count: int, seed: int = 7) -> Floats:
    drawn = fourier_frequencies(WIDTH, count, np.sqrt(2 * WIDTH), seed)
    assert drawn is not None
    return drawn.frequencies


def _sums(rows: Floats, frequencies: Floats) -> Floats:
    found = fourier_sums(rows, frequencies)
    assert found is not None
    return found.sums


def _mmd(x: Floats, y: Floats, n: int, m: int) -> float:
    within = (x @ x - n) / (n * (n - 1)) + (y @ y - m) / (m * (m - 1))
    return float(within - 2 * x @ y / (n * m))


def test_sums_of_parts_are_the_sums_of_the_whole() -> None:
    rows = np.random.default_rng(1).normal(size=(900, WIDTH))
    waves = _frequencies(256)
    parts = sum(_sums(part, waves) for part in np.array_split(rows, 7))
    assert parts == pytest.approx(_sums(rows, waves), rel=1e-12)
    assert np.linalg.norm(_sums(rows[:1], waves)) == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize("shift", [0.0, 0.2, 0.5, 1.0])
def test_the_mmd_of_the_sums_is_near_the_exact_one(shift: float) -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(2_000, WIDTH)), rng.normal(size=(1_500, WIDTH))
    y[:, :8] += shift
    exact = mmd_squared(x, y, None, None, np.sqrt(2 * WIDTH), 0, 1)
    assert exact is not None
    found = []
    for seed in range(20):
        waves = _frequencies(256, seed)
        found.append(_mmd(_sums(x, waves), _sums(y, waves), 2_000, 1_500))
    off = np.array(found) - exact.statistic
    print(f"   shift {shift}: exact {exact.statistic:.5f}, by 256 features off by {off.std():.5f}")
    assert abs(off.mean()) <= 4 * off.std() / np.sqrt(20)
    assert off.std() <= 0.15 * exact.statistic + 2e-4


def test_more_features_are_nearer() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(500, WIDTH)), rng.normal(0.3, size=(500, WIDTH))
    exact = mmd_squared(x, y, None, None, np.sqrt(2 * WIDTH), 0, 1)
    assert exact is not None
    off = []
    for count in (64, 4_096):
        waves = [_frequencies(count, seed) for seed in range(12)]
        values = [_mmd(_sums(x, one), _sums(y, one), 500, 500) for one in waves]
        off.append(np.abs(np.array(values) - exact.statistic).mean())
    assert off[1] <= off[0] / 3


def test_what_does_not_fit_has_no_answer_and_bad_rows_are_counted() -> None:
    assert fourier_frequencies(0, 256, 1.0, 1) is None
    assert fourier_frequencies(2, 256, float("nan"), 1) is None
    waves = _frequencies(64)
    assert fourier_sums(np.zeros((3, 5)), waves) is None
    assert fourier_sums(np.empty((0, WIDTH)), waves) is None
    rows = np.zeros((4, WIDTH))
    rows[1, 3] = np.nan
    found = fourier_sums(rows, waves)
    assert found is not None
    assert (found.row_count, found.dropped_count) == (3, 1)
