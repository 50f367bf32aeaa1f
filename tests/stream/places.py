"""Homes for the watch's tests, made without dbt: a reference, a log, and publications."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from ingest.events import Prediction
from ingest.local.log import LocalLog
from ops.settings import Settings

START = datetime(2025, 1, 6, tzinfo=UTC)
MODEL = "m"
Floats = npt.NDArray[np.float64]

LABELS = pa.schema(
    [
        ("model_name", pa.string()),
        ("model_version", pa.string()),
        ("source_id", pa.string()),
        ("partition_id", pa.int32()),
        ("position", pa.int64()),
        ("is_predicted_positive", pa.bool_()),
        ("is_actual_positive", pa.bool_()),
        ("label_known_at", pa.timestamp("us")),
        ("segment_channel", pa.string()),
        ("fold_id", pa.int64()),
    ]
)


def label_rows(
    wrong: Sequence[bool],
    fold_id: int = 1,
    first: int = 0,
    version: str = "1",
    known: Sequence[int] | None = None,
) -> pa.Table:
    """Return labelled predictions; `wrong` says of each whether the decision was an error."""
    count = len(wrong)
    minutes = range(first, first + count) if known is None else known
    columns = {
        "model_name": [MODEL] * count,
        "model_version": [version] * count,
        "source_id": ["log"] * count,
        "partition_id": [0] * count,
        "position": [10 * (first + row) for row in range(count)],
        "is_predicted_positive": [bool(item) for item in wrong],
        "is_actual_positive": [False] * count,
        "label_known_at": [_minute(minute) for minute in minutes],
        "segment_channel": [("web", "mail", None)[row % 3] for row in range(count)],
        "fold_id": [fold_id] * count,
    }
    return pa.table(columns, schema=LABELS)


def _minute(number: int) -> datetime:
    return (START + timedelta(minutes=int(number))).replace(tzinfo=None)


def write_reference(models: Path, version: str = "1", error_rate: float = 0.05) -> None:
    """Write reference rows of a version: uniform scores, errors at a rate."""
    random = np.random.default_rng(11)
    count = 4000
    folder = models / MODEL / version
    folder.mkdir(parents=True)
    wrong = np.arange(count) < error_rate * count
    pq.write_table(
        pa.table(
            {
                "score": random.random(count),
                "is_predicted_positive": wrong,
                "is_actual_positive": np.zeros(count, dtype=bool),
                "feature_length": random.normal(50.0, 10.0, count),
                "feature_scheme": random.choice(["a", "b"], count, p=[0.9, 0.1]),
            }
        ),
        folder / "reference.parquet",
    )


def publish_labels(settings: Settings, rows: pa.Table, number: int) -> None:
    """Publish labelled predictions as the warehouse does: a new folder, then the link."""
    folder = settings.published / f"{number:06d}"
    folder.mkdir(parents=True)
    with duckdb.connect(str(folder / "driftnet.duckdb")) as connection:
        connection.register("given", rows)
        connection.execute("create table fct_labelled_predictions as select * from given")
    link = settings.published / ".next"
    link.symlink_to(folder.name)
    link.replace(settings.current)


def messages(scores: Floats, lengths: Floats, first: int = 0, version: str = "1") -> list[bytes]:
    """Return predictions as they stand in the log, one a minute."""
    return [
        Prediction(
            uuid.UUID(int=first + row),
            START + timedelta(minutes=first + row),
            MODEL,
            version,
            float(score),
            {"length": float(length), "scheme": "a"},
        ).to_json()
        for row, (score, length) in enumerate(zip(scores, lengths, strict=True))
    ]


def append(settings: Settings, values: list[bytes]) -> None:
    """Add messages to the log of predictions."""
    LocalLog(settings.log, print).append(settings.predictions_topic, values)
