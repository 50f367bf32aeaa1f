"""The Wasserstein distance of order 1 between two samples of numbers."""

from typing import NamedTuple

import numpy as np

from udfs.arrays import Floats

MINIMUM = 2
"""Fewest values on a side; with fewer there is no answer."""


class Wasserstein(NamedTuple):
    """How far one sample has to be carried to become the other.

    Parameters
    ----------
    distance
        In the unit of the values, >= 0.
    reference_count, current_count
        Values compared.
    dropped_count
        NULL, NaN and infinite values of both sides, left out.
    """

    distance: float
    reference_count: int
    current_count: int
    dropped_count: int


class Scale(NamedTuple):
    """What the distance of two samples of one population depends on.

    Parameters
    ----------
    mean, std
        Of the values (ddof 1), in their unit.
    wasserstein_scale
        J = integral of sqrt(F (1 - F)) dx / std: without drift, the distance in units of std is
        sqrt(2 a / pi) J on average. NULL where std is 0.
    row_count, dropped_count
        Values used; NULL, NaN and infinite ones left out.
    """

    mean: float
    std: float
    wasserstein_scale: float
    row_count: int
    dropped_count: int


def wasserstein_distance(reference: Floats, current: Floats) -> Wasserstein | None:
    """Return the area between the distribution functions of two samples.

    Parameters
    ----------
    reference, current : array of shape (n,) and (m,)
        Values in any order; those that are not finite are dropped and counted.

    Returns
    -------
    Wasserstein or None
        None where a side has fewer than `MINIMUM` values.

    References
    ----------
    Vallender (1974); equal to scipy.stats.wasserstein_distance.

    Examples
    --------
    >>> wasserstein_distance(np.array([0.0, 1.0]), np.array([5.0, 6.0])).distance
    5.0
    """
    x, y = np.sort(reference[np.isfinite(reference)]), np.sort(current[np.isfinite(current)])
    n, m = len(x), len(y)
    if min(n, m) < MINIMUM:
        return None
    dropped = len(reference) + len(current) - n - m
    if n == m:
        return Wasserstein(float(np.abs(x - y).mean()), n, m, dropped)
    pooled = np.concatenate((x, y))
    order = np.argsort(pooled, kind="stable")  # merges two sorted runs
    pooled = pooled[order]
    of_reference = np.cumsum(order < n)[:-1]
    apart = np.abs(of_reference / n - (np.arange(1, n + m) - of_reference) / m)
    return Wasserstein(float(apart @ np.diff(pooled)), n, m, dropped)


def wasserstein_scale(values: Floats) -> Scale | None:
    """Return mean, standard deviation and J of a reference.

    Parameters
    ----------
    values : array of shape (n,)
        In any order; those that are not finite are dropped and counted.

    Returns
    -------
    Scale or None
        None with fewer than `MINIMUM` values.

    References
    ----------
    del Barrio, Gine and Matran (1999), Central limit theorems for the Wasserstein distance.

    Examples
    --------
    >>> wasserstein_scale(np.linspace(0.0, 1.0, 10_001)).wasserstein_scale  # pi / 8 * sqrt(12)
    1.36
    """
    x = np.sort(values[np.isfinite(values)])
    n = len(x)
    if n < MINIMUM:
        return None
    std = float(x.std(ddof=1)) if x[0] < x[-1] else 0.0
    below = np.arange(1, n) / n
    area = float(np.sqrt(below * (1 - below)) @ np.diff(x))
    scale = area / std if std > 0 else np.nan
    return Scale(float(x.mean()), std, scale, n, len(values) - n)
