"""The event log in Kafka; satisfies `ingest.log.EventLog`.

What is read was committed (aborted transactions are left out, so offsets have holes), and a record
that retention took away is an error, never a silent jump.
"""

import time
from collections.abc import Iterable
from contextlib import suppress

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError, OffsetOutOfRangeError

from ingest.kafka.client import Kafka, explained, opened
from ingest.kafka.producer import Producer
from ingest.kafka.records import bound
from ingest.kafka.topics import KafkaTopics
from ingest.log import Gone, Position, Record, Unavailable, require_fit

PATIENCE = 30.0  # seconds without an answer
FETCH_BYTES = 1 << 22


class KafkaLog:
    """An event log in Kafka.

    Parameters
    ----------
    kafka
        Where.
    """

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._topics = KafkaTopics(kafka)
        self._producer: Producer | None = None
        self._readers: dict[TopicPartition, KafkaConsumer] = {}

    def append(self, topic: str, values: Iterable[bytes]) -> list[Position]:
        """Add messages in order to one partition; all replicas hold them when this returns.

        Raises
        ------
        InputError
            A message is too long; none was added.
        Unavailable
            Kafka did not acknowledge all of them.
        """
        values = list(values)
        require_fit(values)
        if not values:
            return []
        if self._producer is None:
            self._producer = Producer(self._kafka, linger_ms=20)
        return self._producer.acknowledged(topic, values)

    def source_id(self, topic: str) -> str:
        """Return the incarnation of the topic: cluster id and topic id; it is made when absent."""
        found = self._topics.source_id(topic)
        if found is None:
            self._topics.make([topic])
            found = self._topics.source_id(topic)
        return found or ""

    def partitions(self, topic: str) -> list[int]:
        """Return the partitions there are now; none of a topic that is not there."""
        return self._topics.partitions(topic)

    def end_offset(self, topic: str, partition: int) -> int:
        """Return where the committed records end."""
        place = TopicPartition(topic, partition)
        with explained(self._kafka):
            return int(self._reader(place).end_offsets([place])[place])

    def read(self, topic: str, partition: int, offset: int, max_bytes: int) -> list[Record]:
        """Return records from `offset` on; see `ingest.log.EventLog`.

        Raises
        ------
        Gone
            Retention took `offset` away.
        Unavailable
            Kafka does not answer.
        """
        place = TopicPartition(topic, partition)
        reader = self._reader(place)
        end = self.end_offset(topic, partition)
        records: list[Record] = []
        size, position, deadline = 0, offset, time.monotonic() + PATIENCE
        with explained(self._kafka):
            reader.seek(place, offset)
            while position < end and size < max_bytes:
                try:
                    rows = reader.poll(500).get(place, [])
                except OffsetOutOfRangeError:
                    begin = int(reader.beginning_offsets([place])[place])
                    if begin <= position or records:
                        raise
                    raise Gone(position, begin) from None
                position = int(reader.position(place) or position)
                for number, value, refusal in rows:
                    records.append(Record(number, number + 1, value, refusal))
                    size += len(value or b"")
                if not rows and time.monotonic() > deadline:
                    raise Unavailable(f"Kafka gave nothing of {topic} p={partition} at {offset}")
        if records and position > records[-1].next_offset:
            last = records[-1]
            records[-1] = Record(last.offset, position, last.value, last.refusal)
        return records

    def close(self) -> None:
        """Close the connections."""
        for reader in self._readers.values():
            with suppress(KafkaError):
                reader.close(timeout_ms=1_000)
        self._readers.clear()
        if self._producer is not None:
            self._producer.close(10)
        self._topics.close()

    def _reader(self, place: TopicPartition) -> KafkaConsumer:
        if place not in self._readers:
            reader = opened(
                self._kafka,
                KafkaConsumer,
                group_id=None,
                enable_auto_commit=False,
                auto_offset_reset="none",
                isolation_level="read_committed",
                max_partition_fetch_bytes=FETCH_BYTES,
                max_poll_records=5_000,
                metrics_enabled=False,
            )
            bound(reader).assign([place])
            reader.seek(place, 0)
            self._readers[place] = reader
        return self._readers[place]
