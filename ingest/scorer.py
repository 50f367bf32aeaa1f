"""The champion at work: URLs in, scores, decisions, embeddings and features out.

Serving, replay and training make the estimator's input by the same function, row by row: a URL gets
the same bits alone and in a batch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from ingest.card import Feature
from ingest.embedding import Basis, Floats, embed
from ingest.errors import DriftnetError, InputError
from ingest.features import FEATURES, Value, cluster_of, features_of
from ingest.model import Model, load
from ingest.urls import split

Row = Mapping[str, Value]


@dataclass(frozen=True)
class Subject:
    """What a scorer scores, as callers of an API name it.

    Parameters
    ----------
    name
        The key in JSON.
    description
        One sentence.
    examples
        Some that are safe to show.
    """

    name: str
    description: str
    examples: tuple[str, ...]


SUBJECT = Subject(
    "url",
    "The URL to score: any text. It is never opened.",
    ("https://login.example.com/account/verify?id=1", "example.org"),
)


@dataclass(frozen=True)
class Scores:
    """What a model says of n URLs.

    Parameters
    ----------
    score
        Probability of positive, float64, shape (n,).
    is_positive
        score >= threshold, shape (n,).
    embedding
        float32, shape (n, 32).
    features
        n mappings from feature name to value.
    cluster
        n hashes of registered domains: rows of one cluster are not independent.
    """

    score: npt.NDArray[np.float64]
    is_positive: npt.NDArray[np.bool_]
    embedding: Floats
    features: list[dict[str, Value]]
    cluster: list[str]


@dataclass(frozen=True)
class Described:
    """What is known of n URLs before a model judges them; fields as in `Scores`."""

    embedding: Floats
    features: list[dict[str, Value]]
    cluster: list[str]


class Scorer:
    """A trained model, ready.

    Parameters
    ----------
    model
        As loaded; its features must all be among `ingest.features.FEATURES`.
    threads
        Of the estimator; one is the fastest for single URLs.
    """

    def __init__(self, model: Model, threads: int = 1) -> None:
        self.model = model
        self.card = model.card
        self.threads = threads
        known = {feature.name: feature.kind for feature in FEATURES}
        for feature in model.features:
            if known.get(feature.name) != feature.kind:
                raise InputError(
                    f"model {model.card.name} needs feature {feature.name} ({feature.kind}), which "
                    "is not made from a URL: send its predictions with `driftnet import`"
                )
        if model.card.threshold is None or not model.embedding:
            raise DriftnetError(
                f"model {model.card.name} version {model.card.version} has no threshold or no "
                "embedding: train it again with `driftnet retrain`"
            )
        self.threshold = model.card.threshold
        self._pools = ThreadpoolController()

    @classmethod
    def load(
        cls, models: Path, name: str, version: str | None = None, threads: int = 1
    ) -> "Scorer":
        """Read the champion of a name, or a version of it; errors as `ingest.model.load`."""
        return cls(load(models, name, version), threads)

    def embed(self, urls: Sequence[str]) -> Floats:
        """Return the embedding of n URLs: float32, shape (n, 32)."""
        return embed(urls, self.model.embedding)

    def score(self, urls: Sequence[str]) -> Scores:
        """Score URLs; any strings, also none at all."""
        known = describe_urls(urls, self.model.embedding)
        score = self.score_rows(known.features, known.embedding)
        return Scores(
            score, score >= self.threshold, known.embedding, known.features, known.cluster
        )

    def score_rows(self, rows: Sequence[Row], embedding: Floats) -> npt.NDArray[np.float64]:
        """Score rows of features that are known already: float64, shape (n,)."""
        if not len(rows):
            return np.zeros(0)
        with self._pools.limit(limits=self.threads):
            inputs = input_matrix(self.model.features, rows, embedding)
            return positive_share(self.model.estimator, inputs)


def describe_urls(urls: Sequence[str], basis: Basis) -> Described:
    """Return features, embedding and cluster of URLs."""
    parts = [split(url) for url in urls]
    return Described(
        embed(urls, basis),
        [features_of(url) for url in parts],
        [cluster_of(url.host.domain) for url in parts],
    )


def input_matrix(
    features: Sequence[Feature], rows: Sequence[Row], embedding: Floats
) -> npt.NDArray[Any]:
    """Return what an estimator takes.

    Parameters
    ----------
    features
        k features in the model's order.
    rows
        n mappings from feature name to value; None is missing.
    embedding
        Shape (n, d).

    Returns
    -------
    ndarray of object, shape (n, k + d)
        Text in the columns of categorical features, else float, bool or None.
    """
    names = [feature.name for feature in features]
    matrix = np.empty((len(rows), len(names) + embedding.shape[1]), object)
    if len(rows):
        matrix[:, : len(names)] = [[row[name] for name in names] for row in rows]
        matrix[:, len(names) :] = embedding
    return matrix


def positive_share(estimator: Any, inputs: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return the estimator's probability of positive: float64, shape (n,)."""
    return np.ascontiguousarray(estimator.predict_proba(inputs)[:, 1], dtype=np.float64)
