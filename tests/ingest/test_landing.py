"""Landing: every message becomes one row, once; bad ones say what is wrong."""

import gc
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import landing
from ingest.errors import DriftnetError, InputError
from ingest.events import Label, Prediction, parse_prediction
from ingest.fields import MAX_OTHER_BYTES
from ingest.landed import chain
from ingest.landed.compacted import compacted_folder
from ingest.landed.compaction import compact
from ingest.landed.feature_sql import TOO_MANY
from ingest.landed.tails import Tails
from ingest.landing import Landed, land
from ingest.local.log import LocalLog
from ingest.log import Record
from ingest.model import Feature

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FEATURES = (
    Feature("age", "numeric", "years"),
    Feature("is_new", "boolean"),
    Feature("plan", "categorical"),
)
GOOD: dict[str, Any] = {
    "schema_version": 1,
    "event_id": "00000000-0000-0000-0000-000000000007",
    "occurred_at": "2025-12-31T23:00:00Z",
    "model_name": "churn",
    "model_version": "3",
    "score": 0.25,
    "features": {"age": 41, "is_new": True, "plan": "free"},
}


def clock() -> datetime:
    return NOW


def text(**changes: Any) -> bytes:
    """Return the good prediction's JSON with fields changed; ... takes one out."""
    document = {key: value for key, value in {**GOOD, **changes}.items() if value is not ...}
    return json.dumps(document).encode()


def raw(old: bytes, new: bytes) -> bytes:
    """Return the good prediction's JSON with bytes replaced."""
    assert old in text()
    return text().replace(old, new)


def land_all(
    folder: Path,
    messages: list[bytes],
    features: tuple[Feature, ...] = FEATURES,
    kind: landing.EventKind = "prediction",
) -> list[dict[str, Any]]:
    """Append, land, and return the landed rows in order."""
    log = LocalLog(folder / "log", pytest.fail)
    log.append("t", messages)
    landed = land(log, "t", kind, folder / "landing", features, clock)
    rows = read(folder / "landing")
    assert landed == Landed(1, len(messages), sum(row["_error"] is not None for row in rows))
    return rows


def read(folder: Path) -> list[dict[str, Any]]:
    files = sorted(folder.glob("t/*/p=0/*.parquet"))
    with duckdb.connect() as connection:
        paths = [str(path) for path in files]
        table = connection.sql(f"from read_parquet({paths}, hive_partitioning = false)")
        return [dict(zip(table.columns, row, strict=True)) for row in table.fetchall()]


