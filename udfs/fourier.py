"""Random Fourier features: sums from which the MMD of any two stretches of time follows.

The product of two rows' features is about their Gaussian kernel, exp(-|x - y|^2 / (2 b^2)), and a
row's product with itself is 1. So sums of features over rows, which merge, are enough.
"""

from typing import NamedTuple

import numpy as np

from udfs.arrays import Floats, Matrix, whole_rows


class Frequencies(NamedTuple):
    """The directions and speeds along which features turn: shape (d * k,), column after column."""

    frequencies: Floats


class FourierSums(NamedTuple):
    """Sums of features over rows, cosines first, shape (2 k,); rows summed, and rows left out."""

    sums: Floats
    row_count: int
    dropped_count: int


def fourier_frequencies(
    dimension: int, feature_count: int, bandwidth: float, seed: int
) -> Frequencies | None:
    """Draw the frequencies of a Gaussian kernel; keep them, for only then do sums fit each other.

    Parameters
    ----------
    dimension
        d, of the rows.
    feature_count
        2 k, even: a cosine and a sine for each frequency. Their kernel is wrong by about
        1 / sqrt(k).
    bandwidth
        b, > 0.
    seed
        Of the private random generator.

    Returns
    -------
    Frequencies or None
        None where an argument is not positive.

    References
    ----------
    Rahimi and Recht (2007), Random features for large-scale kernel machines; Zhao and Meng (2015),
    FastMMD.
    """
    if dimension < 1 or feature_count < 2 or not bandwidth > 0:
        return None
    drawn = np.random.default_rng(seed).normal(size=(feature_count // 2, dimension))
    return Frequencies((drawn / bandwidth).ravel())


def fourier_sums(rows: Matrix, frequencies: Floats) -> FourierSums | None:
    """Sum the features of rows.

    Parameters
    ----------
    rows : array of shape (n, d)
        Those with a number that is not finite are dropped and counted.
    frequencies : array of shape (d * k,)
        As `fourier_frequencies` drew them.

    Returns
    -------
    FourierSums or None
        None without a row, or where the frequencies are of another width.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> drawn = fourier_frequencies(2, 4_000, 1.0, 7)
    >>> x = fourier_sums(np.array([[0.0, 0.0]]), drawn.frequencies).sums
    >>> y = fourier_sums(np.array([[1.0, 0.0]]), drawn.frequencies).sums
    >>> round(float(x @ x), 2), round(float(x @ y), 2)  # 1, about exp(-1/2) = 0.61
    (1.0, 0.62)
    """
    kept, dropped = whole_rows(np.asarray(rows, dtype=np.float64))
    if not len(kept) or not kept.shape[1] or len(frequencies) % kept.shape[1]:
        return None
    waves = frequencies.reshape(-1, kept.shape[1])
    turns = kept @ waves.T
    sums = np.concatenate((np.cos(turns).sum(axis=0), np.sin(turns).sum(axis=0)))
    return FourierSums(sums / np.sqrt(len(waves)), len(kept), dropped)
