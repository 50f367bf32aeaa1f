"""What a score means: the share of positives among rows of that score, learnt once."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import optimize

Floats = npt.NDArray[np.float64]

SPLITS = 10
TESTED_SHARE = 0.1
BINS = 10
SEED = 42
CALIBRATION = (
    ("scores", "DOUBLE[]"),
    ("probabilities", "DOUBLE[]"),
    ("error_before", "DOUBLE"),
    ("error_after", "DOUBLE"),
)
"""The fields of `Calibration` and their SQL types."""


class Calibration(NamedTuple):
    """Breakpoints between which a score is turned into a probability along straight lines.

    `error_before` and `error_after` are the expected calibration errors of rows that were not
    learnt from, as scored and as calibrated; where calibrating does not lower the error the
    breakpoints leave scores as they are.
    """

    scores: Floats
    probabilities: Floats
    error_before: float
    error_after: float


def fit_calibration(scores: Floats, truths: Floats) -> Calibration | None:
    """Learn which probability a score stands for.

    Parameters
    ----------
    scores : array of shape (n,)
        In [0, 1].
    truths : array of shape (n,)
        1 for a positive, 0 for a negative.

    Returns
    -------
    Calibration
        None with fewer than two rows of either class: there is nothing to learn.

    References
    ----------
    Barlow et al. (1972), Statistical inference under order restrictions; the rule whether to
    calibrate at all is NannyML's: 10 stratified splits of 10%, seed 42.

    Examples
    --------
    >>> scores = np.repeat([0.2, 0.4, 0.6, 0.8], 100)
    >>> truths = np.repeat([0.0, 1.0, 0.0, 1.0], [150, 50, 50, 150])
    >>> fit_calibration(scores, truths).probabilities
    array([0. , 0.5, 0.5, 1. ])
    """
    order = np.lexsort((truths, scores))  # whatever the order of the rows, one answer
    scores, truths = scores[order], truths[order]
    if min(truths.sum(), (1 - truths).sum()) < 2:
        return None
    before, after = _errors(scores, truths)
    if after >= before:
        return Calibration(np.array([0.0, 1.0]), np.array([0.0, 1.0]), before, after)
    return Calibration(*isotonic_breakpoints(scores, truths), before, after)


def isotonic_breakpoints(scores: Floats, truths: Floats) -> tuple[Floats, Floats]:
    """Return the increasing step-free curve of least squares: scores, ascending, and its values.

    Between two breakpoints it is a straight line, outside of them constant. Points within a flat
    stretch are left out.

    Parameters
    ----------
    scores, truths : array of shape (n,)
        n >= 1.

    Examples
    --------
    >>> isotonic_breakpoints(np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.0, 1.0, 0.0, 1.0]))
    (array([0.1, 0.2, 0.3, 0.4]), array([0. , 0.5, 0.5, 1. ]))
    """
    values, place = np.unique(scores, return_inverse=True)
    weights = np.bincount(place).astype(np.float64)
    means = np.bincount(place, truths) / weights
    curve = optimize.isotonic_regression(means, weights=weights).x
    kept = np.ones(len(values), dtype=bool)
    kept[1:-1] = (curve[1:-1] != curve[:-2]) | (curve[1:-1] != curve[2:])
    return values[kept], curve[kept]


def expected_calibration_error(scores: Floats, truths: Floats) -> float:
    """Return the mean distance of score and share of positives over 10 bins of equal count."""
    order = np.argsort(scores, kind="stable")
    parts = np.array_split(order, BINS)
    distances = [
        len(part) * abs(truths[part].mean() - scores[part].mean()) for part in parts if len(part)
    ]
    return float(sum(distances) / len(scores))


def _errors(scores: Floats, truths: Floats) -> tuple[float, float]:
    rng = np.random.default_rng(SEED)
    classes = [np.flatnonzero(truths == truth) for truth in (0, 1)]
    before, after = [], []
    for _ in range(SPLITS):
        held = np.zeros(len(scores), dtype=bool)
        for rows in classes:
            count = max(1, round(len(rows) * TESTED_SHARE))
            held[rng.choice(rows, count, replace=False)] = True
        curve = isotonic_breakpoints(scores[~held], truths[~held])
        before.append(expected_calibration_error(scores[held], truths[held]))
        after.append(expected_calibration_error(np.interp(scores[held], *curve), truths[held]))
    return float(np.mean(before)), float(np.mean(after))
