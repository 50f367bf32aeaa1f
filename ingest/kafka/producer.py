"""Producing to Kafka: idempotent, acknowledged by all replicas, compressed; topics are made first.

Each call goes to one partition, in turn, so that its messages keep their order.
"""

import itertools
from collections.abc import Sequence
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError

from ingest.kafka.client import Kafka, explained, opened
from ingest.kafka.topics import MAX_REQUEST_BYTES, KafkaTopics
from ingest.log import Position, Unavailable


class Producer:
    """A producer that knows its topics.

    Parameters
    ----------
    kafka
        Where to.
    linger_ms
        How long a message may wait for others, milliseconds: 0 answers soonest.
    delivery_ms
        How long Kafka may take before a message counts as not acknowledged, milliseconds.
    """

    def __init__(self, kafka: Kafka, linger_ms: int, delivery_ms: int = 30_000) -> None:
        self._kafka = kafka
        self._delivery_ms = delivery_ms
        self._turn = itertools.count()
        self._topics: dict[str, tuple[str, list[int]]] = {}
        self._producer = opened(
            kafka,
            KafkaProducer,
            acks="all",
            enable_idempotence=True,
            compression_type="lz4",
            linger_ms=linger_ms,
            batch_size=1 << 17,
            max_request_size=MAX_REQUEST_BYTES,
            max_block_ms=10_000,
            delivery_timeout_ms=delivery_ms,
            allow_auto_create_topics=False,
            metrics_enabled=False,
        )

    def knows(self, topic: str) -> bool:
        """Tell whether `send` will not have to ask Kafka about a topic first."""
        return topic in self._topics

    def learn(self, topic: str) -> None:
        """Make a topic when it is absent, and note its partitions."""
        with KafkaTopics(self._kafka) as topics:
            topics.make([topic])
            self._topics[topic] = (topics.source_id(topic) or "", topics.partitions(topic))
        with explained(self._kafka):
            self._producer.partitions_for(topic)

    def send(self, topic: str, values: Sequence[bytes]) -> tuple[str, int, list[Any]]:
        """Hand messages to the producer's thread; return source, partition and their futures."""
        if topic not in self._topics:
            self.learn(topic)
        source, partitions = self._topics[topic]
        partition = partitions[next(self._turn) % len(partitions)]
        sent = [self._producer.send(topic, value, partition=partition) for value in values]
        return source, partition, sent

    def forget(self, topic: str) -> None:
        """Ask again about a topic before the next message: something went wrong with it."""
        self._topics.pop(topic, None)

    def acknowledged(self, topic: str, values: Sequence[bytes]) -> list[Position]:
        """Send messages and wait until all are acknowledged.

        Raises
        ------
        Unavailable
            Some were not; it is not known which of them Kafka kept.
        """
        with explained(self._kafka):
            try:
                source, partition, sent = self.send(topic, values)
                self._producer.flush()
                patience = self._delivery_ms / 1000
                offsets = [future.get(patience).offset for future in sent]
            except KafkaError:
                self.forget(topic)
                raise
        return [Position(source, topic, partition, offset) for offset in offsets]

    def close(self, timeout: float) -> None:
        """Wait at most `timeout` seconds for what is under way, then end."""
        self._producer.close(timeout=timeout)


def not_acknowledged(error: BaseException) -> Unavailable:
    """Return the error of a message that Kafka did not acknowledge."""
    told = Unavailable(f"Kafka did not acknowledge ({type(error).__name__}): try again")
    told.__cause__ = error
    return told
