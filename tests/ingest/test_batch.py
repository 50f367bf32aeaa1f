"""Import: predictions of any model land by a map of columns, once, or are refused in one line."""

import json
import math
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingest.batch import Imported, import_file, import_reference
from ingest.card import Card
from ingest.errors import InputError
from ingest.landed import chain
from ingest.log import Topics
from ingest.model import Feature, describe, registered_features, verify

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TOPICS = Topics("p", "l")
MAP = {"score": "s", "occurred_at": "at", "label": "y"}
DAYS = [datetime(2025, 1, day, tzinfo=UTC) for day in (1, 2, 3, 4)]
TABLE = pa.table(
    {
        "s": [0.1, 0.5, 0.9, 1.0],
        "at": DAYS,
        "y": [0, 1, None, 1],
        "Age": pa.array([31, 42, None, 60], pa.int32()),
        "plan": ["free", "paid", None, "free"],
        "is_new": [True, False, None, True],
    }
)

Import = Callable[..., Imported]


def clock() -> datetime:
    return NOW


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "scores.parquet"
    pq.write_table(TABLE, path)
    return path


@pytest.fixture
def run(tmp_path: Path) -> Import:
    """Return an import into a home of its own; a table is written to a file first."""

    def call(source: Path | pa.Table | None, **options: Any) -> Imported:
        if isinstance(source, pa.Table):
            pq.write_table(source, tmp_path / "given.parquet")
            source = tmp_path / "given.parquet"
        values = {"model_name": "churn", "mapping": MAP, "clock": clock, **options}
        return import_file(
            source,
            landing=tmp_path / "landing",
            topics=TOPICS,
            models=tmp_path / "models",
            **values,
        )

    return call


@pytest.fixture
def refer(tmp_path: Path) -> Callable[..., Card]:
    """Return an import of a reference into the same home."""

    def call(source: Path | None, **options: Any) -> Card:
        values = {"model_name": "churn", "mapping": {**MAP, "threshold": "0.5"}, **options}
        return import_reference(
            source, models=tmp_path / "models", scratch=tmp_path / "tmp", clock=clock, **values
        )

    return call


def rows(folder: Path, topic: str) -> list[dict[str, Any]]:
    paths = [str(path) for path in sorted(folder.glob(f"landing/{topic}/*/p=0/*.parquet"))]
    with duckdb.connect() as connection:
        table = connection.sql(f"from read_parquet({paths}, hive_partitioning = false)")
        return [dict(zip(table.columns, row, strict=True)) for row in table.fetchall()]


def landed(folder: Path) -> list[str]:
    """Return every landed file, and everything half done."""
    return [path.name for path in (folder / "landing").rglob("*") if path.is_file()]


def changed(name: str, values: Any) -> pa.Table:
    """Return the good table with a column changed or added."""
    column = values if isinstance(values, pa.Array) else pa.array(values)
    if name in TABLE.column_names:
        return TABLE.set_column(TABLE.column_names.index(name), name, column)
    return TABLE.append_column(name, column)


def test_predictions_and_labels_land(source: Path, run: Import, tmp_path: Path) -> None:
    done = run(source)
    assert done == Imported(done.source_id, 4, 0, 3, 0, True)
    predictions, labels = rows(tmp_path, "p"), rows(tmp_path, "l")
    assert [row["_offset"] for row in predictions] == [0, 1, 2, 3]
    assert [row["score"] for row in predictions] == [0.1, 0.5, 0.9, 1.0]
    assert [row["occurred_at"] for row in predictions] == [day.replace(tzinfo=None) for day in DAYS]
    assert {(row["model_name"], row["model_version"]) for row in predictions} == {("churn", "0")}
    assert [json.loads(row["features_other"] or "{}") for row in predictions] == [
        {"age": 31.0, "plan": "free", "is_new": True},
        {"age": 42.0, "plan": "paid", "is_new": False},
        {},
        {"age": 60.0, "plan": "free", "is_new": True},
    ]
    assert [(row["_offset"], row["is_actual_positive"]) for row in labels] == [
        (0, False),
        (1, True),
        (3, True),
    ]
    assert [row["event_id"] for row in labels] == [predictions[at]["event_id"] for at in (0, 1, 3)]
    assert labels[0]["labelled_at"] == datetime(2025, 1, 1)


