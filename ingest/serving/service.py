"""The API without HTTP: score, write to the event log, answer once the log has it.

An answer means that the event is durable. Where the log does not acknowledge in time, the caller is
told so (503) with the event ids to retry with: the first try may have been written or not.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic, perf_counter
from uuid import UUID, uuid4

from ingest.card import Card
from ingest.champions import Champions, Tell
from ingest.errors import DriftnetError, InputError
from ingest.events import LABEL_FIELDS, Label, Prediction, parse_label
from ingest.landed.reading import READERS
from ingest.log import AsyncAppender, Topics
from ingest.serving.batching import Batching, Judged
from ingest.serving.limits import Limits
from ingest.serving.metrics import Metrics
from ingest.serving.problems import Problem
from ingest.serving.shapes import LabelRequest, PredictionRequest
from ingest.subjects import SubjectStorage, kept

MEMORY_SECONDS = 30.0
"""How long a failure of the log makes the server not ready, when nothing was acknowledged since."""

Answer = dict[str, object]

_LABELLED_AT = next(field for field in LABEL_FIELDS if field.name == "labelled_at")


@dataclass
class Health:
    """Whether requests should come here.

    Parameters
    ----------
    is_draining
        The server is about to end.
    failed_at
        Time (monotonic) of the last failure of the log that no success followed; None: all well.
    """

    is_draining: bool = False
    failed_at: float | None = None

    def trouble(self) -> str | None:
        """Return why requests should go elsewhere; None when they should not."""
        if self.is_draining:
            return "the server is ending"
        if self.failed_at is not None and monotonic() - self.failed_at < MEMORY_SECONDS:
            return "the event log did not acknowledge: see that it runs and has space"
        return None


class Service:
    """Scores with the champion and logs what it said.

    Parameters
    ----------
    champions
        Who scores.
    log, topics
        Where events go.
    limits
        How long the log may take.
    metrics
        What is counted.
    clock
        The time in UTC.
    tell
        Is told of ``log_failed``.
    storage
        What is kept of what was scored.
    """

    def __init__(
        self,
        champions: Champions,
        log: AsyncAppender,
        topics: Topics,
        limits: Limits,
        metrics: Metrics,
        clock: Callable[[], datetime],
        tell: Tell,
        storage: SubjectStorage = "full",
    ) -> None:
        self.champions = champions
        self.health = Health()
        self._log = log
        self._topics = topics
        self._limits = limits
        self._metrics = metrics
        self._clock = clock
        self._tell = tell
        self._storage = storage
        self._batching = Batching()

    async def predict(self, requests: Sequence[PredictionRequest]) -> list[Answer]:
        """Score, log, and return an answer for each request once all are durable."""
        began = perf_counter()
        now = self._clock()
        scorer = self.champions.current.scorer
        judged = await self._batching.score(scorer, [request.subject for request in requests])
        took = perf_counter() - began
        self._metrics.items.labels("/predict").observe(len(requests))
        self._metrics.score_seconds.observe(took)
        ids = [UUID(r.event_id) if r.event_id else uuid4() for r in requests]
        messages = [
            _prediction(
                request, one, id_, scorer.card, now, took, kept(request.subject, self._storage)
            ).to_json()
            for request, one, id_ in zip(requests, judged, ids, strict=True)
        ]
        await self._append(self._topics.predictions, messages, ids)
        answers = [_answer(one, id_, scorer.card) for one, id_ in zip(judged, ids, strict=True)]
        counts = self._metrics.predictions
        positive = sum(one.is_positive for one in judged)
        counts.labels(scorer.card.version, "positive").inc(positive)
        counts.labels(scorer.card.version, "negative").inc(len(judged) - positive)
        return answers

    async def label(self, requests: Sequence[LabelRequest]) -> int:
        """Log the labels and return their number once all are durable."""
        now = self._clock()
        messages = [self._label(request, now, place) for place, request in enumerate(requests)]
        self._metrics.items.labels("/labels").observe(len(requests))
        await self._append(
            self._topics.labels, messages, [UUID(request.event_id) for request in requests]
        )
        self._metrics.labels.inc(len(messages))
        return len(messages)

    async def close(self) -> None:
        """Wait for what the log is about to acknowledge, then end."""
        await self._log.close()

    def _label(self, request: LabelRequest, now: datetime, place: int) -> bytes:
        try:
            moment = request.labelled_at
            message = Label(
                UUID(request.event_id),
                request.model_name or self.champions.name,
                now if moment is None else READERS["time"](_LABELLED_AT, moment),
                request.is_actual_positive,
                request.label_source,
            ).to_json()
            parse_label(message, now)
        except InputError as error:
            told = [{"pointer": "", "detail": f"label {place + 1}: {error}"}]
            raise Problem(422, told[0]["detail"], errors=told) from None
        return message

    async def _append(self, topic: str, messages: list[bytes], ids: Sequence[UUID]) -> None:
        began = perf_counter()
        try:
            async with asyncio.timeout(self._limits.acknowledge_seconds):
                await self._log.append(topic, messages)
        except (DriftnetError, TimeoutError) as error:
            self._metrics.log_failures.inc()
            self.health.failed_at = monotonic()
            why = str(error) or f"nothing came in {self._limits.acknowledge_seconds:g} s"
            self._tell("log_failed", topic=topic, events=len(messages), reason=why)
            raise Problem(
                503,
                "the event log did not acknowledge: retry with these event ids",
                {"Retry-After": "1"},
                event_ids=[str(id_) for id_ in ids],
            ) from None
        self.health.failed_at = None
        self._metrics.log_seconds.observe(perf_counter() - began)


def _prediction(
    request: PredictionRequest,
    judged: Judged,
    event_id: UUID,
    card: Card,
    now: datetime,
    took: float,
    subject: str | None,
) -> Prediction:
    return Prediction(
        event_id=event_id,
        occurred_at=now,
        model_name=card.name,
        model_version=card.version,
        score=judged.score,
        features=judged.features,
        threshold=card.threshold,
        embedding=judged.embedding,
        channel=request.channel,
        subject=subject,
        cluster=judged.cluster,
        latency_ms=round(took * 1e3, 3),
    )


def _answer(judged: Judged, event_id: UUID, card: Card) -> Answer:
    return {
        "event_id": str(event_id),
        "model_name": card.name,
        "model_version": card.version,
        "score": judged.score,
        "threshold": card.threshold,
        "is_predicted_positive": judged.is_positive,
    }
