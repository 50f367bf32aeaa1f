"""Tails of the chi-square laws, which SQL lacks."""

import numpy as np
import numpy.typing as npt
from scipy import special

Floats = npt.NDArray[np.float64]


def chi2_sf(x: Floats, df: Floats) -> Floats:
    """Return the upper tail of the chi-square law.

    Parameters
    ----------
    x : array of shape (n,)
        The statistic, >= 0; a negative value counts as 0.
    df : array of shape (n,)
        Degrees of freedom, > 0, not necessarily whole.

    Returns
    -------
    array of shape (n,)
        P(chi-square with ``df`` degrees of freedom > ``x``), in [0, 1]; NaN where ``df`` <= 0.

    References
    ----------
    Abramowitz and Stegun, Handbook of Mathematical Functions, 26.4.19: the regularised upper
    incomplete gamma function at (df / 2, x / 2).

    Examples
    --------
    >>> chi2_sf(np.array([3.841458820694124]), np.array([1.0]))
    array([0.05])
    """
    valid = df > 0
    shape = np.where(valid, df, 1.0) / 2
    tail = special.gammaincc(shape, np.maximum(x, 0.0) / 2)
    return np.where(valid, tail, np.nan)


def noncentral_chi2_isf(p: Floats, df: Floats, noncentrality: Floats) -> Floats:
    """Return the value that a non-central chi-square variable exceeds with probability ``p``.

    Parameters
    ----------
    p : array of shape (n,)
        Upper tail probability, in (0, 1).
    df : array of shape (n,)
        Degrees of freedom, > 0.
    noncentrality : array of shape (n,)
        Non-centrality, >= 0.

    Returns
    -------
    array of shape (n,)
        The quantile, >= 0; NaN where an argument is out of its range.

    Examples
    --------
    >>> noncentral_chi2_isf(np.array([0.05]), np.array([9.0]), np.array([50.0]))
    array([84.84])
    """
    valid = (p > 0) & (p < 1) & (df > 0) & (noncentrality >= 0)
    tail = np.where(valid, p, 0.5)
    freedom = np.where(valid, df, 1.0)
    centre = np.where(valid, noncentrality, 0.0)
    return np.where(valid, special.chndtrix(1 - tail, freedom, centre), np.nan)
