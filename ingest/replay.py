"""Replay a file of past URLs through scorer and log, as if they had arrived.

A replay plays the time from `from_` to `until`: the events that occurred in it, scored by the model
of today, and the labels that became known in it. Each event is written once, in order of time; a
label follows the events of its time. A label that becomes known later than the end of the
replay is *pending*: by the clock of the replay nobody knows it yet. The next replay, from that end
on, writes it when it is given `labels_from`, the time at which the first replay began. So a
file played month by month gives the same events and labels as the file played at once.

Events have no `latency_ms`: scoring in batches says nothing of how long one takes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from ingest.errors import InputError
from ingest.event_file import EventFile, naive, open_events, read_events, read_labels
from ingest.event_sql import Delay
from ingest.events import Label, Prediction
from ingest.log import EventLog
from ingest.progress import Advance, ignore
from ingest.scorer import Scorer
from ingest.subjects import SubjectStorage, kept

BATCH = 5_000  # events; also one sync of the log
CHANNEL_LENGTH = 200


@dataclass(frozen=True)
class Topics:
    """Names of the two topics."""

    predictions: str = "phishing_logs"
    labels: str = "phishing_labels"


@dataclass(frozen=True)
class Replayed:
    """What a replay did.

    Parameters
    ----------
    prediction_count, label_count
        Events written.
    pending_label_count
        Labels of these events that become known only after the replayed time.
    first_at, newest_at
        Times of the first and the last event, aware, UTC.
    """

    prediction_count: int
    label_count: int
    pending_label_count: int
    first_at: datetime
    newest_at: datetime


def replay(
    path: Path,
    scorer: Scorer,
    log: EventLog,
    topics: Topics,
    *,
    from_: datetime | None,
    until: datetime | None,
    seed: int,
    clock: Callable[[], datetime],
    labels_from: datetime | None = None,
    delay: Delay | None = None,
    batch: int = BATCH,
    advance: Advance = ignore,
    storage: SubjectStorage = "full",
) -> Replayed:
    """Write the events of a file, and their labels, to the log.

    Parameters
    ----------
    path
        Parquet or CSV, see `ingest.event_file`.
    scorer
        The model.
    log, topics
        Where to.
    from_, until
        The time to replay: from `from_` on, before `until`; None: all that the file has.
    seed
        Of drawn label delays; not used when the file says when labels became known.
    clock
        Tells the time; events in the file after it are refused, labels after it are pending.
    labels_from
        Labels of events since then are written too, when they become known in the replayed time;
        None: of the replayed events alone.
    delay
        Of drawn label delays; None is `Delay()`.
    batch
        Events scored, written and synced at once.
    advance
        Is called with the number of predictions written.
    storage
        What is kept of each URL.

    Raises
    ------
    InputError
        The file cannot be used, or has no event in the replayed time.
    """
    now = clock()
    file = open_events(path, now)
    end = min(until or file.newest_at + timedelta(microseconds=1), now)
    start, stop = from_ and naive(from_), naive(end)
    known = _Labels(file, labels_from or from_, end, seed, delay or Delay(), scorer.card.name)
    count = label_count = 0
    first = newest = None
    for events in read_events(file, from_, end, batch):
        moments = events.column("occurred_at").to_pylist()
        first, newest = first or moments[0], moments[-1]
        log.append(topics.predictions, _predictions(events, file, scorer, storage))
        label_count += known.append(log, topics.labels, start, newest, batch)
        count += len(moments)
        advance(len(moments))
    if first is None or newest is None:
        raise InputError(
            f"{path.name} has no event in the time to replay: it holds "
            f"{file.first_at:%Y-%m-%d} to {file.newest_at:%Y-%m-%d}"
        )
    label_count += known.append(log, topics.labels, start, stop, batch)
    return Replayed(
        count,
        label_count,
        known.pending(),
        first.replace(tzinfo=UTC),
        newest.replace(tzinfo=UTC),
    )


def _predictions(
    events: pa.RecordBatch, file: EventFile, scorer: Scorer, storage: SubjectStorage
) -> list[bytes]:
    urls = events.column("url").to_pylist()
    channels = events.column("channel").to_pylist()
    scores = scorer.score(urls)
    card = scorer.card
    embedding = scores.embedding.tolist()
    return [
        Prediction(
            event_id=file.event_id(row),
            occurred_at=moment.replace(tzinfo=UTC),
            model_name=card.name,
            model_version=card.version,
            score=score,
            features=scores.features[place],
            threshold=card.threshold,
            embedding=embedding[place],
            channel=(channels[place] or "")[:CHANNEL_LENGTH] or None,
            subject=kept(urls[place], storage),
            cluster=scores.cluster[place],
        ).to_json()
        for place, (row, moment, score) in enumerate(
            zip(
                events.column("row").to_pylist(),
                events.column("occurred_at").to_pylist(),
                scores.score.tolist(),
                strict=True,
            )
        )
    ]


class _Labels:
    """The labels of a file in the order in which they became known, taken up to a time."""

    def __init__(
        self,
        file: EventFile,
        from_: datetime | None,
        end: datetime,
        seed: int,
        delay: Delay,
        model_name: str,
    ) -> None:
        self._file = file
        self._model_name = model_name
        self._rows = _rows(read_labels(file, from_, end, seed, delay))
        self._next = next(self._rows, None)

    def append(
        self, log: EventLog, topic: str, since: datetime | None, before: datetime, batch: int
    ) -> int:
        """Write the labels known from `since` on and before `before`; return how many."""
        count = 0
        found: list[bytes] = []
        while self._next is not None and self._next[1] < before:
            row, moment, truth = self._next
            if since is None or moment >= since:
                label = Label(
                    self._file.event_id(row), self._model_name, moment.replace(tzinfo=UTC), truth
                )
                found.append(label.to_json())
                count += 1
            if len(found) == batch:
                log.append(topic, found)
                found = []
            self._next = next(self._rows, None)
        if found:
            log.append(topic, found)
        return count

    def pending(self) -> int:
        """Return how many labels are left."""
        left = 0 if self._next is None else 1
        return left + sum(1 for _ in self._rows)


def _rows(batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[int, datetime, bool]]:
    for batch in batches:
        columns: list[list[Any]] = [column.to_pylist() for column in batch.columns]
        yield from zip(*columns, strict=True)
