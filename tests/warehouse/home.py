"""A small home with a model of four features, fed through the real log, landing and dbt."""

import os
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from ingest import model as models
from ingest.card import Card, Feature
from ingest.events import Label, Prediction
from ingest.landing import EventKind, land
from ingest.local.log import LocalLog

CHECKOUT = Path(__file__).resolve().parents[2]
BEGIN = datetime(2024, 4, 1, tzinfo=UTC)
FEATURES = (
    Feature("amount", "numeric", "m", "A length."),
    Feature("item_count", "numeric", "count", "A small count."),
    Feature("is_new", "boolean", "", "A flag."),
    Feature("kind", "categorical", "", "One of many."),
)
# What tells when and by which run a row was made, not what it says.
VOLATILE = {"computed_at", "invocation_id", "folded_at", "landed_at"}


def draw(
    rng: np.random.Generator, count: int, begin: datetime, days: int, shift: float = 0.0
) -> list[dict[str, Any]]:
    """Return events as plain rows, in order of time."""
    seconds = np.sort(rng.integers(0, days * 86_400, count))
    return [
        {
            "event_id": uuid.UUID(bytes=rng.bytes(16), version=4),
            "occurred_at": begin + timedelta(seconds=int(second)),
            "score": float(rng.beta(2, 5)),
            "features": {
                "amount": None if rng.random() < 0.03 else float(rng.lognormal(shift)),
                "item_count": float(rng.poisson(1.5)),
                "is_new": bool(rng.random() < 0.1),
                "kind": str(min(rng.zipf(1.6), 400)),
            },
        }
        for second in seconds
    ]


@dataclass
class Home:
    """A home folder, and what a test does to it."""

    path: Path

    def register(
        self,
        name: str,
        rows: Sequence[Mapping[str, Any]],
        version: str = "1",
        truths: Sequence[bool] | None = None,
    ) -> None:
        """Write the folder of an external model whose reference are these rows."""
        table = {
            "event_id": [str(row["event_id"]) for row in rows],
            "occurred_at": [row["occurred_at"].replace(tzinfo=None) for row in rows],
            "score": [row["score"] for row in rows],
        }
        for feature in FEATURES:
            table[f"feature_{feature.name}"] = [row["features"][feature.name] for row in rows]
        if truths is not None:
            table["is_actual_positive"] = list(truths)
        dimension = len(rows[0].get("embedding", ()))
        if dimension:
            table["embedding"] = pa.array(
                [row["embedding"] for row in rows], pa.list_(pa.float32())
            )
        card = Card(
            name=name,
            version=version,
            kind="external",
            threshold=0.5,
            created_at=BEGIN,
            embedding_dimension=dimension,
        )
        models.save(self.path / "models", card, FEATURES, pa.table(table))

    def send(self, name: str, rows: Sequence[Mapping[str, Any]], version: str = "1") -> None:
        """Append predictions to the log."""
        self._log().append(
            "phishing_logs",
            [
                Prediction(model_name=name, model_version=version, threshold=0.5, **row).to_json()
                for row in rows
            ],
        )

    def send_raw(self, *messages: bytes) -> None:
        """Append messages to the predictions topic as they are."""
        self._log().append("phishing_logs", messages)

    def label(self, name: str, rows: Sequence[Mapping[str, Any]], is_positive: bool) -> None:
        """Append a label of each row, one day after the event."""
        self._log().append(
            "phishing_labels",
            [
                Label(
                    event_id=row["event_id"],
                    model_name=name,
                    labelled_at=row["occurred_at"] + timedelta(days=1),
                    is_actual_positive=is_positive,
                ).to_json()
                for row in rows
            ],
        )

    def append_labels(self, messages: Sequence[bytes]) -> None:
        """Append messages to the labels topic as they are."""
        self._log().append("phishing_labels", messages)

    def land(self, batch_bytes: int = 64 << 20) -> None:
        """Land both topics, in files of about so many bytes of messages."""
        features = models.registered_features(self.path / "models")
        kinds: dict[str, EventKind] = {"phishing_logs": "prediction", "phishing_labels": "label"}
        for topic, kind in kinds.items():
            land(
                self._log(),
                topic,
                kind,
                self.path / "landing",
                features,
                lambda: datetime.now(UTC),
                batch_bytes,
            )

    def command(self, *options: str, is_quiet: bool = True) -> list[str]:
        """Return the command line of a plain dbt build."""
        return [
            *(str(Path(sys.executable).with_name("dbt")), "--no-use-colors", "build"),
            *(["--quiet"] if is_quiet else []),
            *("--project-dir", "dbt_project", "--profiles-dir", "."),
            *("--exclude-resource-type", "unit_test"),
            *("--target-path", str(self.path / "target"), "--log-path", str(self.path / "logs")),
            *options,
        ]

    def build(self, *options: str) -> None:
        """Run dbt as a user would, without any wrapper."""
        run = subprocess.run(
            self.command(*options),
            env={**os.environ, "DRIFTNET_HOME": str(self.path)},
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stdout + run.stderr

    def refusal(self, *options: str) -> str:
        """Return what a build says that must not succeed."""
        with pytest.raises(AssertionError) as refused:
            self.build(*options)
        return " ".join(str(refused.value).split())

    def driftnet(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run the command line in this home."""
        return subprocess.run(
            [str(Path(sys.executable).with_name("driftnet")), *words],
            env={**os.environ, "DRIFTNET_HOME": str(self.path)},
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
        )

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the warehouse."""
        with duckdb.connect(
            str(self.path / "warehouse" / "driftnet.duckdb"), read_only=True
        ) as warehouse:
            return warehouse.execute(sql).fetchall()

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        """Return all rows of a table in one order, without volatile columns."""
        columns = [name for name, *_ in self.query(f"describe {table}") if name not in VOLATILE]
        return self.query(f"select {', '.join(columns)} from {table} order by all")

    def _log(self) -> LocalLog:
        return LocalLog(self.path / "log", lambda text: None)
