import json
import os
import uuid
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.preprocessing import FunctionTransformer

from ingest.errors import DriftnetError, InputError
from ingest.model import (
    Card,
    Feature,
    champion,
    default_name,
    describe,
    load,
    next_version,
    promote,
    registered,
    registered_features,
    save,
    verify,
)

MADE = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
FEATURES = (
    Feature("Age", "numeric", "years"),
    Feature("plan", "categorical"),
    Feature("paid", "boolean"),
)
INPUTS = np.random.default_rng(0).normal(size=(200, 3))
TRUTH = INPUTS[:, 0] > 0


@pytest.fixture(scope="module")
def trees() -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(max_iter=3, max_leaf_nodes=5).fit(INPUTS, TRUTH)


def sql(query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(":memory:") as connection:
        return list(connection.execute(query).fetchall())


def rows(**changes: object) -> pa.Table:
    columns: dict[str, object] = {
        "event_id": [str(uuid.UUID(int=number)) for number in (1, 2, 3)],
        "occurred_at": [datetime(2024, 1, day, tzinfo=UTC) for day in (3, 1, 2)],
        "score": [0.1, 0.5, 0.9],
        "feature_age": [41.0, None, float("nan")],
        "feature_plan": ["gold", None, "tin"],
        "feature_paid": [True, False, None],
        "embedding": [[1.0, 2.0]] * 3,
    } | changes
    return pa.table({name: values for name, values in columns.items() if values is not None})


def card(
    version: str = "1", kind: str = "trained", name: str = "churn", dimension: int = 2
) -> Card:
    return Card(name, version, kind, MADE, 0.5, dimension, seed=7)  # type: ignore[arg-type]


def saved(models: Path, trees: object, version: str = "1", name: str = "churn") -> Path:
    save(models, card(version, name=name), FEATURES, rows(), trees, {"basis": np.eye(2)})
    return models / name / version


def test_a_saved_model_loads_with_the_same_scores(tmp_path: Path, trees: object) -> None:
    saved(tmp_path, trees)
    model = load(tmp_path, "churn", "1")
    before = trees.predict_proba(INPUTS)  # type: ignore[attr-defined]
    assert np.array_equal(model.estimator.predict_proba(INPUTS), before)
    assert np.array_equal(model.embedding["basis"], np.eye(2))
    assert [feature.name for feature in model.features] == ["age", "plan", "paid"]


def test_the_card_takes_the_span_of_the_reference_from_its_rows(
    tmp_path: Path, trees: object
) -> None:
    saved(tmp_path, trees)
    document = json.loads((tmp_path / "churn/1/card.json").read_text())
    assert document["reference_from"] == "2024-01-01T00:00:00Z"
    assert document["reference_until"] == "2024-01-03T00:00:00Z"
    assert document["reference_row_count"] == 3
    assert document["trained_from"] is None
    assert describe(tmp_path, "churn", "1")[0].created_at == MADE


def test_the_reference_has_the_columns_of_the_contract(tmp_path: Path, trees: object) -> None:
    path = saved(tmp_path, trees) / "reference.parquet"
    found = sql(f"describe select * from '{path}'")
    assert [row[:2] for row in found] == [
        ("model_name", "VARCHAR"),
        ("model_version", "VARCHAR"),
        ("event_id", "UUID"),
        ("occurred_at", "TIMESTAMP"),
        ("score", "DOUBLE"),
        ("is_predicted_positive", "BOOLEAN"),
        ("is_actual_positive", "BOOLEAN"),
        ("channel", "VARCHAR"),
        ("cluster", "VARCHAR"),
        ("embedding", "FLOAT[]"),
        ("feature_age", "DOUBLE"),
        ("feature_plan", "VARCHAR"),
        ("feature_paid", "BOOLEAN"),
    ]
    first = sql(f"select * from '{path}'")[0]
    assert first[:6] == ("churn", "1", uuid.UUID(int=1), datetime(2024, 1, 3), 0.1, False)


def test_not_a_number_becomes_null_in_the_reference(tmp_path: Path, trees: object) -> None:
    path = saved(tmp_path, trees) / "reference.parquet"
    assert sql(f"select count(feature_age) from '{path}'") == [(1,)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"score": [0.1, 0.5, 1.5]}, "score lies outside"),
        ({"score": [0.1, None, 0.5]}, "score has empty values"),
        ({"score": [0.1, float("nan"), 0.5]}, "score lies outside"),
        ({"feature_age": None}, "no column feature_age"),
        ({"feature_age": ["a", "b", "c"]}, "feature_age does not read as double"),
        ({"feature_age": [1.0, float("inf"), 2.0]}, "infinite"),
        ({"event_id": ["1", "2", "3"]}, "event_id does not read"),
        ({"note": ["a", "b", "c"]}, "note is not in its feature list"),
        ({"embedding": [[1.0]] * 3}, "an embedding has 1 numbers"),
    ],
)
def test_a_reference_that_does_not_fit_is_refused_by_name(
    tmp_path: Path, trees: object, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        save(tmp_path, card(), FEATURES, rows(**changes), trees, {})
    assert registered(tmp_path) == []


def test_an_empty_reference_is_refused(tmp_path: Path, trees: object) -> None:
    with pytest.raises(InputError, match="is empty"):
        save(tmp_path, card(), FEATURES, rows().slice(0, 0), trees, {})


@pytest.mark.parametrize("name", ["card.json", "features.json", "reference.parquet", "model.skops"])
def test_a_tampered_file_is_refused_by_name(tmp_path: Path, trees: object, name: str) -> None:
    path = saved(tmp_path, trees) / name
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(DriftnetError, match=f"churn/1 was changed: {name} differs"):
        verify(tmp_path, "churn", "1")
    with pytest.raises(DriftnetError, match=name):
        load(tmp_path, "churn", "1")


@pytest.mark.parametrize("name", ["card.json", "checksums.json", "embedding.npz"])
def test_a_half_written_folder_is_refused_by_name(tmp_path: Path, trees: object, name: str) -> None:
    (saved(tmp_path, trees) / name).unlink()
    with pytest.raises(DriftnetError, match=f"churn/1 is not whole: .*{name}.*remove it"):
        load(tmp_path, "churn", "1")


def test_a_file_without_a_checksum_is_refused(tmp_path: Path, trees: object) -> None:
    (saved(tmp_path, trees) / "extra.py").write_text("")
    with pytest.raises(DriftnetError, match=r"extra\.py, which has no checksum"):
        load(tmp_path, "churn", "1")


def test_a_type_that_is_not_listed_is_refused_before_it_is_stored(tmp_path: Path) -> None:
    strange = FunctionTransformer(os.getcwd)
    with pytest.raises(DriftnetError, match=r"holds type .*getcwd.*not allowed"):
        save(tmp_path, card(), FEATURES, rows(), strange, {})
    assert not (tmp_path / "churn").exists()


class Hidden(BaseEstimator):  # type: ignore[misc]
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (os.system, ("exit 3",))


def test_an_estimator_of_ones_own_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DriftnetError, match="not allowed"):
        save(tmp_path, card(), FEATURES, rows(), Hidden(), {})


