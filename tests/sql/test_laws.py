"""Laws that hold for every pair of histograms, tried on many of them."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats
from scipy.spatial.distance import jensenshannon
from scipy.special import rel_entr

from tests.sql.macros import METRICS, bins_table, connect, parts, statistics

Counts = npt.NDArray[np.int64]
SHARES = ("js_distance", "hellinger", "total_variation", "l_infinity", "cramers_v")
SYMMETRIC = tuple(name for name in METRICS if name != "kl_divergence")

counts = arrays.arrays(
    np.int64,
    st.tuples(st.integers(1, 12), st.integers(2, 20)),
    elements=st.one_of(st.integers(0, 5), st.integers(0, 10**6)),
)
quick = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


def _with_rows(table: Counts) -> Counts:
    table = table.copy()
    table[table.sum(axis=1) == 0, 0] = 1
    return table


def _two_sides(table: Counts, seed: int) -> tuple[Counts, Counts]:
    other = np.random.default_rng(seed).permuted(table, axis=1)
    return _with_rows(table), _with_rows(other)


def oracle(x: Counts, y: Counts) -> dict[str, float]:
    """The textbook's forms, by SciPy and NumPy, of bins that are not empty on both sides."""
    kept = x + y > 0
    x, y = x[kept].astype(np.float64), y[kept].astype(np.float64)
    p, q = x / x.sum(), y / y.sum()
    smooth_p = (x + 0.5) / (x.sum() + 0.5 * len(x))
    smooth_q = (y + 0.5) / (y.sum() + 0.5 * len(y))
    kl = float(stats.entropy(smooth_q, smooth_p))
    return {
        "psi": float((rel_entr(smooth_p, smooth_q) + rel_entr(smooth_q, smooth_p)).sum()),
        "kl_divergence": kl,
        "js_distance": float(jensenshannon(p, q, base=2)),
        "hellinger": float(np.linalg.norm(np.sqrt(p) - np.sqrt(q)) / np.sqrt(2)),
        "total_variation": float(np.abs(p - q).sum() / 2),
        "l_infinity": float(np.abs(p - q).max()),
        "chi_square": 0.0
        if len(x) < 2
        else float(stats.chi2_contingency(np.array([x, y]), correction=False).statistic),
        "cramers_v": float(np.sqrt(0.5 * ((p - q) ** 2 / (p + q)).sum())),
    }


@given(counts, st.integers(0, 10**6))
@quick
def test_every_metric_equals_its_textbook_form(table: Counts, seed: int) -> None:
    x, y = _two_sides(table, seed)
    found = statistics(x, y)
    for case in range(len(x)):
        for name, expected in oracle(x[case], y[case]).items():
            # SciPy's own js loses half of its digits where the sides are nearly equal
            allowed = 2e-8 if name == "js_distance" and expected < 1e-4 else 1e-9
            assert found[name][case] == pytest.approx(expected, rel=1e-9, abs=allowed), name


@given(counts, st.integers(0, 10**6))
@quick
def test_metrics_keep_their_ranges(table: Counts, seed: int) -> None:
    found = statistics(*_two_sides(table, seed))
    for name in METRICS:
        assert np.all(found[name] >= 0), name
    for name in SHARES:
        assert np.all(found[name] <= 1), name
    for name in ("p_value", "q_value", "approximate_p_value"):
        present = found[name][~np.isnan(found[name])]
        assert np.all((present >= 0) & (present <= 1)), name
    assert np.all(np.isnan(found["q_value"]) | (found["q_value"] >= found["p_value"]))


@given(counts, st.integers(0, 10**6))
@quick
def test_symmetric_metrics_do_not_care_which_side_is_which(table: Counts, seed: int) -> None:
    x, y = _two_sides(table, seed)
    ours, theirs = statistics(x, y), statistics(y, x)
    for name in (*SYMMETRIC, "p_value"):
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-9, atol=1e-12, err_msg=name)


@given(counts, st.integers(1, 50))
@quick
def test_equal_shares_are_at_distance_zero(table: Counts, times: int) -> None:
    x = _with_rows(table)
    found = statistics(x, x * times)
    for name in METRICS:
        # smoothing adds half a row to a side of another size, which is not quite the same share
        if times == 1 or name not in {"psi", "kl_divergence"}:
            # chi_square sums squares of counts that cancel exactly only in whole numbers
            assert np.all(np.abs(found[name]) <= 1e-9), name


