"""The thread of a lander that parses and links, while another reads the log.

DuckDB and the disk work without Python's lock, so reading goes on beside. What was read waits in a
`Chain`, one per assigned partition, and is cut into files by size or age.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from ingest.engine import connect
from ingest.landed import chain
from ingest.landed.sql import landing_sql
from ingest.landing import FIELDS, EventKind, Landed, land_batch, rows_table
from ingest.log import Unavailable
from ingest.model import Feature
from ingest.subjects import SubjectStorage

DEPTH: Final = 2
"""How many files may wait for the thread."""

RETRY: Final = 0.5
"""Seconds until Kafka is asked again."""


@dataclass(eq=False)
class Chain:
    """What was read of one partition, for as long as it is ours.

    Parameters
    ----------
    place
        The folder of the chain.
    kind
        Which contract its messages have.
    position
        Where the next file begins.
    is_ours
        False once it was taken from us, or a link of ours was fenced: nothing more is written.
    """

    place: Path
    kind: EventKind
    position: int
    rows: list[Any] = field(default_factory=list)
    size: int = 0
    since: float = 0.0
    is_ours: bool = True

    @property
    def topic(self) -> str:
        """Return the topic."""
        return self.place.parent.parent.name

    @property
    def source_id(self) -> str:
        """Return the incarnation of the topic."""
        return self.place.parent.name

    @property
    def partition(self) -> int:
        """Return the partition."""
        return int(self.place.name.removeprefix("p="))

    def add(self, rows: Sequence[Any], now: float) -> int:
        """Keep rows (offset, value, refusal); return their bytes."""
        if not self.rows:
            self.since = now
        self.rows.extend(rows)
        size = sum([len(row[1]) for row in rows if row[1] is not None])
        self.size += size
        return size


@dataclass(frozen=True)
class Job:
    """One file to be: what a chain held from `position` up to `next_offset`."""

    chain: Chain
    position: int
    next_offset: int
    rows: Sequence[Any]
    size: int
    reason: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of a job; nothing landed when the chain was not ours any more."""

    job: Job
    landed: Landed | None


class LandWorker:
    """A thread that takes jobs in order and links their files.

    Parameters
    ----------
    folder
        The landing folder.
    features
        Gives the registered ones; asked again now and then, so that a new model gets columns.
    check
        Is given topic and source before each link; raises when the topic is another, and
        `Unavailable` when that cannot be told now (then it is asked again).
    clock
        Gives now, aware.
    storage
        What is kept of subjects.
    """

    def __init__(
        self,
        folder: Path,
        features: Callable[[], Sequence[Feature]],
        check: Callable[[str, str], object],
        clock: Callable[[], datetime],
        storage: SubjectStorage = "full",
        memory_limit: str = "1GB",
    ) -> None:
        self._folder = folder
        self._features = features
        self._check = check
        self._clock = clock
        self._storage: SubjectStorage = storage
        self._memory_limit = memory_limit
        self._jobs: queue.Queue[Job | None] = queue.Queue()
        self._outcomes: queue.Queue[Outcome | BaseException] = queue.Queue()
        self._known: Sequence[Feature] = ()
        self._known_at = -1e9
        self._given_up = threading.Event()
        self.waiting_count = 0
        self.waiting_bytes = 0
        self._thread = threading.Thread(target=self._run, name="land", daemon=True)
        self._thread.start()

    @property
    def has_room(self) -> bool:
        """Tell whether another job may be given."""
        return self.waiting_count < DEPTH

    def put(self, job: Job) -> None:
        """Give a job."""
        self.waiting_count += 1
        self.waiting_bytes += job.size
        self._jobs.put(job)

    def outcomes(self, patience: float = 0.0) -> list[Outcome]:
        """Return what was done since the last call; wait at most `patience` seconds for a first.

        Raises
        ------
        DriftnetError
            What ended the thread.
        """
        found: list[Outcome] = []
        while True:
            try:
                outcome = self._outcomes.get(block=patience > 0, timeout=patience or None)
            except queue.Empty:
                return found
            if isinstance(outcome, BaseException):
                raise outcome
            patience = 0.0
            self.waiting_count -= 1
            self.waiting_bytes -= outcome.job.size
            found.append(outcome)

    def close(self, patience: float) -> None:
        """End the thread: at most `patience` seconds for the job at hand, then give up on it."""
        self._jobs.put(None)
        self._thread.join(patience)
        self._given_up.set()
        self._thread.join(5 * RETRY)

    def _run(self) -> None:
        try:
            with connect(self._folder, 1, self._memory_limit) as connection:
                while (job := self._jobs.get()) is not None:
                    landed = self._land(connection, job) if job.chain.is_ours else None
                    self._outcomes.put(Outcome(job, landed))
        except BaseException as error:  # told to the thread that asks for outcomes
            self._outcomes.put(error)

    def _land(self, connection: Any, job: Job) -> Landed | None:
        now = time.monotonic()
        if now - self._known_at > 30:
            self._known, self._known_at = self._features(), now
        sql = landing_sql(FIELDS[job.chain.kind], self._known, self._clock(), self._storage)
        try:
            return land_batch(
                connection,
                job.chain.place,
                job.position,
                job.next_offset,
                rows_table(job.rows),
                sql,
                job.reason,
                lambda: self._patiently_check(job.chain),
            )
        except chain.Fenced:
            job.chain.is_ours = False
            return None

    def _patiently_check(self, held: Chain) -> None:
        while True:
            try:
                self._check(held.topic, held.source_id)
                return
            except Unavailable:
                if self._given_up.wait(RETRY):
                    raise