BAD: Mapping[str, tuple[bytes, str]] = {
    "nothing": (b"", "message is not JSON"),
    "no utf-8": (b"\xff\xfe{}", "message is not UTF-8"),
    "utf-16": (text().decode().encode("utf-16"), "message is not UTF-8"),
    "a byte order mark": (b"\xef\xbb\xbf" + text(), "message is not JSON"),
    "half a message": (text()[:-1], "message is not JSON"),
    "two messages": (text() + text(), "message is not JSON"),
    "a trailing comma": (raw(b"0.25,", b"0.25, ")[:-1] + b", }", "message is not JSON"),
    "a trailing comma in a list": (raw(b"0.25", b'0.25, "x": [1,\n]'), "message is not JSON"),
    "a control character": (raw(b"free", b"fr\x00ee"), "message is not JSON"),
    "a lone surrogate": (raw(b"free", b"\\ud800"), "message is not JSON"),
    "single quotes": (b"{'a': 1}", "message is not JSON"),
    "null": (b"null", "message is not a JSON object"),
    "NaN": (b"NaN", "message is not a JSON object"),
    "a list": (b"[" + text() + b"]", "message is not a JSON object"),
    "a text": (b'"x"', "message is not a JSON object"),
    "deep nesting": (b"[" * 900 + b"]" * 900, "message is not a JSON object"),
    "version 2": (text(schema_version=2), "schema_version must be 1"),
    "version as text": (text(schema_version="1"), "schema_version must be 1"),
    "version 1.0": (text(schema_version=1.0), "schema_version must be 1"),
    "no event_id": (text(event_id=...), "event_id is missing"),
    "event_id null": (text(event_id=None), "event_id is missing"),
    "event_id number": (text(event_id=7), "event_id must be a UUID such as"),
    "event_id without hyphens": (text(event_id="0" * 32), "event_id must be a UUID such as"),
    "event_id in braces": (
        text(event_id="{00000000-0000-0000-0000-000000000007}"),
        "event_id must be a UUID such as",
    ),
    "event_id empty": (text(event_id=""), "event_id must be a UUID such as"),
    "no occurred_at": (text(occurred_at=...), "occurred_at is missing"),
    "occurred_at number": (text(occurred_at=1577836800), "occurred_at must be an RFC 3339 time"),
    "no zone": (text(occurred_at="2020-01-01T00:00:00"), "occurred_at must be an RFC 3339 time"),
    "only a day": (text(occurred_at="2020-01-01"), "occurred_at must be an RFC 3339 time"),
    "month 13": (text(occurred_at="2020-13-01T00:00:00Z"), "occurred_at must be an RFC 3339"),
    "30 February": (text(occurred_at="2020-02-30T00:00:00Z"), "occurred_at must be an RFC 3339"),
    "hour 24": (text(occurred_at="2020-01-01T24:00:00Z"), "occurred_at must be an RFC 3339"),
    "offset 25": (text(occurred_at="2020-01-01T00:00:00+25:00"), "occurred_at must be an RFC"),
    "infinity": (text(occurred_at="infinity"), "occurred_at must be an RFC 3339 time"),
    "a second line": (text(occurred_at="2020-01-01T00:00:00Z\n"), "occurred_at must be an RFC"),
    "1999": (text(occurred_at="1999-12-31T23:59:59Z"), "occurred_at lies before 2000-01-01"),
    "1999 by its offset": (
        text(occurred_at="2000-01-01T00:59:59+01:00"),
        "occurred_at lies before 2000-01-01",
    ),
    "the future": (
        text(occurred_at="2026-01-01T00:05:00.000001Z"),
        "occurred_at lies more than 5 minutes after it landed",
    ),
    "no model_name": (text(model_name=...), "model_name is missing"),
    "model_name empty": (text(model_name=""), "model_name must be a string of 1 to 200"),
    "model_name long": (text(model_name="x" * 201), "model_name must be a string of 1 to 200"),
    "model_version number": (text(model_version=3), "model_version must be a string of 1 to 200"),
    "no score": (text(score=...), "score is missing"),
    "score null": (text(score=None), "score is missing"),
    "score text": (text(score="0.5"), "score must be a number from 0 to 1"),
    "score true": (text(score=True), "score must be a number from 0 to 1"),
    "score list": (text(score=[0.5]), "score must be a number from 0 to 1"),
    "score NaN": (raw(b"0.25", b"NaN"), "score must be a number from 0 to 1"),
    "score Infinity": (raw(b"0.25", b"Infinity"), "score must be a number from 0 to 1"),
    "score 1e400": (raw(b"0.25", b"1e400"), "score must be a number from 0 to 1"),
    "score over 1": (text(score=1.0000000000000002), "score must be a number from 0 to 1"),
    "score under 0": (text(score=-5e-324), "score must be a number from 0 to 1"),
    "score twice": (raw(b'"score": 0.25', b'"score": 2, "score": 0.25'), "score must be a number"),
    "threshold 2": (text(threshold=2), "threshold must be a number from 0 to 1"),
    "decision 1": (text(is_predicted_positive=1), "is_predicted_positive must be true or false"),
    "channel empty": (text(channel=""), "channel must be a string of 1 to 200 characters"),
    "subject long": (text(subject="x" * 65_537), "subject must be a string of 1 to 65536"),
    "cluster list": (text(cluster=["a"]), "cluster must be a string of 1 to 200 characters"),
    "latency negative": (text(latency_ms=-1), "latency_ms must be a finite number of 0 or more"),
    "latency 1e999": (
        text(latency_ms=7).replace(b"7}", b"1e999}"),
        "latency_ms must be a finite number",
    ),
    "embedding text": (text(embedding="[1]"), "embedding must be an array of 1 to 4096 finite"),
    "embedding empty": (text(embedding=[]), "embedding must be an array of 1 to 4096 finite"),
    "embedding of texts": (text(embedding=["1"]), "embedding must be an array of 1 to 4096"),
    "embedding of true": (text(embedding=[1, True]), "embedding must be an array of 1 to 4096"),
    "embedding with null": (text(embedding=[1, None]), "embedding must be an array of 1 to 4096"),
    "embedding with NaN": (text(embedding=[float("nan")]), "embedding must be an array of 1"),
    "embedding nested": (text(embedding=[[1]]), "embedding must be an array of 1 to 4096"),
    "embedding of many digits": (
        raw(b'"features"', b'"embedding": [1, ' + b"9" * 39 + b'.5], "features"'),
        "embedding must be an array of 1 to",
    ),
    "embedding over 32 bits": (text(embedding=[1, 1e39]), "embedding must be an array of 1 to"),
    "embedding too long": (text(embedding=[0] * 4097), "embedding must be an array of 1 to 4096"),
    "no features": (text(features=...), "features is missing"),
    "features a list": (text(features=[1]), "features must be an object of names and values"),
    "feature NaN": (text(features={"age": float("nan")}), "feature age must be a finite number"),
    "feature 1e400": (raw(b"41", b"1e400"), "feature age must be a finite number"),
    "feature object": (text(features={"plan": {"a": 1}}), "feature plan must be a finite number"),
    "feature list": (text(features={"other": []}), "feature other must be a finite number"),
    "unknown NaN": (text(features={"other": float("inf")}), "feature other must be a finite"),
    "feature name blank": (text(features={"a b": 1}), "feature name a b is not allowed: use a"),
    "feature name empty": (text(features={"": 1}), "feature name  is not allowed: use a letter"),
    "feature name with a dot": (text(features={"a.b": 1}), "feature name a.b is not allowed"),
    "feature name long": (text(features={"a" * 64: 1}), "feature name aaaa"),
    "feature name of a Kelvin": (text(features={"\u212a": 1}), "feature name \u212a is not"),
}

