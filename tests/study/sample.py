"""Do KS, MMD and PCA-Wasserstein keep their promise? Null alarms, days, and planted shifts."""

from collections.abc import Callable
from functools import cache, partial

import numpy as np
import numpy.typing as npt

from tests.measured import Say, table
from udfs.arrays import one_thread
from udfs.ks import ks_two_sample
from udfs.mmd import _kernel_by_blocks, _unbiased, mmd_squared
from udfs.pca import fit_basis, pca_wasserstein
from udfs.permutation import deal, p_value

TITLE = "Null alarms and power of the sample statistics"
Floats = npt.NDArray[np.float64]
Blocks = npt.NDArray[np.int64]
Generator = np.random.Generator
Trial = Callable[[Generator], float]
LEVELS = (0.01, 0.05, 0.10)
WIDTH = 32
BANDWIDTH = float(np.sqrt(2 * WIDTH))
SPIKES = np.r_[np.sqrt([30.0, 15.0, 8.0, 5.0]), np.ones(WIDTH - 4)]
PERMUTATIONS = 200
REFERENCE_DAYS, CURRENT_DAYS = 60, 7


def run(say: Say) -> str:
    """Try everything and return the page's section."""
    with one_thread():
        return "\n\n".join([_null_section(say), _days_section(say), _power_section(say)])


def p_values(trial: Trial, trials: int, seed: int) -> Floats:
    """Return the p-values of so many seeded trials."""
    rng = np.random.default_rng(seed)
    return np.array([trial(rng) for _ in range(trials)], dtype=np.float64)


def rates(p: Floats) -> list[str]:
    """Return the share of alarms at each level, with how many standard errors it is off."""
    found = []
    for level in LEVELS:
        share = float(np.mean(p <= level))
        error = np.sqrt(level * (1 - level) / len(p))
        found.append(f"{share:.1%} ({(share - level) / error:+.1f})")
    return found


# Null cases: both sides of one population, rows independent.


def _ks(size: int, rng: Generator) -> float:
    found = ks_two_sample(rng.normal(size=size), rng.normal(size=size))
    return found.p_value if found else np.nan


def _mmd(size: int, rng: Generator) -> float:
    x, y = rng.normal(size=(size, WIDTH)), rng.normal(size=(size, WIDTH))
    found = mmd_squared(x, y, None, None, BANDWIDTH, PERMUTATIONS, int(rng.integers(1 << 30)))
    return found.p_value if found else np.nan


def _pca(size: int, rng: Generator) -> float:
    x, y = (rng.normal(size=(size, WIDTH)) * SPIKES for _ in range(2))
    return _pca_p(x, y, None, None, rng)


@cache
def _basis() -> tuple[Floats, Floats, Floats]:
    """Fit 8 components to rows that are compared with nothing."""
    basis = fit_basis(np.random.default_rng(4).normal(size=(20_000, WIDTH)) * SPIKES, 8)
    assert basis is not None
    return basis.means, basis.components, basis.explained_variances


def _pca_p(
    x: Floats, y: Floats, left: Blocks | None, right: Blocks | None, rng: Generator
) -> float:
    seed = int(rng.integers(1 << 30))
    found = pca_wasserstein(x, y, left, right, *_basis(), PERMUTATIONS, seed)
    return found.p_value if found else np.nan


def _null_section(say: Say) -> str:
    cases: list[tuple[str, int, Trial, int]] = [
        ("ks_statistic", 200, partial(_ks, 200), 20_000),
        ("ks_statistic", 1_000, partial(_ks, 1_000), 20_000),
        ("ks_statistic", 5_000, partial(_ks, 5_000), 10_000),
        ("mmd_squared, 32 numbers", 200, partial(_mmd, 200), 3_000),
        ("mmd_squared, 32 numbers", 1_000, partial(_mmd, 1_000), 500),
        ("mmd_squared, 32 numbers", 2_000, partial(_mmd, 2_000), 150),
        ("pca_wasserstein, spiked, 8 of 32", 500, partial(_pca, 500), 800),
        ("pca_wasserstein, spiked, 8 of 32", 2_000, partial(_pca, 2_000), 200),
    ]
    lines: list[list[object]] = []
    for number, (name, size, trial, trials) in enumerate(cases):
        p = p_values(trial, trials, 100 + number)
        error = np.sqrt(0.05 * 0.95 / trials)
        lines.append([name, f"{size:,}", f"{trials:,}", *rates(p), f"{error:.2%}"])
        say(" ".join(map(str, lines[-1])))
    return (
        "Seeded; by the functions that the warehouse calls. An alarm is p at most the level where"
        " nothing has drifted; in brackets by how many Monte Carlo standard errors the share is"
        f" off. Permutations: {PERMUTATIONS}.\n\n"
        "### Null alarms, independent rows\n\n"
        + table(
            ["statistic", "rows a side", "trials", "at 1%", "at 5%", "at 10%", "s.e. at 5%"], lines
        )
        + "\n\nThe law of KS is a limit: on few rows it alarms less than it says, never more."
    )


# Days: rows of one day share a part of their place; the sides have unlike days.


def _in_days(
    rng: Generator, rows: int, days: int, spread: float, shift: float, unit: Floats
) -> tuple[Floats, Blocks]:
    """Draw rows on days of unequal size (the largest about five times the smallest)."""
    shares = rng.uniform(0.2, 1.0, days)
    day = np.sort(rng.choice(days, rows, p=shares / shares.sum()))
    place = rng.normal(0, spread, (days, WIDTH)) * unit
    moved = np.zeros(WIDTH)
    moved[:4] = shift * unit[:4]
    return rng.normal(size=(rows, WIDTH)) * unit + place[day] + moved, day


