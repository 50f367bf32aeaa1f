"""Tell people when an incident changes: once, grouped, and only while it is news.

Every change goes to the incident log. A channel is told the newest change of each incident that it
has not been told, if the window ended within the alert horizon and no mute covers it; so a backfill
of years sends nothing. A message that did not arrive is tried again by the next run.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ingest.happenings import Happening
from reports import channels as places
from reports import incidents, wording
from reports.channels import Channel, Message, Sleep
from reports.incident_log import IncidentLog
from reports.incidents import Change
from reports.rows import Query

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Told:
    """What an alert did: changes new in the log, changes told, and channels that did not answer."""

    logged_count: int = 0
    told_count: int = 0
    channel_count: int = 0
    failed: tuple[str, ...] = ()


def tell(
    query: Query,
    folder: Path,
    channels: Sequence[Channel],
    *,
    clock: Clock,
    page_of: Callable[[str], str] = lambda model: "",
    waits: Sequence[float] = places.WAITS,
    sleep: Sleep = time.sleep,
) -> Told:
    """Log every change of an incident that is not logged yet, and tell what is news.

    Parameters
    ----------
    query
        Asks the published marts.
    folder
        Of the incident log.
    channels
        Where to tell; none: the log alone is written.
    clock
        Returns the present time (UTC, aware).
    page_of
        Says where the page of a model is.
    waits, sleep
        Seconds between attempts on a channel, and how to wait.
    """
    log = IncidentLog(folder)
    now = clock().replace(tzinfo=None)
    found = incidents.changes(incidents.incidents(query))
    with log.held():
        known = log.known()
        fresh = [change for change in found if change.change_id not in known]
        log.append([wording.logged(change, now, _silence(change, now)) for change in fresh])
        news = [change for change in incidents.newest(found) if not _silence(change, now)]
        told, failed = set[str](), []
        for channel in channels:
            seen = log.delivered(channel.name)
            due = [change for change in news if not _is_told(change, seen)]
            for model in sorted({change.incident.model_name for change in due}):
                mine = [change for change in due if change.incident.model_name == model]
                message = wording.message(query, mine, page_of(model))
                ids = [change.change_id for change in mine]
                if _deliver(log, channel, message, ids, clock, waits, sleep):
                    told |= set(ids)
                elif channel.name not in failed:
                    failed.append(channel.name)
    return Told(len(fresh), len(told), len(channels), tuple(failed))


def tell_alarm(
    happening: Happening,
    folder: Path,
    channels: Sequence[Channel],
    *,
    clock: Clock,
    waits: Sequence[float] = places.WAITS,
    sleep: Sleep = time.sleep,
) -> Told:
    """Tell an alarm of the watch at once, before any build; the same alarm is told once.

    The incident that it becomes after the next build is not told to open again.
    """
    log = IncidentLog(folder)
    change_id = f"alarm:{happening.happening_id}"
    with log.held():
        is_new = change_id not in log.known()
        if is_new:
            log.append([wording.logged_alarm(happening, change_id, clock())])
        told, failed = 0, []
        for channel in channels:
            if change_id in log.delivered(channel.name):
                continue
            message = wording.alarm(happening)
            if _deliver(log, channel, message, [change_id], clock, waits, sleep):
                told = 1
            else:
                failed.append(channel.name)
    return Told(int(is_new), told, len(channels), tuple(failed))


def try_out(
    channels: Sequence[Channel],
    *,
    waits: Sequence[float] = places.WAITS,
    sleep: Sleep = time.sleep,
) -> Told:
    """Send a message that says it is a test to every channel; nothing is logged."""
    message = Message("Driftnet: a test", "Nothing happened. Alerts of drift arrive here.")
    failed = [
        channel.name
        for channel in channels
        if not places.send(channel, message, waits=waits, sleep=sleep)
    ]
    return Told(channel_count=len(channels), failed=tuple(failed))


def _deliver(
    log: IncidentLog,
    channel: Channel,
    message: Message,
    change_ids: Sequence[str],
    clock: Clock,
    waits: Sequence[float],
    sleep: Sleep,
) -> bool:
    arrived = places.send(channel, message, waits=waits, sleep=sleep)
    log.deliver(
        {
            "at": clock().isoformat(),
            "channel": channel.name,
            "is_delivered": arrived,
            "change_ids": list(change_ids),
            "title": message.title,
        }
    )
    return arrived


def _is_told(change: Change, seen: set[str]) -> bool:
    """Return whether a channel knows the change, as such or as the alarm that began it."""
    alarm = f"alarm:{change.incident.first_happening_id}"
    opening = change.kind in ("opened", "reopened")
    return change.change_id in seen or (opening and alarm in seen)


def _silence(change: Change, now: datetime) -> str:
    """Return why a change is not told, empty where it is news."""
    if change.incident.is_muted:
        return "muted"
    return "older than the alert horizon" if change.incident.alert_until_at < now else ""
