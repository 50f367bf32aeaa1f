"""Lands topics of Kafka: one member of a consumer group, or alone to catch up and end.

The group decides who reads what; the chain (`ingest.landed.chain`) decides what lands. So a member
that was frozen, replaced or killed adds no row twice; the group's offsets are a hint for people.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeVar

from ingest.kafka.client import Kafka
from ingest.kafka.member import Member
from ingest.kafka.share import Landing, Share
from ingest.kafka.topics import KafkaTopics
from ingest.landed import chain
from ingest.landed.worker import LandWorker
from ingest.landing import Landed
from ingest.log import Refused, Unavailable
from ingest.progress import Advance, ignore

DRAIN: Final = 30.0  # seconds for what was read when asked to end
TELL_EVERY: Final = 10.0  # seconds
JOIN: Final = 60.0  # seconds without a group before the membership is made anew

Found = TypeVar("Found")


class KafkaLander:
    """Keeps a membership while it is wanted, and says how it goes.

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
        self._landed = {topic: Landed() for topic in landing.topics}
        self._told_at = time.monotonic()
        self._told_rows = 0

    def run(self) -> dict[str, Landed]:
        """Land until asked to end, or until caught up; return what was landed of each topic.

        Raises
        ------
        DriftnetError
            No hard links; a topic was replaced; a log is shorter than what was landed of it; once:
            Kafka cannot be reached.
        """
        landing = self._landing
        chain.require_links(landing.folder)
        topics = self._patiently(self._open)
        if topics is None:
            return self._landed
        with topics:
            worker = LandWorker(
                landing.folder, landing.features, topics.check, landing.clock, landing.storage
            )
            try:
                while not self._is_ending():
                    member = self._patiently(self._join)
                    if member is None or self._follow(member, topics, worker):
                        break
            finally:
                worker.close(DRAIN)
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

    def _patiently(self, do: Callable[[], Found]) -> Found | None:
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

    def _follow(self, member: Member, topics: KafkaTopics, worker: LandWorker) -> bool:
        """Land as a member; return False when the membership should be made anew."""
        share = Share(member, topics, worker, self._landing, self._count, self._tell)
        try:
            while not self._is_ending():
                share.step()
                self._report(share, topics)
                if self._once and share.is_at_end():
                    break
                if member.joining_for() > JOIN:
                    self._tell("the group did not form: joining anew")
                    return False
            share.drain(DRAIN)
            if self._once:
                topics.hint(self._kafka.group, share.ends())
            return True
        except Unavailable as error:
            if self._once:
                raise
            self._tell(f"waiting: {error}")
            time.sleep(1)
            return self._is_ending()
        finally:
            share.let_go()
            member.close()

    def _count(self, topic: str, landed: Landed) -> None:
        self._landed[topic] += landed
        self._advance(landed.row_count)

    def _report(self, share: Share, topics: KafkaTopics) -> None:
        now = time.monotonic()
        if now - self._told_at < TELL_EVERY:
            return
        rows = sum(landed.row_count for landed in self._landed.values())
        bad = sum(landed.error_count for landed in self._landed.values())
        rate = (rows - self._told_rows) / (now - self._told_at)
        self._told_at, self._told_rows = now, rows
        self._tell(
            f"{rate:,.0f} messages/s, {rows:,} landed ({bad:,} bad), lag {share.lag():,}"
            f" in {share.size} partitions"
        )
        with suppress(Unavailable):  # a replaced topic is found even when nothing comes of it
            share.check(topics)