def test_a_missing_id_is_uuid5_of_source_and_row(run: Import, tmp_path: Path) -> None:
    count = 300
    table = pa.table({"s": [0.5] * count, "at": [DAYS[0]] * count, "x": list(range(count))})
    done = run(table, mapping={"score": "s", "occurred_at": "at"})
    found = [row["event_id"] for row in rows(tmp_path, "p")]
    assert found == [uuid.uuid5(done.source_id, str(row)) for row in range(count)]
    assert done.source_id.version == 5


def test_importing_again_adds_nothing(source: Path, run: Import, tmp_path: Path) -> None:
    first = run(source)
    before = rows(tmp_path, "p"), rows(tmp_path, "l")
    again = run(source)
    assert (again.source_id, again.is_new) == (first.source_id, False)
    assert (again.row_count, again.label_count) == (4, 3)
    assert (rows(tmp_path, "p"), rows(tmp_path, "l")) == before


def test_an_import_that_stopped_between_the_topics_is_completed(
    source: Path, run: Import, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = chain.commit

    def stop(temporary: Path, folder: Path, position: int) -> Path:
        if folder.parts[-3] == "l":
            raise KeyboardInterrupt
        return commit(temporary, folder, position)

    with monkeypatch.context() as patch:
        patch.setattr(chain, "commit", stop)
        with pytest.raises(KeyboardInterrupt):
            run(source)
    assert len(landed(tmp_path)) == 1
    assert run(source).is_new
    assert (len(rows(tmp_path, "p")), len(rows(tmp_path, "l"))) == (4, 3)


@pytest.mark.parametrize(
    "options",
    [
        {"model_name": "other"},
        {"model_version": "2"},
        {"mapping": {"score": "s", "occurred_at": "at"}},
        {"where": "s < 0.9"},
        {"sample": 2},
        {"ignore": ["plan"]},
    ],
)
def test_another_meaning_is_another_source(
    source: Path, run: Import, options: dict[str, Any]
) -> None:
    assert run(source).source_id != run(source, **options).source_id


def test_another_content_is_another_source(source: Path, run: Import) -> None:
    assert run(source).source_id != run(changed("s", [0.1, 0.5, 0.9, 0.99])).source_id


def test_a_landed_import_is_a_link_of_a_chain(source: Path, run: Import, tmp_path: Path) -> None:
    done = run(source)
    folder = chain.partition_folder(tmp_path / "landing", "p", str(done.source_id), 0)
    assert chain.chain_end(folder) == 4
    assert chain.metadata(folder / chain.file_name(0)).items() >= {
        ("topic", "p"),
        ("source_id", str(done.source_id)),
        ("partition", "0"),
        ("position", "0"),
        ("reason", ""),
    }


def test_registered_features_have_columns_and_others_are_kept_as_json(
    source: Path, run: Import, refer: Callable[..., Card], tmp_path: Path
) -> None:
    refer(source)
    table = changed("plan", [1, 2, 3, 4]).append_column("extra", pa.array(["a", "b", None, "d"]))
    run(table)
    found = rows(tmp_path, "p")
    assert [row["feature_age"] for row in found] == [31.0, 42.0, None, 60.0]
    assert [row["feature_is_new"] for row in found] == [True, False, None, True]
    assert [row["feature_plan"] for row in found] == [None] * 4
    assert [json.loads(row["features_other"]) for row in found[:2]] == [
        {"plan": 1.0, "extra": "a"},
        {"plan": 2.0, "extra": "b"},
    ]


def test_every_key_of_the_map_lands(run: Import, tmp_path: Path) -> None:
    ids = [str(uuid.UUID(int=number)) for number in range(4)]
    table = TABLE
    for name, values in {
        "id": pa.array(ids),
        "known": pa.array([datetime(2025, 2, 1, tzinfo=UTC)] * 4),
        "from": pa.array(["a", "b", "", None]),
        "group": pa.array([1, 2, 3, None]),
        "cut": pa.array([0.5, 0.6, 0.5, 0.5]),
        "said": pa.array([None, 1, 0, 1]),
        "vector": pa.array([[1.0, 2.0]] * 3 + [None], pa.list_(pa.float64())),
    }.items():
        table = table.append_column(name, values)
    keys = {
        "event_id": "id", "labelled_at": "known", "channel": "from", "cluster": "group",
        "threshold": "cut", "decision": "said", "embedding": "vector",
    }  # fmt: skip
    done = run(table, mapping={**MAP, **keys})
    assert (done.error_count, done.label_error_count) == (0, 0)
    found = rows(tmp_path, "p")
    assert [str(row["event_id"]) for row in found] == ids
    assert [row["channel"] for row in found] == ["a", "b", None, None]
    assert [row["cluster"] for row in found] == ["1", "2", "3", None]
    assert [row["is_predicted_positive"] for row in found] == [False, True, False, True]
    assert [row["embedding"] for row in found] == [[1.0, 2.0]] * 3 + [None]
    assert rows(tmp_path, "l")[0]["labelled_at"] == datetime(2025, 2, 1)
    assert json.loads(found[0]["features_other"]).keys() == {"age", "plan", "is_new"}


def test_a_threshold_may_be_a_number(source: Path, run: Import, tmp_path: Path) -> None:
    run(source, mapping={**MAP, "threshold": "0.5"})
    assert [(row["threshold"], row["is_predicted_positive"]) for row in rows(tmp_path, "p")] == [
        (0.5, False),
        (0.5, True),
        (0.5, True),
        (0.5, True),
    ]


@pytest.mark.parametrize(
    "times",
    [
        pa.array([day.replace(tzinfo=None) for day in DAYS], pa.timestamp("ns")),
        pa.array([day.date() for day in DAYS]),
        pa.array(DAYS, pa.timestamp("s", "America/New_York")),
        pa.array([day.strftime("%Y-%m-%d") for day in DAYS]),
        pa.array([day.strftime("%Y-%m-%d %H:%M:%S") for day in DAYS]),
        pa.array([day.strftime("%Y-%m-%dT02:00:00+02:00") for day in DAYS]),
    ],
    ids=["naive", "dates", "zoned", "days as text", "text", "text with offset"],
)
def test_times_of_every_shape_land_in_utc(run: Import, tmp_path: Path, times: pa.Array) -> None:
    run(changed("at", times))
    assert [row["occurred_at"] for row in rows(tmp_path, "p")] == [
        day.replace(tzinfo=None) for day in DAYS
    ]


def test_a_csv_lands_like_a_parquet(source: Path, run: Import, tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    duckdb.execute(f"copy (from '{source}') to '{path}' (header)").fetchall()
    run(path)
    found = rows(tmp_path, "p")
    run(source, model_version="2")
    twin = rows(tmp_path, "p")[4:] if rows(tmp_path, "p")[:4] == found else rows(tmp_path, "p")[:4]
    for one, other in zip(found, twin, strict=True):
        for name in ("_offset", "occurred_at", "score", "features_other", "_error"):
            assert one[name] == other[name]


def test_a_query_lands_whatever_the_order_of_its_rows(
    source: Path, run: Import, tmp_path: Path
) -> None:
    database = tmp_path / "my.duckdb"
    with duckdb.connect(database) as connection:
        connection.execute(f"create table scores as from '{source}'")
    done = run(None, query="select * from scores;", database=database)
    again = run(None, query="select * from scores order by s desc", database=database)
    assert (again.source_id, again.is_new) == (done.source_id, False)
    assert done.row_count == 4
    assert run(None, query=f"select * from '{source}'").source_id == done.source_id
    with pytest.raises(InputError, match="the query fails: Catalog Error"):
        run(None, query="select * from scores")


def test_a_filter_takes_rows_and_numbers_them_from_zero(
    source: Path, run: Import, tmp_path: Path
) -> None:
    run(source, where="s > 0.3 and y is not null")
    assert [(row["_offset"], row["score"]) for row in rows(tmp_path, "p")] == [(0, 0.5), (1, 1.0)]


def test_a_sample_is_the_same_each_time_and_in_order(run: Import, tmp_path: Path) -> None:
    count = 2_000
    table = pa.table({"s": np.linspace(0, 1, count), "at": [DAYS[0]] * count, "x": [1] * count})
    mapping = {"score": "s", "occurred_at": "at"}
    assert run(table, mapping=mapping, sample=100).row_count == 100
    first = rows(tmp_path, "p")
    assert not run(table, mapping=mapping, sample=100).is_new
    offsets = [row["_offset"] for row in first]
    assert offsets == sorted(offsets)
    assert 0.35 < np.mean([row["score"] for row in first]) < 0.65
    assert run(table, mapping=mapping, sample=5_000).row_count == count


def test_bad_rows_land_as_bad_rows(run: Import, tmp_path: Path) -> None:
    count = 12
    table = pa.table(
        {
            "s": [None, 1.5, math.nan, *[0.5] * 9],
            "at": pa.array(
                ["2025-01-01"] * 3 + ["soon", None, "1999-01-01", "2027-01-01"] + ["2025-01-01"] * 5
            ),
            "y": pa.array([0] * 7 + [7] + [1] * 4),
            "x": [1.0] * 8 + [math.inf, math.nan, -math.inf, None],
        }
    )
    done = run(table)
    found = rows(tmp_path, "p")
    errors = [row["_error"] for row in found]
    number, finite = "score must be a number from 0 to 1", "feature x must be a finite number, a"
    assert errors[:8] == [
        "score is missing",
        number,
        number,
        "occurred_at must be an RFC 3339 time with Z or an offset, such as 2020-01-31T12:00:00Z",
        "occurred_at is missing",
        "occurred_at lies before 2000-01-01",
        "occurred_at lies more than 5 minutes after it landed",
        None,
    ]
    assert [str(error).startswith(finite) for error in errors[8:]] == [True, False, True, False]
    assert (done.row_count, done.error_count) == (count, 9)
    assert json.loads(found[1]["_raw"]) == {"s": 1.5, "at": "2025-01-01", "y": 0, "x": 1.0}
    assert found[1]["score"] is None
    assert found[7]["_raw"] is None
    labels = {row["_offset"]: row["_error"] for row in rows(tmp_path, "l")}
    assert labels[7] == "is_actual_positive must be true or false"
    assert labels[0] is None


def test_nan_is_no_value_even_where_the_statistics_of_a_parquet_hide_it(
    run: Import, tmp_path: Path
) -> None:
    """The statistics that pyarrow writes leave NaN aside, and DuckDB believes them."""
    table = changed("Age", pa.array([31.0, math.nan, 42.0, 60.0]))
    run(changed("s", [0.1, 0.5, math.nan, 1.0]))
    assert [row["_error"] is None for row in rows(tmp_path, "p")] == [True, True, False, True]
    done = run(table, model_name="second")
    assert done.error_count == 0
    second = [row for row in rows(tmp_path, "p") if row["model_name"] == "second"]
    assert [json.loads(row["features_other"]).get("age") for row in second] == [31, None, 42, 60]


REFUSALS: dict[str, tuple[pa.Table, dict[str, Any], str]] = {
    "unknown key": (TABLE, {"mapping": {**MAP, "skore": "s"}}, "map key skore is unknown: use sc"),
    "no score": (
        TABLE,
        {"mapping": {"occurred_at": "at"}},
        r"given.parquet: say which column is the score: map score=COLUMN \(it has s, at, y, Age",
    ),
    "no such column": (
        TABLE,
        {"mapping": {**MAP, "score": "proba"}},
        "map score=proba: given.parquet has no such column, it has s, at, y, Age, plan, is_new",
    ),
    "ignored column": (TABLE, {"ignore": ["zip"]}, "ignore zip: given.parquet has no such column"),
    "feature column": (TABLE, {"features": ["zip"]}, "feature zip: given.parquet has no such"),
    "feature twice": (TABLE, {"features": ["age", "Age"]}, "feature age is named twice"),
    "no feature": (
        TABLE,
        {"ignore": ["age", "plan", "is_new"]},
        "given.parquet has no column left as a feature: name some",
    ),
    "text score": (
        changed("s", ["high"] * 4),
        {},
        r"4 of 4 rows are bad: score must be a number from 0 to 1 \(score is column s\); map",
    ),
    "percentages": (changed("s", [10.0, 50.0, 90.0, 100.0]), {}, "4 of 4 rows are bad: score must"),
    "boolean score": (changed("s", [True] * 4), {}, "column s is BOOLEAN, no score: map a column"),
    "epochs": (changed("at", [1, 2, 3, 4]), {}, "column at is BIGINT, no occurred_at: make it a t"),
    "times unread": (
        changed("at", ["yesterday"] * 4),
        {},
        r"4 of 4 rows are bad: occurred_at must be an RFC 3339 time .* \(occurred_at is column at",
    ),
    "times of old": (changed("at", [datetime(1970, 1, 1)] * 4), {}, "occurred_at lies before 2000"),
    "labels": (
        changed("y", [2, 3, 4, 5]),
        {},
        r"4 of 4 rows are bad: is_actual_positive must be true or false \(label is column y\)",
    ),
    "empty": (TABLE.slice(0, 0), {}, "given.parquet has no rows"),
    "filtered out": (TABLE, {"where": "s > 2"}, "given.parquet has no rows that fit the filter"),
    "bad filter": (TABLE, {"where": "q > 2"}, "given.parquet cannot be read: Binder Error"),
    "column name": (
        changed("max size", [1] * 4),
        {},
        "column 'max size' cannot be a feature: use a letter or _, then letters, digits, _, 63",
    ),
    "column type": (
        changed("seen", DAYS),
        {},
        "column seen is TIMESTAMP WITH TIME ZONE, which no feature can be: ignore it",
    ),
    "threshold": (
        TABLE,
        {"mapping": {**MAP, "threshold": "7"}},
        "threshold 7 must be a number",
    ),
    "threshold column": (TABLE, {"mapping": {**MAP, "threshold": "x"}}, "map threshold=x: given"),
    "number ids": (
        changed("id", [1, 2, 3, 4]),
        {"mapping": {**MAP, "event_id": "id"}},
        "column id is BIGINT, no event_id: leave event_id out and ids are made from the rows",
    ),
    "embedding": (
        TABLE,
        {"mapping": {**MAP, "embedding": "plan"}},
        "column plan is VARCHAR, no embedding: map a column of lists of numbers",
    ),
    "sample": (TABLE, {"sample": 0}, "sample 0 is no number of rows: use 1 or more"),
    "model name": (TABLE, {"model_name": "a/b"}, "model name 'a/b' is not allowed: use letters"),
    "file and query": (TABLE, {"query": "select 1"}, "give either a file or a query to import"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_one_line_with_its_remedy_and_nothing_lands(
    run: Import, tmp_path: Path, name: str
) -> None:
    table, options, message = REFUSALS[name]
    with pytest.raises(InputError, match=message) as caught:
        run(table, **options)
    assert "\n" not in str(caught.value)
    assert rows_of_topics(tmp_path) == []


def rows_of_topics(folder: Path) -> list[Path]:
    return list((folder / "landing").rglob("*.parquet")) + list(folder.rglob("*.tmp"))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.parquet", None, "there is no file "),
        ("broken.parquet", b"PAR1broken", r"broken.parquet cannot be read: "),
        ("empty.csv", b"", "empty.csv"),
        ("head.csv", b"s,at,y,x\n", "head.csv has no rows"),
        ("scores.xlsx", b"x", r"scores.xlsx: use a file that ends in .parquet or .csv"),
        ("a*.csv", b"s,at\n0.5,2025-01-01\n", r"a file name with \* \? or \[ cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(
    run: Import, tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        run(tmp_path / name)
    assert rows_of_topics(tmp_path) == []


def test_a_reference_becomes_an_external_model(
    source: Path, refer: Callable[..., Card], tmp_path: Path
) -> None:
    card = refer(source, model_version="7")
    assert (card.kind, card.version, card.threshold) == ("external", "7", 0.5)
    assert (card.reference_from, card.reference_until) == (DAYS[0], DAYS[3])
    assert card.reference_row_count == 4
    models = tmp_path / "models"
    verify(models, "churn", "7")
    assert registered_features(models) == [
        Feature("age", "numeric"),
        Feature("is_new", "boolean"),
        Feature("plan", "categorical"),
    ]
    table = pq.read_table(models / "churn" / "7" / "reference.parquet")
    assert table["is_actual_positive"].to_pylist() == [False, True, None, True]
    assert table["is_predicted_positive"].to_pylist() == [False, True, True, True]
    assert table["feature_age"].to_pylist() == [31.0, 42.0, None, 60.0]
    assert len(set(table["event_id"].to_pylist())) == 4


def test_the_same_reference_again_changes_nothing(
    source: Path, refer: Callable[..., Card], tmp_path: Path
) -> None:
    first = refer(source)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "models").rglob("*")}
    assert refer(source) == first
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "models").rglob("*")} == before


def test_another_reference_under_the_same_version_is_refused(
    source: Path, refer: Callable[..., Card]
) -> None:
    refer(source)
    for options in ({"where": "s < 0.95"}, {"mapping": {**MAP, "threshold": "0.6"}}):
        with pytest.raises(InputError, match="version 0 is there with another reference: import t"):
            refer(source, **options)
    assert refer(source, where="s < 0.95", model_version="1").reference_row_count == 3


def test_a_reference_may_not_take_the_name_of_a_trained_model(
    source: Path, refer: Callable[..., Card], monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = Card("churn", "1", "trained", NOW, 0.5)
    monkeypatch.setattr("ingest.batches.reference.registered", lambda models: [trained])
    with pytest.raises(InputError, match=r"model churn was trained here.*under another model name"):
        refer(source)


def test_a_reference_needs_decisions_and_good_rows(
    source: Path, refer: Callable[..., Card], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="a reference needs decisions: map decision=COLUMN"):
        refer(source, mapping=MAP)
    pq.write_table(changed("s", [0.1, 0.5, None, 0.9]), source)
    with pytest.raises(InputError, match=r"1 of 4 rows are bad: score is missing .score is column"):
        refer(source)
    pq.write_table(changed("y", [0, 1, 3, 1]), source)
    with pytest.raises(InputError, match="1 of 4 rows are bad: is_actual_positive must be true"):
        refer(source)
    assert describe_all(tmp_path) == []


def describe_all(folder: Path) -> list[Path]:
    return list((folder / "models").rglob("*.json"))


def test_a_reference_keeps_embeddings_and_their_length(
    source: Path, refer: Callable[..., Card], tmp_path: Path
) -> None:
    pq.write_table(changed("v", [[1.0, 2.0]] * 4), source)
    card = refer(source, mapping={**MAP, "threshold": "0.5", "embedding": "v"})
    assert card.embedding_dimension == 2
    assert describe(tmp_path / "models", "churn", "0")[0] == card


def test_the_housing_example_goes_through_with_a_map_alone(
    shared_data: Path, run: Import, refer: Callable[..., Card], tmp_path: Path
) -> None:
    path = shared_data / "nannyml_california_housing.parquet"
    options: dict[str, Any] = {
        "model_name": "housing",
        "mapping": {
            "score": "y_pred_proba",
            "occurred_at": "timestamp",
            "label": "clf_target",
            "decision": "y_pred",
        },
        "ignore": ["period", "id"],
    }
    card = refer(path, where="period = 'reference'", **options)
    done = run(path, **options)
    assert (done.row_count, done.error_count, done.label_count) == (14_064, 0, 14_064)
    assert card.reference_row_count == 5_832
    names = [feature.name for feature in registered_features(tmp_path / "models")]
    assert names == [
        "avebedrms", "aveoccup", "averooms", "houseage", "latitude", "longitude", "medinc",
        "population",
    ]  # fmt: skip
    found = duckdb.execute(f"""
        select count(feature_medinc), count(features_other),
            count(*) filter (feature_medinc <> MedInc or score <> y_pred_proba)
        from read_parquet('{tmp_path}/landing/p/*/p=0/*.parquet') as landed
        positional join read_parquet('{path}')
    """).fetchall()
    assert found == [(14_064, 0, 0)]
