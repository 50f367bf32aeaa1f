"""Lands topics of Kafka: one member of a consumer group, or alone to catch up and end.

The group decides who reads what; the chain (`ingest.chain`) decides what lands. So a member that
was frozen, replaced or killed adds no row twice, and the group's offsets are a hint for people.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from kafka import OffsetAndMetadata, TopicPartition
from kafka.errors import OffsetOutOfRangeError

from ingest import chain
from ingest.errors import DriftnetError
from ingest.kafka_client import Kafka, Refused
from ingest.kafka_member import Member
from ingest.kafka_topics import KafkaTopics
from ingest.land_worker import Chain, Job, LandWorker, Outcome
from ingest.landing import EventKind, Landed
from ingest.log import Gone, Unavailable
from ingest.model import Feature
from ingest.progress import Advance, ignore

FILE_ROWS: Final = 12_000
FILE_BYTES: Final = 1 << 24
HELD_BYTES: Final = 1 << 26
"""How much may be held in memory before reading pauses."""

DRAIN: Final = 30.0  # seconds for what was read when asked to end
TELL_EVERY: Final = 10.0  # seconds
JOIN: Final = 60.0  # seconds without a group before the membership is made anew


@dataclass(frozen=True)
class Landing:
    """What is landed, where and how.

    Parameters
    ----------
    topics
        Names and the contracts of their messages.
    folder
        The landing folder.
    features, clock
        See `ingest.land_worker.LandWorker`.
    max_age
        Seconds until what was read is landed, however little it is.
    """

    topics: dict[str, EventKind]
    folder: Path
    features: Callable[[], Sequence[Feature]]
    clock: Callable[[], datetime]
    max_age: float = 10.0


class KafkaLander:
    """Reads, cuts, hands to the worker, commits the hint.

    Parameters
    ----------
    kafka, landing
        From where, to where.
    once
        Catch up with what is there now, then end; without a group.
    is_ending
        Tells that the process was asked to end: what was read is landed, then `run` returns.
    tell
        Is given lines for people: rate and lag, gaps, waiting for Kafka.
    advance
        Is told the rows of each file landed.
    """

    def __init__(
        self,
        kafka: Kafka,
        landing: Landing,
        *,
        once: bool,
        is_ending: Callable[[], bool] = lambda: False,
        tell: Callable[[str], object] = lambda line: None,
        advance: Advance = ignore,
    ) -> None:
        self._kafka = kafka
        self._landing = landing
        self._once = once
        self._is_ending = is_ending
        self._tell = tell
        self._advance = advance
        self._chains: dict[TopicPartition, Chain] = {}
        self._landed = {topic: Landed() for topic in landing.topics}
        self._told_at = time.monotonic()
        self._told_rows = 0

    def run(self) -> dict[str, Landed]:
        """Land until asked to end (or, once, until caught up); return what was landed of each topic.

        Raises
        ------
        DriftnetError
            No hard links; a topic was replaced; a log is shorter than what was landed of it; once:
            Kafka cannot be reached.
        """
        chain.require_links(self._landing.folder)
        topics = self._patiently(self._open)
        if topics is None:
            return self._landed
        landing = self._landing
        with topics:
            self._worker = LandWorker(
                landing.folder, landing.features, topics.check, landing.clock
            )
            try:
                while not self._is_ending():
                    member = self._patiently(self._join)
                    if member is None or self._follow(member, topics):
                        break
            finally:
                self._worker.close(DRAIN)
        return self._landed

    def _open(self) -> KafkaTopics:
        topics = KafkaTopics(self._kafka)
        try:
            topics.make(self._landing.topics)
        except BaseException:
            topics.close()
            raise
        return topics

    def _join(self) -> Member:
        return Member(self._kafka, list(self._landing.topics), once=self._once)

    def _patiently(self, do: Callable[[], Any]) -> Any:
        """Do something that needs Kafka; wait for Kafka when running on; None: asked to end."""
        while not self._is_ending():
            try:
                return do()
            except Refused:
                raise
            except Unavailable as error:
                if self._once:
                    raise
                self._tell(f"waiting: {error}")
                time.sleep(1)
        return None

    def _follow(self, member: Member, topics: KafkaTopics) -> bool:
        """Land as a member; return False when the membership should be made anew."""
        self._chains = {}
        try:
            while not self._is_ending():
                self._place(member, topics)
                self._settle(member, self._worker.outcomes())
                self._cut(member, self._landing.max_age)
                if self._once and member.is_at_end():
                    break
                if member.joining_for() > JOIN:
                    self._tell("the group did not form: joining anew")
                    return False
                self._read(member)
                self._report(member, topics)
            self._drain(member)
            return True
        except Unavailable as error:
            if self._once:
                raise
            self._tell(f"waiting: {error}")
            time.sleep(1)
            return self._is_ending()
        finally:
            for held in self._chains.values():
                held.is_ours = False
            member.close()

    def _place(self, member: Member, topics: KafkaTopics) -> None:
        """Take up newly assigned partitions at their chain's end; let go of those taken away."""
        for place in member.lost():
            if place in self._chains:
                self._chains.pop(place).is_ours = False
        for place in member.gained():
            try:
                source = topics.source_id(place.topic)
            except Unavailable:
                member.again(place)
                if self._once:
                    raise
                continue
            if source is None:
                raise DriftnetError(f"topic {place.topic} was deleted: start the lander again")
            folder = chain.partition_folder(
                self._landing.folder, place.topic, source, place.partition
            )
            chain.sweep(folder)
            position, end = chain.chain_end(folder), member.end_offset(place)
            if end is not None and position > end:
                raise DriftnetError(
                    f"{folder} holds offsets up to {position}, the log of {place.topic} ends at"
                    f" {end}: the log was cut or replaced; restore it, or move the folder away"
                )
            if member.begin(place, position):
                kind = self._landing.topics[place.topic]
                self._chains[place] = Chain(folder, kind, position)

    def _read(self, member: Member) -> None:
        held = sum(part.size for part in self._chains.values()) + self._worker.waiting_bytes
        if held > HELD_BYTES:
            member.pause()
            self._settle(member, self._worker.outcomes(0.2))
        elif held < HELD_BYTES // 2:
            member.resume()
        now = time.monotonic()
        try:
            found = member.poll(0 if held > HELD_BYTES else 200)
        except OffsetOutOfRangeError as error:
            for place in dict(error.args[0]):
                self._skip(member, place)
            return
        for place, rows in found.items():
            if place in self._chains:
                self._chains[place].add(rows, now)

    def _skip(self, member: Member, place: TopicPartition) -> None:
        """Land a gap: what retention took before it was read."""
        held = self._chains.get(place)
        if held is None:
            return
        begin = member.begin_offset(place)
        self._give(held, member.position(place) or held.position)
        if begin <= held.position:
            raise DriftnetError(
                f"the log of {place.topic} p={place.partition} is shorter than what was read of it"
                f" ({held.position}): it was cut; restore it, or move {held.place} away"
            )
        gap = Gone(held.position, begin)
        self._worker.put(Job(held, held.position, begin, [], 0, str(gap)))
        held.position = begin
        member.begin(place, begin)
        self._tell(f"GAP in {place.topic} p={place.partition}: {gap}")

    def _cut(self, member: Member, max_age: float) -> None:
        """Give the worker what is large or old enough, the largest first."""
        now = time.monotonic()
        for place, held in sorted(self._chains.items(), key=lambda pair: -pair[1].size):
            if not self._worker.has_room:
                return
            is_large = len(held.rows) >= FILE_ROWS or held.size >= FILE_BYTES
            if held.rows and (is_large or now - held.since >= max_age):
                self._give(held, member.position(place) or 0)

    def _give(self, held: Chain, position: int) -> None:
        if held.rows:
            # behind the last record there may be a hole: what the reader has passed belongs to us
            next_offset = max(position, held.rows[-1][0] + 1)
            self._worker.put(Job(held, held.position, next_offset, held.rows, held.size))
            held.position, held.rows, held.size = next_offset, [], 0

    def _settle(self, member: Member, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            job = outcome.job
            place = TopicPartition(job.chain.topic, int(job.chain.place.name.removeprefix("p=")))
            if outcome.landed is not None:
                self._landed[place.topic] += outcome.landed
                self._advance(outcome.landed.row_count)
                member.hint({place: OffsetAndMetadata(job.next_offset, "", -1)})
            elif self._chains.get(place) is job.chain:
                del self._chains[place]
                member.again(place)  # fenced: go on from the chain's end

    def _drain(self, member: Member) -> None:
        """Land what was read, in bounded time."""
        deadline = time.monotonic() + DRAIN
        while self._worker.waiting_count or any(part.rows for part in self._chains.values()):
            if time.monotonic() > deadline:
                raise Unavailable("not all that was read could be landed: the next lander does it")
            self._cut(member, 0.0)
            self._settle(member, self._worker.outcomes(0.1))

    def _report(self, member: Member, topics: KafkaTopics) -> None:
        now = time.monotonic()
        if now - self._told_at < TELL_EVERY:
            return
        rows = sum(landed.row_count for landed in self._landed.values())
        bad = sum(landed.error_count for landed in self._landed.values())
        rate = (rows - self._told_rows) / (now - self._told_at)
        self._told_at, self._told_rows = now, rows
        self._tell(
            f"{rate:,.0f} messages/s, {rows:,} landed ({bad:,} bad), lag {member.lag():,}"
            f" in {len(self._chains)} partitions"
        )
        with suppress(Unavailable):
            for part in list(self._chains.values()):
                topics.check(part.topic, part.source_id)


