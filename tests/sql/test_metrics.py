"""The macros' distances and probabilities against SciPy, on random and on awkward histograms."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon
from scipy.special import rel_entr

Counts = npt.NDArray[np.int64]
Result = dict[str, npt.NDArray[np.float64]]
BINS = 12

AWKWARD = {
    "one bin empty on both sides": ([5, 0, 7], [4, 0, 9]),
    "a category that is new": ([50, 60, 0], [40, 50, 30]),
    "a category that vanished": ([50, 60, 30], [40, 50, 0]),
    "nothing in common": ([10, 0], [0, 12]),
    "equal": ([30, 70, 11], [30, 70, 11]),
    "equal shares of other sizes": ([30, 70, 10], [300, 700, 100]),
    "one row against many": ([1000, 1, 0], [0, 1, 0]),
    "rare and huge": ([10_000_000, 1, 3], [9_000_000, 2, 0]),
}
ONE_SIDED = {"no reference": ([0, 0], [3, 4]), "no current": ([3, 4], [0, 0])}
CONSTANT = {"constant": ([50], [70]), "all rows NULL": ([0, 0, 50], [0, 0, 70])}


def _tables() -> tuple[Counts, Counts, list[str]]:
    rng = np.random.default_rng(7)
    reference, current, names = [], [], []
    for number in range(200):
        bins = int(rng.integers(2, BINS + 1))
        shares = rng.dirichlet(np.full(bins, 0.5), size=2)
        n, m = (int(10 ** rng.uniform(1, 6)) for _ in range(2))
        reference.append(
            np.pad(rng.multinomial(n, shares[0]), (0, BINS - bins), constant_values=-1)
        )
        current.append(np.pad(rng.multinomial(m, shares[1]), (0, BINS - bins)))
        names.append(f"random {number}")
    for name, (x, y) in {**AWKWARD, **ONE_SIDED, **CONSTANT}.items():
        reference.append(np.pad(x, (0, BINS - len(x)), constant_values=-1))
        current.append(np.pad(y, (0, BINS - len(y))))
        names.append(name)
    return np.array(reference), np.array(current), names


@pytest.fixture(scope="module")
def tables() -> tuple[Counts, Counts, list[str]]:
    return _tables()


@pytest.fixture(scope="module")
def result(compare: Callable[..., Result], tables: tuple[Counts, Counts, list[str]]) -> Result:
    return compare(tables[0], tables[1])


def _comparable(tables: tuple[Counts, Counts, list[str]]) -> list[int]:
    return [i for i, name in enumerate(tables[2]) if name not in {**ONE_SIDED, **CONSTANT}]


def _filled(x: Counts, y: Counts) -> tuple[Counts, Counts]:
    kept = np.maximum(x, 0) + y > 0
    return x[kept], y[kept]


def test_chi_square_equals_scipy(result: Result, tables: tuple[Counts, Counts, list[str]]) -> None:
    for i in _comparable(tables):
        x, y = _filled(tables[0][i], tables[1][i])
        expected = stats.chi2_contingency(np.array([x, y]), correction=False).statistic
        assert result["chi_square"][i] == pytest.approx(expected, rel=1e-9, abs=1e-9), tables[2][i]


def test_js_distance_equals_scipy(result: Result, tables: tuple[Counts, Counts, list[str]]) -> None:
    for i in _comparable(tables):
        x, y = _filled(tables[0][i], tables[1][i])
        expected = jensenshannon(x / x.sum(), y / y.sum(), base=2)
        # a root turns a rounding error of 1e-17 into one of 1e-9 where the divergence is 0
        assert result["js_distance"][i] == pytest.approx(expected, rel=1e-9, abs=2e-8), tables[2][i]


def test_psi_equals_scipys_two_relative_entropies_of_smoothed_shares(
    result: Result, tables: tuple[Counts, Counts, list[str]]
) -> None:
    for i in _comparable(tables):
        x, y = _filled(tables[0][i], tables[1][i])
        p = (x + 0.5) / (x.sum() + 0.5 * len(x))
        q = (y + 0.5) / (y.sum() + 0.5 * len(y))
        expected = (rel_entr(p, q) + rel_entr(q, p)).sum()
        assert result["psi"][i] == pytest.approx(expected, rel=1e-9, abs=1e-9), tables[2][i]


def test_equal_shares_are_at_distance_zero(
    result: Result, tables: tuple[Counts, Counts, list[str]]
) -> None:
    i = tables[2].index("equal")
    assert result["psi"][i] == 0
    assert result["js_distance"][i] == pytest.approx(0, abs=1e-8)
    assert result["chi_square"][i] == 0
    assert result["p_value"][i] == pytest.approx(1, abs=1e-9)


def test_a_side_without_rows_has_no_distance_and_no_probability(
    result: Result, tables: tuple[Counts, Counts, list[str]]
) -> None:
    for name in ONE_SIDED:
        i = tables[2].index(name)
        for column in ("psi", "js_distance", "chi_square", "p_value", "q_value"):
            assert np.isnan(result[column][i]), (name, column)


def test_a_constant_feature_is_at_distance_zero_and_has_no_probability(
    result: Result, tables: tuple[Counts, Counts, list[str]]
) -> None:
    for name in CONSTANT:
        i = tables[2].index(name)
        assert result["psi"][i] == 0
        assert result["chi_square"][i] == 0
        assert np.isnan(result["p_value"][i])


def test_distances_keep_their_ranges(result: Result) -> None:
    for name, upper in {"psi": np.inf, "js_distance": 1 + 1e-9, "p_value": 1, "q_value": 1}.items():
        values = result[name][~np.isnan(result[name])]
        assert len(values) > 200
        assert np.all((values >= 0) & (values <= upper)), name


def test_symmetric_distances_do_not_care_which_side_is_which(
    compare: Callable[..., Result], tables: tuple[Counts, Counts, list[str]], result: Result
) -> None:
    absent = tables[0] < 0
    swapped = compare(np.where(absent, -1, tables[1]), np.where(absent, 0, tables[0]))
    for name in ("psi", "js_distance", "chi_square", "p_value"):
        np.testing.assert_allclose(swapped[name], result[name], rtol=1e-9, atol=1e-8, err_msg=name)


def test_the_moments_are_those_of_all_tables_with_the_same_margins(
    compare: Callable[..., Result],
) -> None:
    """Shuffling the rows between the sides is the law itself."""
    x, y = np.array([60, 25, 10, 3, 2]), np.array([20, 12, 5, 2, 1])
    labels = np.repeat(np.arange(5), x + y)
    rng = np.random.default_rng(3)
    shuffled = []
    for _ in range(20_000):
        rng.shuffle(labels)
        shuffled.append(np.bincount(labels[: x.sum()], minlength=5))
    n, m, t = x.sum(), y.sum(), x + y
    reference = np.array(shuffled)
    statistic = ((reference * m - (t - reference) * n) ** 2 / t / (n * m)).sum(axis=1)
    result = compare(x[None, :], y[None, :])
    assert result["pearson_mean"][0] == pytest.approx(statistic.mean(), rel=0.02)
    assert result["pearson_variance"][0] == pytest.approx(statistic.var(), rel=0.05)


def test_q_values_equal_scipys_within_each_family(
    compare: Callable[..., Result], tables: tuple[Counts, Counts, list[str]]
) -> None:
    families = np.arange(len(tables[0])) % 3
    result = compare(tables[0], tables[1], families=families)
    for family in range(3):
        mine = (families == family) & ~np.isnan(result["p_value"])
        expected = stats.false_discovery_control(result["p_value"][mine])
        np.testing.assert_allclose(result["q_value"][mine], expected, rtol=1e-9, atol=1e-300)


def test_fail_bounds_are_quantiles_of_the_noncentral_law(result: Result) -> None:
    rows = ~np.isnan(result["fail_psi"])
    df = result["degrees_of_freedom"][rows]
    a = result["expected_psi"][rows] / df
    np.testing.assert_allclose(
        result["fail_psi"][rows], a * stats.ncx2.isf(0.05, df, 0.25 / a), rtol=1e-6
    )
    k = 8 * np.log(2)
    np.testing.assert_allclose(
        result["fail_js"][rows],
        np.sqrt(a * stats.ncx2.isf(0.05, df, k * 0.01 / a) / k),
        rtol=1e-6,
    )
