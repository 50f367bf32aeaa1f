"""A year in which something else makes a row positive from week 14 on, as the clock ran it."""

import os
from datetime import UTC, datetime

import pytest

from ops.runner import Ended, Runner
from ops.schedule import Schedule
from ops.timetable import read_timetable
from tests.retrain.year import Year, begin, turn


@pytest.fixture(scope="session")
def scheduled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Year, Ended]:
    """Return the home after seven turned weeks and one run of the scheduler, and how it ended."""
    year = begin(tmp_path_factory.mktemp("turned"), 26)
    turn(year.events, 14)
    year.replay(12, 21)
    folder = year.settings.schedule
    runner = Runner(folder, {**os.environ, "DRIFTNET_HOME": str(year.settings.home)})
    jobs = read_timetable("run --model urls=15 * * * *")
    clock = Schedule(year.settings, jobs, runner, lambda: datetime.now(UTC), lambda *_, **__: None)
    ended = clock.run_now(jobs[0])
    assert ended.attempts == 1, (folder / "run.log").read_text()
    return year, ended


@pytest.fixture(scope="session")
def turned(scheduled: tuple[Year, Ended]) -> Year:
    """Return that home."""
    return scheduled[0]
