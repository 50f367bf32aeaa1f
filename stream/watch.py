"""The watch: feed the lanes to the panels, remember, and tell what they say, once.

An alarm is first written to the checkpoint, with the positions and detectors that led to it. Only
then it lands, under an id made of what it is, and is sent; after each it leaves the outbox. A kill
between sending and noting it sends the alarm again under the same id: `send` is asked to know it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from ingest.errors import DriftnetError
from ingest.happenings import identify, land_happenings
from stream.alarm import SCORE, Alarm, Stream, alarm_of, gap_alarm
from stream.batch import Batch
from stream.checkpoint import State, load, save
from stream.panel import Panel
from stream.policy import Policy
from stream.scales import References

QUIET: Final = timedelta(days=7)  # so long after the whole its segments are not told, only landed
SAVE_EVERY: Final = timedelta(seconds=5)
RETRY_AFTER: Final = (timedelta(seconds=5), timedelta(minutes=5))  # first, longest

Read = Callable[[State], Batch | None]
Send = Callable[[Alarm], None]


@dataclass(frozen=True)
class Places:
    """Where the watch keeps its checkpoint, and the landing zone that its alarms come to."""

    checkpoint: Path
    landing: Path


class Watch:
    """A watch at work; the caller holds `stream.checkpoint.alone`.

    Parameters
    ----------
    places
        Checkpoint and landing zone.
    policy
        When to alarm.
    references
        Of the model versions.
    send
        Brings an alarm to people; raises `DriftnetError` or `OSError` when it could not, and does
        nothing for an alarm id that it has sent.
    clock
        The time in UTC.
    say
        Is told in one line what a person may want to know.
    """

    def __init__(
        self,
        places: Places,
        policy: Policy,
        references: References,
        send: Send,
        clock: Callable[[], datetime],
        say: Callable[[str], object] = lambda line: None,
    ) -> None:
        self._places, self._policy, self._references = places, policy, references
        self._send, self._clock, self._say = send, clock, say
        self.state, why = load(places.checkpoint, policy)
        if why:
            say(f"all detectors start anew: {why}")
        self._saved_at = datetime.min.replace(tzinfo=UTC)
        self._retry_at, self._retry_after = self._saved_at, RETRY_AFTER[0]
        self._is_dirty = False
        self.deliver()

    def step(self, lanes: Iterable[Read]) -> int:
        """Take the next batch of each lane; return how many rows there were."""
        count = 0
        for read in lanes:
            batch = read(self.state)
            if batch is not None:
                count += batch.row_count
                self.take(batch)
        if self._is_dirty and (not count or self._clock() - self._saved_at >= SAVE_EVERY):
            self.save()
        self.deliver()
        return count

    def take(self, batch: Batch) -> list[Alarm]:
        """Feed a batch to the panels; what they say is in the checkpoint when this returns."""
        found = [*self._missed(batch), *feed(self.state, batch, self._policy, self._references)]
        self.state.positions[batch.lane] = batch.position
        self._is_dirty = True
        if found:
            self.state.outbox += [(alarm, False) for alarm in found]
            self.save()
            self.deliver()
        return found

    def _missed(self, batch: Batch) -> list[Alarm]:
        """Say what was gone before it was read; return it for each version watched there."""
        for gap in batch.gaps:
            self._say(gap.line)
        watched = sorted({s.whole for s in self.state.panels if s.signal == SCORE})
        missed = [gap for gap in batch.gaps if not gap.is_before]
        return [gap_alarm(stream, gap, self._clock()) for gap in missed for stream in watched]

    def save(self) -> None:
        """Write the checkpoint."""
        save(self._places.checkpoint, self.state, self._policy)
        self._saved_at = self._clock()
        self._is_dirty = False

    def deliver(self) -> None:
        """Land and send what waits; what cannot be sent now is tried again later."""
        fresh = [alarm for alarm, has_landed in self.state.outbox if not has_landed]
        if fresh:
            run = identify(*(alarm.alarm_id for alarm in fresh))
            land_happenings(self._places.landing, str(run), [alarm.happening() for alarm in fresh])
            self.state.outbox = [(alarm, True) for alarm, _ in self.state.outbox if alarm.is_told]
            self.save()
        if self._clock() < self._retry_at:
            return
        while self.state.outbox:
            alarm, _ = self.state.outbox[0]
            try:
                self._send(alarm)
            except (DriftnetError, OSError) as error:
                self._retry_at = self._clock() + self._retry_after
                self._retry_after = min(2 * self._retry_after, RETRY_AFTER[1])
                self._say(f"an alarm could not be sent, it is kept and tried again: {error}")
                return
            self._retry_after = RETRY_AFTER[0]
            del self.state.outbox[0]
            self.save()

    def unsent(self) -> int:
        """Return how many alarms wait to be sent."""
        return len(self.state.outbox)


def feed(state: State, batch: Batch, policy: Policy, references: References) -> list[Alarm]:
    """Feed a batch to the panels of a state; return what they say, the whole before segments."""
    found: list[Alarm] = []
    whole: dict[Stream, list[tuple[int, str]]] = {
        stream: [(-1, moment)] for stream, moment in state.told.items()
    }
    for item in batch.feeds:
        panel = state.panels.get(item.stream)
        if panel is None:
            panel = state.panels[item.stream] = new_panel(item.stream, policy, references)
        for sign in panel.feed(item.values):
            row = int(item.rows[sign.place])
            alarm = alarm_of(item.stream, sign, batch.moment(row), batch.place(row))
            if alarm.kind == "alarm":
                said = whole.setdefault(item.stream.whole, [])
                if item.stream == item.stream.whole:
                    said.append((row, alarm.happened_at))
                is_new = not any(at <= row and _is_near(alarm, moment) for at, moment in said)
                is_told = item.stream == item.stream.whole or is_new
                alarm = replace(alarm, is_told=is_told)
            found.append(alarm)
    state.told = {stream: said[-1][1] for stream, said in whole.items() if said}
    return found


def _is_near(alarm: Alarm, moment: str) -> bool:
    return abs(datetime.fromisoformat(alarm.happened_at) - datetime.fromisoformat(moment)) < QUIET


def new_panel(stream: Stream, policy: Policy, references: References) -> Panel:
    """Return a fresh panel: at the level of the reference; a segment learns its own."""
    reference = references.of(stream.model_name, stream.model_version)
    level = None
    if reference is not None and stream == stream.whole:
        level = reference.levels.get(stream.signal)
    return Panel(stream.kind, policy, level)