def _mmd_days(
    reference: int, current: int, spread: float, shift: float, how: str, rng: Generator
) -> float:
    ones = np.ones(WIDTH)
    x, left = _in_days(rng, reference, REFERENCE_DAYS, spread, 0.0, ones)
    y, right = _in_days(rng, current, CURRENT_DAYS, spread, shift, ones)
    seed = int(rng.integers(1 << 30))
    if how == "plain":
        sides = deal(len(x), len(y), left, right, PERMUTATIONS, seed)
        rows = np.concatenate((x, y)) / (np.sqrt(2.0) * BANDWIDTH)
        sums, sizes = _kernel_by_blocks(rows, sides.block_of_row)
        return p_value(_unbiased(sums, sizes, sides.is_reference, np.ones(len(sizes))), True)
    if how == "rows":
        found = mmd_squared(x, y, None, None, BANDWIDTH, PERMUTATIONS, seed)
    else:
        found = mmd_squared(x, y, left, right, BANDWIDTH, PERMUTATIONS, seed)
    return found.p_value if found else np.nan


def _pca_days(
    reference: int, current: int, spread: float, shift: float, how: str, rng: Generator
) -> float:
    x, left = _in_days(rng, reference, REFERENCE_DAYS, spread, 0.0, SPIKES)
    y, right = _in_days(rng, current, CURRENT_DAYS, spread, shift, SPIKES)
    return _pca_p(x, y, left, right, rng) if how == "days" else np.nan


def _days_section(say: Say) -> str:
    lines: list[list[object]] = []
    cases = (
        ("mmd_squared", _mmd_days, "days", "as built", 250),
        ("mmd_squared", _mmd_days, "plain", "days, not scaled (STATISTICS 5)", 250),
        ("mmd_squared", _mmd_days, "rows", "rows, as if independent", 100),
        ("pca_wasserstein", _pca_days, "days", "as built", 250),
    )
    for name, case, how, said, trials in cases:
        for current in (200, 1_000):
            line: list[object] = [name, said, f"1,000 / {current:,}"]
            for spread in (0.0, 0.1, 0.3):
                trial = partial(case, 1_000, current, spread, 0.0, how)
                line.append(f"{np.mean(p_values(trial, trials, 7) <= 0.05):.1%}")
            trial = partial(case, 1_000, current, 0.1, 0.5, how)
            line.append(f"{np.mean(p_values(trial, trials // 2, 8) <= 0.05):.0%}")
            lines.append([*line, trials])
            say(" ".join(map(str, line)))
    return (
        f"### Rows that resemble each other within a day ({REFERENCE_DAYS} days of reference,"
        f" {CURRENT_DAYS} of the window; days of unequal size)\n\n"
        "Alarms at 5% by how far days differ (in standard deviations of a row), and what is found"
        " of a shift of four numbers by half a standard deviation where days differ by 0.1 (half"
        " as many trials). Standard error of 5% by 250 trials: 1.4%; by 100: 2.2%.\n\n"
        + table(
            ["statistic", "dealt out", "rows", "0.0", "0.1", "0.3", "shift found", "trials"],
            lines,
        )
    )


# Power: a shift is planted in independent rows.


def _moved(kind: str, rows: Floats) -> Floats:
    if kind == "mean of one number by 0.3 std":
        rows[:, 0] += 0.3
    elif kind == "variance of one number by 2.25":
        rows[:, 0] *= 1.5
    else:  # each number by itself is as before
        rows[:, 1] = 0.8 * rows[:, 0] + 0.6 * rows[:, 1]
    return rows


def _power_section(say: Say) -> str:
    trials, width = 120, 8
    kinds = (
        "mean of one number by 0.3 std",
        "variance of one number by 2.25",
        "correlation of two numbers alone, 0.8",
    )
    lines: list[list[object]] = []
    basis = fit_basis(np.random.default_rng(5).normal(size=(20_000, width)), width)
    assert basis is not None
    parts = basis.means, basis.components, basis.explained_variances
    for size in (200, 500):
        for kind in kinds:
            rng = np.random.default_rng(size)
            found = np.zeros(3)
            for seed in range(trials):
                x = rng.normal(size=(size, width))
                y = _moved(kind, rng.normal(size=(size, width)))
                columns = [ks_two_sample(x[:, i], y[:, i]) for i in range(width)]
                least = min(one.p_value for one in columns if one) * width
                joint = mmd_squared(x, y, None, None, np.sqrt(2 * width), PERMUTATIONS, seed)
                along = pca_wasserstein(x, y, None, None, *parts, PERMUTATIONS, seed)
                assert joint is not None
                assert along is not None
                found += np.array([least, joint.p_value, along.p_value]) <= 0.05
            lines.append([kind, f"{size:,}", *(f"{share:.0%}" for share in found / trials)])
            say(" ".join(map(str, lines[-1])))
    return (
        f"### Power on a planted shift: {width} independent numbers, found at 5%\n\n"
        + table(
            ["what moves", "rows a side", "KS of each number (Bonferroni)", "MMD", "PCA-W"], lines
        )
        + f"\n\n{trials} trials a cell: standard error at most {np.sqrt(0.25 / trials):.1%}. A"
        " shift of correlation alone moves no number by itself: only vectors show it."
    )
