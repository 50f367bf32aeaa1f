"""The event log: what it promises, whoever keeps it.

A log holds topics, a topic partitions, a partition records in order. A record's place is its
`Position`; offsets of one partition only grow, but they may have holes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Position:
    """Where a record stands.

    Parameters
    ----------
    source_id
        The incarnation of the log: a topic deleted and made again has another.
    topic, partition, offset
        The place in it.
    """

    source_id: str
    topic: str
    partition: int
    offset: int


@dataclass(frozen=True)
class Topics:
    """Names of the two topics."""

    predictions: str
    labels: str


@dataclass(frozen=True, slots=True)
class Record:
    """One message as it stands in a log.

    Parameters
    ----------
    offset
        Its place in the partition.
    next_offset
        The smallest offset that the next record may have.
    value
        Its bytes; None for a tombstone (a log of Kafka may hold some).
    """

    offset: int
    next_offset: int
    value: bytes | None


class EventLog(Protocol):
    """What landing and producers need of a log."""

    def append(self, topic: str, values: Iterable[bytes]) -> list[Position]:
        """Add messages in order; they are durable when this returns."""
        ...

    def source_id(self, topic: str) -> str:
        """Return the incarnation of the topic (a name fit for a folder)."""
        ...

    def partitions(self, topic: str) -> list[int]:
        """Return the partitions there are now; none of a topic that is not there."""
        ...

    def read(self, topic: str, partition: int, offset: int, max_bytes: int) -> list[Record]:
        """Return records from `offset` on: about `max_bytes`, one at least; none at the end."""
        ...

    def end_offset(self, topic: str, partition: int) -> int:
        """Return the offset that the next durable record will have."""
        ...
