"""The two sides of a cut in time: what is trained on, and what is held out as the reference."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ingest.embedding import Basis
from ingest.errors import InputError
from ingest.event_file import EventFile, naive
from ingest.progress import Advance
from ingest.reference import TYPES
from ingest.scorer import Described, describe_urls, input_matrix
from retrain.estimator import Bools, Floats, Recipe

REFERENCE_SHARE = 0.5
REFERENCE_WEEKS = 8
LEAST_ROWS = 200  # on each side
BATCH = 5_000


@dataclass(frozen=True)
class Side:
    """The rows of one side of the cut; `is_labelled` says where `truth` means something."""

    table: pa.Table
    described: Described
    inputs: npt.NDArray[Any]
    is_labelled: Bools
    truth: Bools


def cut_weeks(first: datetime, until: datetime) -> tuple[datetime, datetime]:
    """Return from when to when the reference goes: whole weeks, naive UTC.

    Examples
    --------
    >>> cut_weeks(datetime(2024, 1, 1), datetime(2024, 4, 10))
    (datetime.datetime(2024, 2, 12, 0, 0), datetime.datetime(2024, 4, 8, 0, 0))
    """
    day = until.replace(hour=0, minute=0, second=0, microsecond=0)
    end = day - timedelta(days=day.weekday())
    weeks = (end - first.replace(hour=0, minute=0, second=0, microsecond=0)) // timedelta(weeks=1)
    if weeks < 2:
        raise InputError(
            f"only {max(weeks, 0)} whole weeks lie between {first:%Y-%m-%d} and {until:%Y-%m-%d}: "
            "training and reference need 2 at least, 16 are good"
        )
    wanted = max(REFERENCE_WEEKS, round(weeks * REFERENCE_SHARE))
    return end - timedelta(weeks=max(1, min(wanted, weeks * 2 // 3))), end


def cut(table: pa.Table, until: datetime, label: str) -> tuple[pa.Table, pa.Table]:
    """Return the rows to train on and the rows of the reference; `label` names the file.

    Raises
    ------
    InputError
        Nothing before `until`, under two whole weeks, too few rows on a side.
    """
    moments = np.asarray(table.column("occurred_at").to_numpy())
    if not len(moments):
        raise InputError(f"{label} has no event before {until:%Y-%m-%d}: choose a later date")
    first = table.column("occurred_at")[0].as_py()
    start, end = cut_weeks(first, naive(until))
    place, stop = np.searchsorted(moments, np.array([start, end], dtype=moments.dtype))
    past, held_out = table.slice(0, place), table.slice(place, stop - place)
    for side, rows in (("training", past.num_rows), ("reference", held_out.num_rows)):
        if rows < LEAST_ROWS:
            raise InputError(
                f"{label} gives only {rows} rows for the {side} (before {until:%Y-%m-%d}, cut at "
                f"{start:%Y-%m-%d}): {LEAST_ROWS} are needed"
            )
    return past, held_out


def describe_side(table: pa.Table, basis: Basis, recipe: Recipe, advance: Advance) -> Side:
    """Return the rows with features, embedding and the estimator's input."""
    urls = table.column("url").to_pylist()
    parts = []
    for start in range(0, len(urls), BATCH):
        parts.append(describe_urls(urls[start : start + BATCH], basis))
        advance(len(parts[-1].cluster))
    described = Described(
        np.concatenate([part.embedding for part in parts]),
        [row for part in parts for row in part.features],
        [item for part in parts for item in part.cluster],
    )
    label = table.column("label")
    return Side(
        table,
        described,
        input_matrix(recipe.features, described.features, described.embedding),
        np.asarray(label.is_valid().to_numpy()),
        np.asarray(label.fill_null(False).to_numpy()),
    )


def reference_table(file: EventFile, side: Side, score: Floats, recipe: Recipe) -> pa.Table:
    """Return scored rows as `ingest.reference.shape_reference` takes them."""
    rows = side.table.column("row").to_pylist()
    described = side.described
    columns = {
        "event_id": pa.array([file.event_id(row).bytes for row in rows], pa.binary(16)),
        "occurred_at": side.table.column("occurred_at"),
        "score": pa.array(score),
        "is_actual_positive": side.table.column("label"),
        "channel": side.table.column("channel"),
        "cluster": pa.array(described.cluster, pa.string()),
        "embedding": pa.array(list(described.embedding), pa.list_(pa.float32())),
    }
    for feature in recipe.features:
        values = [row[feature.name] for row in described.features]
        columns[f"feature_{feature.name}"] = pa.array(values, TYPES[feature.kind])
    return pa.table(columns)
