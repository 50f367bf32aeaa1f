"""Rows are read where they landed, and no other file is opened."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingest.card import Feature
from ingest.errors import DriftnetError
from ingest.landed.chain import file_name, partition_folder
from ingest.landed.compacted import compacted_folder, span_name
from retrain.rows import files_of, logged_rows, positions_held

FEATURES = (Feature("size", "numeric"), Feature("kind", "categorical"))


def known(positions: list[int]) -> pa.Table:
    count = len(positions)
    return pa.table(
        {
            "source_id": ["s"] * count,
            "partition_id": pa.array([0] * count, pa.int32()),
            "position": pa.array(positions, pa.int64()),
            "occurred_at": pa.array(range(count), pa.timestamp("us")),
        }
    )


def landed(path: Path, offsets: list[int], **columns: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"_offset": pa.array(offsets, pa.int64())} | columns), path)


@pytest.fixture
def topic(tmp_path: Path) -> Path:
    """A chain of three files: one without a column for a feature, one with, one that is broken."""
    folder = partition_folder(tmp_path, "t", "s", 0)
    other = ['{"size": 1.5, "kind": "a"}', '{"size": "many"}']
    landed(folder / file_name(0), [0, 7], features_other=other)
    landed(
        folder / file_name(10),
        [10, 11, 12],
        feature_size=[2.5, float("nan"), float("inf")],
        feature_kind=["b", None, "c"],
    )
    (folder / file_name(20)).write_bytes(b"not parquet")
    return tmp_path / "t"


def test_values_are_read_as_they_were_logged_before_and_after_their_model_was_known(
    topic: Path,
) -> None:
    rows = logged_rows(known([0, 7, 10, 11, 12]), topic, FEATURES)
    assert rows.table.column("feature_size").to_pylist() == [1.5, None, 2.5, None, None]
    assert rows.table.column("feature_kind").to_pylist() == ["a", None, "b", None, "c"]
    assert rows.inputs(FEATURES[::-1], 0).tolist()[0] == ["a", 1.5]


def test_a_compacted_file_takes_the_place_of_those_it_holds(topic: Path) -> None:
    folder = topic / "s" / "p=0"
    whole = compacted_folder(folder) / span_name(0, 10)
    landed(whole, [0, 7], features_other=[None, None])
    assert files_of(folder, [7, 12]) == [whole, folder / file_name(10)]


def test_rows_that_are_not_landed_any_more_are_named(topic: Path) -> None:
    (topic / "s" / "p=0" / file_name(0)).unlink()
    with pytest.raises(DriftnetError, match="does not hold position 0: landing was pruned"):
        logged_rows(known([0, 10]), topic, FEATURES)


def test_the_card_can_say_which_positions_were_learnt_from() -> None:
    held = {"first": 3, "last": 40, "row_count": 3}
    assert positions_held(known([40, 3, 5])) == {"s/p=0": held}