FINE: Mapping[str, bytes] = {
    "plain": text(),
    "no features at all": text(features={}),
    "every option": text(
        threshold=0.5,
        is_predicted_positive=True,
        channel="a",
        subject="s, }",
        cluster="c",
        latency_ms=0,
        embedding=[1, -2.5e-3, 0.1],
    ),
    "null options": text(threshold=None, channel=None, embedding=None, features={"age": None}),
    "no version of the schema": text(schema_version=...),
    "unknown keys": text(trace_id="x", nested={"a": [1, {"b": None}]}),
    "blanks around": b" \n" + text() + b"\r\n\t",
    "upper case": text(event_id="ABCDEF00-0000-4000-8000-00000000000A"),
    "an offset": text(occurred_at="2020-06-01T12:00:00+05:45"),
    "a fraction": text(occurred_at="2020-06-01T12:00:00.1234569Z"),
    "small letters": text(occurred_at="2020-06-01t12:00:00z"),
    "at the last moment": text(occurred_at="2026-01-01T00:05:00Z"),
    "at the first moment": text(occurred_at="2000-01-01T00:00:00Z"),
    "the ends of the score": text(score=1),
    "a score of minus zero": text(score=-0.0),
    "names in another case": text(features={"AGE": 3, "Is_New": False, "other": "x"}),
    "a feature twice": raw(b'"age": 41', b'"age": 41, "Age": 5, "age": 6'),
    "a comma that trails in a text": text(subject='x", ]}', channel=",}"),
    "a NUL escaped": raw(b"free", b"fr\\u0000ee"),
    "any script": text(subject="\u00e9\u4e2d\U0001f600", features={"plan": "\U0001f600"}),
    "a long name of a feature": text(features={"a" * 63: 1}),
    "unknown features": text(features={"other": 1.5, "flag": True, "word": 'a"b'}),
}


