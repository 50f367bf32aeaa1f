"""Compaction and pruning: rows stay, files go, and nobody can add a row to what was compacted."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingest.landed import chain, compaction
from ingest.landed.compacted import all_spans, compacted_end, compacted_folder, span_name, spans
from ingest.landed.compaction import Compacted, compact
from ingest.landed.pruning import prune

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
Rows = list[dict[str, Any]]


def put(
    folder: Path,
    offsets: Sequence[int],
    following: int,
    landed_at: datetime = NOON,
    reason: str = "",
    **columns: pa.Array,
) -> None:
    """Land a small file of some offsets."""
    position = chain.chain_end(folder)
    table = pa.table(
        {
            "_offset": pa.array(offsets, pa.int64()),
            "_landed_at": pa.array([landed_at.replace(tzinfo=None)] * len(offsets)),
            **columns,
        }
    ).replace_schema_metadata({"next_offset": str(following), "reason": reason})
    with chain.unfinished(folder, position) as temporary:
        pq.write_table(table, temporary)
        chain.commit(temporary, folder, position)


def rows(folder: Path) -> Rows:
    """Return what a reader of a chain sees, in order."""
    return [row for link in chain.walk(folder) for row in pq.read_table(link.path).to_pylist()]


def tens(folder: Path, count: int, **columns: pa.Array) -> None:
    """Land files of ten offsets each."""
    for _ in range(count):
        end = chain.chain_end(folder)
        put(folder, range(end, end + 10), end + 10, **columns)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return chain.partition_folder(tmp_path, "t", "s", 0)


def test_a_compaction_keeps_every_row_in_its_place(tmp_path: Path, folder: Path) -> None:
    tens(folder, 5)
    before = rows(folder)
    assert compact(tmp_path, ["t"]) == Compacted(5, 1, 50)
    assert rows(folder) == before
    assert chain.chain_end(folder) == compacted_end(folder) == 50
    assert chain.listing(folder) == {}
    assert chain.metadata(spans(folder)[0].path)["next_offset"] == "50"


def test_what_lands_later_goes_on_from_the_compacted_end_and_is_merged_in_turn(
    tmp_path: Path, folder: Path
) -> None:
    tens(folder, 3)
    compact(tmp_path, ["t"])
    tens(folder, 2)
    assert [(link.position, link.next_offset) for link in chain.walk(folder)] == [
        (0, 30),
        (30, 40),
        (40, 50),
    ]
    assert [link.position for link in chain.walk(folder, 35)] == []
    assert [link.position for link in chain.walk(folder, 12)] == [0, 30, 40]
    assert compact(tmp_path, ["t"]) == Compacted(3, 1, 50)
    assert [row["_offset"] for row in rows(folder)] == list(range(50))
    assert compact(tmp_path, ["t"]) == Compacted(1, 1, 0)


def test_files_are_merged_up_to_a_size(tmp_path: Path, folder: Path) -> None:
    tens(folder, 6)
    size = next(chain.walk(folder)).path.stat().st_size
    compact(tmp_path, ["t"], size * 7 // 2)
    assert [(link.position, link.next_offset) for link in chain.walk(folder)] == [(0, 30), (30, 60)]


def test_files_whose_columns_differ_in_type_and_files_of_a_gap_are_not_merged(
    tmp_path: Path, folder: Path
) -> None:
    numbers, texts = pa.array([0.1] * 10), pa.array(["0.1"] * 10)
    tens(folder, 2, feature_x=numbers)
    tens(folder, 2, feature_x=texts)
    put(folder, [], 90, reason="retention")
    tens(folder, 2)
    before = rows(folder)
    compact(tmp_path, ["t"])
    assert [(link.position, link.next_offset) for link in chain.walk(folder)] == [
        (0, 20),
        (20, 40),
        (40, 90),
        (90, 110),
    ]
    assert [(row["_offset"], row.get("feature_x")) for row in rows(folder)] == [
        (row["_offset"], row.get("feature_x")) for row in before
    ]
    reasons = [chain.metadata(link.path)["reason"] for link in chain.walk(folder)]
    assert reasons == ["", "", "retention", ""]


def test_a_zombie_whose_position_was_compacted_withdraws_its_file(
    tmp_path: Path, folder: Path
) -> None:
    tens(folder, 1)
    with chain.unfinished(folder, 10) as zombie:
        pq.write_table(pa.table({"_offset": [10]}), zombie)
        tens(folder, 3)
        compact(tmp_path, ["t"])
        before = rows(folder)
        with pytest.raises(chain.Fenced, match="landed and compacted by others"):
            chain.commit(zombie, folder, 10)
    assert chain.listing(folder) == {}
    assert rows(folder) == before


def test_what_a_killed_compaction_left_is_read_by_no_one_and_removed_by_the_next(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tens(folder, 2)
    compact(tmp_path, ["t"])
    tens(folder, 2)
    before = rows(folder)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda path, missing_ok=False: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            compact(tmp_path, ["t"])
    assert sorted(chain.listing(folder)) == [20, 30]
    assert [(span.position, span.next_offset) for span in all_spans(folder)] == [(0, 40), (0, 20)]
    assert rows(folder) == before
    compact(tmp_path, ["t"])
    assert rows(folder) == before
    assert [path.name for path in compacted_folder(folder).iterdir()] == [span_name(0, 40)]
    assert list(folder.iterdir()) == []


def test_a_reader_goes_on_when_a_compaction_takes_a_file_from_under_it(
    tmp_path: Path, folder: Path
) -> None:
    tens(folder, 4)
    walked = chain.walk(folder)
    first = next(walked)
    compact(tmp_path, ["t"])
    rest = list(walked)
    assert (first.next_offset, rest[-1].next_offset) == (10, 40)


def test_only_old_and_folded_files_are_pruned_and_held_rows_stay(
    tmp_path: Path, folder: Path
) -> None:
    for day in range(5):
        end = chain.chain_end(folder)
        put(folder, range(end, end + 10), end + 10, NOON + timedelta(days=day))
    place = ("t", "s", 0)
    assert prune(tmp_path, ["t"], NOON, {place: 50}, {}).row_count == 0
    assert prune(tmp_path, ["t"], NOON + timedelta(days=9), {}, {}).row_count == 0
    done = prune(tmp_path, ["t"], NOON + timedelta(days=9), {place: 20}, {place: [3, 12, 33]})
    assert (done.file_count, done.row_count, done.held_count) == (1, 18, 2)
    assert [row["_offset"] for row in rows(folder)] == [3, 12, *range(20, 50)]
    done = prune(tmp_path, ["t"], NOON + timedelta(days=3), {place: 50}, {place: [12]})
    assert [row["_offset"] for row in rows(folder)] == [12, *range(30, 50)]
    assert chain.metadata(next(chain.walk(folder)).path)["reason"].startswith("pruned")
    assert chain.chain_end(folder) == 50


def test_pruning_one_compacted_file_replaces_it_under_its_name(
    tmp_path: Path, folder: Path
) -> None:
    tens(folder, 2)
    compact(tmp_path, ["t"])
    late = NOON + timedelta(days=1)
    done = prune(tmp_path, ["t"], late, {("t", "s", 0): 20}, {})
    assert done.row_count == 20
    assert rows(folder) == []
    assert chain.chain_end(folder) == 20
    assert prune(tmp_path, ["t"], late, {("t", "s", 0): 20}, {}).row_count == 0


def test_imports_are_chains_too(tmp_path: Path) -> None:
    one, other = (chain.partition_folder(tmp_path, "t", source, 0) for source in "ab")
    tens(one, 2)
    tens(other, 1)
    assert list(compaction.chains(tmp_path, ["t"])) == [one, other]
    assert compact(tmp_path, ["t"]) == Compacted(3, 2, 20)
