import gc
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingest.card import Feature
from ingest.landed import chain
from ingest.landed.compaction import compact
from ingest.landed.pruning import prune
from ingest.landing import land
from ingest.local.log import LocalLog
from stream import events
from stream.batch import Batch
from stream.events import read_landing, read_log
from stream.labels import Query, read_labels
from stream.scales import References
from tests.stream.places import START, label_rows, messages, write_reference


def query_of(rows: pa.Table) -> Query:
    connection = duckdb.connect()
    connection.register("given", rows)
    connection.execute("create table fct_labelled_predictions as select * from given")

    def query(sql: str, parameters: Sequence[object] = ()) -> pa.Table:
        return connection.sql(sql, params=list(parameters) or None).to_arrow_table()

    return query


def read_all(query: Query, position: Any = None, chunk: int = 100) -> list[Batch]:
    found: list[Batch] = []
    while batch := read_labels(query, position, chunk):
        found.append(batch)
        position = batch.position
    return found


def places(batches: Sequence[Batch]) -> list[str]:
    return [batch.place(row) for batch in batches for row in range(batch.row_count)]


@pytest.fixture
def folds() -> list[pa.Table]:
    # Rows of later folds were known before rows of earlier ones: labels that landed late.
    random = np.random.default_rng(5)
    return [
        label_rows(
            list(random.random(150) < 0.2),
            fold_id=fold,
            first=1000 * fold,
            known=[int(item) for item in random.integers(0, 60, 150)],
        )
        for fold in (3, 4, 9)
    ]


@pytest.mark.parametrize("chunk", [1, 7, 150, 1000])
def test_labels_that_land_late_are_read_once_each_however_often_one_looks(
    folds: list[pa.Table], chunk: int
) -> None:
    at_once = places(read_all(query_of(pa.concat_tables(folds)), chunk=10_000))
    found: list[str] = []
    position = None
    for count in (1, 2, 3):
        published = query_of(pa.concat_tables(folds[:count]))
        batches = read_all(published, position, chunk)
        found += places(batches)
        position = batches[-1].position
        assert read_labels(published, position) is None
    assert len(set(found)) == len(found) == 450
    assert found == at_once


def test_within_a_fold_labels_come_in_the_order_in_which_they_were_known(
    folds: list[pa.Table],
) -> None:
    (batch,) = read_all(query_of(folds[0]), chunk=1000)
    moments = [batch.moment(row) for row in range(batch.row_count)]
    assert moments == sorted(moments)


def test_history_is_read_in_the_order_in_which_it_was_known_whatever_build_brought_it(
    folds: list[pa.Table],
) -> None:
    query = query_of(pa.concat_tables(folds))
    between = (START + timedelta(minutes=10), START + timedelta(minutes=20))
    moments: list[datetime] = []
    position = None
    while batch := read_labels(query, position, 13, between):
        moments += [batch.moment(row) for row in range(batch.row_count)]
        position = batch.position
    known = [m for table in folds for m in table.column("label_known_at").to_pylist()]
    begun, ended = (moment.replace(tzinfo=None) for moment in between)
    assert moments == sorted(moment for moment in known if begun <= moment < ended)


def test_an_error_is_one_and_segments_and_versions_are_streams_of_their_own() -> None:
    rows = pa.concat_tables(
        [
            label_rows([True, False, False, True, False, True]),
            label_rows([True], first=100, version="2"),
        ]
    )
    batch = read_labels(query_of(rows), None)
    assert batch is not None
    found = {
        (feed.stream.model_version, feed.stream.segment_value): list(feed.values)
        for feed in batch.feeds
    }
    assert found == {
        ("1", "all"): [1.0, 0.0, 0.0, 1.0, 0.0, 1.0],
        ("1", "web"): [1.0, 1.0],
        ("1", "mail"): [0.0, 0.0],
        ("2", "all"): [1.0],
        ("2", "web"): [1.0],
    }


def test_a_warehouse_without_the_mart_has_no_labels_yet() -> None:
    empty = duckdb.connect()

    def query(sql: str, parameters: Sequence[object] = ()) -> pa.Table:
        return empty.sql(sql, params=list(parameters)).to_arrow_table()

    assert read_labels(query, None) is None


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_reference(tmp_path / "models")
    random = np.random.default_rng(6)
    values = messages(random.random(300), random.normal(50.0, 10.0, 300))
    values.insert(100, b"no JSON")
    values.insert(200, messages(np.array([0.5]), np.array([1.0]), first=999, version="7")[0])
    LocalLog(tmp_path / "log", print).append("t", values)
    return tmp_path


def read_events(home: Path, way: str, position: Any = None, size: int = 4096) -> list[Batch]:
    references = References(home / "models", ["length", "scheme"])
    log = LocalLog(home / "log", print)
    found: list[Batch] = []
    while True:
        if way == "log":
            batch = read_log(log, "t", position, references, ["length", "scheme"], size)
        else:
            batch = read_landing(home / "landing", "t", position, references, ["length", "scheme"])
        if batch is None:
            return found
        found.append(batch)
        position = batch.position


def fed(batches: Sequence[Batch]) -> dict[str, list[tuple[float, str]]]:
    found: dict[str, list[tuple[float, str]]] = {}
    for batch in batches:
        for feed in batch.feeds:
            pairs = [(v, batch.place(r)) for v, r in zip(feed.values, feed.rows, strict=True)]
            found.setdefault(feed.stream.signal, []).extend(pairs)
    return found


