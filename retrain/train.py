"""Train the first champion on labelled events of the past.

The time before `until` is cut in two: the last whole weeks (ISO, from Monday 00:00 UTC) are held
out and become the reference, all before them is trained on. Of W whole weeks the reference takes
half, at least 8, at most two thirds, so that a short past still trains. Days after the last whole
week are left out of both.

The threshold has the greatest F1 on the last fifth (in time) of the training rows, judged by an
estimator that was fitted on the four fifths before; the estimator that is kept is then fitted on
all training rows. The reference chooses nothing.

Hosts that occur on both sides of the cut stay on both: a popular host belongs to the traffic that
the model will see. What it would be worth on hosts it has never seen is measured beside it:
`unseen_roc_auc` is over the held-out rows whose registered domain no training row has.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from platform import python_version

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from ingest import model
from ingest.card import Card
from ingest.embedding import fit_basis
from ingest.errors import InputError
from ingest.event_file import open_events, read_known
from ingest.features import FEATURES
from ingest.progress import Advance, ignore
from ingest.scorer import positive_share
from retrain.card_page import card_page
from retrain.estimator import (
    LIBRARIES,
    Floats,
    Recipe,
    choose_threshold,
    fit,
    gradient_boosting,
    measure,
)
from retrain.sides import Side, cut, describe_side, reference_table

LEAST_PER_CLASS = 50  # among the training rows

RECIPE = Recipe(
    "gradient boosting on lexical features and embedding", FEATURES, gradient_boosting, "judge"
)


def train_initial(
    events: Path,
    until: datetime,
    models: Path,
    name: str,
    seed: int,
    clock: Callable[[], datetime],
    advance: Advance = ignore,
    *,
    recipe: Recipe = RECIPE,
    threads: int = 1,
) -> Card:
    """Train, save and promote the first version of a model.

    Parameters
    ----------
    events
        A file of events, see `ingest.event_file`.
    until
        Nothing from this time on is looked at; of a file that says when labels became known,
        labels that were not known by then neither.
    models, name
        Where the model goes.
    seed, threads
        Same data, seed and threads give the same scores.
    clock
        Tells when the model was made.
    advance
        Is called with the number of rows just described.
    recipe
        What is trained.

    Returns
    -------
    Card
        Its metrics are of the held-out rows that have a label.

    Raises
    ------
    InputError
        The name has a champion; bad columns; under two whole weeks; too few rows; one class only.
    """
    if model.champion(models, name) is not None:
        raise InputError(f"model {name} has a champion already: choose another name")
    now = clock()
    file = open_events(events, now)
    if "label" not in file.columns:
        raise InputError(f"{events.name} has no column label: training needs the truth")
    table = read_known(file, until)
    past, held_out = cut(table, until, events.name)
    with threadpool_limits(limits=threads):
        basis = fit_basis(past.column("url").to_pylist(), seed)
    training = describe_side(past, basis, recipe, advance)
    _check(training, events.name)
    threshold = _threshold(recipe, training, seed, threads)
    marked = training.is_labelled
    estimator = fit(recipe, training.inputs[marked], training.truth[marked], seed, threads)
    reference = describe_side(held_out, basis, recipe, advance)
    score = positive_share(estimator, reference.inputs)
    moments = past.column("occurred_at").to_pylist()
    card = Card(
        name,
        model.next_version(models, name),
        "trained",
        now,
        threshold,
        embedding_dimension=reference.described.embedding.shape[1],
        seed=seed,
        trained_from=moments[0].replace(tzinfo=UTC),
        trained_until=moments[-1].replace(tzinfo=UTC),
        training_row_count=int(marked.sum()),
        metrics=_metrics(training, reference, score, threshold),
        libraries={"python": python_version()} | {item: version(item) for item in LIBRARIES},
        estimator=recipe.name,
        recipe=recipe.path or None,
    )
    rows = reference_table(file, reference, score, recipe)
    card = model.save(models, card, recipe.features, rows, estimator, basis, page=card_page)
    model.promote(models, name, card.version)
    return card


def _check(training: Side, label: str) -> None:
    truth = training.truth[training.is_labelled]
    for what, count in (("positive", int(truth.sum())), ("negative", int((~truth).sum()))):
        if count < LEAST_PER_CLASS:
            raise InputError(
                f"{label} has {count} {what} labels to train on: {LEAST_PER_CLASS} of each class "
                "are needed; choose a later date or another file"
            )


def _threshold(recipe: Recipe, training: Side, seed: int, threads: int) -> float:
    """Return the threshold, rounded to 4 digits: of the greatest F1 on the last fifth."""
    rows = np.flatnonzero(training.is_labelled)
    cut = len(rows) * 4 // 5
    early, late = rows[:cut], rows[cut:]
    for part in (early, late):
        if training.truth[part].all() or not training.truth[part].any():
            raise InputError(
                "one class is missing in the first four fifths or the last fifth of the training "
                "rows: the threshold cannot be chosen; choose a later date"
            )
    estimator = fit(recipe, training.inputs[early], training.truth[early], seed, threads)
    score = positive_share(estimator, training.inputs[late])
    return round(choose_threshold(training.truth[late], score), 4)


def _metrics(
    training: Side, reference: Side, score: Floats, threshold: float
) -> dict[str, float | None]:
    marked = reference.is_labelled
    seen = set(training.described.cluster)
    unseen = marked & np.array([item not in seen for item in reference.described.cluster])
    apart = measure(reference.truth[unseen], score[unseen], threshold)
    return {
        **measure(reference.truth[marked], score[marked], threshold),
        "unseen_roc_auc": apart["roc_auc"],
        "labelled_row_count": float(marked.sum()),
        "unseen_row_count": float(unseen.sum()),
        "positive_share": float(reference.truth[marked].mean()) if marked.any() else None,
    }