def test_each_bad_message_becomes_a_row_that_says_what_is_wrong(tmp_path: Path) -> None:
    messages = [message for message, _ in BAD.values()]
    rows = land_all(tmp_path, messages)
    for name, (message, reason), row in zip(BAD, BAD.values(), rows, strict=True):
        assert (row["_error"] or "").startswith(reason), name
        assert row["_raw"] == message, name
        filled = {key for key, value in row.items() if value is not None}
        assert filled == {"_offset", "_landed_at", "_error", "_raw"}, name


def test_each_good_message_lands_whole(tmp_path: Path) -> None:
    rows = land_all(tmp_path, list(FINE.values()))
    for name, row in zip(FINE, rows, strict=True):
        assert (row["_error"], row["_raw"]) == (None, None), name
        assert row["_landed_at"] == NOW.replace(tzinfo=None)


@pytest.mark.parametrize("name", [*BAD, *FINE])
def test_python_reads_every_message_as_landing_does(tmp_path: Path, name: str) -> None:
    message = BAD[name][0] if name in BAD else FINE[name]
    row = land_all(tmp_path, [message])[0]
    agree(message, row)


def agree(message: bytes, row: dict[str, Any]) -> None:
    """Hold a landed row to what `parse_prediction` says."""
    try:
        event, refusal = parse_prediction(message, NOW), None
    except InputError as error:
        event, refusal = None, str(error)
    assert row["_error"] == refusal
    if event is None:
        return
    for field in ("event_id", "model_name", "model_version", "score", "threshold", "channel",
                  "subject", "cluster", "latency_ms"):  # fmt: skip
        assert row[field] == getattr(event, field), field
    assert row["occurred_at"] == event.occurred_at.astimezone(UTC).replace(tzinfo=None)
    found = {name: row[f"feature_{name}"] for name in ("age", "is_new", "plan")}
    found |= json.loads(row["features_other"] or "{}")
    assert {k: v for k, v in found.items() if v is not None} == {
        name: value for name, value in event.features.items() if value is not None
    }


documents = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([0.5, 1, "2020-01-01T00:00:00Z", "free", GOOD["event_id"], [0.5, 1.5]]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["age", "Plan", "is_new", "x", "x y"]), inner, max_size=3)
    ),
    max_leaves=4,
)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([*GOOD, "threshold", "channel", "embedding", "latency_ms", "other"]),
            documents,
        ),
        min_size=20,
        max_size=40,
    )
)
def test_python_and_landing_agree_on_any_value_in_any_field(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[str, Any]]
) -> None:
    messages = [text(**{name: value}) for name, value in changes]
    rows = land_all(tmp_path_factory.mktemp("landing"), messages)
    for message, row in zip(messages, rows, strict=True):
        agree(message, row)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.binary(max_size=60), min_size=1, max_size=10), st.data())
def test_no_bytes_stop_landing(
    tmp_path_factory: pytest.TempPathFactory, noise: list[bytes], data: st.DataObject
) -> None:
    good = text(embedding=[1.5])
    cut = data.draw(st.integers(0, len(good)))
    messages = [*noise, good[:cut] + noise[0] + good[cut:], good]
    rows = land_all(tmp_path_factory.mktemp("landing"), messages)
    assert len(rows) == len(messages)
    assert rows[-1]["_error"] is None


def test_columns_are_those_of_the_contract(tmp_path: Path) -> None:
    land_all(tmp_path, [text()])
    land_all(tmp_path / "labels", [label().to_json()], kind="label")
    types = [
        {
            name: kind
            for name, kind, *_ in duckdb.execute(
                f"describe from read_parquet('{folder}/landing/t/*/p=0/*.parquet',"
                " hive_partitioning = false)"
            ).fetchall()
        }
        for folder in (tmp_path, tmp_path / "labels")
    ]
    assert types[0] == {
        "_offset": "BIGINT", "_landed_at": "TIMESTAMP", "_error": "VARCHAR", "_raw": "BLOB",
        "event_id": "UUID", "occurred_at": "TIMESTAMP", "model_name": "VARCHAR",
        "model_version": "VARCHAR", "score": "DOUBLE", "threshold": "DOUBLE",
        "is_predicted_positive": "BOOLEAN", "channel": "VARCHAR", "subject": "VARCHAR",
        "cluster": "VARCHAR", "latency_ms": "DOUBLE", "embedding": "FLOAT[]",
        "feature_age": "DOUBLE", "feature_is_new": "BOOLEAN", "feature_plan": "VARCHAR",
        "features_other": "VARCHAR",
    }  # fmt: skip
    assert types[1] == {
        "_offset": "BIGINT", "_landed_at": "TIMESTAMP", "_error": "VARCHAR", "_raw": "BLOB",
        "event_id": "UUID", "model_name": "VARCHAR", "labelled_at": "TIMESTAMP",
        "is_actual_positive": "BOOLEAN", "label_source": "VARCHAR",
    }  # fmt: skip


