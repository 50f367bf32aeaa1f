"""What a lander has of the topics: partitions of its own, read, cut into files and linked."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from kafka import OffsetAndMetadata, TopicPartition
from kafka.errors import OffsetOutOfRangeError

from ingest.errors import DriftnetError
from ingest.kafka.member import Member
from ingest.kafka.topics import KafkaTopics
from ingest.landed import chain
from ingest.landed.worker import Chain, Job, LandWorker, Outcome
from ingest.landing import EventKind, Landed
from ingest.log import Gone, Unavailable
from ingest.model import Feature
from ingest.subjects import SubjectStorage

FILE_ROWS: Final = 12_000
FILE_BYTES: Final = 1 << 24
HELD_BYTES: Final = 1 << 26
"""How much may be held in memory before reading pauses."""


@dataclass(frozen=True)
class Landing:
    """What is landed, where and how.

    Parameters
    ----------
    topics
        Names and the contracts of their messages.
    folder
        The landing folder.
    features, clock, storage
        See `ingest.landed.worker.LandWorker`.
    max_age
        Seconds until what was read is landed, however little it is.
    """

    topics: dict[str, EventKind]
    folder: Path
    features: Callable[[], Sequence[Feature]]
    clock: Callable[[], datetime]
    max_age: float = 10.0
    storage: SubjectStorage = "full"


class Share:
    """The partitions of one membership, and what was read of them.

    Parameters
    ----------
    member, topics, worker
        Reads; tells which topic it is; parses and links.
    landing
        What, where and how.
    count
        Is told topic and what was landed of it, file by file.
    tell
        Is given lines for people.
    """

    def __init__(
        self,
        member: Member,
        topics: KafkaTopics,
        worker: LandWorker,
        landing: Landing,
        count: Callable[[str, Landed], object],
        tell: Callable[[str], object],
    ) -> None:
        self._member = member
        self._topics = topics
        self._worker = worker
        self._landing = landing
        self._count = count
        self._tell = tell
        self._chains: dict[TopicPartition, Chain] = {}

    @property
    def size(self) -> int:
        """Return how many partitions there are."""
        return len(self._chains)

    def step(self) -> None:
        """Take up what is new, look at what was linked, give to the worker, read."""
        self._place()
        self._settle(self._worker.outcomes())
        self._cut(self._landing.max_age)
        self._read()

    def is_at_end(self) -> bool:
        """Tell whether all was read that was there when the membership began."""
        return self._member.is_at_end()

    def lag(self) -> int:
        """Return how many offsets were not read yet."""
        return self._member.lag()

    def ends(self) -> dict[TopicPartition, int]:
        """Return where the next file of each partition begins."""
        return {place: held.position for place, held in self._chains.items()}

    def check(self, topics: KafkaTopics) -> None:
        """Refuse topics that were replaced."""
        for source in {(held.topic, held.source_id) for held in self._chains.values()}:
            topics.check(*source)

    def drain(self, patience: float) -> None:
        """Land what was read, in bounded time (seconds).

        Raises
        ------
        Unavailable
            The time was not enough.
        """
        deadline = time.monotonic() + patience
        while self._worker.waiting_count or any(held.rows for held in self._chains.values()):
            if time.monotonic() > deadline:
                raise Unavailable("not all that was read could be landed: the next lander does it")
            self._cut(0.0)
            self._settle(self._worker.outcomes(0.1))

    def let_go(self) -> None:
        """Land nothing more of what was read."""
        for held in self._chains.values():
            held.is_ours = False

    def _place(self) -> None:
        """Take up newly assigned partitions at their chain's end; let go of those taken away."""
        for place in self._member.lost():
            if place in self._chains:
                self._chains.pop(place).is_ours = False
        gained = self._member.gained()
        while gained:
            try:
                self._begin(gained[-1])
            except Unavailable:
                for place in gained:
                    self._member.again(place)
                raise
            gained.pop()

    def _begin(self, place: TopicPartition) -> None:
        source = self._topics.source_id(place.topic)
        if source is None:
            raise DriftnetError(f"topic {place.topic} was deleted: start the lander again")
        folder = chain.partition_folder(self._landing.folder, place.topic, source, place.partition)
        chain.sweep(folder)
        position, end = chain.chain_end(folder), self._member.end_offset(place)
        if position > end:
            raise DriftnetError(
                f"{folder} holds offsets up to {position}, the log of {place.topic} ends at"
                f" {end}: the log was cut or replaced; restore it, or move the topic's folder away"
            )
        if self._member.begin(place, position):
            self._chains[place] = Chain(folder, self._landing.topics[place.topic], position)

    def _read(self) -> None:
        held = sum(held.size for held in self._chains.values()) + self._worker.waiting_bytes
        if held > HELD_BYTES:
            self._member.pause()
            self._settle(self._worker.outcomes(0.2))
        elif held < HELD_BYTES // 2:
            self._member.resume()
        now = time.monotonic()
        try:
            found = self._member.poll(0 if held > HELD_BYTES else 200)
        except OffsetOutOfRangeError as error:
            for place in dict(error.args[0]):
                self._skip(place)
            return
        for place, rows in found.items():
            if place in self._chains:
                self._chains[place].add(rows, now)

    def _skip(self, place: TopicPartition) -> None:
        """Land a gap: what retention took before it was read."""
        held = self._chains.get(place)
        if held is None:
            return
        begin = self._member.begin_offset(place)
        self._give(held, self._member.position(place) or 0)
        if begin <= held.position:
            raise DriftnetError(
                f"the log of {place.topic} p={place.partition} is shorter than what was read of it"
                f" ({held.position}): it was cut; restore it, or move {held.place} away"
            )
        gap = Gone(held.position, begin)
        self._worker.put(Job(held, held.position, begin, [], 0, str(gap)))
        held.position = begin
        self._member.begin(place, begin)
        self._tell(f"GAP in {place.topic} p={place.partition}: {gap}")

    def _cut(self, max_age: float) -> None:
        """Give the worker what is large or old enough, the largest first."""
        now = time.monotonic()
        for place, held in sorted(self._chains.items(), key=lambda pair: -pair[1].size):
            if not self._worker.has_room:
                return
            is_large = len(held.rows) >= FILE_ROWS or held.size >= FILE_BYTES
            if held.rows and (is_large or now - held.since >= max_age):
                self._give(held, self._member.position(place) or 0)

    def _give(self, held: Chain, position: int) -> None:
        if held.rows:
            # behind the last record there may be a hole: what the reader has passed is ours
            next_offset = max(position, held.rows[-1][0] + 1)
            self._worker.put(Job(held, held.position, next_offset, held.rows, held.size))
            held.position, held.rows, held.size = next_offset, [], 0

    def _settle(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            job = outcome.job
            place = TopicPartition(job.chain.topic, job.chain.partition)
            if outcome.landed is not None:
                self._count(place.topic, outcome.landed)
                self._member.hint({place: OffsetAndMetadata(job.next_offset, "", -1)})
            elif self._chains.get(place) is job.chain:
                del self._chains[place]
                self._member.again(place)  # fenced: go on from the chain's end
