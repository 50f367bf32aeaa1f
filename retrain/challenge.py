"""A challenger, trained on the past, against the champion on later rows that neither was fitted to.

The newest days are held out. Their first half sets the challenger's threshold; on their second half
both models are compared, on the rows whose cluster the challenger was not trained on. All held-out
rows become the challenger's reference when it takes over.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from ingest.model import Model
from ingest.scorer import positive_share
from retrain import checks
from retrain.comparison import Floats, auc_gain, cost_saving
from retrain.estimator import Recipe, choose_threshold, fit, measure
from retrain.policy import Challenge, Policy
from retrain.rows import Rows

DAY = np.timedelta64(1, "D")


@dataclass(frozen=True)
class Split:
    """Rows by what they are for: see the module."""

    training: Rows
    tuning: Rows
    test: Rows
    held_out: Rows
    known_cluster_count: int


@dataclass(frozen=True)
class Challenger:
    """A fitted estimator, its threshold, and its score of the held-out rows."""

    estimator: Any
    threshold: float
    held_out_score: Floats


def split(rows: Rows, policy: Policy) -> Split:
    """Cut rows in time, and leave out of the test what the training knows.

    Raises
    ------
    Refused
        A class is too small on a side.
    """
    moments = rows.occurred_at.astype("datetime64[us]")
    end = moments[-1].astype("datetime64[D]") + DAY if len(rows) else np.datetime64(0, "D")
    held = end - np.timedelta64(policy.held_out_days, "D")
    late = end - np.timedelta64(policy.held_out_days // 2, "D")
    training = rows.take(moments < held)
    held_out = rows.take(moments >= held)
    tuning = rows.take((moments >= held) & (moments < late))
    newest = rows.take(moments >= late)
    seen = set(training.cluster)
    is_new = np.array([name not in seen for name in newest.cluster], dtype=bool)
    test = newest.take(is_new)
    for side, part in (("to train on", training), ("to set the threshold on", tuning)):
        checks.check_classes(part.truth, policy.minimum_per_class, side)
    checks.check_classes(test.truth, policy.minimum_per_class, "of the challenge (unseen clusters)")
    checks.check_apart(training, test)
    return Split(training, tuning, test, held_out, int((~is_new).sum()))


def train(
    recipe: Recipe, parts: Split, champion: Model, policy: Policy, threads: int
) -> Challenger:
    """Fit a challenger: same rows, policy and threads, same scores.

    The embedding is the champion's: what was logged is what the challenger will see.
    """
    dimension = champion.card.embedding_dimension
    estimator = fit(
        recipe,
        parts.training.inputs(recipe.features, dimension),
        parts.training.truth,
        policy.seed,
        threads,
        _recency(parts.training, policy.half_life_days),
    )
    tuned = positive_share(estimator, parts.tuning.inputs(recipe.features, dimension))
    threshold = round(choose_threshold(parts.tuning.truth, tuned), 4)
    score = positive_share(estimator, parts.held_out.inputs(recipe.features, dimension))
    return Challenger(estimator, threshold, score)


def compare(
    recipe: Recipe, parts: Split, champion: Model, challenger: Challenger, policy: Policy
) -> Challenge:
    """Let both models judge the test rows, each at its own threshold."""
    test, dimension = parts.test, champion.card.embedding_dimension
    new = positive_share(challenger.estimator, test.inputs(recipe.features, dimension))
    old = positive_share(champion.estimator, test.inputs(champion.features, dimension))
    limit = champion.card.threshold if champion.card.threshold is not None else 0.5
    return Challenge(
        auc_gain(test.truth, new, old, test.cluster),
        cost_saving(
            test.truth,
            new >= challenger.threshold,
            old >= limit,
            test.cluster,
            policy.false_negative_cost,
            policy.false_positive_cost,
        ),
        new_auc=measure(test.truth, new, challenger.threshold)["roc_auc"] or 0.0,
        old_auc=measure(test.truth, old, limit)["roc_auc"] or 0.0,
    )


def _recency(rows: Rows, half_life_days: int) -> npt.NDArray[np.float64] | None:
    """Return weights that halve with every half-life of age; None: all alike."""
    if not half_life_days:
        return None
    moments = rows.occurred_at.astype("datetime64[us]")
    age = (moments[-1] - moments) / np.timedelta64(timedelta(days=half_life_days))
    return np.asarray(0.5**age, dtype=np.float64)