@given(counts, st.integers(0, 10**6))
@quick
def test_the_order_of_bins_and_empty_bins_change_nothing(table: Counts, seed: int) -> None:
    x, y = _two_sides(table, seed)
    order = np.random.default_rng(seed).permutation(x.shape[1])
    padded = [np.pad(side[:, order], ((0, 0), (0, 3))) for side in (x, y)]
    ours, theirs = statistics(x, y), statistics(padded[0], padded[1])
    for name in (*METRICS, "p_value", "pooled_deviation"):
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-9, atol=1e-12, err_msg=name)


@given(counts, counts, st.integers(0, 10**6))
@quick
def test_merged_windows_are_the_window_of_their_union(
    first: Counts, second: Counts, seed: int
) -> None:
    width, height = min(first.shape[1], second.shape[1]), min(len(first), len(second))
    days = [_with_rows(day[:height, :width]) for day in (first, second)]
    union = days[0] + days[1]
    x, _ = _two_sides(union, seed)
    # the rows of both days side by side, as a cube keeps them
    connection = connect()
    tables = pa.concat_tables([bins_table(x, day) for day in days])
    connection.register("days", tables)
    key = "case_id, bin_index"
    merged = connection.execute(
        f"select {key}, sum(current_count) from days group by {key} order by {key}"
    ).fetchnumpy()["sum(current_count)"]
    ours = statistics(x, merged.astype(np.int64).reshape(union.shape))
    theirs = statistics(x, union)
    for name in METRICS:
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)


def test_parts_sum_to_their_scores() -> None:
    rng = np.random.default_rng(5)
    shares = rng.dirichlet(np.full(15, 0.4), size=(300, 2))
    x = np.array([rng.multinomial(int(10 ** rng.uniform(1, 6)), row[0]) for row in shares])
    y = np.array([rng.multinomial(int(10 ** rng.uniform(1, 6)), row[1]) for row in shares])
    found, table = statistics(x, y), parts(x, y)
    for part, name in {
        "psi_part": "psi",
        "kl_part": "kl_divergence",
        "js_part": "js_distance",
        "chi_square_part": "chi_square",
    }.items():
        sums = np.bincount(table["case_id"].to_numpy(), weights=table[part].to_numpy())
        score = found[name] ** 2 if name == "js_distance" else found[name]
        np.testing.assert_allclose(sums, score, rtol=1e-12, atol=1e-12, err_msg=part)


@pytest.mark.slow
def test_a_shift_planted_in_one_bin_of_one_segment_is_ranked_first() -> None:
    """Ten segments of ten bins; in one bin of one segment the share rises by a half of itself."""
    rng = np.random.default_rng(6)
    found = {"psi_part": 0, "js_part": 0, "chi_square_part": 0}
    for _ in range(100):
        shares = rng.dirichlet(np.full(10, 3.0), size=10)
        reference = np.array([rng.multinomial(10_000, row) for row in shares])
        segment, planted = int(rng.integers(10)), int(rng.integers(10))
        moved = shares.copy()
        moved[segment, planted] += max(0.05, moved[segment, planted] / 2)
        moved[segment] /= moved[segment].sum()
        current = np.array([rng.multinomial(2_000, row) for row in moved])
        table = parts(reference, current)
        for part in found:
            first = int(np.argmax(table[part].to_numpy()))
            place = (table["case_id"][first].as_py(), table["bin_index"][first].as_py())
            found[part] += place == (segment, planted)
    print(found)
    assert min(found.values()) >= 95


def test_expected_values_are_those_of_windows_that_have_not_drifted() -> None:
    rng = np.random.default_rng(8)
    shares = np.full(10, 0.1)
    found = statistics(
        rng.multinomial(20_000, shares, size=4_000), rng.multinomial(2_000, shares, size=4_000)
    )
    for name in (*METRICS,):
        if f"expected_{name}" in found:
            expected = found[f"expected_{name}"].mean()
            assert found[name].mean() == pytest.approx(expected, rel=0.03), name
    assert found["chi_square"].mean() == pytest.approx(9, rel=0.03)


def test_the_tail_of_plain_sql_is_near_the_exact_one() -> None:
    rng = np.random.default_rng(9)
    found = statistics(
        rng.multinomial(5_000, np.full(8, 1 / 8), size=3_000),
        rng.multinomial(500, np.full(8, 1 / 8), size=3_000),
    )
    near = (found["p_value"] > 0.02) & (found["p_value"] < 0.1)
    ratio = found["approximate_p_value"][near] / found["p_value"][near]
    assert near.sum() > 100
    assert ratio.min() > 0.94
    assert ratio.max() < 1.01
