"""Who is on which side: as observed, and in permutations of whole blocks."""

from math import comb
from typing import NamedTuple

import numpy as np

from udfs.arrays import Blocks, Floats

MINIMUM_ARRANGEMENTS = 200
"""With fewer ways to deal out the blocks there is no p-value."""


class Sides(NamedTuple):
    """The rows of two samples in blocks, and who is reference in each permutation.

    Parameters
    ----------
    block_of_row : array of shape (n + m,)
        The number of each row's block, reference rows first; a block is of one side.
    is_reference : array of shape (blocks, 1 + permutations)
        1 where a block counts as reference; the first column is as observed.
    is_testable
        Whether there are at least `MINIMUM_ARRANGEMENTS` ways to deal out the blocks.
    """

    block_of_row: Blocks
    is_reference: Floats
    is_testable: bool


def deal(
    reference_count: int,
    current_count: int,
    reference_blocks: Blocks | None,
    current_blocks: Blocks | None,
    permutations: int,
    seed: int,
) -> Sides:
    """Deal whole blocks out to the two sides, as many to each as observed.

    Parameters
    ----------
    reference_count, current_count
        Rows of each side.
    reference_blocks, current_blocks : array of shape (n,) and (m,), or None
        Which rows belong together (a day, a host); None: every row is its own block.
    permutations, seed
        How many; and of the private random generator.
    """
    left = _numbered(reference_count, reference_blocks)
    right = _numbered(current_count, current_blocks)
    left_count, right_count = int(left.max()) + 1, int(right.max()) + 1
    observed = np.repeat([1.0, 0.0], [left_count, right_count])
    is_testable = comb(left_count + right_count, right_count) >= MINIMUM_ARRANGEMENTS
    columns = permutations if is_testable else 0
    is_reference = np.tile(observed[:, None], 1 + columns)
    np.random.default_rng(seed).permuted(is_reference[:, 1:], axis=0, out=is_reference[:, 1:])
    return Sides(np.concatenate((left, right + left_count)), is_reference, is_testable)


def sampling_variances(sizes: Floats, is_reference: Floats, correlation: float) -> Floats:
    """Return for each arrangement the variance of a difference of shares, in units of one row's.

    Arrangements of unequal blocks differ in it: a statistic that grows with it has to be divided
    by it before arrangements are compared, or a window of few big days is never found.

    Parameters
    ----------
    sizes : array of shape (blocks,)
        Rows of each block.
    is_reference : array of shape (blocks, arrangements)
        1 where a block counts as reference.
    correlation
        Of the rows of one block, 0..1.

    Examples
    --------
    >>> sampling_variances(np.ones(4), np.array([[1.0], [1.0], [0.0], [0.0]]), 0.5)
    array([1.])
    """
    weighted = sizes * (1 + correlation * (sizes - 1))
    n = sizes @ is_reference
    within = weighted @ is_reference
    return np.asarray(within / n**2 + (weighted.sum() - within) / (sizes.sum() - n) ** 2)


def p_value(statistics: Floats, is_testable: bool) -> float:
    """Return the share of arrangements at least as extreme as the observed one, NaN untested.

    Parameters
    ----------
    statistics : array of shape (1 + permutations,)
        The first is the observed one, which counts as one of the arrangements.

    References
    ----------
    Phipson and Smyth (2010), Permutation p-values should never be zero.
    """
    if not is_testable or len(statistics) < 2:
        return float("nan")
    # equal arrangements differ by the rounding of their sums
    near = statistics[0] - 1e-12 * max(abs(statistics[0]), 1e-300)
    return float((1 + np.sum(~(statistics[1:] < near))) / len(statistics))


def _numbered(count: int, blocks: Blocks | None) -> Blocks:
    if blocks is None:
        return np.arange(count)
    return np.unique(blocks, return_inverse=True)[1].astype(np.int64)
