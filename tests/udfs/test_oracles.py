"""Every statistic on arrays equals what SciPy, scikit-learn or a plain double loop computes."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy import integrate, stats
from scipy.spatial.distance import cdist, pdist
from sklearn.decomposition import PCA

from udfs.ks import kolmogorov_sf, ks_two_sample
from udfs.mmd import mmd_squared
from udfs.pca import Basis, PcaWasserstein, fit_basis, pca_wasserstein
from udfs.wasserstein import wasserstein_distance, wasserstein_scale

Floats = npt.NDArray[np.float64]
Pair = tuple[Floats, Floats]
RNG = np.random.default_rng(5)

PAIRS: dict[str, Pair] = {
    "normal": (RNG.normal(size=1_000), RNG.normal(0.2, 1.3, size=1_000)),
    "unequal sizes": (RNG.normal(size=3_001), RNG.normal(size=17)),
    "ties": (RNG.poisson(2.0, 800).astype(float), RNG.poisson(2.3, 555).astype(float)),
    "all equal": (np.full(50, 3.25), np.full(70, 3.25)),
    "two constants": (np.full(50, -1.0), np.full(9, 4.0)),
    "one constant": (np.full(50, 0.5), RNG.normal(size=60)),
    "tiny": (RNG.normal(size=300) * 1e-200, RNG.normal(1.0, size=200) * 1e-200),
    "huge": (RNG.normal(size=300) * 1e200, RNG.normal(1.0, size=200) * 1e200),
    "far from zero": (1e9 + RNG.normal(size=300), 1e9 + RNG.normal(0.5, size=300)),
    "heavy tails": (RNG.standard_cauchy(900), RNG.standard_cauchy(1_100)),
    "two values": (np.array([1.0, 2.0]), np.array([2.0, 3.0])),
}
SEGMENTS = {
    "normal": (RNG.normal(size=(300, 6)), RNG.normal(0.2, 1.2, size=(200, 6))),
    "unequal sizes": (RNG.normal(size=(600, 4)), RNG.normal(size=(9, 4))),
    "ties": (RNG.poisson(1.0, (250, 3)) * 1.0, RNG.poisson(1.2, (260, 3)) * 1.0),
    "all equal": (np.full((30, 3), 2.5), np.full((40, 3), 2.5)),
    "tiny": (RNG.normal(size=(90, 3)) * 1e-120, RNG.normal(1, size=(80, 3)) * 1e-120),
    "huge": (RNG.normal(size=(90, 3)) * 1e120, RNG.normal(1, size=(80, 3)) * 1e120),
    "far from zero": (1e5 + RNG.normal(size=(99, 3)), 1e5 + RNG.normal(1, size=(99, 3))),
}


@pytest.mark.parametrize("case", PAIRS)
def test_ks_is_that_of_scipy(case: str) -> None:
    x, y = PAIRS[case]
    ours, theirs = ks_two_sample(x, y), stats.ks_2samp(x, y, method="asymp")
    assert ours is not None
    assert ours.statistic == pytest.approx(theirs.statistic, abs=1e-12)
    difference = np.mean(x <= ours.location) - np.mean(y <= ours.location)
    assert abs(difference) == pytest.approx(theirs.statistic, abs=1e-12)
    assert ours.sign == np.sign(round(difference, 12))
    size = len(x) * len(y) / (len(x) + len(y))
    expected = stats.kstwobign.sf(theirs.statistic * np.sqrt(size))
    assert ours.p_value == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("case", PAIRS)
def test_wasserstein_is_that_of_scipy(case: str) -> None:
    x, y = PAIRS[case]
    ours = wasserstein_distance(x, y)
    assert ours is not None
    assert ours.distance == pytest.approx(stats.wasserstein_distance(x, y), rel=1e-9)


def test_the_scale_of_wasserstein_is_the_integral_that_it_says() -> None:
    ours = wasserstein_scale(stats.norm.ppf((np.arange(200_000) + 0.5) / 200_000))
    area, _ = integrate.quad(lambda x: np.sqrt(stats.norm.cdf(x) * stats.norm.sf(x)), -12, 12)
    assert ours is not None
    assert ours.wasserstein_scale == pytest.approx(area, rel=1e-3)
    flat = wasserstein_scale(np.full(10, 0.1))
    assert flat is not None
    assert flat.mean == pytest.approx(0.1)
    assert flat.std == 0.0
    assert np.isnan(flat.wasserstein_scale)


def test_without_drift_wasserstein_is_what_its_scale_foretells() -> None:
    rng = np.random.default_rng(6)
    scale = wasserstein_scale(rng.lognormal(size=100_000))
    assert scale is not None
    found = [
        wasserstein_distance(rng.lognormal(size=2_000), rng.lognormal(size=500)) for _ in range(300)
    ]
    mean = np.mean([one.distance for one in found if one]) / scale.std
    variance = 1 / 2_000 + 1 / 500
    expected = np.sqrt(2 * variance / np.pi) * scale.wasserstein_scale
    assert mean == pytest.approx(expected, rel=0.1)


def test_the_kolmogorov_tail_is_that_of_scipy() -> None:
    x = np.linspace(0.01, 4.0, 200)
    assert kolmogorov_sf(x) == pytest.approx(stats.kstwobign.sf(x), rel=1e-9)
    assert np.isnan(kolmogorov_sf(np.array([np.nan]))[0])


def direct_mmd(x: Floats, y: Floats, bandwidth: float) -> float:
    """The definition, pair by pair."""

    def kernel(a: Floats, b: Floats) -> Floats:
        return np.exp(-cdist(a / bandwidth, b / bandwidth, "sqeuclidean") / 2)

    n, m = len(x), len(y)
    within_x = (kernel(x, x).sum() - n) / (n * (n - 1))
    within_y = (kernel(y, y).sum() - m) / (m * (m - 1))
    return float(within_x + within_y - 2 * kernel(x, y).mean())


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("in_blocks", [False, True])
@pytest.mark.parametrize("case", SEGMENTS)
def test_mmd_is_the_definition_pair_by_pair(case: str, in_blocks: bool, dtype: type) -> None:
    x, y = SEGMENTS[case]
    if dtype == np.float32 and case in {"tiny", "huge", "far from zero"}:
        pytest.skip("not in the range of float32")
    bandwidth = float(np.median(pdist(x / np.abs(x).max())) * np.abs(x).max()) or 1.0
    left, right = (np.arange(len(side)) // 7 if in_blocks else None for side in (x, y))
    ours = mmd_squared(x.astype(dtype), y.astype(dtype), left, right, bandwidth, 0, 1)
    assert ours is not None
    # rows of float32 are rounded before they come
    tolerance = 1e-9 if dtype == np.float64 else 1e-6
    assert ours.statistic == pytest.approx(direct_mmd(x, y, bandwidth), abs=tolerance)
    assert np.isnan(ours.p_value)


def test_the_permutations_of_mmd_are_the_statistic_of_rows_dealt_out_anew() -> None:
    from udfs.mmd import _kernel_by_blocks, _unbiased
    from udfs.permutation import deal

    rng = np.random.default_rng(7)
    x, y = rng.normal(size=(60, 3)), rng.normal(0.4, size=(45, 3))
    days = np.arange(60) // 9, np.arange(45) // 4
    sides = deal(60, 45, *days, 25, 3)
    rows = np.concatenate((x, y))
    sums, sizes = _kernel_by_blocks(rows / np.sqrt(2.0), sides.block_of_row)
    ours = _unbiased(sums, sizes, sides.is_reference, np.ones(len(sizes)))
    for number in range(26):
        is_x = sides.is_reference[sides.block_of_row, number] == 1
        assert ours[number] == pytest.approx(direct_mmd(rows[is_x], rows[~is_x], 1.0), abs=1e-12)
    assert len({int(column.sum()) for column in sides.is_reference.T}) == 1
    row_counts = {int(sides.is_reference[sides.block_of_row, i].sum()) for i in range(26)}
    assert len(row_counts) > 1  # blocks differ in size


def _compare(x: Floats, y: Floats, basis: Basis) -> PcaWasserstein | None:
    parts = basis.means, basis.components, basis.explained_variances
    return pca_wasserstein(x, y, None, None, *parts, 0, 1)


@pytest.mark.parametrize("case", [name for name in SEGMENTS if name != "all equal"])
def test_pca_and_its_distances_are_those_of_scikit_learn_and_scipy(case: str) -> None:
    x, y = SEGMENTS[case]
    unit = np.abs(x).max() if case in {"tiny", "huge"} else 1.0  # the oracle's range is smaller
    count = 3
    basis = fit_basis(x, count)
    assert basis is not None
    oracle = PCA(count, svd_solver="full").fit(x / unit)
    assert basis.explained_variances / unit / unit == pytest.approx(
        oracle.explained_variance_, rel=1e-9
    )
    ours = basis.components.reshape(count, -1)
    theirs = oracle.components_
    assert np.abs((ours * theirs).sum(axis=1)) == pytest.approx(np.ones(count), abs=1e-9)
    assert basis.median_distance / unit == pytest.approx(np.median(pdist(x / unit)), rel=1e-9)
    found = _compare(x, y, basis)
    assert found is not None
    std = np.sqrt(oracle.explained_variance_)
    left, right = oracle.transform(x / unit) / std, oracle.transform(y / unit) / std
    by_component = [stats.wasserstein_distance(left[:, i], right[:, i]) for i in range(count)]
    assert found.distances == pytest.approx(np.array(by_component), rel=1e-9)
    weights = oracle.explained_variance_ / oracle.explained_variance_.sum()
    assert found.weights == pytest.approx(weights, rel=1e-9)
    assert found.statistic == pytest.approx(weights @ by_component, rel=1e-9)
    shifts = right.mean(axis=0) - left.mean(axis=0)
    assert np.abs(found.shifts) == pytest.approx(np.abs(shifts), rel=1e-7, abs=1e-9)


def test_the_permutations_of_pca_are_the_distances_of_rows_dealt_out_anew() -> None:
    from udfs.pca import _distances

    rng = np.random.default_rng(8)
    values = rng.normal(size=80)
    sides = np.stack([rng.permutation(np.repeat([1.0, 0.0], [50, 30])) for _ in range(20)]).T
    ours = _distances(values, sides, sides.sum(axis=0))
    for number in range(20):
        is_x = sides[:, number] == 1
        expected = stats.wasserstein_distance(values[is_x], values[~is_x])
        assert ours[number] == pytest.approx(expected, abs=1e-12)


def test_a_reference_that_does_not_vary_has_no_distance_along_components() -> None:
    constant = np.full((30, 3), 0.1)
    basis = fit_basis(constant, 8)
    assert basis is not None
    assert not basis.explained_variances.any()
    assert np.isnan(basis.median_distance)
    assert _compare(constant, constant, basis) is None
    same = mmd_squared(constant, constant, None, None, 1.0, 0, 1)
    assert same is not None
    assert same.statistic == pytest.approx(0.0, abs=1e-12)


def test_rows_with_a_gap_are_dropped_and_counted() -> None:
    rng = np.random.default_rng(9)
    x, y = rng.normal(size=100), rng.normal(size=80)
    gaps = np.array([np.nan, np.inf, -np.inf])
    clean, dirty = ks_two_sample(x, y), ks_two_sample(np.r_[gaps, x], np.r_[y, gaps[:1]])
    assert clean is not None
    assert dirty == clean._replace(dropped_count=4)
    area = wasserstein_distance(np.r_[x, gaps], y)
    assert area is not None
    assert area.dropped_count == 3
    rows = rng.normal(size=(50, 4))
    holed = np.r_[rows, [[0.0, np.nan, 0.0, 0.0]]]
    found = mmd_squared(holed, rows, np.arange(51), None, 1.0, 0, 1)
    assert found is not None
    assert (found.reference_count, found.current_count, found.dropped_count) == (50, 50, 1)
    basis = fit_basis(holed, 2)
    assert basis is not None
    assert (basis.row_count, basis.dropped_count) == (50, 1)


def test_too_few_values_give_no_answer() -> None:
    one, many = np.array([1.0, np.nan]), np.arange(5.0)
    row, rows = np.ones((1, 2)), np.arange(10.0).reshape(5, 2)
    for left, right in ((one, many), (many, one), (np.array([]), many), (one[:0], one[:0])):
        assert ks_two_sample(left, right) is None
        assert wasserstein_distance(left, right) is None
    assert wasserstein_scale(one) is None
    assert fit_basis(row, 2) is None
    basis = fit_basis(rows, 2)
    assert basis is not None
    for left, right in ((row, rows), (rows, row), (rows[:0], rows), (rows, rows[:, :1])):
        assert mmd_squared(left, right, None, None, 1.0, 0, 1) is None
        assert _compare(left, right, basis) is None
    assert mmd_squared(rows, rows, None, None, float("nan"), 0, 1) is None


def test_fewer_than_200_ways_to_deal_out_blocks_give_no_p_value() -> None:
    rng = np.random.default_rng(10)
    x, y = rng.normal(size=(90, 2)), rng.normal(size=(30, 2))
    few = mmd_squared(x, y, np.arange(90) // 10, np.arange(30) // 10, 1.0, 200, 1)
    assert few is not None
    assert few.p_value > 0  # 12 blocks, 3 of them current: 220 ways
    one = mmd_squared(x, y, np.arange(90) // 10, np.zeros(30, dtype=np.int64), 1.0, 200, 1)
    assert one is not None
    assert np.isnan(one.p_value)
