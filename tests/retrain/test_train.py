import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score, roc_auc_score

from ingest.card import Card
from ingest.errors import InputError
from ingest.features import FEATURES
from ingest.model import champion, describe, load, registered
from ingest.scorer import Scorer
from ingest.synthesize import START, Synthesized, synthesize
from retrain.estimator import Recipe, choose_threshold, logistic_regression, measure
from retrain.sides import cut_weeks
from retrain.train import train_initial

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WEEK = timedelta(weeks=1)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    folder = tmp_path_factory.mktemp("made")
    return synthesize(folder, 3, weeks=6, calm_weeks=6, events_per_week=500, drifts=())


@pytest.fixture(scope="module")
def trained(made: Synthesized) -> tuple[Path, Card]:
    models = made.events.parent / "models"
    return models, train_initial(made.events, made.end, models, "urls", 9, lambda: NOW)


def changed(made: Synthesized, folder: Path, name: str, values: Any) -> Path:
    table = pq.read_table(made.events)
    place = table.column_names.index(name)
    path = folder / "changed.parquet"
    pq.write_table(table.set_column(place, name, values), path)
    return path


def test_the_model_becomes_the_champion(trained: tuple[Path, Card]) -> None:
    models, card = trained
    assert champion(models, "urls") == card.version == "1"
    assert describe(models, "urls", "1")[0] == card
    assert describe(models, "urls", "1")[1] == FEATURES
    assert load(models, "urls").card.estimator == card.estimator


def test_the_reference_is_held_out_in_time_and_of_whole_weeks(
    trained: tuple[Path, Card], made: Synthesized
) -> None:
    models, card = trained
    rows = pq.read_table(models / "urls/1/reference.parquet")
    moments = rows.column("occurred_at").to_pylist()
    begun = (START + 2 * WEEK).replace(tzinfo=None)
    assert begun <= min(moments) < begun + timedelta(hours=6)
    assert card.trained_until is not None
    assert card.trained_until < START + 2 * WEEK
    events = pq.read_table(made.events)
    later = pc.greater_equal(events.column("ts_utc"), pa.scalar(START + 2 * WEEK))
    assert rows.num_rows == pc.sum(later).as_py() == card.reference_row_count


def test_the_reference_has_labels_segments_clusters_and_replayable_ids(
    trained: tuple[Path, Card], made: Synthesized
) -> None:
    from ingest.event_file import open_events

    models, _ = trained
    rows = pq.read_table(models / "urls/1/reference.parquet")
    file = open_events(made.events, NOW)
    first = made.row_count - rows.num_rows
    assert rows.column("event_id")[0].as_py() == file.event_id(first)
    assert rows.column("channel").null_count == rows.column("cluster").null_count == 0
    assert 0 < rows.column("is_actual_positive").null_count < rows.num_rows * 0.2
    assert rows.column("embedding")[0].as_py() is not None


def test_a_label_that_was_not_known_in_time_is_not_used(
    trained: tuple[Path, Card], made: Synthesized
) -> None:
    models, _ = trained
    rows = pq.read_table(models / "urls/1/reference.parquet")
    events = pq.read_table(made.events).slice(made.row_count - rows.num_rows)
    known = pc.fill_null(pc.less(events.column("label_known_at"), pa.scalar(made.end)), False)
    assert rows.column("is_actual_positive").is_valid().to_pylist() == known.to_pylist()


def test_the_metrics_of_the_card_are_those_of_scikit_learn(trained: tuple[Path, Card]) -> None:
    models, card = trained
    rows = pq.read_table(models / "urls/1/reference.parquet").to_pydict()
    marked = [place for place, truth in enumerate(rows["is_actual_positive"]) if truth is not None]
    truth = [rows["is_actual_positive"][place] for place in marked]
    score = [rows["score"][place] for place in marked]
    decided = [rows["is_predicted_positive"][place] for place in marked]
    assert card.metrics["roc_auc"] == pytest.approx(roc_auc_score(truth, score), abs=1e-12)
    assert card.metrics["precision"] == pytest.approx(precision_score(truth, decided))
    assert card.metrics["recall"] == pytest.approx(recall_score(truth, decided))
    assert card.metrics["roc_auc"] > 0.85  # type: ignore[operator]
    assert decided == [value >= card.threshold for value in score]
    assert card.metrics["labelled_row_count"] == len(marked)