def test_a_failed_save_leaves_nothing_visible(
    tmp_path: Path, trees: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("ingest.sealed.sync", fail)
    with pytest.raises(OSError, match="disk full"):
        saved(tmp_path, trees)
    assert list((tmp_path / "churn").iterdir()) == []
    assert registered(tmp_path) == []


def test_a_version_is_written_once(tmp_path: Path, trees: object) -> None:
    saved(tmp_path, trees)
    with pytest.raises(InputError, match="exists already"):
        saved(tmp_path, trees)
    assert next_version(tmp_path, "churn") == "2"


def test_features_that_differ_only_in_case_are_refused(tmp_path: Path) -> None:
    twice = (Feature("Age", "numeric"), Feature("age", "numeric"))
    with pytest.raises(InputError, match="age is named twice"):
        save(tmp_path, card(), twice, rows(), object(), {})


@pytest.mark.parametrize("name", ["", "1a", "a-b", "a b", "x" * 64, "\u00e9"])
def test_a_feature_name_that_no_column_may_bear_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="feature name"):
        Feature(name, "numeric")


@pytest.mark.parametrize("name", ["", "..", ".hidden", "a/b", "champion", "x" * 64])
def test_a_model_name_that_is_no_folder_name_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="is not allowed"):
        card(name=name)


