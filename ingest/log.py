"""The event log: what it promises, whoever keeps it.

A log holds topics, a topic partitions, a partition records in order. A record's place is its
`Position`; offsets of one partition only grow, but they may have holes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ingest.errors import DriftnetError, InputError
from ingest.fields import MAX_MESSAGE_BYTES


class Unavailable(DriftnetError):  # noqa: N818 - a state of the log, named as it is spoken of
    """The log cannot acknowledge now: nothing is known to be lost, the caller may try again."""


class Refused(Unavailable):
    """The log answered and said no: waiting does not help."""


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
    refusal
        Why the value is not all there: the message is longer than a log takes.
    """

    offset: int
    next_offset: int
    value: bytes | None
    refusal: str | None = None


class Gone(DriftnetError):  # noqa: N818 - a state of the log, named as it is spoken of
    """The log deleted what was asked for before it was read.

    Parameters
    ----------
    offset, resume_at
        What is gone: from `offset` up to `resume_at`, exclusive.
    """

    def __init__(self, offset: int, resume_at: int) -> None:
        self.resume_at = resume_at
        super().__init__(
            f"offsets {offset} to {resume_at - 1} were deleted by the log's retention before they"
            " landed"
        )


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
        """Return records from `offset` on: about `max_bytes`, one at least; none at the end.

        Raises
        ------
        Gone
            The log does not hold `offset` any more.
        """
        ...

    def end_offset(self, topic: str, partition: int) -> int:
        """Return the offset that the next durable record will have."""
        ...

    def close(self) -> None:
        """Close what was opened to reach the log."""
        ...


class AsyncAppender(Protocol):
    """The producing side of a log for one event loop: many callers wait at once.

    Callers that wait at the same time share a write. A caller that stops waiting (a time-out, a
    cancel) does not know whether its messages were written: a retry must carry the same event id.
    """

    async def append(self, topic: str, values: Sequence[bytes]) -> list[Position]:
        """Add messages in order; they are durable when this returns.

        Raises
        ------
        InputError
            A message is too long; none was added.
        Unavailable
            Too much waits already, the appender was closed, or the log did not acknowledge.
        """
        ...

    async def close(self) -> None:
        """Wait for what is under way, then end; appends after this raise `Unavailable`."""
        ...


def require_fit(values: Iterable[bytes]) -> None:
    """Refuse messages that no log takes.

    Raises
    ------
    InputError
        One is longer than `MAX_MESSAGE_BYTES`.
    """
    for value in values:
        if len(value) > MAX_MESSAGE_BYTES:
            raise InputError(f"a message has {len(value)} bytes: {MAX_MESSAGE_BYTES} at most")
