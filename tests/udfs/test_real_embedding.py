"""Embeddings of real URLs: years apart differ, halves of one month do not."""

from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import pytest

from ingest.embedding import embed, fit_basis
from udfs.arrays import one_thread
from udfs.mmd import mmd_squared
from udfs.pca import Basis, pca_wasserstein
from udfs.pca import fit_basis as fit_components

pytestmark = pytest.mark.slow

STREAM = "url_stream_2019_2022.parquet"
MONTH = "2022-03"  # many rows on every day, of several sources
SPLITS, SIZE, PERMUTATIONS = 100, 1_000, 200
Floats = npt.NDArray[np.float32]
Blocks = npt.NDArray[np.int64]


class Rows(NamedTuple):
    """Embeddings and the day of each."""

    vectors: Floats
    days: Blocks


class Stream(NamedTuple):
    """2019, 2022 and one month, embedded as a model trained on 2019 would."""

    before: Rows
    after: Rows
    month: Rows
    components: Basis


@pytest.fixture(scope="module")
def stream(shared_data: Path) -> Stream:
    def rows(first: str, last: str, limit: int) -> tuple[list[str], Blocks]:
        found = duckdb.execute(
            "select url, date_diff('day', date '1970-01-01', cast(ts_utc as date)) as day"
            f" from '{shared_data / STREAM}' where strftime(ts_utc, '%Y-%m') between '{first}'"
            f" and '{last}' order by md5(url || ts_utc) limit {limit}"
        ).fetchall()
        return [row[0] for row in found], np.array([row[1] for row in found], dtype=np.int64)

    urls, days = rows("2019-01", "2019-12", 12_000)
    basis = fit_basis(urls[:6_000], 7)

    def embedded(urls: list[str], days: Blocks) -> Rows:
        return Rows(embed(urls, basis), days)

    before = embedded(urls, days)
    components = fit_components(before.vectors, 8)
    assert components is not None
    after, month = (
        embedded(*rows(*span)) for span in (("2022-01", "2022-12", 2_000), (MONTH, MONTH, 20_000))
    )
    return Stream(before, after, month, components)


def _p_values(left: Rows, right: Rows, by_days: bool, basis: Basis, seed: int) -> list[float]:
    """Return the p of MMD and of PCA-Wasserstein."""
    of_left, of_right = (left.days, right.days) if by_days else (None, None)
    parts = basis.means, basis.components, basis.explained_variances
    x, y, median = left.vectors, right.vectors, basis.median_distance
    with one_thread():
        joint = mmd_squared(x, y, of_left, of_right, median, PERMUTATIONS, seed)
        along = pca_wasserstein(x, y, of_left, of_right, *parts, PERMUTATIONS, seed)
    assert joint is not None
    assert along is not None
    return [joint.p_value, along.p_value]


def _some(rows: Rows, chosen: npt.NDArray[np.bool_], rng: np.random.Generator) -> Rows:
    (places,) = np.nonzero(chosen)
    kept = np.sort(rng.choice(places, min(SIZE, len(places)), replace=False))
    return Rows(rows.vectors[kept], rows.days[kept])


def test_2022_is_not_embedded_as_2019_was(stream: Stream) -> None:
    before = Rows(stream.before.vectors[:2_000], stream.before.days[:2_000])
    for by_days in (False, True):
        found = _p_values(before, stream.after, by_days, stream.components, 42)
        print(f"   2019 against 2022, {'days' if by_days else 'rows'} dealt out: p {found}")
        assert max(found) <= 0.05


@pytest.mark.parametrize("by_days", [False, True])
def test_halves_of_a_month_seldom_differ(stream: Stream, by_days: bool) -> None:
    rng = np.random.default_rng(6)
    known = np.unique(stream.month.days)
    assert len(known) >= 28
    found = []
    for seed in range(SPLITS):
        if by_days:
            is_left = np.isin(stream.month.days, rng.permutation(known)[: len(known) // 2])
        else:
            is_left = rng.random(len(stream.month.days)) < 0.5
        left, right = (_some(stream.month, chosen, rng) for chosen in (is_left, ~is_left))
        found.append(_p_values(left, right, by_days, stream.components, seed))
    joint, along = (np.array(found) <= 0.05).sum(axis=0)
    kind = "days" if by_days else "rows"
    print(f"   of {SPLITS} splits by {kind}: MMD alarms in {joint}, PCA-Wasserstein in {along}")
    assert joint <= 10
    assert along <= 10


def test_rows_dealt_out_one_by_one_take_any_two_halves_of_days_for_drift(stream: Stream) -> None:
    # why whole days are dealt out: rows of one day resemble each other
    rng = np.random.default_rng(6)
    known = np.unique(stream.month.days)
    found = []
    for seed in range(20):
        is_left = np.isin(stream.month.days, rng.permutation(known)[: len(known) // 2])
        left, right = (_some(stream.month, chosen, rng) for chosen in (is_left, ~is_left))
        found.append(_p_values(left, right, False, stream.components, seed)[0])
    print(f"   of 20 splits by days MMD by rows alarms in {np.sum(np.array(found) <= 0.05)}")
    assert np.mean(np.array(found) <= 0.05) >= 0.5