def test_log_and_landing_give_the_same_values_at_the_same_places(home: Path) -> None:
    features = [Feature("length", "numeric"), Feature("scheme", "categorical")]
    land(
        LocalLog(home / "log", print), "t", "prediction", home / "landing", features,
        lambda: datetime(2026, 1, 1, tzinfo=UTC), 20_000,
    )  # fmt: skip
    from_log, from_landing = read_events(home, "log"), read_events(home, "landing")
    assert len(from_log) > 3
    assert len(from_landing) > 3
    assert fed(from_log) == fed(from_landing)
    assert {name: len(values) for name, values in fed(from_log).items()} == {
        "score": 300,
        "feature:length": 300,
        "feature:scheme": 300,
    }
    assert from_log[-1].position == from_landing[-1].position
    # One can be left for the other in the middle of a landed file.
    rest = read_events(home, "landing", from_log[1].position)
    expected = {
        name: [pair for pair in pairs if pair not in fed(from_log[:2])[name]]
        for name, pairs in fed(from_log).items()
    }
    assert fed(rest) == expected


FEATURES = [Feature("length", "numeric"), Feature("scheme", "categorical")]
LANDED_AT = datetime(2026, 1, 1, tzinfo=UTC)


def land_more(home: Path) -> None:
    log = LocalLog(home / "log", print)
    land(log, "t", "prediction", home / "landing", FEATURES, lambda: LANDED_AT, 10_000)


@pytest.mark.parametrize("read_before", [0, 1, 3])
def test_compaction_between_two_looks_changes_nothing_of_what_is_read(
    home: Path, read_before: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    land_more(home)
    calm = read_events(home, "landing")
    assert len(calm) > 5
    before = calm[:read_before]
    assert compact(home / "landing", ["t"]).file_count == 1
    for at_once in (events.MAX_ROWS, 1):
        monkeypatch.setattr(events, "MAX_ROWS", at_once)
        rest = read_events(home, "landing", before[-1].position if before else None)
        assert rest[-1].position == calm[-1].position
        assert not any(batch.gaps for batch in rest)
        together = fed([*before, *rest])
        assert together == fed(calm)


def test_a_large_landed_file_is_read_in_parts(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(7)
    log = LocalLog(home / "log", print)
    log.append("t", messages(random.random(9_000), random.normal(50.0, 10.0, 9_000), 400))
    land(log, "t", "prediction", home / "landing", FEATURES, lambda: LANDED_AT)
    (path,) = (home / "landing" / "t").glob("*/p=0/*.parquet")
    pq.write_table(pq.read_table(path), path, row_group_size=500)
    monkeypatch.setattr(events, "MAX_ROWS", 1_000)
    parts = read_events(home, "landing")
    assert len(parts) == 10
    assert fed(parts) == fed(read_events(home, "log", size=1 << 22))


def test_reading_leaves_nothing_that_only_a_collection_of_garbage_frees(home: Path) -> None:
    land_more(home)
    read_events(home, "landing")
    gc.collect()
    gc.disable()
    try:
        read_events(home, "landing")
        left = gc.collect()
    finally:
        gc.enable()
    assert left == 0


def test_what_was_pruned_before_it_was_read_is_a_gap_that_says_what_is_missing(home: Path) -> None:
    land_more(home)
    read = read_events(home, "landing")
    (folder,) = (home / "landing" / "t").glob("*/p=0")
    links = list(chain.walk(folder))
    place = ("t", folder.parent.name, 0)
    until = links[3].next_offset
    prune(home / "landing", ["t"], LANDED_AT + timedelta(days=1), {place: until}, {})
    rest = read_events(home, "landing", read[1].position)
    (gap,) = [gap for batch in rest for gap in batch.gaps]
    assert (gap.begin, gap.end, gap.is_before) == (links[1].next_offset, until, False)
    assert gap.line.endswith(f"deleted before they were watched; going on at {until}")
    assert fed(rest) == fed(read[4:])
    (first,) = [gap for batch in read_events(home, "landing") for gap in batch.gaps]
    assert (first.begin, first.end, first.is_before) == (0, until, True)
    assert not any(batch.gaps for batch in read_events(home, "landing", read[3].position))


def test_a_message_that_breaks_the_contract_and_a_version_without_reference_are_passed_over(
    home: Path,
) -> None:
    batches = read_events(home, "log")
    assert sum(batch.row_count for batch in batches) == 302
    assert {feed.stream.model_version for batch in batches for feed in batch.feeds} == {"1"}


def test_a_score_becomes_its_place_among_those_of_the_reference(home: Path) -> None:
    reference = References(home / "models", ["length", "scheme"]).of("m", "1")
    assert reference is not None
    score = reference.scales["score"]
    assert score.places([-1.0, 2.0]) == [0.0, 1.0]
    assert score.places([0.3])[0] == pytest.approx(0.3, abs=0.03)
    scheme = reference.scales["feature:scheme"]
    assert scheme.places(["never seen"]) == [0.0]
    assert scheme.places(["b"])[0] < scheme.places(["a"])[0]
    assert not scheme.takes(None)
    assert not score.takes(float("nan"))
    assert not score.takes("0.3")
    assert reference.levels["errors"].mean == pytest.approx(0.05, abs=1e-3)
