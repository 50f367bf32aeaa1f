"""Two models on the same rows: whether one is better, and how sure that is.

Rows of one cluster (a host, a customer) stand or fall together, so the variance of a difference
is taken over clusters, not over rows: on rows that come by host the plain tests call half of all
null comparisons significant, the clustered ones one in twenty.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, rankdata

from ingest.errors import InputError

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

LEVEL = 0.95


@dataclass(frozen=True)
class Difference:
    """A difference of two models, its standard error and its two-sided 95% interval.

    Parameters
    ----------
    value
        Better is greater.
    error
        Standard error, over clusters.
    lower, upper
        Limits of the interval.
    row_count, cluster_count
        What it rests on.
    """

    value: float
    error: float
    lower: float
    upper: float
    row_count: int
    cluster_count: int


def auc_gain(truth: Bools, new: Floats, old: Floats, cluster: Sequence[str]) -> Difference:
    """Return how much greater the ROC AUC of `new` is than that of `old`.

    DeLong's placements (midranks), summed by cluster::

        V_i = share of negatives that positive i outranks, V_j = share of positives above negative j
        gain = mean over positives of V_new - V_old
        variance = g/(g-1) * sum over clusters of (sum of the cluster's centred parts)^2

    where the centred part of a positive is (V_new - V_old - gain)/positives; of a negative alike.

    Parameters
    ----------
    truth
        Shape (n,); both classes must occur.
    new, old
        Scores, shape (n,); only their order matters.
    cluster
        n names; rows of one name are not independent. At least two.

    Raises
    ------
    InputError
        One class only, or fewer than two clusters.

    References
    ----------
    DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44; Obuchowski (1997), Biometrics 53.

    Examples
    --------
    >>> truth = np.array([True, False, True, False])
    >>> new, old = np.array([0.9, 0.1, 0.8, 0.2]), np.array([0.9, 0.1, 0.1, 0.2])
    >>> auc_gain(truth, new, old, list("abcd")).value
    0.375
    """
    positive = int(truth.sum())
    negative = len(truth) - positive
    if not positive or not negative:
        raise InputError("one class is missing among the rows to compare on: wait for more labels")
    placed = _placements(truth, new) - _placements(truth, old)
    gain = float(placed[truth].mean())
    parts = np.where(truth, (placed - gain) / positive, (placed - gain) / negative)
    return _over_clusters(gain, parts, cluster)


def cost_saving(
    truth: Bools, new: Bools, old: Bools, cluster: Sequence[str], miss: float, false_alarm: float
) -> Difference:
    """Return how much less the decisions of `new` cost than those of `old`, per row.

    A paired Wald interval: the mean of the rows' differences, its variance over clusters.

    Parameters
    ----------
    truth, new, old
        Shape (n,): what was true, what each model decided at its threshold.
    cluster
        n names.
    miss, false_alarm
        Cost of a positive that is let through, and of a negative that is stopped; in any one unit.

    Raises
    ------
    InputError
        No row, or fewer than two clusters.

    Examples
    --------
    >>> truth, new, old = np.array([[True, False], [True, False], [False, False]])
    >>> cost_saving(truth, new, old, ["a", "b"], miss=10, false_alarm=1).value
    5.0
    """
    if not len(truth):
        raise InputError("there are no rows to compare on: wait for more labels")
    saved = _cost(truth, old, miss, false_alarm) - _cost(truth, new, miss, false_alarm)
    mean = float(saved.mean())
    return _over_clusters(mean, (saved - mean) / len(saved), cluster)


def _placements(truth: Bools, score: Floats) -> Floats:
    """Return for each row the share of the other class that it is on the right side of."""
    ranks = rankdata(score)
    own = np.empty(len(score))
    own[truth] = rankdata(score[truth])
    own[~truth] = rankdata(score[~truth])
    positive = int(truth.sum())
    below = ranks - own
    return np.where(truth, below / (len(truth) - positive), 1 - below / positive)


def _cost(truth: Bools, decided: Bools, miss: float, false_alarm: float) -> Floats:
    return miss * (truth & ~decided) + false_alarm * (~truth & decided)


def _over_clusters(value: float, parts: Floats, cluster: Sequence[str]) -> Difference:
    names, place = np.unique(np.asarray(cluster, dtype=object).astype(str), return_inverse=True)
    if len(names) < 2:
        raise InputError("all rows to compare on are of one cluster: wait for more labels")
    sums = np.bincount(place, parts, len(names))
    error = float(np.sqrt(len(names) / (len(names) - 1) * (sums**2).sum()))
    reach = float(norm.ppf((1 + LEVEL) / 2)) * error
    return Difference(value, error, value - reach, value + reach, len(parts), len(names))