def test_the_champion_is_what_was_promoted_last(tmp_path: Path, trees: object) -> None:
    saved(tmp_path, trees, "1")
    saved(tmp_path, trees, "2")
    assert champion(tmp_path, "churn") is None
    for version in ("2", "1"):
        promote(tmp_path, "churn", version)
        assert champion(tmp_path, "churn") == version
        assert load(tmp_path, "churn").card.version == version
    assert sorted(path.name for path in (tmp_path / "churn").iterdir()) == ["1", "2", "champion"]


def test_a_broken_version_is_not_promoted(tmp_path: Path, trees: object) -> None:
    (saved(tmp_path, trees) / "model.skops").write_bytes(b"")
    with pytest.raises(DriftnetError, match=r"model\.skops differs"):
        promote(tmp_path, "churn", "1")
    assert champion(tmp_path, "churn") is None


def test_an_external_model_has_a_reference_and_cannot_serve(tmp_path: Path) -> None:
    save(tmp_path, card(kind="external", dimension=0), FEATURES, rows(embedding=None))
    names = sorted(path.name for path in (tmp_path / "churn/1").iterdir())
    assert names == ["card.json", "checksums.json", "features.json", "reference.parquet"]
    verify(tmp_path, "churn", "1")
    with pytest.raises(InputError, match="churn version 1 is external"):
        load(tmp_path, "churn", "1")
    with pytest.raises(InputError, match="churn version 1 is external"):
        promote(tmp_path, "churn", "1")


def test_a_model_without_champion_and_a_model_that_is_not_there_are_named(
    tmp_path: Path, trees: object
) -> None:
    saved(tmp_path, trees)
    with pytest.raises(InputError, match="churn has no champion"):
        load(tmp_path, "churn")
    with pytest.raises(InputError, match="no model churn version 9"):
        load(tmp_path, "churn", "9")


def test_the_default_model_is_the_only_one_that_can_serve(tmp_path: Path, trees: object) -> None:
    with pytest.raises(InputError, match="no model can serve"):
        default_name(tmp_path)
    saved(tmp_path, trees)
    promote(tmp_path, "churn", "1")
    save(tmp_path, card(kind="external", name="other"), FEATURES, rows())
    assert default_name(tmp_path) == "churn"
    saved(tmp_path, trees, name="third")
    promote(tmp_path, "third", "1")
    with pytest.raises(InputError, match="churn, third"):
        default_name(tmp_path)


def test_registered_features_leave_out_names_on_whose_kind_models_disagree(
    tmp_path: Path, trees: object
) -> None:
    saved(tmp_path, trees)
    other = (Feature("age", "boolean"), Feature("size", "numeric"))
    shape = rows(feature_age=None, feature_plan=None, feature_paid=None, feature_size=[1.0] * 3)
    shape = shape.append_column("feature_age", pa.array([True] * 3))
    save(tmp_path, card(kind="external", name="other"), other, shape)
    assert [item.name for item in registered(tmp_path)] == ["churn", "other"]
    assert [item.name for item in registered_features(tmp_path)] == ["paid", "plan", "size"]


def test_a_folder_that_bears_another_models_name_is_refused(tmp_path: Path, trees: object) -> None:
    saved(tmp_path, trees).rename(tmp_path / "churn" / "7")
    with pytest.raises(DriftnetError, match="churn/7 holds the card of churn/1"):
        registered(tmp_path)


def test_no_model_is_registered_where_there_is_no_folder(tmp_path: Path) -> None:
    assert registered(tmp_path / "none") == []
    assert registered_features(tmp_path / "none") == []
