"""The watch joined to its surroundings: log, landing zone and published copy; and its loop."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Literal

from ingest.errors import DriftnetError
from ingest.log import EventLog, Refused, Unavailable
from ops import alerting, pipeline, warehouse
from ops.settings import Settings
from stream.alarm import Alarm
from stream.batch import Batch
from stream.checkpoint import State, alone
from stream.events import read_landing, read_log
from stream.labels import read_labels
from stream.policy import Policy
from stream.scales import References
from stream.trial import Tried, try_policy
from stream.watch import Places, Read, Watch

Source = Literal["log", "landing"]
POLL_SECONDS = 2.0


def places(settings: Settings) -> Places:
    """Return where the watch of a home keeps its checkpoint, and the landing zone."""
    return Places(settings.home / "watch" / "checkpoint.json", settings.landing)


def watch(
    settings: Settings,
    policy: Policy,
    features: Sequence[str],
    source: Source,
    *,
    clock: Callable[[], datetime],
    tell: Callable[[Alarm], object],
    say: Callable[[str], object],
    wait: Callable[[float], object] | None,
    advance: Callable[[int], object] = lambda count: None,
) -> int:
    """Watch a home.

    Parameters
    ----------
    settings, policy
        The home; when to alarm.
    features
        Features to watch beside errors and score.
    source
        Where predictions are read.
    clock
        The time in UTC.
    tell
        Is told of each new alarm, beside the incident log and the channels of `ops.alerting`.
    say
        Is told what a person may want to know.
    wait
        Sleeps so many seconds between two looks; None: end when all has been read.
    advance
        Is called with the number of rows just read.

    Returns
    -------
    int
        Alarms that could not be sent; they are kept.
    """
    references = References(settings.models, features)
    send = alerting.sender(settings, clock)

    def deliver(alarm: Alarm) -> None:
        told = send(alarm.happening())
        if told.logged_count:
            tell(alarm)
        if told.failed:
            raise DriftnetError(f"{', '.join(told.failed)} did not take it")

    with (
        alone(places(settings).checkpoint),
        _events(settings, references, features, source) as events,
    ):
        at_work = Watch(places(settings), policy, references, deliver, clock, say)
        lanes = [_labels(settings), events if wait is None else _patient(events, say)]
        while True:
            count = at_work.step(lanes)
            advance(count)
            if not count:
                if wait is None:
                    return at_work.unsent()
                wait(POLL_SECONDS)


def replay(
    settings: Settings,
    policy: Policy,
    features: Sequence[str],
    between: tuple[datetime, datetime],
    changes: Sequence[datetime],
) -> dict[str, Tried]:
    """Try a policy on what is published and landed of a time; see `stream.trial`.

    Returns
    -------
    dict
        By ``model version subject``.
    """
    references = References(settings.models, features)

    def history() -> Iterator[Batch]:
        positions = State().positions
        with warehouse.reader(settings) as query:
            while batch := read_labels(query, positions.get("labels"), between=between):
                positions["labels"] = batch.position
                yield batch
        topic = settings.predictions_topic
        while batch := read_landing(
            settings.landing, topic, positions.get("events"), references, features, between
        ):
            positions["events"] = batch.position
            yield batch

    tried = try_policy(history(), policy, references, changes)
    return {f"{s.model_name} {s.model_version} {s.subject_name}": t for s, t in tried.items()}


def _labels(settings: Settings) -> Read:
    """Return the lane of labels; a publication that has no more is not asked again."""
    done: list[Path] = []

    def read(state: State) -> Batch | None:
        current = settings.current.resolve()
        if not current.is_dir() or done == [current]:
            return None
        with warehouse.reader(settings) as query:
            batch = read_labels(query, state.positions.get("labels"))
        if batch is None:
            done[:] = [current]
        return batch

    return read


@contextmanager
def _events(
    settings: Settings, references: References, features: Sequence[str], source: Source
) -> Iterator[Read]:
    """Give the lane of events; a log that was opened for it is closed at the end."""
    topic = settings.predictions_topic
    opened: list[EventLog] = []

    def read(state: State) -> Batch | None:
        at = state.positions.get("events")
        if source == "landing":
            return read_landing(settings.landing, topic, at, references, features)
        if not opened:  # here, not before: who follows waits for a log that is away
            opened.append(pipeline.open_log(settings))
        return read_log(opened[0], topic, at, references, features)

    try:
        yield read
    finally:
        for log in opened:
            log.close()


def _patient(read: Read, say: Callable[[str], object]) -> Read:
    """Return a lane that has nothing to give while its log is away, and says so once."""
    said = ""

    def patiently(state: State) -> Batch | None:
        nonlocal said
        try:
            batch = read(state)
        except Refused:
            raise
        except Unavailable as error:
            if str(error) != said:
                said = str(error)
                say(f"waiting: {error}")
            return None
        said = ""
        return batch

    return patiently
