"""What landing keeps of a subject: no more than the setting says, whoever sent it."""

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.batch import import_file
from ingest.landed.subject_sql import kept_sql
from ingest.landing import land
from ingest.local.log import LocalLog
from ingest.log import Topics
from ingest.subjects import SubjectStorage, kept

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECRET = "s3cret"  # noqa: S105  (what must not be found)
URL = f"https://User:{SECRET}@Login.Example.com:8080/{SECRET}?q={SECRET}"
PIECES = [
    "http", "https", "hxxp", "HXXPS", "://", "//", "/", ":", "@", "[", "]", "[.]", "(.)", "[dot]",
    "[:]", "[://]", "::1", "192.168.0.1", "80", "Example", "com", ".", "?", "#", "\\", " ", "\t",
    "\n", "\x00", "data:", "javascript:", "mailto:", "user", "\u00c4", "\u65e5", "sha256:",
    "a" * 64, "\ufeff", "\xa0", ":8080", "%2F",
]  # fmt: skip


def message(**changes: Any) -> bytes:
    event = {
        "event_id": str(uuid.UUID(int=7)),
        "occurred_at": "2025-12-31T23:00:00Z",
        "model_name": "m",
        "score": 0.25,
        "subject": URL,
        "features": {"age": 1},
    }
    return json.dumps({**event, **changes}).encode()


@pytest.mark.parametrize("storage", ["host", "hash"])
@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.sampled_from(PIECES), min_size=1, max_size=8), min_size=50))
@example([["sha256:", "a" * 64], ["[", "::1", "]", ":8080"], ["a", ":8080", "\n"], [URL]])
def test_the_engine_and_python_keep_the_same(
    storage: SubjectStorage, drawn: list[list[str]]
) -> None:
    texts = ["".join(parts) for parts in drawn]
    with duckdb.connect() as connection:
        connection.register("given", pa.table({"subject": texts}))
        found = connection.execute(f"select {kept_sql('subject', storage)} from given").fetchall()
    assert [value for (value,) in found] == [kept(one, storage) for one in texts]


def test_what_was_reduced_once_is_not_reduced_again() -> None:
    for storage in ("host", "hash"):
        once = kept(URL, storage)
        assert once is not None
        assert kept(once, storage) == once


@pytest.mark.parametrize(
    ("storage", "expected"),
    [("full", URL), ("host", "login.example.com"), ("hash", kept(URL, "hash"))],
)
def test_subjects_of_any_producer_land_as_the_setting_says(
    tmp_path: Path, storage: SubjectStorage, expected: str
) -> None:
    bad = [
        message(score="high"),
        message(features={URL: 1}),
        message()[:-1],
        b"\xff" + URL.encode(),
        URL.encode(),
    ]
    log = LocalLog(tmp_path / "log", pytest.fail)
    log.append("t", [message(), message(subject=None), *bad])
    land(log, "t", "prediction", tmp_path / "landing", [], lambda: NOW, storage=storage)
    (path,) = (tmp_path / "landing" / "t").glob("*/p=0/*.parquet")
    rows = pq.read_table(path).to_pylist()
    assert [row["subject"] for row in rows[:2]] == [expected, None]
    assert [row["_error"] is None for row in rows] == [True, True, *[False] * len(bad)]
    assert [row["score"] for row in rows[:2]] == [0.25, 0.25]
    if storage == "full":
        assert [row["_raw"] for row in rows[2:]] == bad
        return
    found = " ".join(repr(row) for row in rows)
    assert SECRET not in found
    assert "User" not in found
    lengths = [int(row["_raw"].decode().rpartition(", ")[2].split()[0]) for row in rows[2:]]
    assert lengths == list(map(len, bad))


@pytest.mark.parametrize("storage", ["full", "host", "hash"])
def test_a_bad_row_of_an_import_keeps_no_column_that_may_hold_a_subject(
    tmp_path: Path, storage: SubjectStorage
) -> None:
    rows = [{"p": 0.5, "at": "2025-12-01", "url": URL, "age": 1} for _ in range(4)]
    rows[2]["p"] = 7.0
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet")
    done = import_file(
        tmp_path / "rows.parquet",
        landing=tmp_path / "landing",
        topics=Topics("t", "labels"),
        model_name="m",
        mapping={"score": "p", "occurred_at": "at"},
        models=tmp_path / "models",
        clock=lambda: NOW,
        ignore=["url"],
        storage=storage,
    )
    assert (done.row_count, done.error_count) == (4, 1)
    (path,) = (tmp_path / "landing" / "t").glob("*/p=0/*.parquet")
    (bad,) = [row for row in pq.read_table(path).to_pylist() if row["_error"]]
    assert (SECRET in repr(bad)) == (storage == "full")
