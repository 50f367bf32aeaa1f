"""Trials: a policy over stored history, before it is switched on.

Every stream starts fresh, nothing is written, landed or sent. Where the days of true changes are
given, an alarm before the first is false, the first one behind a change has noticed it, and the
values in between are its delay.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from stream.alarm import Alarm, Stream
from stream.batch import Batch
from stream.checkpoint import State
from stream.policy import Policy
from stream.scales import References
from stream.watch import feed


@dataclass
class Tried:
    """What a policy would have said of one stream.

    Parameters
    ----------
    value_count
        Values in the history.
    alarms
        By the vote, in order.
    advice_count
        Of single detectors.
    delays
        For each change the values from it to the first alarm behind it and before the next
        change; None where there was none.
    false_count
        Alarms before the first change; None when no change is given.
    """

    value_count: int = 0
    alarms: list[Alarm] = field(default_factory=list)
    advice_count: int = 0
    delays: list[int | None] = field(default_factory=list)
    false_count: int | None = None


def try_policy(
    batches: Iterable[Batch],
    policy: Policy,
    references: References,
    changes: Sequence[datetime] = (),
) -> dict[Stream, Tried]:
    """Return what a policy would have said of each stream of a history.

    Parameters
    ----------
    batches
        The history, in order.
    policy, references
        As for the watch.
    changes
        When things truly changed (UTC), in order.
    """
    state = State()
    found: dict[Stream, Tried] = {}
    counts: dict[Stream, list[int]] = {}
    at_alarm: dict[Stream, list[tuple[Alarm, list[int]]]] = {}
    for batch in batches:
        alarms = feed(state, batch, policy, references)
        said = {(alarm.stream, alarm.position): alarm for alarm in alarms if alarm.kind == "alarm"}
        for item in batch.feeds:
            tried = found.setdefault(item.stream, Tried())
            tried.value_count += len(item.values)
            tried.advice_count += sum(
                alarm.stream == item.stream and alarm.kind == "advice" for alarm in alarms
            )
            count = counts.setdefault(item.stream, [0] * len(changes))
            mine = {place for stream, place in said if stream == item.stream}
            if not mine and not changes:
                continue
            for row in item.rows:
                moment = _aware(batch.moment(int(row)))
                for number, change in enumerate(changes):
                    count[number] += moment >= change
                if mine and batch.place(int(row)) in mine:
                    alarm = said[item.stream, batch.place(int(row))]
                    tried.alarms.append(alarm)
                    at_alarm.setdefault(item.stream, []).append((alarm, list(count)))
    for stream, tried in found.items():
        if changes:
            tried.false_count, tried.delays = _judge(at_alarm.get(stream, []), changes)
    return found


def _judge(
    alarms: Sequence[tuple[Alarm, list[int]]], changes: Sequence[datetime]
) -> tuple[int, list[int | None]]:
    ends = [*changes[1:], datetime.max.replace(tzinfo=UTC)]
    moments = [(datetime.fromisoformat(alarm.happened_at), counts) for alarm, counts in alarms]
    delays = []
    for number, (begun, ended) in enumerate(zip(changes, ends, strict=True)):
        behind = [counts[number] for moment, counts in moments if begun <= moment < ended]
        delays.append(behind[0] if behind else None)
    return sum(moment < changes[0] for moment, _ in moments), delays


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
