"""The maximum mean discrepancy: whether two samples of vectors are of one population."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from udfs.arrays import Blocks, Floats, Matrix, whole_rows
from udfs.permutation import deal, p_value, sampling_variances

MINIMUM = 2
"""Fewest rows on a side; with fewer there is no answer."""
TILE = 256
"""Rows of the kernel matrix that are worked on at once."""


class Mmd(NamedTuple):
    """How far apart two samples of vectors are.

    Parameters
    ----------
    statistic
        Unbiased MMD^2: about 0 without drift, slightly negative at times, at most 2.
    p_value
        Share of permutations of whole blocks with a value at least as great; NULL where fewer than
        200 arrangements are possible or none was asked for.
    reference_count, current_count
        Rows compared.
    dropped_count
        Rows of both sides with a NULL, NaN or infinite number or of another length, left out.
    """

    statistic: float
    p_value: float
    reference_count: int
    current_count: int
    dropped_count: int


def mmd_squared(
    reference: Matrix,
    current: Matrix,
    reference_blocks: Blocks | None,
    current_blocks: Blocks | None,
    bandwidth: float,
    permutations: int,
    seed: int,
) -> Mmd | None:
    """Compare two samples of vectors by a Gaussian kernel, in float64.

    Arrangements of blocks of unequal size are compared in units of their sampling variance, for
    which the correlation within the reference's blocks is taken from the same sums.

    k(x, y) = exp(-|x - y|^2 / (2 bandwidth^2)). The kernel is summed by pairs of blocks once; a
    permutation is then a column of a matrix product over blocks.

    Parameters
    ----------
    reference, current : array of shape (n, d) and (m, d)
        Rows; those with a number that is not finite are dropped and counted.
    reference_blocks, current_blocks : array of shape (n,) and (m,), or None
        Which rows belong together (the day, the host) and are dealt out together; None: each row
        by itself.
    bandwidth
        Of the kernel, > 0; by custom the median distance of reference rows.
    permutations, seed
        0 permutations: no p-value.

    Returns
    -------
    Mmd or None
        None where a side has fewer than `MINIMUM` rows, the widths differ or `bandwidth` is no
        positive number.

    References
    ----------
    Gretton et al. (2012), A kernel two-sample test, JMLR 13, lemma 6.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x, y = rng.normal(size=(100, 2)), rng.normal(1.0, size=(80, 2))
    >>> mmd_squared(x, y, None, None, 1.0, 200, 42).p_value
    0.005
    """
    reference, reference_blocks, few = whole_rows(reference, reference_blocks)
    current, current_blocks, more = whole_rows(current, current_blocks)
    n, m = len(reference), len(current)
    if min(n, m) < MINIMUM or not bandwidth > 0:
        return None
    if not reference.shape[1] == current.shape[1] > 0:
        return None
    if permutations == 0:  # no row is dealt out: sums by side suffice
        reference_blocks, current_blocks = np.zeros(n, np.int64), np.zeros(m, np.int64)
    sides = deal(n, m, reference_blocks, current_blocks, permutations, seed)
    rows = np.concatenate((reference, current)) / (np.sqrt(2.0) * bandwidth)
    sums, sizes = _kernel_by_blocks(rows, sides.block_of_row)
    ones = np.ones(len(sizes))
    statistic = _unbiased(sums, sizes, sides.is_reference[:, :1], ones)[0]
    correlation = _correlation(sums, sizes, sides.is_reference[:, 0] == 1)
    variances = sampling_variances(sizes, sides.is_reference, correlation)
    # pairs of one block say how alike its rows are, not how the sides differ
    apart = _unbiased(sums - np.diag(np.diag(sums)), sizes, sides.is_reference, sizes)
    p = p_value(apart / variances, sides.is_testable and permutations > 0)
    return Mmd(float(statistic), p, n, m, few + more)


def _kernel_by_blocks(rows: Floats, block_of_row: Blocks) -> tuple[Floats, Floats]:
    """Sum exp(-|x - y|^2) over the pairs of rows of each two blocks, a row with itself left out."""
    order = np.argsort(block_of_row, kind="stable")
    blocks = block_of_row[order]
    rows = rows[order] - rows.mean(axis=0)  # near 0 the square of a difference loses least
    squares = np.einsum("ij,ij->i", rows, rows)
    sums = np.zeros((blocks[-1] + 1, blocks[-1] + 1))
    for first in range(0, len(rows), TILE):
        last = min(first + TILE, len(rows))
        kernel = rows[first:last] @ rows[first:].T
        kernel *= 2.0
        kernel -= squares[first:]
        kernel -= squares[first:last, None]
        np.exp(np.minimum(kernel, 0.0, out=kernel), out=kernel)
        square = kernel[:, : last - first]
        np.fill_diagonal(square, 0.0)
        kernel[:, last - first :] *= 2.0  # stands for its mirror image too
        left, right = _starts(blocks[first:last]), _starts(blocks[first:])
        if len(left) < last - first or len(right) < len(rows) - first:
            kernel = np.add.reduceat(np.add.reduceat(kernel, right, axis=1), left, axis=0)
        sums[blocks[first] : blocks[last - 1] + 1, blocks[first] :] += kernel
    return (sums + sums.T) / 2, np.bincount(blocks).astype(np.float64)


def _correlation(sums: Floats, sizes: Floats, is_reference: npt.NDArray[np.bool_]) -> float:
    """Return how much more alike two rows of one reference block are than rows of two, 0..1."""
    sums, sizes = sums[np.ix_(is_reference, is_reference)], sizes[is_reference]
    inside, pairs = np.trace(sums), np.sum(sizes * (sizes - 1))
    outside, others = sums.sum() - inside, sizes.sum() ** 2 - np.sum(sizes**2)
    if pairs == 0 or others == 0 or outside >= others:
        return 0.0
    alike, apart = inside / pairs, outside / others
    return float(np.clip((alike - apart) / (1 - apart), 0.0, 1.0))


def _starts(blocks: Blocks) -> Blocks:
    return np.flatnonzero(np.r_[True, blocks[1:] != blocks[:-1]])


def _unbiased(sums: Floats, sizes: Floats, is_reference: Floats, excluded: Floats) -> Floats:
    """Return MMD^2 for each column; infinite where a side of an arrangement has no pair.

    Parameters
    ----------
    excluded : array of shape (blocks,)
        With how many rows of its block, itself included, a row is not paired.
    """
    n = sizes @ is_reference
    m = sizes.sum() - n
    alone = (sizes * excluded) @ is_reference
    of_reference = n * n - alone
    of_current = m * m - ((sizes * excluded).sum() - alone)
    within = np.einsum("ij,ij->j", is_reference, sums @ is_reference)
    of_block = sums.sum(axis=1)
    reference_to_all, total = of_block @ is_reference, of_block.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        value = (
            within / of_reference
            + (total - 2 * reference_to_all + within) / of_current
            - 2 * (reference_to_all - within) / (n * m)
        )
    return np.where((of_reference > 0) & (of_current > 0), value, np.inf)
