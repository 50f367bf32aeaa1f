"""What can be trained: a recipe names its features and builds an unfitted estimator.

Any scikit-learn classifier with `predict_proba` does whose parts are on the allow-list of
`ingest.model`. Its input is `ingest.scorer.input_matrix`: one column per feature (text where the
feature is categorical), then the numbers of the embedding.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from ingest.card import Feature

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

LIBRARIES = ("numpy", "scipy", "scikit-learn", "skops", "tldextract", "pyarrow", "duckdb")
"""What a card names the versions of."""


@dataclass(frozen=True)
class Recipe:
    """How to make an estimator.

    Parameters
    ----------
    name
        Stands on the card.
    features
        What it takes, in this order.
    build
        Takes the features and a seed, returns an unfitted estimator.
    weighted_step
        The step of its pipeline that takes weights of rows; empty: rows count alike.
    path
        Where it stands, as ``module:NAME``; `retrain.recipes.named` fills it in.
    """

    name: str
    features: tuple[Feature, ...]
    build: Callable[[Sequence[Feature], int], Any]
    weighted_step: str = ""
    path: str = ""


def fit(
    recipe: Recipe,
    inputs: npt.NDArray[Any],
    truth: Bools,
    seed: int,
    threads: int,
    weight: Floats | None = None,
) -> Any:
    """Return the fitted estimator of a recipe.

    Parameters
    ----------
    recipe
        What to build.
    inputs
        Shape (n, features + embedding).
    truth
        Shape (n,); both classes must occur.
    seed, threads
        Same data, seed and threads: same estimator.
    weight
        Shape (n,); left aside by a recipe without `weighted_step`.
    """
    more = {}
    if weight is not None and recipe.weighted_step:
        more = {f"{recipe.weighted_step}__sample_weight": weight}
    with threadpool_limits(limits=threads):
        return recipe.build(recipe.features, seed).fit(inputs, truth, **more)


def gradient_boosting(features: Sequence[Feature], seed: int) -> Any:
    """Return histogram gradient boosting; categories become numbers without a look at the truth.

    A category seen fewer than 10 times counts as infrequent; one not seen at all is -1, none is -2.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OrdinalEncoder

    texts = [place for place, item in enumerate(features) if item.kind == "categorical"]
    encoder = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=-1,
        encoded_missing_value=-2,
        min_frequency=10,
    )
    judge = HistGradientBoostingClassifier(
        max_iter=150,
        learning_rate=0.1,
        max_leaf_nodes=15,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=seed,
    )
    encode = ColumnTransformer([("category", encoder, texts)], remainder="passthrough")
    return Pipeline([("encode", encode), ("judge", judge)])


def logistic_regression(features: Sequence[Feature], seed: int) -> Any:
    """Return logistic regression on scaled numbers and one-hot categories; missing is the mean."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    texts = [place for place, item in enumerate(features) if item.kind == "categorical"]
    encoder = OneHotEncoder(handle_unknown="ignore", min_frequency=10, sparse_output=False)
    return Pipeline(
        [
            ("encode", ColumnTransformer([("c", encoder, texts)], remainder="passthrough")),
            ("fill", SimpleImputer()),
            ("scale", StandardScaler()),
            ("judge", LogisticRegression(max_iter=2000, random_state=seed)),
        ]
    )


def choose_threshold(truth: Bools, score: Floats) -> float:
    """Return the threshold of the greatest F1; of several the lowest.

    Parameters
    ----------
    truth, score
        Shape (n,), at least one positive. A threshold t says positive where score >= t; it is
        placed half-way between a score and the next lower one.

    Examples
    --------
    >>> choose_threshold(np.array([False, False, True, True]), np.array([0.1, 0.3, 0.5, 0.9]))
    0.4
    """
    values, place = np.unique(score, return_inverse=True)
    positive = np.bincount(place, truth, len(values))[::-1].cumsum()[::-1]
    chosen = np.bincount(place, minlength=len(values))[::-1].cumsum()[::-1]
    f1 = 2 * positive / (chosen + truth.sum())
    best = int(np.argmax(f1))
    lower = values[best - 1] if best else 0.0
    return float((values[best] + lower) / 2)


def measure(truth: Bools, score: Floats, threshold: float) -> dict[str, float | None]:
    """Return ROC AUC, precision and recall; None where a class is missing.

    Examples
    --------
    >>> measure(np.array([False, True, True]), np.array([0.6, 0.7, 0.2]), 0.5)
    {'roc_auc': 0.5, 'precision': 0.5, 'recall': 0.5}
    """
    from scipy.stats import rankdata

    positive, decided = int(truth.sum()), score >= threshold
    hits, negative = int((truth & decided).sum()), int(len(truth) - positive)
    ranks = float(rankdata(score)[truth].sum())
    pairs = positive * negative
    return {
        "roc_auc": (ranks - positive * (positive + 1) / 2) / pairs if pairs else None,
        "precision": hits / int(decided.sum()) if decided.any() else None,
        "recall": hits / positive if positive else None,
    }
