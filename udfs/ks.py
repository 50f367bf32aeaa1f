"""The two-sample Kolmogorov-Smirnov test."""

from typing import NamedTuple

import numpy as np
from scipy import special

from udfs.arrays import Floats

MINIMUM = 2
"""Fewest values on a side; with fewer there is no answer."""


class Ks(NamedTuple):
    """What the test says.

    Parameters
    ----------
    statistic
        The greatest distance of the two distribution functions, 0..1.
    location
        A value at which they are that far apart.
    sign
        1 where more of the reference than of the current values are at or below `location` (the
        current values tend to be larger), -1 the other way round, 0 where they are equal.
    p_value
        Probability of a distance at least as great if nothing had changed and the values were
        independent: the limit law, conservative on ties and on fewer than some hundred values.
    reference_count, current_count
        Values compared.
    dropped_count
        NULL, NaN and infinite values of both sides, left out.
    """

    statistic: float
    location: float
    sign: int
    p_value: float
    reference_count: int
    current_count: int
    dropped_count: int


def ks_two_sample(reference: Floats, current: Floats) -> Ks | None:
    """Compare two samples by the greatest distance of their distribution functions.

    Parameters
    ----------
    reference, current : array of shape (n,) and (m,)
        Values in any order; those that are not finite are dropped and counted.

    Returns
    -------
    Ks or None
        None where a side has fewer than `MINIMUM` values.

    References
    ----------
    Smirnov (1939); Hodges (1958), The significance probability of the Smirnov two-sample test.
    Statistic, location and sign as scipy.stats.ks_2samp; p as scipy.stats.kstwobign of
    D / sqrt(1/n + 1/m).

    Examples
    --------
    >>> ks_two_sample(np.array([1.0, 2.0, 3.0, np.nan]), np.array([2.5, 3.5])).statistic
    0.67
    """
    x, y = np.sort(reference[np.isfinite(reference)]), np.sort(current[np.isfinite(current)])
    n, m = len(x), len(y)
    if min(n, m) < MINIMUM:
        return None
    # Each difference is greatest where the function that leads has just jumped.
    above = np.arange(1, n + 1) / n - np.searchsorted(y, x, side="right") / m
    below = np.arange(1, m + 1) / m - np.searchsorted(x, y, side="right") / n
    up, down = int(above.argmax()), int(below.argmax())
    sign = 1 if above[up] >= below[down] else -1
    statistic = max(float(above[up]), float(below[down]), 0.0)
    return Ks(
        statistic,
        float(x[up] if sign > 0 else y[down]),
        sign if statistic > 0 else 0,
        float(special.kolmogorov(statistic / np.sqrt(1 / n + 1 / m))),
        n,
        m,
        len(reference) + len(current) - n - m,
    )


def kolmogorov_sf(x: Floats) -> Floats:
    """Return the upper tail of the Kolmogorov law: P(sup of a Brownian bridge > `x`).

    Parameters
    ----------
    x : array of shape (n,)
        D / sqrt(a), where `a` is the sampling variance of a share: 1/n + 1/m for independent rows.

    Examples
    --------
    >>> kolmogorov_sf(np.array([1.3581]))
    array([0.05])
    """
    return np.asarray(special.kolmogorov(x), dtype=np.float64)
