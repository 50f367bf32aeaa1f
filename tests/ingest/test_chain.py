"""The chain: positions are taken once, walks stop where a link is missing."""

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingest.errors import DriftnetError
from ingest.landed.chain import (
    Fenced,
    chain_end,
    commit,
    file_name,
    listing,
    metadata,
    partition_folder,
    require_links,
    sweep,
    unfinished,
    walk,
)


def put(folder: Path, position: int, next_offset: str | int, value: int = 0) -> Path:
    """Commit a small file."""
    table = pa.table({"value": [value]}).replace_schema_metadata({"next_offset": str(next_offset)})
    with unfinished(folder, position) as temporary:
        pq.write_table(table, temporary)
        return commit(temporary, folder, position)


def test_names_sort_as_their_positions(tmp_path: Path) -> None:
    positions = [0, 7, 10, 999, 10**19]
    assert sorted(map(file_name, positions)) == list(map(file_name, positions))
    assert partition_folder(tmp_path, "t", "s", 3) == tmp_path / "t" / "s" / "p=3"


def test_a_walk_goes_from_link_to_link(tmp_path: Path) -> None:
    for position, following in ((0, 10), (10, 25), (25, 26)):
        put(tmp_path, position, following)
    assert [(link.position, link.next_offset) for link in walk(tmp_path)] == [
        (0, 10),
        (10, 25),
        (25, 26),
    ]
    assert (chain_end(tmp_path), chain_end(tmp_path, 25), chain_end(tmp_path, 11)) == (26, 26, 11)
    assert metadata(tmp_path / file_name(10))["next_offset"] == "25"


def test_a_walk_stops_at_the_first_missing_link(tmp_path: Path) -> None:
    for position, following in ((0, 10), (20, 30), (30, 40)):
        put(tmp_path, position, following)
    assert chain_end(tmp_path) == 10
    put(tmp_path, 10, 20)
    assert chain_end(tmp_path) == 40


def test_an_empty_or_absent_chain_ends_at_zero(tmp_path: Path) -> None:
    assert chain_end(tmp_path) == chain_end(tmp_path / "none") == 0


@pytest.mark.parametrize("text", ["", "x", "5", "4", "-1"])
def test_a_link_that_leads_nowhere_is_an_error(tmp_path: Path, text: str) -> None:
    put(tmp_path, 5, text)
    with pytest.raises(DriftnetError, match="has next_offset"):
        chain_end(tmp_path, 5)


def test_a_landed_file_that_is_no_parquet_is_named(tmp_path: Path) -> None:
    (tmp_path / file_name(0)).write_bytes(b"broken")
    with pytest.raises(DriftnetError, match=r"00\.parquet is no readable Parquet file"):
        chain_end(tmp_path)


def test_the_second_writer_of_a_position_is_fenced_and_adds_nothing(tmp_path: Path) -> None:
    with unfinished(tmp_path, 0) as zombie:
        pq.write_table(pa.table({"value": [2]}), zombie)
        put(tmp_path, 0, 10, value=1)
        with pytest.raises(Fenced, match="landed by another writer: nothing was added"):
            commit(zombie, tmp_path, 0)
    assert list(listing(tmp_path)) == [0]
    assert pq.read_table(tmp_path / file_name(0))["value"].to_pylist() == [1]
    assert [path.name for path in tmp_path.iterdir()] == [file_name(0)]


def test_an_unfinished_file_is_gone_whatever_happens(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), unfinished(tmp_path / "p=0", 0):
        raise ZeroDivisionError
    assert list((tmp_path / "p=0").iterdir()) == []


def test_a_sweep_removes_what_the_dead_left_and_spares_the_living(tmp_path: Path) -> None:
    dead = tmp_path / ".00000000000000000000-dead.tmp"
    dead.write_bytes(b"x")
    with unfinished(tmp_path, 0) as living:
        assert sweep(tmp_path) == 1
        assert living.exists()
    assert not dead.exists()
    assert chain_end(tmp_path) == 0


def test_a_writer_that_was_taken_for_dead_is_fenced(tmp_path: Path) -> None:
    with unfinished(tmp_path, 0) as temporary:
        temporary.unlink()
        with pytest.raises(Fenced):
            commit(temporary, tmp_path, 0)
    assert listing(tmp_path) == {}


def test_a_file_is_synced_then_linked_then_its_folder_is_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    link = os.link
    with unfinished(tmp_path, 0) as temporary:
        monkeypatch.setattr(
            "ingest.landed.chain.sync",
            lambda path: steps.append("folder" if path.is_dir() else "file"),
        )

        def spy(source: Path, target: Path) -> None:
            steps.append("link")
            link(source, target)

        monkeypatch.setattr("ingest.landed.chain.os.link", spy)
        commit(temporary, tmp_path, 0)
    assert steps == ["file", "link", "folder"]


def test_a_file_system_without_hard_links_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_links(tmp_path / "landing")

    def refuse(source: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("ingest.landed.chain.os.link", refuse)
    with pytest.raises(DriftnetError, match=r"without hard links.*set DRIFTNET_HOME"):
        require_links(tmp_path / "landing")
    assert list((tmp_path / "landing").iterdir()) == []
