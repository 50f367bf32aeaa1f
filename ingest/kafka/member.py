"""A reader of Kafka: a member of a consumer group, or one that reads every partition by itself.

The callbacks of the group run in the client's own thread, which also keeps the membership alive:
they only take notes (`gained`, `lost`) and pause; the lander does the work between two polls.
"""

import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Final

from kafka import ConsumerRebalanceListener, KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.errors import (
    AuthorizationError,
    CorruptRecordError,
    IllegalStateError,
    KafkaError,
    LogTruncationError,
    OffsetOutOfRangeError,
)

from ingest.errors import DriftnetError
from ingest.kafka.client import Kafka, explained, opened
from ingest.kafka.records import Row, bound
from ingest.log import Unavailable

CLOSE_MS: Final = 5_000
FETCH_BYTES: Final = 1 << 22


class Member(ConsumerRebalanceListener):  # type: ignore[misc]
    """What the lander asks of the client.

    Parameters
    ----------
    kafka
        Where.
    topics
        Which.
    once
        Read every partition by itself, up to the end that each has now.
    """

    def __init__(self, kafka: Kafka, topics: list[str], *, once: bool) -> None:
        self._kafka = kafka
        self._once = once
        self._gained: list[TopicPartition] = []
        self._lost: list[TopicPartition] = []
        self._placed: set[TopicPartition] = set()
        self._ends: dict[TopicPartition, int] = {}
        self._lock = threading.Lock()
        self._is_paused = False
        self._joined_at = time.monotonic()
        self._consumer = bound(
            opened(
                kafka,
                KafkaConsumer,
                group_id=None if once else kafka.group,
                enable_auto_commit=False,
                auto_offset_reset="none",
                isolation_level="read_committed",
                partition_assignment_strategy=(CooperativeStickyAssignor,),
                session_timeout_ms=kafka.session_ms,
                heartbeat_interval_ms=kafka.session_ms // 5,
                max_poll_interval_ms=300_000,
                max_partition_fetch_bytes=FETCH_BYTES,
                max_poll_records=5_000,
                metrics_enabled=False,
            )
        )
        with explained(kafka):
            if not once:
                self._consumer.subscribe(topics, listener=self)
                return
            places = [
                TopicPartition(topic, partition)
                for topic in topics
                for partition in self._consumer.partitions_for_topic(topic)
            ]
            self._consumer.assign(places)
            self._ends = self._consumer.end_offsets(places)
            self.on_partitions_assigned(places)

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Note what was given; nothing is read of it until `begin`."""
        for place in assigned:
            self._consumer.pause(place)
            self._consumer.seek(place, 0)
            with self._lock:
                self._gained.append(place)

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Note what was taken."""
        with self._lock:
            self._lost += revoked
            self._gained = [place for place in self._gained if place not in set(revoked)]

    def on_partitions_lost(self, lost: Iterable[TopicPartition]) -> None:
        """Note what was taken while we were not heard of."""
        self.on_partitions_revoked(lost)

    def lost(self) -> list[TopicPartition]:
        """Return what was taken since the last call."""
        with self._lock:
            found, self._lost = self._lost, []
        self._placed -= set(found)
        return found

    def gained(self) -> list[TopicPartition]:
        """Return what was given since the last call."""
        with self._lock:
            found, self._gained = self._gained, []
        return found

    def begin(self, place: TopicPartition, position: int) -> bool:
        """Read a partition from a position on; False when it was taken meanwhile."""
        try:
            self._consumer.seek(place, position)
            if not self._is_paused:
                self._consumer.resume(place)
        except (ValueError, KeyError, AttributeError, IllegalStateError):
            return False
        self._placed.add(place)
        return True

    def again(self, place: TopicPartition) -> None:
        """Treat a partition as if it had just been given."""
        with suppress(ValueError, KeyError, AttributeError, IllegalStateError):
            self._consumer.pause(place)
            with self._lock:
                self._gained.append(place)

    def poll(self, patience_ms: int) -> Mapping[TopicPartition, list[Row]]:
        """Return what was read; wait at most so long for a first message.

        Raises
        ------
        OffsetOutOfRangeError
            The log does not hold the position of a partition.
        DriftnetError
            What is stored cannot be read, or we may not read it.
        Unavailable
            Anything else: joining anew may help.
        """
        try:
            found: dict[TopicPartition, list[Row]] = self._consumer.poll(patience_ms)
        except OffsetOutOfRangeError:
            raise
        except (CorruptRecordError, LogTruncationError, AuthorizationError) as error:
            raise DriftnetError(
                f"Kafka at {self._kafka.servers} cannot be read: {error}"
            ) from error
        except (KafkaError, ValueError) as error:
            raise Unavailable(f"reading Kafka failed: {type(error).__name__}: {error}") from error
        return found

    def pause(self) -> None:
        """Stop reading for now; the membership goes on."""
        self._turn(is_paused=True)

    def resume(self) -> None:
        """Read again."""
        self._turn(is_paused=False)

    def position(self, place: TopicPartition) -> int | None:
        """Return the next offset that will be read of a partition, None when it is not ours."""
        try:
            found = self._consumer.position(place, timeout_ms=0)
        except (KafkaError, KeyError, AttributeError):
            return None
        return None if found is None else int(found)

    def begin_offset(self, place: TopicPartition) -> int:
        """Return where the log of a partition begins."""
        with explained(self._kafka):
            return int(self._consumer.beginning_offsets([place])[place])

    def end_offset(self, place: TopicPartition) -> int:
        """Return where the committed records of a partition end."""
        with explained(self._kafka):
            return int(self._consumer.end_offsets([place])[place])

    def is_at_end(self) -> bool:
        """Tell whether all was read that was there when a lander was asked to catch up."""
        return all(
            place in self._placed and (self.position(place) or 0) >= end
            for place, end in self._ends.items()
        )

    def lag(self) -> int:
        """Return how many offsets were not read yet, as far as the last answers tell."""
        behind = 0
        for place in self._placed:
            with suppress(IllegalStateError, KeyError):
                high = self._consumer.highwater(place)
                behind += max((high or 0) - (self.position(place) or 0), 0) if high else 0
        return behind

    def joining_for(self) -> float:
        """Return for how many seconds the group has not been stable."""
        now = time.monotonic()
        if self._once or "stable" in str(self._consumer.group_metadata().state):
            self._joined_at = now
        return now - self._joined_at

    def hint(self, offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> None:
        """Tell the group how far we are; nothing depends on it."""
        with suppress(KafkaError):
            if not self._once:
                self._consumer.commit_async(dict(offsets))

    def close(self) -> None:
        """Leave the group."""
        with suppress(KafkaError):
            self._consumer.close(autocommit=False, timeout_ms=CLOSE_MS)

    def _turn(self, *, is_paused: bool) -> None:
        if is_paused == self._is_paused:
            return
        self._is_paused = is_paused
        for place in self._placed:
            with suppress(KeyError, AttributeError, IllegalStateError):
                (self._consumer.pause if is_paused else self._consumer.resume)(place)
