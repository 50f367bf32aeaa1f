"""How far the quality of a classifier may lie from the truth by the luck of its rows."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

ROUNDS = 200
SEED = 42
TAIL = 0.025
QUALITY_CELLS = (
    ("days", "BIGINT[]"),
    ("ranks", "BIGINT[]"),
    ("calibration_bins", "BIGINT[]"),
    ("truths", "BIGINT[]"),
    ("decisions", "BIGINT[]"),
    ("counts", "BIGINT[]"),
    ("score_sums", "DOUBLE[]"),
    ("squared_errors", "DOUBLE[]"),
    ("log_losses", "DOUBLE[]"),
    ("minimum_days", "BIGINT"),
    ("false_positive_cost", "DOUBLE"),
    ("false_negative_cost", "DOUBLE"),
)
"""The parameters of `bootstrap_quality` and their SQL types."""


class QualityLimits(NamedTuple):
    """95% limits and standard error of each metric; NaN where it is not defined."""

    accuracy_lower: float
    accuracy_upper: float
    accuracy_error: float
    precision_lower: float
    precision_upper: float
    precision_error: float
    recall_lower: float
    recall_upper: float
    recall_error: float
    f1_lower: float
    f1_upper: float
    f1_error: float
    pr_auc_lower: float
    pr_auc_upper: float
    pr_auc_error: float
    brier_lower: float
    brier_upper: float
    brier_error: float
    log_loss_lower: float
    log_loss_upper: float
    log_loss_error: float
    calibration_error_lower: float
    calibration_error_upper: float
    calibration_error_error: float
    cost_lower: float
    cost_upper: float
    cost_error: float


def bootstrap_quality(
    days: Integers,
    ranks: Integers,
    calibration_bins: Integers,
    truths: Integers,
    decisions: Integers,
    counts: Integers,
    score_sums: Floats,
    squared_errors: Floats,
    log_losses: Floats,
    minimum_days: int,
    false_positive_cost: float,
    false_negative_cost: float,
) -> QualityLimits | None:
    """Draw days (or rows) again and again, truth and score of a row together.

    Parameters
    ----------
    days, ranks, calibration_bins, truths, decisions : array of shape (cells,)
        What the rows of a cell have in common: their day, their place in an order of the scores
        (the higher the score the greater), their bin of scores, truth and decision (0 or 1).
    counts, score_sums, squared_errors, log_losses : array of shape (cells,)
        Rows of a cell, the sum of their scores and of their losses.
    minimum_days
        With fewer days rows are drawn instead of days.
    false_positive_cost, false_negative_cost
        Of one row.

    Returns
    -------
    QualityLimits
        Percentiles (they cannot leave a metric's range) and standard deviation of 200 draws, seed
        42; NaN where a metric is not defined in most draws. None without a row.

    References
    ----------
    Davison and Hinkley (1997), Bootstrap methods and their application, 2.4 and 3.8.
    """
    if not len(counts):
        return None
    rng = np.random.default_rng(SEED)
    day_names, day = np.unique(days, return_inverse=True)
    columns = _columns(truths, decisions, counts, squared_errors, log_losses)
    if len(day_names) >= minimum_days:
        units, draws = day, rng.multinomial(len(day_names), _even(len(day_names)), ROUNDS)
        weights = draws.astype(np.float64)
    else:
        # rows of one kind, whatever their day, in an order of their own
        key = np.stack([ranks, calibration_bins, truths, decisions])
        _, units = np.unique(key, axis=1, return_inverse=True)
        units = units.ravel()
        sizes = np.bincount(units, counts)
        total = int(counts.sum())
        weights = rng.multinomial(total, sizes / total, ROUNDS) / sizes
    sums = weights @ _table(units, np.zeros_like(units), columns)[:, :, 0].T
    true_positive, false_positive, false_negative, true_negative, squared, log_loss = sums.T
    rows = true_positive + false_positive + false_negative + true_negative
    with np.errstate(divide="ignore", invalid="ignore"):
        found = {
            "accuracy": (true_positive + true_negative) / rows,
            "precision": true_positive / (true_positive + false_positive),
            "recall": true_positive / (true_positive + false_negative),
            "f1": 2 * true_positive / (2 * true_positive + false_positive + false_negative),
            "pr_auc": _pr_auc(weights, units, ranks, truths, counts),
            "brier": squared / rows,
            "log_loss": log_loss / rows,
            "calibration_error": _calibration_error(
                weights, units, calibration_bins, truths * counts - score_sums
            )
            / rows,
            "cost": (false_positive_cost * false_positive + false_negative_cost * false_negative)
            / rows,
        }
    return QualityLimits(*_limits(np.stack(list(found.values()))).ravel().tolist())


def _even(count: int) -> Floats:
    return np.full(count, 1 / count)


def _columns(
    truths: Integers,
    decisions: Integers,
    counts: Integers,
    squared_errors: Floats,
    log_losses: Floats,
) -> Floats:
    return np.stack(
        [
            counts * truths * decisions,
            counts * (1 - truths) * decisions,
            counts * truths * (1 - decisions),
            counts * (1 - truths) * (1 - decisions),
            squared_errors,
            log_losses,
        ]
    ).astype(np.float64)


def _table(units: Integers, places: Integers, columns: Floats) -> Floats:
    """Sum columns of shape (columns, cells) to shape (columns, units, places)."""
    width = int(places.max()) + 1
    height = int(units.max()) + 1
    cells = units * width + places
    summed = [np.bincount(cells, column, height * width) for column in columns]
    table: Floats = np.stack(summed).astype(np.float64).reshape(len(columns), height, width)
    return table


def _pr_auc(
    weights: Floats, units: Integers, ranks: Integers, truths: Integers, counts: Integers
) -> Floats:
    _, place = np.unique(-ranks, return_inverse=True)  # the highest scores first
    by_truth = np.stack([counts * truths, counts * (1 - truths)]).astype(np.float64)
    positive, negative = weights @ _table(units, place, by_truth)
    found = np.cumsum(positive, axis=1)
    named = found + np.cumsum(negative, axis=1)
    share = np.divide(found, named, out=np.zeros_like(found), where=named > 0)
    whole: Floats = (positive * share).sum(axis=1) / found[:, -1]
    return np.where(negative.sum(axis=1) > 0, whole, np.nan)


def _calibration_error(weights: Floats, units: Integers, bins: Integers, excess: Floats) -> Floats:
    (table,) = _table(units, bins, excess[np.newaxis])
    distance: Floats = np.abs(weights @ table).sum(axis=1)
    return distance


def _limits(draws: Floats) -> Floats:
    """Return lower limit, upper limit and standard error of each row; NaN where most draws are."""
    defined = np.isfinite(draws)
    limits = np.full((len(draws), 3), np.nan)
    whole = defined.all(axis=1)
    limits[whole] = _spread(draws[whole])
    for row in np.flatnonzero(~whole & (defined.sum(axis=1) >= ROUNDS / 2)):
        limits[row] = _spread(draws[row, defined[row]][np.newaxis])
    return limits


def _spread(draws: Floats) -> Floats:
    lower, upper = np.quantile(draws, [TAIL, 1 - TAIL], axis=1)
    return np.stack([lower, upper, draws.std(axis=1, ddof=1)], axis=1)
