"""What must hold of rows before a model is trained on them; each check refuses with its reason."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc
from scipy.stats import rankdata

from ingest.card import Feature
from ingest.errors import InputError
from retrain.rows import Bools, Rows

LEAK_AUC = 0.995  # one feature alone that tells the classes apart so well knows the label
CONTRADICTION_SHARE = 0.10  # of the rows: alike on one day, but for the label
CLUSTER_SHARE = 0.50  # of a class's labels that one cluster may give
LEAST_FOR_SHARES = 50  # rows of a class, below which shares say nothing


class Refused(InputError):  # noqa: N818 - a verdict on the rows, named as it is spoken of
    """The rows are not fit to learn from: the champion stays."""


def check_times(rows: Rows, as_of: datetime) -> None:
    """Refuse rows that know the future (after `as_of`), and labels known before their events."""
    now = np.datetime64(as_of)
    known = np.asarray(rows.table.column("label_known_at").to_numpy())
    late = int(((rows.occurred_at > now) | (known > now)).sum())
    if late:
        raise Refused(f"{late} rows lie after {as_of:%Y-%m-%d %H:%M}: they know the future")
    early = int((known < rows.occurred_at).sum())
    if early:
        raise Refused(f"{early} labels were known before their events: their clocks are wrong")


def check_coverage(labelled_count: int, event_count: int, minimum: float) -> None:
    """Refuse a window of which too few events have a label: those may be a chosen few."""
    share = labelled_count / event_count if event_count else 0.0
    if share < minimum:
        raise Refused(
            f"{share:.0%} of the window's {event_count:,} events have a label: {minimum:.0%} are "
            "needed (retrain_minimum_coverage)"
        )


def check_classes(truth: Bools, minimum: int, side: str) -> None:
    """Refuse a side with too few rows of a class."""
    for what, count in (("positive", int(truth.sum())), ("negative", int((~truth).sum()))):
        if count < minimum:
            raise Refused(
                f"{count} {what} labels in the rows {side}: {minimum} of each class are needed "
                "(retrain_minimum_per_class)"
            )


def check_leaks(rows: Rows, features: Sequence[Feature]) -> None:
    """Refuse a feature that alone tells the classes apart: it knows the label.

    A number by its ROC AUC (either way round); a category by the share of positives that its value
    has among the other half of the rows, so that no row tells its own truth.
    """
    truth = rows.truth
    for feature in features:
        values = rows.table.column(f"feature_{feature.name}")
        if feature.kind == "categorical":
            score = _share_in_other_half(values.to_pylist(), truth)
        else:
            score = np.asarray(pc.fill_null(values.cast("double"), float("nan")).to_numpy())
            score = np.where(np.isnan(score), -np.inf, score)
        separation = _auc(truth, score)
        if max(separation, 1 - separation) > LEAK_AUC:
            raise Refused(
                f"feature {feature.name} alone tells the classes apart (ROC AUC "
                f"{max(separation, 1 - separation):.4f}): it knows the label; leave it out"
            )


def check_labels(rows: Rows, features: Sequence[Feature]) -> None:
    """Refuse labels that contradict each other within a day, and a class that one cluster floods.

    Over longer times like rows may well get other labels: that is a change of concept.
    """
    truth = rows.truth
    names = [f"feature_{feature.name}" for feature in features]
    days = rows.occurred_at.astype("datetime64[D]").tolist()
    keys = list(zip(days, *(rows.table.column(name).to_pylist() for name in names), strict=True))
    seen: dict[object, set[bool]] = {}
    for key, positive in zip(keys, truth, strict=True):
        seen.setdefault(key, set()).add(bool(positive))
    share = sum(len(seen[key]) > 1 for key in keys) / max(len(keys), 1)
    if share > CONTRADICTION_SHARE:
        raise Refused(
            f"{share:.0%} of the rows have the features of another row of their day and the other "
            "label: the labels contradict each other; look where they come from (label_source)"
        )
    for what, which in (("positive", truth), ("negative", ~truth)):
        count = int(which.sum())
        if count < LEAST_FOR_SHARES:
            continue
        clusters = [name for name, own in zip(rows.cluster, which, strict=True) if own]
        name, most = Counter(clusters).most_common(1)[0]
        if most > CLUSTER_SHARE * count:
            raise Refused(
                f"cluster {name} gives {most / count:.0%} of the {what} labels: they may be "
                "poisoned; look where they come from (label_source)"
            )


def check_apart(training: Rows, test: Rows) -> None:
    """Refuse a split with a cluster on both sides: the test would know its answers."""
    both = sorted(set(training.cluster) & set(test.cluster))
    if both:
        raise Refused(
            f"{len(both)} clusters stand on both sides of the split (first {both[0]}): leave them "
            "out of the test"
        )


def _share_in_other_half(values: Sequence[object], truth: Bools) -> npt.NDArray[np.float64]:
    score = np.empty(len(truth))
    for half in (0, 1):
        counts: Counter[object] = Counter(values[1 - half :: 2])
        other = zip(values[1 - half :: 2], truth[1 - half :: 2], strict=True)
        positive: Counter[object] = Counter(value for value, is_true in other if is_true)
        score[half::2] = [
            (positive[value] + truth.mean()) / (counts[value] + 1) for value in values[half::2]
        ]
    return score


def _auc(truth: Bools, score: npt.NDArray[np.float64]) -> float:
    positive = int(truth.sum())
    negative = len(truth) - positive
    if not positive or not negative:
        return 0.5
    ranks = rankdata(score)
    return float((ranks[truth].sum() - positive * (positive + 1) / 2) / (positive * negative))