def label(**changes: Any) -> Label:
    values: dict[str, Any] = {
        "event_id": UUID(int=7),
        "model_name": "churn",
        "labelled_at": NOW,
        "is_actual_positive": True,
    }
    return Label(**{**values, **changes})


def test_labels_land_and_bad_ones_are_rows(tmp_path: Path) -> None:
    good = label(label_source="a person")
    future = label(labelled_at=NOW + timedelta(days=1))
    bad = good.to_json().replace(b"true", b"1")
    rows = land_all(tmp_path, [good.to_json(), future.to_json(), bad, text()], kind="label")
    assert rows[0]["event_id"] == UUID(int=7)
    assert (rows[0]["is_actual_positive"], rows[0]["label_source"]) == (True, "a person")
    assert rows[0]["labelled_at"] == NOW.replace(tzinfo=None)
    assert [row["_error"] for row in rows] == [
        None,
        "labelled_at lies more than 5 minutes after it landed",
        "is_actual_positive must be true or false",
        "labelled_at is missing",
    ]


def test_values_that_do_not_fit_their_column_and_unknown_ones_are_kept_as_json(
    tmp_path: Path,
) -> None:
    row = land_all(
        tmp_path,
        [text(features={"age": "41", "is_new": 1, "plan": 7, "Fresh": 'a"b', "none": None})],
    )[0]
    assert [row[f"feature_{name}"] for name in ("age", "is_new", "plan")] == [None] * 3
    assert json.loads(row["features_other"]) == {
        "age": "41", "is_new": 1, "plan": 7, "fresh": 'a"b',
    }  # fmt: skip


def test_without_registered_features_all_are_kept_as_json(tmp_path: Path) -> None:
    row = land_all(tmp_path, [text()], features=())[0]
    assert json.loads(row["features_other"]) == GOOD["features"]


def test_too_many_features_without_a_column_make_a_bad_row(tmp_path: Path) -> None:
    fits = {"x": "a" * (MAX_OTHER_BYTES - 8)}
    over = {"x": "a" * (MAX_OTHER_BYTES - 7)}
    rows = land_all(tmp_path, [text(features=fits), text(features=over)])
    assert [row["_error"] for row in rows] == [None, TOO_MANY]
    assert len(rows[0]["features_other"]) == MAX_OTHER_BYTES
    assert rows[1]["_raw"] == text(features=over)


def test_a_decision_is_made_from_the_threshold_when_it_is_not_said(tmp_path: Path) -> None:
    rows = land_all(
        tmp_path,
        [
            text(threshold=0.25),
            text(threshold=0.26),
            text(threshold=0.9, is_predicted_positive=True),
            text(),
        ],
    )
    assert [row["is_predicted_positive"] for row in rows] == [True, False, True, None]


def test_an_embedding_lands_to_the_last_bit(tmp_path: Path) -> None:
    written = [0.1, -1.5e-30, 3.4028234663852886e38, 1e-45]
    event = Prediction(UUID(int=1), NOW, "m", "1", 0.5, {}, embedding=written)
    row = land_all(tmp_path, [event.to_json()])[0]
    assert row["embedding"] == np.array(written, np.float32).tolist()