def test_the_threshold_of_the_training_side_is_near_the_best_of_the_reference(
    made: Synthesized, tmp_path: Path
) -> None:
    features = tuple(item for item in FEATURES if item.name == "url_length")
    recipe = Recipe("plain", features, logistic_regression)
    card = train_initial(made.events, made.end, tmp_path, "plain", 1, lambda: NOW, recipe=recipe)
    rows = pq.read_table(tmp_path / "plain/1/reference.parquet").drop_columns(["embedding"])
    rows = rows.filter(rows.column("is_actual_positive").is_valid())
    truth = rows.column("is_actual_positive").to_numpy()
    score = rows.column("score").to_numpy()
    best = f1_score(truth, score >= choose_threshold(truth, score))
    assert best - 0.03 < f1_score(truth, score >= card.threshold) <= best


def test_the_same_data_and_seed_give_the_same_scores(
    trained: tuple[Path, Card], made: Synthesized, tmp_path: Path
) -> None:
    models, card = trained
    again = train_initial(made.events, made.end, tmp_path, "urls", 9, lambda: NOW)
    assert again == card
    names = ("model.skops", "embedding.npz", "reference.parquet")
    one, two = (
        pq.read_table(folder / "urls/1/reference.parquet").column("score").to_numpy()
        for folder in (models, tmp_path)
    )
    assert np.abs(one - two).max() <= 1e-9
    assert (models / "urls/1" / names[1]).read_bytes() == (
        tmp_path / "urls/1" / names[1]
    ).read_bytes()


def test_nothing_after_the_date_is_looked_at(made: Synthesized, tmp_path: Path) -> None:
    until = START + 4 * WEEK
    events = pq.read_table(made.events)
    before = events.filter(pc.less(events.column("ts_utc"), pa.scalar(until)))
    pq.write_table(before, tmp_path / "before.parquet")
    cards = [
        train_initial(path, until, tmp_path / name, "urls", 1, lambda: NOW)
        for name, path in (("whole", made.events), ("cut", tmp_path / "before.parquet"))
    ]
    assert cards[0] == cards[1]


def test_another_estimator_is_a_recipe_away(made: Synthesized, tmp_path: Path) -> None:
    features = tuple(item for item in FEATURES if item.name in ("url_length", "scheme", "has_www"))
    recipe = Recipe("logistic regression", features, logistic_regression)
    card = train_initial(made.events, made.end, tmp_path, "plain", 1, lambda: NOW, recipe=recipe)
    assert card.estimator == "logistic regression"
    scores = Scorer.load(tmp_path, "plain").score(["https://example.com/a", "http://[", ""])
    assert np.all((scores.score > 0) & (scores.score < 1))
    schema = pq.read_schema(tmp_path / "plain/1/reference.parquet")
    assert [name for name in schema.names if name.startswith("feature_")] == [
        "feature_url_length",
        "feature_has_www",
        "feature_scheme",
    ]


def test_a_name_with_a_champion_is_not_trained_again(
    trained: tuple[Path, Card], made: Synthesized
) -> None:
    with pytest.raises(InputError, match="urls has a champion already"):
        train_initial(made.events, made.end, trained[0], "urls", 9, lambda: NOW)


