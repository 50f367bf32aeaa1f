"""How far landing is behind Kafka."""

from pathlib import Path

from kafka import KafkaConsumer, TopicPartition

from ingest.kafka.client import Kafka, explained, opened
from ingest.kafka.topics import KafkaTopics
from ingest.landed import chain
from ingest.landed.tails import Tails


def lags(kafka: Kafka, topics: tuple[str, ...], landing: Path, tails: Tails) -> dict[str, int]:
    """Return for each topic how many messages have not landed.

    Offsets are counted: holes (transactions) count as messages, what retention took does not.

    Parameters
    ----------
    kafka, topics
        Where, and which; one that is not there has no lag.
    landing
        The landing folder.
    tails
        Where its chains ended when they were looked at before.

    Raises
    ------
    Refused, Unavailable
        Kafka said no, or does not answer.
    """
    found = dict.fromkeys(topics, 0)
    landed: dict[TopicPartition, int] = {}
    with KafkaTopics(kafka) as known:
        for topic in topics:
            source = known.source_id(topic)
            for partition in known.partitions(topic) if source else ():
                folder = chain.partition_folder(landing, topic, str(source), partition)
                landed[TopicPartition(topic, partition)] = tails.end(folder)
    if not landed:
        return found
    reader = opened(
        kafka,
        KafkaConsumer,
        group_id=None,
        enable_auto_commit=False,
        isolation_level="read_committed",
        metrics_enabled=False,
    )
    try:
        with explained(kafka):
            begins = reader.beginning_offsets(list(landed))
            ends = reader.end_offsets(list(landed))
        for place, end in landed.items():
            found[place.topic] += max(ends[place] - max(begins[place], end), 0)
    finally:
        reader.close(autocommit=False, timeout_ms=1_000)
    return found
