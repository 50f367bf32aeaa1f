"""The verbs by the clock (APScheduler): lanes, retries, incidents, what ran last and runs next.

Runs of one lane wait for each other. A time that was missed, because the lane was busy or the
machine slept, is made up once. A job that fails for good is an incident of the pipeline: a
happening that lands like any other, and one more when the job is well again.
"""

import json
import logging
import os
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor  # type: ignore[import-untyped]
from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-untyped]

from ingest.champions import Tell
from ingest.durable import make_folder
from ingest.happenings import Happening, identify, land_happenings
from ingest.sealed import replace_text
from ops.runner import GOOD, Ended, Runner
from ops.settings import Settings
from ops.status import SCHEDULE_STATE, job_rows
from ops.timetable import LANES, Job


class Schedule:
    """Runs jobs by the clock.

    Parameters
    ----------
    settings
        Whose home; what ran is kept in its folder ``schedule``.
    jobs
        What runs when.
    runner
        Runs it.
    clock
        The time in UTC.
    tell
        Is told of ``job_began`` and ``job_ended``.
    ended
        Is called with each job and how it ended.
    """

    def __init__(
        self,
        settings: Settings,
        jobs: Sequence[Job],
        runner: Runner,
        clock: Callable[[], datetime],
        tell: Tell,
        ended: Callable[[Job, Ended], object] = lambda job, ended: None,
    ) -> None:
        self._settings = settings
        self._jobs = jobs
        self._runner = runner
        self._clock = clock
        self._tell = tell
        self._ended = ended
        self._lock = threading.Lock()
        self._idle = threading.Condition()
        self._run_count = 0
        self._is_ending = False
        self._ran = {row["name"]: row for row in job_rows(settings.schedule)}
        self._scheduler = BackgroundScheduler(
            timezone=UTC, executors={lane: ThreadPoolExecutor(1) for lane in set(LANES.values())}
        )

    def start(self) -> None:
        """Begin; returns at once."""
        logging.getLogger("apscheduler").addHandler(logging.NullHandler())
        for job in self._jobs:
            self._scheduler.add_job(
                self._run,
                job.trigger(),
                (job,),
                id=job.name,
                executor=job.lane,
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,
            )
        self._scheduler.start()
        self._write()

    def stop(self) -> None:
        """Start nothing more, and wait for what runs."""
        self._runner.stop()
        with self._idle:
            self._is_ending = True
            # APScheduler's shutdown holds the lock of its jobs while it waits; a run that ends
            # asks for them. So the runs come to their end first.
            self._idle.wait_for(lambda: self._run_count == 0)
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)
        self._write()

    def _run(self, job: Job) -> None:
        with self._idle:
            if self._is_ending:
                return
            self._run_count += 1
        try:
            self.run_now(job)
        finally:
            with self._idle:
                self._run_count -= 1
                self._idle.notify_all()

    def run_now(self, job: Job) -> Ended:
        """Run a job in this thread, whatever the time."""
        began = self._clock()
        self._tell("job_began", job=job.name, lane=job.lane)
        ended = self._runner.run(job.name, job.options)
        self._tell(
            "job_ended",
            job=job.name,
            outcome=ended.outcome,
            exit_code=ended.code,
            seconds=round(ended.seconds, 1),
            attempts=ended.attempts,
            said=ended.said if ended.outcome not in GOOD else "",
        )
        before = self._ran.get(job.name, {})
        if ended.outcome != "stopped":
            self._land(job, ended, began, bool(before.get("is_failing")))
        self._note(job, ended, began, before)
        self._ended(job, ended)
        return ended

    def _land(self, job: Job, ended: Ended, began: datetime, was_failing: bool) -> None:
        is_bad = ended.outcome not in GOOD
        if not is_bad and not was_failing:
            return
        what = f"failed ({ended.said[:200]})" if is_bad else "is well again"
        happening = Happening(
            identify("ops", job.name, began.isoformat(), is_bad),
            self._clock(),
            "ops",
            "job_failed" if is_bad else "job_recovered",
            "",
            "",
            job.name,
            2 if is_bad else 0,
            f"job {job.name} {what}",
            {"exit_code": ended.code, "attempts": ended.attempts, "outcome": ended.outcome},
        )
        land_happenings(self._settings.landing, f"{job.name}-{began:%Y%m%dT%H%M%S%f}", [happening])

    def _note(self, job: Job, ended: Ended, began: datetime, before: dict[str, Any]) -> None:
        is_good = ended.outcome in GOOD
        moment = began.isoformat(timespec="seconds")
        with self._lock:
            self._ran[job.name] = {
                "name": job.name,
                "last_at": moment,
                "last_outcome": ended.outcome,
                "last_seconds": round(ended.seconds, 1),
                "last_good_at": moment if is_good else before.get("last_good_at"),
                "is_failing": before.get("is_failing", False)
                if ended.outcome == "stopped"
                else not is_good,
            }
        self._write()

    def _write(self) -> None:
        due = {job.id: job.next_run_time for job in self._scheduler.get_jobs()}
        with self._lock:
            rows = []
            for job in self._jobs:
                now = {"name": job.name, "lane": job.lane, "cron": job.cron}
                next_at = due.get(job.name) if self._scheduler.running else None
                next_text = next_at.isoformat(timespec="seconds") if next_at else None
                rows.append({**self._ran.get(job.name, {}), **now, "next_at": next_text})
            make_folder(self._settings.schedule)
            text = json.dumps({"pid": os.getpid(), "jobs": rows}, indent=2) + "\n"
            replace_text(self._settings.schedule / SCHEDULE_STATE, text)
