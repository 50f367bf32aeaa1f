"""The lane of events: scores and chosen features of predictions, from the log or the landing zone.

Both have the same positions, so one can be left for the other: the log is read at once, the landing
zone also holds what the log no longer has. Messages that break the contract are passed over.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ingest.errors import InputError
from ingest.events import parse_prediction
from ingest.landed.chain import Link, file_name, metadata, partition_folder, walk
from ingest.landed.footer import chunks
from ingest.log import EventLog, Gone
from stream.alarm import SCORE, Stream, feature_signal
from stream.batch import Batch, Feed
from stream.gap import Gap
from stream.scales import References

MAX_BYTES = 1 << 20
MAX_ROWS = 50_000  # of a landed file at once; a compacted one may hold millions

Positions = Mapping[str, int]  # "<source_id>/p=<partition>" -> offset that is read next


class Event(NamedTuple):
    """What is watched of one prediction."""

    moment: datetime
    place: str
    model_name: str
    model_version: str
    score: float
    features: Mapping[str, Any]


def read_log(
    log: EventLog,
    topic: str,
    positions: Positions | None,
    references: References,
    features: Sequence[str] = (),
    max_bytes: int = MAX_BYTES,
) -> Batch | None:
    """Return the next predictions of the log; None at its end.

    What the log deleted before it was read is a gap of the batch.

    Parameters
    ----------
    log, topic
        Where predictions come.
    positions
        Of the lane; None: from the first.
    references
        Of the model versions.
    features
        Names of the features that are watched.
    max_bytes
        About how much of each partition.
    """
    after = dict(positions or {})
    events: list[Event] = []
    gaps: list[Gap] = []
    count = 0
    partitions = log.partitions(topic)
    source = log.source_id(topic) if partitions else ""
    for partition in partitions:
        key = f"{source}/p={partition}"
        begin = after.get(key, 0)
        try:
            records = log.read(topic, partition, begin, max_bytes)
        except Gone as gone:
            gaps.append(Gap(f"{topic}/{key}", begin, gone.resume_at, key not in after))
            after[key] = gone.resume_at
            records = log.read(topic, partition, gone.resume_at, max_bytes)
        for record in records:
            after[key] = record.next_offset
            event = _parsed(record.value, f"{topic}/{key}/{record.offset}", features)
            if event is not None:
                events.append(event)
        count += len(records)
    if partitions and log.source_id(topic) != source:  # it was made again while it was read
        return read_log(log, topic, positions, references, features, max_bytes)
    return _batch(events, after, max(count, 1), references, gaps) if count or gaps else None


def read_landing(
    landing: Path,
    topic: str,
    positions: Positions | None,
    references: References,
    features: Sequence[str] = (),
    between: tuple[datetime, datetime] | None = None,
) -> Batch | None:
    """Return the predictions of the next landed file, or a part of it; None when all were read.

    What was pruned before it was read, or never landed, is a gap of the batch.

    Parameters as `read_log`, and

    landing
        The landing zone.
    between
        Only predictions from the first time on and before the second (UTC); None: all.
    """
    after = dict(positions or {})
    for folder in sorted((landing / topic).glob("*/p=*")):
        source, partition = folder.parent.name, int(folder.name.removeprefix("p="))
        key = f"{source}/p={partition}"
        begin = after.get(key, 0)
        chain = partition_folder(landing, topic, source, partition)
        start = begin if (chain / file_name(begin)).exists() else 0
        for link in walk(chain, start):
            if link.next_offset <= begin:
                continue
            gaps = _gaps(link, f"{topic}/{key}", begin, key not in after)
            rows, after[key] = _landed(link, begin, features)
            events = [_event(row, f"{topic}/{key}", features) for row in rows.to_pylist()]
            if between is not None:
                begun, ended = (moment.astimezone(UTC) for moment in between)
                events = [event for event in events if begun <= event.moment < ended]
            return _batch(events, after, max(rows.num_rows, 1), references, gaps)
    return None


def _parsed(value: bytes | None, place: str, features: Sequence[str]) -> Event | None:
    try:
        found = parse_prediction(value or b"")
    except InputError:
        return None
    kept = {name: found.features.get(name) for name in features}
    return Event(found.occurred_at, place, found.model_name, found.model_version, found.score, kept)


def _gaps(link: Link, place: str, begin: int, is_before: bool) -> list[Gap]:
    """Return what a file says is not there: it was pruned, or the log had lost it."""
    if not metadata(link.path).get("reason"):
        return []
    return [Gap(place, max(begin, link.position), link.next_offset, is_before)]


def _landed(link: Link, begin: int, features: Sequence[str]) -> tuple[pa.Table, int]:
    """Return good rows of a file from an offset on, about `MAX_ROWS`, and the offset behind."""
    with pq.ParquetFile(link.path) as file:
        names = set(file.schema_arrow.names)
        wanted = ["_offset", "_error", "occurred_at", "model_name", "model_version", "score"]
        wanted += [f"feature_{name}" for name in features if f"feature_{name}" in names]
        taken, next_offset = _groups(file.metadata, begin, link.next_offset)
        rows = file.read_row_groups(taken, columns=wanted)
    good = pc.is_null(rows.column("_error"))
    return rows.filter(pc.and_(good, pc.greater_equal(rows.column("_offset"), begin))), next_offset


def _groups(footer: pq.FileMetaData, begin: int, end: int) -> tuple[list[int], int]:
    """Return the row groups to read from an offset on, and the offset behind them."""
    taken: list[int] = []
    count, next_offset = 0, end
    for number, offsets in enumerate(chunks(footer, "_offset")):
        if not offsets.num_values or offsets.statistics.max < begin:
            continue
        if count >= MAX_ROWS:
            return taken, next_offset
        taken.append(number)
        count, next_offset = count + offsets.num_values, offsets.statistics.max + 1
    return taken, end


def _event(row: Mapping[str, Any], place: str, features: Iterable[str]) -> Event:
    return Event(
        row["occurred_at"].replace(tzinfo=UTC),
        f"{place}/{row['_offset']}",
        row["model_name"],
        row["model_version"],
        row["score"],
        {name: row.get(f"feature_{name}") for name in features},
    )


def _batch(
    events: Sequence[Event],
    after: Positions,
    count: int,
    references: References,
    gaps: Sequence[Gap],
) -> Batch:
    rows: dict[tuple[str, str], list[int]] = {}
    for row, event in enumerate(events):
        rows.setdefault((event.model_name, event.model_version), []).append(row)
    feeds: list[Feed] = []
    for (name, version), members in rows.items():
        reference = references.of(name, version)
        if reference is None:
            continue
        for signal, scale in reference.scales.items():
            pick = _picker(signal)
            found = [(row, pick(events[row])) for row in members]
            kept = [(row, value) for row, value in found if scale.takes(value)]
            if kept:
                values = scale.places([value for _, value in kept])
                feeds.append(Feed(Stream(name, version, signal), values, [row for row, _ in kept]))
    return Batch(
        "events",
        dict(after),
        count,
        feeds,
        lambda row: events[row].moment,
        lambda row: events[row].place,
        gaps,
    )


def _picker(signal: str) -> Callable[[Event], Any]:
    if signal == SCORE:
        return lambda event: event.score
    name = signal.removeprefix(feature_signal(""))
    return lambda event: event.features.get(name)
