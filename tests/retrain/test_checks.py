"""What a model is not trained on."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from ingest.card import Feature
from retrain import checks
from retrain.rows import Rows

AS_OF = datetime(2024, 6, 1)
FEATURES = (Feature("size", "numeric"), Feature("kind", "categorical"))


def rows(count: int = 400, **columns: Any) -> Rows:
    rng = np.random.default_rng(1)
    truth = rng.random(count) < 0.5
    moments = [AS_OF - timedelta(hours=count - place) for place in range(count)]
    table = {
        "occurred_at": moments,
        "label_known_at": moments,
        "is_actual_positive": truth,
        "cluster": [f"c{place // 4}" for place in range(count)],
        "feature_size": rng.normal(size=count) + truth,
        "feature_kind": rng.choice(["a", "b", "c"], count),
    } | columns
    return Rows(pa.table(table), FEATURES)


def test_fair_rows_pass() -> None:
    fair = rows()
    checks.check_times(fair, AS_OF)
    checks.check_classes(fair.truth, 100, "to train on")
    checks.check_leaks(fair, FEATURES)
    checks.check_labels(fair, FEATURES)
    checks.check_coverage(20, 100, 0.2)


def test_a_planted_future_row_is_refused() -> None:
    future = rows().table.column("occurred_at").to_pylist()
    future[7] = AS_OF + timedelta(days=1)
    with pytest.raises(checks.Refused, match="1 rows lie after 2024-06-01"):
        checks.check_times(rows(occurred_at=future, label_known_at=future), AS_OF)


def test_a_label_known_before_its_event_is_refused() -> None:
    early = rows().table.column("label_known_at").to_pylist()
    early[7] -= timedelta(days=1)
    with pytest.raises(checks.Refused, match="before their events"):
        checks.check_times(rows(label_known_at=early), AS_OF)


@pytest.mark.parametrize("way", [1.0, -1.0])
def test_a_number_that_knows_the_label_is_refused_by_name(way: float) -> None:
    leak = way * rows().truth + 0.01 * np.random.default_rng(2).normal(size=400)
    with pytest.raises(checks.Refused, match="feature size alone"):
        checks.check_leaks(rows(feature_size=leak), FEATURES)


def test_a_category_that_knows_the_label_is_refused_by_name() -> None:
    leak = ["blocklist" if is_true else "newsletter" for is_true in rows().truth]
    with pytest.raises(checks.Refused, match="feature kind alone"):
        checks.check_leaks(rows(feature_kind=leak), FEATURES)


def test_categories_of_one_row_each_know_nothing() -> None:
    checks.check_leaks(rows(feature_kind=[f"k{place}" for place in range(400)]), FEATURES)


def test_too_few_labels_of_the_events_are_refused() -> None:
    with pytest.raises(checks.Refused, match="19% of the window's 100 events"):
        checks.check_coverage(19, 100, 0.2)
    with pytest.raises(checks.Refused):
        checks.check_coverage(0, 0, 0.2)


@pytest.mark.parametrize("truth", [True, False])
def test_one_class_only_is_refused(truth: bool) -> None:
    with pytest.raises(checks.Refused, match=f"0 {'negative' if truth else 'positive'} labels"):
        checks.check_classes(np.full(400, truth), 100, "to train on")


def test_labels_that_contradict_each_other_are_refused() -> None:
    alike: dict[str, Any] = {"feature_size": [1.0] * 400, "feature_kind": ["a"] * 400}
    with pytest.raises(checks.Refused, match="contradict"):
        checks.check_labels(rows(**alike), FEATURES)


def test_a_class_flooded_by_one_cluster_is_refused() -> None:
    flooded = [
        "flood" if not t and place % 3 else f"c{place}" for place, t in enumerate(rows().truth)
    ]
    with pytest.raises(checks.Refused, match=r"cluster flood gives 6\d% of the negative labels"):
        checks.check_labels(rows(cluster=flooded), FEATURES)


def test_a_split_with_a_cluster_on_both_sides_is_refused() -> None:
    both = rows()
    half = np.arange(400) < 202
    with pytest.raises(checks.Refused, match="first c50"):
        checks.check_apart(both.take(half), both.take(~half))
    apart = np.arange(400) < 200
    checks.check_apart(both.take(apart), both.take(~apart))
