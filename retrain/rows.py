"""Labelled rows to learn from: the truth from the warehouse, the features as they were logged.

`fct_labelled_predictions` says which rows there are, what was true, and where each prediction
stands in the log. The landed Parquet is opened at these positions only.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ingest.card import Feature
from ingest.engine import connect
from ingest.errors import DriftnetError, InputError
from ingest.landed import chain
from ingest.landed.compacted import spans
from ingest.quoting import column, text

Query = Callable[[str, Sequence[object]], pa.Table]
Bools = npt.NDArray[np.bool_]
Times = npt.NDArray[np.datetime64]

PLACE = ("source_id", "partition_id", "position")
_TYPES = {"numeric": "double", "boolean": "boolean", "categorical": "varchar"}


@dataclass(frozen=True)
class Rows:
    """Labelled rows in order of time, then position.

    Parameters
    ----------
    table
        Columns event_id, source_id, partition_id, position, occurred_at, label_known_at,
        is_actual_positive, channel, cluster, label_source, feature_<name>, embedding.
    features
        Their names and kinds.
    """

    table: pa.Table
    features: tuple[Feature, ...]

    def __len__(self) -> int:
        """Return how many there are."""
        return int(self.table.num_rows)

    @property
    def truth(self) -> Bools:
        """Return what was true, shape (n,)."""
        return np.asarray(self.table.column("is_actual_positive").to_numpy(), dtype=bool)

    @property
    def occurred_at(self) -> Times:
        """Return the times of the events, shape (n,), UTC."""
        return np.asarray(self.table.column("occurred_at").to_numpy())

    @property
    def cluster(self) -> list[str]:
        """Return the clusters; a row that has none is one of its own."""
        names = self.table.column("cluster").to_pylist()
        return [name or f"row {place}" for place, name in enumerate(names)]

    def take(self, which: npt.NDArray[Any]) -> "Rows":
        """Return some of the rows, by places or by a mask."""
        places = np.flatnonzero(which) if which.dtype == bool else which
        return Rows(self.table.take(pa.array(places, pa.int64())), self.features)

    def inputs(self, features: Sequence[Feature], embedding_dimension: int) -> npt.NDArray[Any]:
        """Return what an estimator takes, as `ingest.scorer.input_matrix` makes it for serving.

        Returns
        -------
        ndarray of object, shape (n, features + embedding_dimension)
        """
        matrix = np.empty((len(self), len(features) + embedding_dimension), object)
        for place, feature in enumerate(features):
            matrix[:, place] = self.table.column(f"feature_{feature.name}").to_pylist()
        if embedding_dimension:
            flat = pc.list_flatten(self.table.column("embedding")).to_numpy()
            if len(flat) != len(self) * embedding_dimension:
                raise InputError(
                    f"not every row has the model's {embedding_dimension} numbers of embedding: "
                    "rows of another model cannot be trained on"
                )
            matrix[:, len(features) :] = flat.reshape(len(self), embedding_dimension)
        return matrix


def known_labels(
    query: Query, model_name: str, as_of: datetime, window_days: int, maximum: int
) -> pa.Table:
    """Return the labelled predictions of a model that were known at a time, oldest first.

    Parameters
    ----------
    query
        Asks the published marts.
    as_of
        UTC without a zone: events and labels after it are not looked at.
    window_days
        Events no older than this before it.
    maximum
        Of more rows those with the lowest md5 of the event id.
    """
    return query(
        """
        select event_id, source_id, partition_id, position, model_version, occurred_at,
            label_known_at, is_actual_positive, channel, cluster, label_source
        from fct_labelled_predictions
        where model_name = ? and occurred_at <= ? and label_known_at <= ? and occurred_at > ?
        qualify row_number() over (order by md5(lower(cast(event_id as varchar)))) <= ?
        order by occurred_at, source_id, partition_id, position
        """,
        [model_name, as_of, as_of, as_of - timedelta(days=window_days), maximum],
    )


def logged_rows(
    known: pa.Table, topic_folder: Path, features: Sequence[Feature], memory_limit: str = "1GB"
) -> Rows:
    """Join labelled predictions with what was logged of them.

    Parameters
    ----------
    known
        As `known_labels` gives them.
    topic_folder
        The landing folder of the predictions topic.
    features
        What to read; a value that landed before its model was known, or as another type, is read
        from ``features_other``.

    Raises
    ------
    DriftnetError
        A position is not landed any more.
    """
    with connect(topic_folder.parent, memory_limit=memory_limit) as connection:
        parts = []
        for source_id, partition_id, places in _chains(known):
            folder = topic_folder / source_id / f"p={partition_id}"
            files = files_of(folder, places.column("position").to_pylist())
            connection.register("known", places)
            reader = f"read_parquet([{', '.join(text(str(f)) for f in files)}], union_by_name=true)"
            names = {row[0].lower() for row in connection.execute(
                f"describe select * from {reader}").fetchall()}  # fmt: skip
            values = "".join(f", {_value(item, names)}" for item in features)
            vector = "embedding" if "embedding" in names else "cast(null as float[])"
            joined: pa.Table = connection.sql(
                f"select known.*{values}, {vector} as embedding from known"
                f" inner join {reader} as landed on known.position = landed._offset"
            ).to_arrow_table()
            if joined.num_rows != places.num_rows:
                raise DriftnetError(
                    f"{folder} holds {joined.num_rows:,} of {places.num_rows:,} labelled rows: "
                    "landing was pruned; choose a shorter retrain_window_days"
                )
            parts.append(joined)
    table = pa.concat_tables(parts) if parts else known
    order = [("occurred_at", "ascending"), *((name, "ascending") for name in PLACE)]
    return Rows(table.sort_by(order), tuple(features))


def files_of(folder: Path, positions: Sequence[int]) -> list[Path]:
    """Return the landed files of a chain that hold some positions, and no other file."""
    live, whole = chain.listing(folder), spans(folder)  # in this order, see `ingest.landed.chain`
    end = whole[-1].next_offset if whole else 0
    files = {span.position: span.path for span in whole}
    files |= {position: path for position, path in live.items() if position >= end}
    starts = sorted(files)
    if not starts or min(positions) < starts[0]:
        raise DriftnetError(f"{folder} does not hold position {min(positions)}: landing was pruned")
    needed = {starts[bisect_right(starts, position) - 1] for position in positions}
    return [files[start] for start in sorted(needed)]


def positions_held(table: pa.Table) -> Mapping[str, Mapping[str, int]]:
    """Return for each chain the first and the last position of some rows, and how many they are."""
    return {
        f"{source_id}/p={partition_id}": {
            "first": min(places.column("position").to_pylist()),
            "last": max(places.column("position").to_pylist()),
            "row_count": places.num_rows,
        }
        for source_id, partition_id, places in _chains(table)
    }


def _chains(known: pa.Table) -> Iterator[tuple[str, int, pa.Table]]:
    keys = known.select(["source_id", "partition_id"]).group_by(["source_id", "partition_id"])
    for key in sorted(keys.aggregate([]).to_pylist(), key=lambda item: tuple(item.values())):
        same = pc.and_(
            pc.equal(known.column("source_id"), key["source_id"]),
            pc.equal(known.column("partition_id"), key["partition_id"]),
        )
        yield key["source_id"], key["partition_id"], known.filter(same)


def _value(feature: Feature, names: set[str]) -> str:
    kind, name = _TYPES[feature.kind], f"feature_{feature.name}"
    own = f"cast(landed.{column(name)} as {kind})" if name in names else f"cast(null as {kind})"
    other = f"try_cast(landed.features_other ->> {text(feature.name)} as {kind})"
    value = f"coalesce({own}, {other})" if "features_other" in names else own
    if feature.kind == "numeric":
        value = f"case when isfinite({value}) then {value} end"
    return f"{value} as {column(name)}"
