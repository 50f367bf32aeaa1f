"""The basis of a reference, and the Wasserstein distances along its principal components."""

from typing import NamedTuple

import numpy as np

from udfs.arrays import Blocks, Floats, Matrix, whole_rows
from udfs.permutation import deal, p_value, sampling_variances

MINIMUM = 2
"""Fewest rows on a side, and of a basis; with fewer there is no answer."""
DISTANCE_ROWS = 1_000
"""The median distance is that of the first so many rows."""


class Basis(NamedTuple):
    """What vectors are measured by, from the reference alone.

    Parameters
    ----------
    means : array of shape (d,)
        Mean of each column.
    median_distance
        Median distance of two different rows; NULL when it is 0.
    components : array of shape (k * d,)
        The principal components, one after the other.
    explained_variances : array of shape (k,)
        Variance along each (ddof 1).
    row_count, dropped_count
        Rows used; rows with a number that is not finite, left out.
    """

    means: Floats
    median_distance: float
    components: Floats
    explained_variances: Floats
    row_count: int
    dropped_count: int


class PcaWasserstein(NamedTuple):
    """How far two samples of vectors are apart along the components of a basis.

    Parameters
    ----------
    statistic
        Mean of the distances by component, weighted by explained variance; in standard deviations.
    p_value
        Share of permutations of whole blocks with a value at least as great; NULL where fewer than
        200 arrangements are possible or none was asked for.
    distances, shifts : array of shape (k,)
        Wasserstein distance along each component, and the difference of the means, in standard
        deviations of the component.
    weights : array of shape (k,)
        Weight of each component; they sum to 1.
    reference_count, current_count, dropped_count
        Rows compared; rows with a number that is not finite or of another length, left out.
    """

    statistic: float
    p_value: float
    distances: Floats
    shifts: Floats
    weights: Floats
    reference_count: int
    current_count: int
    dropped_count: int


def fit_basis(rows: Matrix, component_count: int) -> Basis | None:
    """Fit mean, median distance and principal components to a reference.

    Parameters
    ----------
    rows : array of shape (n, d)
        All rows of the reference, in an order that has nothing to do with their values.
    component_count
        k; fewer where there are fewer columns or rows.

    Returns
    -------
    Basis or None
        None with fewer than `MINIMUM` rows. Components as sklearn.decomposition.PCA, up to sign.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> rows = rng.normal(size=(5_000, 2)) * [3.0, 1.0]
    >>> fit_basis(rows, 2).explained_variances.round(1)
    array([9., 1.])
    """
    rows, dropped = whole_rows(np.asarray(rows, dtype=np.float64))
    if len(rows) < MINIMUM or not rows.shape[1]:
        return None
    means = rows.mean(axis=0)
    centred = rows - means
    centred[:, rows.min(axis=0) == rows.max(axis=0)] = 0.0  # a mean may be off by its rounding
    unit = np.abs(centred).max() or 1.0  # squares of tiny or huge numbers must not vanish
    covariance = (centred / unit).T @ (centred / unit) / (len(rows) - 1)
    variances, vectors = np.linalg.eigh(covariance)
    kept = np.argsort(variances)[::-1][: min(component_count, len(rows) - 1)]
    explained = np.maximum(variances[kept], 0.0) * unit * unit
    median = _median_distance(centred[:DISTANCE_ROWS] / unit) * unit
    components = vectors[:, kept].T.ravel()
    distance = median if median > 0 else np.nan
    return Basis(means, distance, components, explained, len(rows), dropped)


