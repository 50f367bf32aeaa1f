"""A small home with a model that can serve, an API over it, and what its log holds."""

import asyncio
import dataclasses
import json
import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq

from ingest import model
from ingest.api import create_app
from ingest.champions import Champions
from ingest.local.appender import LocalAppender
from ingest.local.log import LocalLog
from ingest.log import AsyncAppender, Topics
from ingest.scorer import SUBJECT
from ingest.serving.keys import Keys
from ingest.serving.limits import Limits
from ingest.serving.metrics import Metrics
from ingest.serving.parts import Parts
from ingest.serving.service import Service
from ingest.subjects import SubjectStorage
from ingest.synthesize import synthesize
from retrain.train import train_initial

NAME = "urls"
TOPICS = Topics("phishing_logs", "phishing_labels")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ONE = {"url": "https://login.example.com/verify?id=1"}


def make_models(folder: Path) -> Path:
    """Train a small first champion."""
    made = synthesize(folder, 3, weeks=4, calm_weeks=4, events_per_week=500, drifts=())
    train_initial(made.events, made.end, folder / "models", NAME, 3, lambda: NOW)
    return folder / "models"


def add_version(models: Path, version: str, threshold: float) -> None:
    """Add the first version again, under another number and with another threshold."""
    known = model.load(models, NAME, "1")
    rows = pq.read_table(models / NAME / "1" / "reference.parquet")
    rows = rows.drop(["model_name", "model_version", "is_predicted_positive"])
    card = dataclasses.replace(known.card, version=version, threshold=threshold)
    model.save(models, card, known.features, rows, known.estimator, known.embedding)


def add_broken_version(models: Path, version: str) -> None:
    """Promote a version whose estimator was changed after it was checked."""
    add_version(models, version, 0.5)
    model.promote(models, NAME, version)
    (models / NAME / version / "model.skops").write_bytes(b"changed")


@dataclass
class Told:
    """Keeps what was told."""

    events: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def __call__(self, event: str, **fields: object) -> None:
        """Keep one."""
        self.events.append((event, fields))

    def names(self) -> list[str]:
        """Return the names in order."""
        return [name for name, _ in self.events]


@dataclass
class Api:
    """An API in this process, over a home."""

    home: Path
    keys: Sequence[str] = ()
    limits: Limits = dataclasses.field(default_factory=Limits)
    log: AsyncAppender | None = None
    clock: Callable[[], datetime] = lambda: NOW
    told: Told = field(default_factory=Told)
    metrics: Metrics = field(default_factory=Metrics)
    storage: SubjectStorage = "full"

    def __post_init__(self) -> None:
        self.champions = Champions(
            self.home / "models", NAME, self.clock, self.told, look_seconds=0.01, again_seconds=0.0
        )
        log = self.log or LocalAppender(self.kept)
        self.service = Service(
            self.champions,
            log,
            TOPICS,
            self.limits,
            self.metrics,
            self.clock,
            self.told,
            self.storage,
        )
        self.app = create_app(
            Parts(self.service, SUBJECT, Keys(self.keys), self.limits, self.metrics, "0")
        )

    @property
    def kept(self) -> LocalLog:
        return LocalLog(self.home / "log", lambda text: None)

    def run(self, work: Callable[[httpx.AsyncClient], Awaitable[Any]]) -> Any:
        """Do some work with a client, on a loop of its own."""

        async def inner() -> Any:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
                return await work(client)

        return asyncio.run(inner())

    def ask(self, method: str, path: str, **words: Any) -> httpx.Response:
        """Send one request."""

        async def work(client: httpx.AsyncClient) -> httpx.Response:
            return await client.request(method, path, **words)

        answer: httpx.Response = self.run(work)
        return answer

    def events(self, topic: str = TOPICS.predictions) -> list[dict[str, Any]]:
        """Return what the log holds."""
        return events(self.home, topic)

    def count(self, name: str, **labels: str) -> float:
        """Return a counter."""
        return self.metrics.registry.get_sample_value(f"driftnet_api_{name}", labels) or 0.0


def events(home: Path, topic: str = TOPICS.predictions) -> list[dict[str, Any]]:
    """Return what the log of a home holds."""
    log = LocalLog(home / "log", lambda text: None)
    found: list[dict[str, Any]] = []
    offset = 0
    while records := log.read(topic, 0, offset, 1 << 22):
        found += [json.loads(record.value or b"") for record in records]
        offset = records[-1].next_offset
    return found


def copy_home(models: Path, home: Path) -> Path:
    """Give a test a home of its own."""
    home.mkdir(parents=True, exist_ok=True)
    shutil.copytree(models, home / "models")
    return home
