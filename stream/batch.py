"""A batch: the next rows of a lane, as values of streams.

There are two lanes. `labels` are the labelled predictions of the published warehouse; `events` are
the predictions as they come, from the log or the landing zone. A lane has a position; the same
position and the same rows give the same batch.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from stream.alarm import Stream
from stream.gap import Gap

Lane = Literal["labels", "events"]


@dataclass(frozen=True)
class Feed:
    """Values of one stream, in order, and the rows of the batch that they come from."""

    stream: Stream
    values: Sequence[float]
    rows: Sequence[int]


@dataclass(frozen=True)
class Batch:
    """The next rows of a lane.

    Parameters
    ----------
    lane
        Which.
    position
        Of the lane behind these rows, fit for JSON.
    row_count
        How many there are, whether they are fed to a stream or not.
    feeds
        Values by stream; that of a whole version stands before those of its segments.
    moment, place
        Tell of a row when it happened, and where it stands.
    gaps
        What was gone before these rows.
    """

    lane: Lane
    position: Any
    row_count: int
    feeds: Sequence[Feed]
    moment: Callable[[int], datetime]
    place: Callable[[int], str]
    gaps: Sequence[Gap] = ()