def pca_wasserstein(
    reference: Matrix,
    current: Matrix,
    reference_blocks: Blocks | None,
    current_blocks: Blocks | None,
    means: Floats,
    components: Floats,
    explained_variances: Floats,
    permutations: int,
    seed: int,
) -> PcaWasserstein | None:
    """Compare two samples along the components of a basis that was fitted on other rows.

    A basis that was fitted on the compared reference sample alone alarms in 25-35% of calm cases;
    fit it on the whole reference, at least ten times as many rows.

    Parameters
    ----------
    reference, current : array of shape (n, d) and (m, d)
        Rows; those with a number that is not finite are dropped and counted.
    reference_blocks, current_blocks : array of shape (n,) and (m,), or None
        Which rows are dealt out together; None: each row by itself.
    means, components, explained_variances
        Of the basis, see `Basis`. Components without variance have no weight.
    permutations, seed
        0 permutations: no p-value.

    Returns
    -------
    PcaWasserstein or None
        None where a side has fewer than `MINIMUM` rows, the widths differ or no component varies.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> basis = fit_basis(rng.normal(size=(5_000, 2)), 2)
    >>> x, y = rng.normal(size=(200, 2)), rng.normal(1.0, size=(200, 2))
    >>> pca_wasserstein(x, y, None, None, basis[0], *basis[2:4], 199, 42).p_value
    0.005
    """
    reference, reference_blocks, few = whole_rows(reference, reference_blocks)
    current, current_blocks, more = whole_rows(current, current_blocks)
    n, m, d = len(reference), len(current), len(means)
    if min(n, m) < MINIMUM or not reference.shape[1] == current.shape[1] == d > 0:
        return None
    std = np.sqrt(explained_variances)
    is_varied = std > 1e-8 * std.max(initial=0.0)  # beyond is rounding
    if not is_varied.any() or len(components) != d * len(std):
        return None
    sides = deal(n, m, reference_blocks, current_blocks, permutations, seed)
    rows = np.concatenate((reference, current)) - means
    unit = np.where(is_varied, std, 1.0)
    projected = np.where(is_varied, rows @ components.reshape(-1, d).T / unit, 0.0)
    weights = np.where(is_varied, (std / std.max()) ** 2, 0.0)
    weights /= weights.sum()
    is_reference = sides.is_reference[sides.block_of_row]
    counts = is_reference.sum(axis=0)
    by_component = np.stack([_distances(column, is_reference, counts) for column in projected.T])
    statistics = weights @ by_component
    correlation = weights @ _correlations(projected[:n], sides.block_of_row[:n])
    sizes = np.bincount(sides.block_of_row).astype(np.float64)
    variances = sampling_variances(sizes, sides.is_reference, float(correlation))
    shifts = projected[n:].mean(axis=0) - projected[:n].mean(axis=0)
    p = p_value(statistics / np.sqrt(variances), sides.is_testable and permutations > 0)
    return PcaWasserstein(
        float(statistics[0]), p, by_component[:, 0], shifts, weights, n, m, few + more
    )


def _distances(values: Floats, is_reference: Floats, sizes: Floats) -> Floats:
    """Return the distance of the two sides of each column: sort once, count, sum the gaps."""
    order = np.argsort(values)
    upto = np.cumsum(is_reference[order], axis=0)[:-1]
    rank = np.arange(1, len(values))[:, None]
    upto *= 1 / sizes + 1 / (len(values) - sizes)  # F_x - F_y = i_x/n - (i - i_x)/m
    upto -= rank / (len(values) - sizes)
    return np.asarray(np.diff(values[order]) @ np.abs(upto, out=upto))


def _correlations(values: Floats, blocks: Blocks) -> Floats:
    """Return for each column how alike the rows of a block are, 0..1 (analysis of variance)."""
    sizes = np.bincount(blocks).astype(np.float64)
    n, count = len(values), len(sizes)
    if count < 2 or count == n:
        return np.zeros(values.shape[1])
    sums = np.stack([np.bincount(blocks, column) for column in values.T])
    between = (sums**2 / sizes).sum(axis=1) - values.sum(axis=0) ** 2 / n
    within = (values**2).sum(axis=0) - (sums**2 / sizes).sum(axis=1)
    mean_size = (n - (sizes**2).sum() / n) / (count - 1)
    ratio = between / (count - 1) / np.maximum(within / (n - count), 1e-300)
    return np.asarray(np.clip((ratio - 1) / (ratio - 1 + mean_size), 0.0, 1.0))


def _median_distance(rows: Floats) -> float:
    squares = np.einsum("ij,ij->i", rows, rows)
    between = squares[:, None] + squares - 2 * (rows @ rows.T)
    pairs = between[np.triu_indices(len(rows), 1)]
    return float(np.sqrt(max(np.median(pairs), 0.0)))
