"""When which verb runs: jobs, their lanes and their times, read from one setting."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Literal

from ingest.errors import InputError

if TYPE_CHECKING:
    from apscheduler.triggers.cron import CronTrigger  # type: ignore[import-untyped]

Lane = Literal["warehouse", "stream"]

#: verb -> its lane: verbs of one lane never run at the same time.
LANES: Mapping[str, Lane] = {
    "land": "warehouse",
    "build": "warehouse",
    "gate": "warehouse",
    "report": "warehouse",
    "alert": "warehouse",
    "run": "warehouse",
    "retrain": "warehouse",
    "compact": "warehouse",
    "prune": "warehouse",
    "watch": "stream",
}

DEFAULT = "land=* * * * *; run=15 * * * *"


@dataclass(frozen=True)
class Job:
    """One verb and its times.

    Parameters
    ----------
    name
        The verb; jobs are told apart by it.
    options
        What follows the verb.
    cron
        Five fields: minute, hour, day of month, month, day of week; UTC.
    """

    name: str
    options: tuple[str, ...]
    cron: str

    @property
    def lane(self) -> Lane:
        """Return the lane of its verb."""
        return LANES[self.name]

    def trigger(self) -> "CronTrigger":
        """Return its times as APScheduler takes them."""
        from apscheduler.triggers.cron import CronTrigger

        # crontab counts Sunday as 0 (or 7), APScheduler Monday: names are read alike by both.
        *fields, weekday = self.cron.split()
        return CronTrigger.from_crontab(" ".join([*fields, _named(weekday)]), timezone=UTC)


def read_timetable(text: str) -> tuple[Job, ...]:
    """Return the jobs of a text such as ``land=*/5 * * * *; run --model churn=0 2 * * *``.

    Raises
    ------
    InputError
        A part has no time, names no verb that runs by the clock, names one twice, or its time
        cannot be read.

    Examples
    --------
    >>> [job] = read_timetable("run --model churn=0 2 * * 0")
    >>> job.name, job.options, job.cron, job.lane
    ('run', ('--model', 'churn'), '0 2 * * 0', 'warehouse')
    """
    jobs: dict[str, Job] = {}
    for part in filter(None, map(str.strip, text.split(";"))):
        words, mark, cron = part.rpartition("=")
        verb, *options = words.split() or [""]
        if not mark or verb not in LANES:
            raise InputError(
                f"the timetable has {part!r}: write VERB=MINUTE HOUR DAY MONTH WEEKDAY with one of "
                + ", ".join(LANES)
            )
        if verb in jobs:
            raise InputError(f"the timetable names {verb} twice: give it one time")
        job = Job(verb, tuple(options), " ".join(cron.split()))
        try:
            job.trigger()
        except ValueError as error:
            raise InputError(f"the timetable has {part!r}: {error}") from None
        jobs[verb] = job
    if not jobs:
        raise InputError(f"the timetable is empty: write such as {DEFAULT!r}")
    return tuple(jobs.values())


_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _named(weekday: str) -> str:
    """Return a weekday field with names for numbers; steps (``*/2``) stay as they are.

    Examples
    --------
    >>> _named("0"), _named("1-5"), _named("*/2"), _named("7")
    ('sun', 'mon-fri', '*/2', 'sun')
    """
    return re.sub(r"(?<![/\d])[0-7](?!\d)", lambda found: _DAYS[int(found[0])], weekday)