def test_a_tombstone_is_a_bad_row_without_bytes(tmp_path: Path) -> None:
    class Tombs(LocalLog):
        def read(self, topic: str, partition: int, offset: int, max_bytes: int) -> list[Record]:
            found = super().read(topic, partition, offset, max_bytes)
            return [Record(record.offset, record.next_offset, None) for record in found]

    log = Tombs(tmp_path / "log", pytest.fail)
    log.append("t", [b"x"])
    assert land(log, "t", "prediction", tmp_path / "landing", FEATURES, clock).error_count == 1
    row = read(tmp_path / "landing")[0]
    assert (row["_error"], row["_raw"]) == ("message has no bytes (a tombstone)", None)


def test_rows_stand_in_the_order_of_the_log_with_their_offsets(tmp_path: Path) -> None:
    log = LocalLog(tmp_path / "log", pytest.fail)
    places = log.append("t", [text(subject=str(number)) for number in range(20_000)])
    done: list[int] = []
    landed = land(
        log, "t", "prediction", tmp_path / "landing", FEATURES, clock, 1 << 21, done.append
    )
    rows = read(tmp_path / "landing")
    assert [row["subject"] for row in rows] == [str(number) for number in range(20_000)]
    assert [row["_offset"] for row in rows] == [place.offset for place in places]
    assert (sum(done), len(done)) == (20_000, landed.file_count)
    assert landed.file_count > 1


def test_files_form_a_chain_and_say_what_they_hold(tmp_path: Path) -> None:
    log = LocalLog(tmp_path / "log", pytest.fail)
    for _ in range(3):
        log.append("t", [text()] * 2)
        land(log, "t", "prediction", tmp_path / "landing", FEATURES, clock)
    source = log.source_id("t")
    folder = chain.partition_folder(tmp_path / "landing", "t", source, 0)
    links = list(chain.walk(folder))
    assert [link.position for link in links] == [0, *(link.next_offset for link in links[:-1])]
    assert links[-1].next_offset == log.end_offset("t", 0)
    assert chain.metadata(links[1].path).items() >= {
        ("topic", "t"),
        ("source_id", source),
        ("partition", "0"),
        ("position", str(links[1].position)),
        ("next_offset", str(links[1].next_offset)),
        ("reason", ""),
    }
    assert pq.read_metadata(links[0].path).row_group(0).column(0).compression == "ZSTD"
    assert {path.suffix for path in folder.iterdir()} == {".parquet"}


def test_landing_again_adds_nothing(tmp_path: Path) -> None:
    rows = land_all(tmp_path, [text(), b"bad"])
    log = LocalLog(tmp_path / "log", pytest.fail)
    assert land(log, "t", "prediction", tmp_path / "landing", FEATURES, clock) == Landed()
    assert read(tmp_path / "landing") == rows


def test_a_topic_without_messages_lands_nothing(tmp_path: Path) -> None:
    log = LocalLog(tmp_path / "log", pytest.fail)
    assert land(log, "t", "prediction", tmp_path / "landing", FEATURES, clock) == Landed()


def test_a_zombie_that_wakes_after_others_went_on_adds_no_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = LocalLog(tmp_path / "log", pytest.fail)
    log.append("t", [text(subject=str(number)) for number in range(10)])
    commit: Callable[[Path, Path, int], Path] = chain.commit
    asleep = [True]

    def frozen(temporary: Path, folder: Path, position: int) -> Path:
        if asleep.pop() if asleep else False:
            land(log, "t", "prediction", tmp_path / "landing", FEATURES, clock, 1_000)
            log.append("t", [text(subject="10")])
        return commit(temporary, folder, position)

    monkeypatch.setattr(chain, "commit", frozen)
    zombie = land(log, "t", "prediction", tmp_path / "landing", FEATURES, clock)
    rows = read(tmp_path / "landing")
    assert [row["subject"] for row in rows] == [str(number) for number in range(10)]
    assert zombie == Landed()
    assert land(log, "t", "prediction", tmp_path / "landing", FEATURES, clock).row_count == 1