@pytest.mark.parametrize(
    ("until", "message"),
    [
        (START, "has no event before"),
        (START + WEEK, "only 0 whole weeks|only 1 whole weeks"),
    ],
)
def test_too_short_a_past_is_refused(
    made: Synthesized, tmp_path: Path, until: datetime, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        train_initial(made.events, until, tmp_path, "urls", 1, lambda: NOW)
    assert registered(tmp_path) == []


def test_too_few_rows_are_refused(tmp_path: Path) -> None:
    few = synthesize(tmp_path, 1, weeks=4, calm_weeks=4, events_per_week=60, drifts=())
    with pytest.raises(InputError, match=r"only \d+ rows for the training .* 200 are needed"):
        train_initial(few.events, few.end, tmp_path / "m", "urls", 1, lambda: NOW)


@pytest.mark.parametrize(("label", "named"), [(0, "positive"), (1, "negative"), (None, "positive")])
def test_one_class_only_is_refused(
    made: Synthesized, tmp_path: Path, label: int | None, named: str
) -> None:
    path = changed(made, tmp_path, "label", pa.array([label] * made.row_count, pa.int8()))
    with pytest.raises(InputError, match=f"has 0 {named} labels to train on"):
        train_initial(path, made.end, tmp_path / "m", "urls", 1, lambda: NOW)
    assert registered(tmp_path / "m") == []


def test_a_file_without_labels_is_refused(made: Synthesized, tmp_path: Path) -> None:
    path = tmp_path / "bare.parquet"
    pq.write_table(pq.read_table(made.events).drop_columns(["label"]), path)
    with pytest.raises(InputError, match="has no column label"):
        train_initial(path, made.end, tmp_path / "m", "urls", 1, lambda: NOW)


@pytest.mark.parametrize(
    ("weeks", "expected"), [(2, 1), (3, 2), (6, 4), (14, 8), (16, 8), (52, 26)]
)
def test_the_reference_takes_half_at_least_eight_weeks_at_most_two_thirds(
    weeks: int, expected: int
) -> None:
    first = datetime(2024, 1, 1)
    begun, end = cut_weeks(first, first + weeks * WEEK + timedelta(days=3))
    assert (end - begun, end - first) == (expected * WEEK, weeks * WEEK)
    assert begun.weekday() == end.weekday() == 0


def test_the_threshold_has_the_greatest_f1_of_all() -> None:
    random = np.random.default_rng(0)
    truth = random.random(400) < 0.3
    score = (truth * 0.3 + random.random(400) * 0.7).round(2).astype(np.float64)
    chosen = choose_threshold(truth, score)
    best = max(f1_score(truth, score >= value) for value in np.unique(score))
    assert f1_score(truth, score >= chosen) == pytest.approx(best)


def test_metrics_of_one_class_or_of_nothing_are_unknown() -> None:
    nothing = measure(np.zeros(0, bool), np.zeros(0), 0.5)
    assert nothing == {"roc_auc": None, "precision": None, "recall": None}
    assert measure(np.array([True]), np.array([0.9]), 0.5)["roc_auc"] is None


def test_the_card_can_be_read_by_a_person(trained: tuple[Path, Card]) -> None:
    document = json.loads((trained[0] / "urls/1/card.json").read_text())
    assert document["created_at"] == "2026-01-01T00:00:00Z"
    assert document["seed"] == 9
    assert document["embedding_dimension"] == 32
    assert {"python", "numpy", "scikit-learn", "skops"} <= set(document["libraries"])


@pytest.mark.slow
def test_the_real_stream_of_2019_trains_a_sensible_champion(
    shared_data: Path, tmp_path: Path
) -> None:
    card = train_initial(
        shared_data / "url_stream_2019_2022.parquet",
        datetime(2020, 1, 1, tzinfo=UTC),
        tmp_path,
        "urls",
        7,
        lambda: NOW,
    )
    assert card.metrics["roc_auc"] > 0.97  # type: ignore[operator]
    assert card.metrics["unseen_roc_auc"] > 0.95  # type: ignore[operator]
    assert card.reference_row_count == 11_661