def test_a_log_that_is_shorter_than_what_landed_is_an_error(tmp_path: Path) -> None:
    land_all(tmp_path, [text(), text()])
    (tmp_path / "log" / "t" / "p=0.log").write_bytes(b"")
    (tmp_path / "log" / "t" / "p=0.end").unlink()
    log = LocalLog(tmp_path / "log", pytest.fail)
    with pytest.raises(DriftnetError, match="the log was cut or replaced; restore it"):
        land(log, "t", "prediction", tmp_path / "landing", FEATURES, clock)


def test_what_a_dead_lander_left_is_swept(tmp_path: Path) -> None:
    log = LocalLog(tmp_path / "log", pytest.fail)
    folder = chain.partition_folder(tmp_path / "landing", "t", log.source_id("t"), 0)
    folder.mkdir(parents=True)
    (folder / ".00000000000000000000-x.tmp").write_bytes(b"half")
    land_all(tmp_path, [text()])
    assert [path.name for path in folder.iterdir()] == [chain.file_name(0)]


def test_landing_leaves_nothing_that_only_a_collection_of_garbage_frees(tmp_path: Path) -> None:
    log = LocalLog(tmp_path / "log", pytest.fail)
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            log.append("t", [text(), b"bad"])
            land(log, "t", "prediction", tmp_path / "landing", FEATURES, clock)
            left = gc.collect()
    finally:
        gc.enable()
    assert left == 0


def test_a_lander_that_goes_on_opens_none_of_its_older_files_and_finds_its_place_again(
    tmp_path: Path,
) -> None:
    log, folder = LocalLog(tmp_path / "log", pytest.fail), tmp_path / "landing"
    tails = Tails()

    def go_on() -> Landed:
        log.append("t", [text(), text()])
        return land(log, "t", "prediction", folder, FEATURES, clock, tails=tails)

    assert [go_on() for _ in range(3)] == [Landed(1, 2)] * 3
    place = chain.partition_folder(folder, "t", log.source_id("t"), 0)
    oldest, *_ = chain.listing(place).values()
    whole = oldest.read_bytes()
    oldest.write_bytes(b"broken")
    assert go_on() == Landed(1, 2)
    oldest.write_bytes(whole)
    assert compact(folder, ["t"]).file_count == 1
    assert go_on() == Landed(1, 2)
    assert len(rows_of(place)) == 10
    place.rename(tmp_path / "away")
    compacted_folder(place).rename(tmp_path / "compacted-away")
    assert go_on() == Landed(1, 12)
    assert len(rows_of(place)) == 12


def rows_of(place: Path) -> list[int]:
    """Return the offsets that a walk of a chain leads to."""
    return [
        offset
        for link in chain.walk(place)
        for offset in pq.read_table(link.path, columns=["_offset"])["_offset"].to_pylist()
    ]


APPEND = """
import sys
from pathlib import Path
from ingest.local.log import LocalLog
log = LocalLog(Path(sys.argv[1]), print)
message = sys.stdin.buffer.read()
for number in range(100):
    log.append("t", [message.replace(b"NUMBER", b"%s %d" % (sys.argv[2].encode(), number))] * 1)
"""


def test_two_processes_append_while_two_land_and_each_message_lands_once(tmp_path: Path) -> None:
    writers = []
    for who in ("a", "b"):
        writer = subprocess.Popen(
            [sys.executable, "-c", APPEND, str(tmp_path / "log"), who], stdin=subprocess.PIPE
        )
        assert writer.stdin is not None
        writer.stdin.write(text(subject="NUMBER"))
        writer.stdin.close()
        writers.append(writer)
    log = LocalLog(tmp_path / "log", pytest.fail)
    while any(writer.poll() is None for writer in writers):
        land(log, "t", "prediction", tmp_path / "landing", FEATURES, clock)
    land(log, "t", "prediction", tmp_path / "landing", FEATURES, clock)
    assert [writer.wait() for writer in writers] == [0, 0]
    subjects = [row["subject"] for row in read(tmp_path / "landing")]
    for who in ("a", "b"):
        mine = [subject for subject in subjects if subject.startswith(who)]
        assert mine == [f"{who} {number}" for number in range(100)]
    assert len(subjects) == 200
