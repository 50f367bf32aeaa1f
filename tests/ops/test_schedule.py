"""Verbs by the clock: lanes, retries, incidents, what is kept, and how it ends."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ops.exporter import Exporter
from ops.runner import Ended, Runner
from ops.schedule import Schedule
from ops.settings import CHECKOUT, Settings, read
from ops.status import job_rows, status
from ops.timetable import Job, read_timetable
from tests.ingest.api_home import Told

PATIENCE = 120
LAND = Job("land", (), "0 0 1 1 *")
RUN = Job("run", ("--model", "churn"), "0 0 1 1 *")


def now() -> datetime:
    return datetime.now(UTC)


def scripted(script: str) -> Callable[[Sequence[str]], Sequence[str]]:
    """Run a script in place of a verb; it finds the verb's words in sys.argv."""
    return lambda words: [sys.executable, "-c", script, *words]


def runner(folder: Path, script: str, **options: float) -> Runner:
    given: dict[str, float] = {"back_off_seconds": 0.01, **options}
    return Runner(folder, dict(os.environ), scripted(script), **given)  # type: ignore[arg-type]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read({}).at(tmp_path / "home")


def schedule(settings: Settings, script: str, told: Told | None = None) -> Schedule:
    jobs = (LAND, RUN)
    return Schedule(settings, jobs, runner(settings.schedule, script), now, told or Told())


@pytest.mark.parametrize(
    ("code", "outcome", "attempts"),
    [(0, "done", 1), (3, "drift", 1), (2, "usage", 1), (1, "failed", 3), (-9, "failed", 3)],
)
def test_only_what_may_pass_is_tried_again(
    tmp_path: Path, code: int, outcome: str, attempts: int
) -> None:
    script = f"""
import os, signal, sys
with open({str(tmp_path / "tries")!r}, "a") as file:
    file.write("x")
print("said this", flush=True)
os.kill(os.getpid(), signal.SIGKILL) if {code} < 0 else sys.exit({code})
"""
    ended = runner(tmp_path, script).run("land", ())
    assert (ended.outcome, ended.code, ended.attempts) == (outcome, code, attempts)
    assert ended.said == "said this"
    assert len((tmp_path / "tries").read_text()) == attempts


def test_a_failure_that_passes_is_no_failure(tmp_path: Path) -> None:
    script = f"""
import pathlib, sys
mark = pathlib.Path({str(tmp_path / "mark")!r})
tried = mark.exists()
mark.touch()
sys.exit(0 if tried else 1)
"""
    ended = runner(tmp_path, script).run("land", ())
    assert (ended.outcome, ended.attempts) == ("done", 2)


def test_a_stop_ends_the_wait_between_attempts_at_once(tmp_path: Path) -> None:
    slow = runner(tmp_path, "import sys; sys.exit(1)", back_off_seconds=3600)
    found: list[Ended] = []
    thread = threading.Thread(target=lambda: found.append(slow.run("land", ())))
    thread.start()
    while not (tmp_path / "land.log").exists():
        time.sleep(0.01)
    slow.stop()
    thread.join(PATIENCE)
    assert [ended.outcome for ended in found] == ["stopped"]


def test_a_stop_lets_a_run_end_but_not_for_ever(tmp_path: Path) -> None:
    script = "import time; print('on', flush=True); time.sleep(3600)"
    endless = runner(tmp_path, script, grace_seconds=0.1)
    found: list[Ended] = []
    thread = threading.Thread(target=lambda: found.append(endless.run("land", ())))
    thread.start()
    while not (tmp_path / "land.log").exists() or not (tmp_path / "land.log").read_text():
        time.sleep(0.01)
    endless.stop()
    thread.join(PATIENCE)
    assert [(ended.outcome, ended.code) for ended in found] == [("stopped", -signal.SIGTERM)]


def test_a_job_that_fails_is_an_incident_until_it_is_well_again(settings: Settings) -> None:
    told = Told()
    bad = schedule(settings, "import sys; print('no space'); sys.exit(1)", told)
    bad.run_now(LAND)
    assert told.names() == ["job_began", "job_ended"]
    assert told.events[1][1]["said"] == "no space"
    assert [row["is_failing"] for row in job_rows(settings.schedule) if row["name"] == "land"] == [
        True
    ]
    good = schedule(settings, "")
    good.run_now(LAND)
    good.run_now(LAND)
    files = sorted(settings.landing.glob("ops/*.parquet"))
    rows = sorted(
        (row for path in files for row in pq.read_table(path).to_pylist()),
        key=lambda row: row["happened_at"],
    )
    assert [(row["kind"], row["subject_name"], row["severity"]) for row in rows] == [
        ("job_failed", "land", 2),
        ("job_recovered", "land", 0),
    ]
    assert "no space" in rows[0]["summary"]
    land = next(row for row in job_rows(settings.schedule) if row["name"] == "land")
    assert (land["last_outcome"], land["is_failing"]) == ("done", False)
    assert land["last_good_at"] == land["last_at"]


def test_a_verdict_of_fail_is_no_failure_of_the_job(settings: Settings) -> None:
    schedule(settings, "import sys; sys.exit(3)").run_now(RUN)
    [_, run] = job_rows(settings.schedule)
    assert (run["last_outcome"], run["is_failing"]) == ("drift", False)
    assert not list(settings.landing.glob("ops/*"))


def test_status_and_metrics_tell_of_jobs_and_disk(settings: Settings) -> None:
    exporter = Exporter(settings, now)
    ended = schedule(settings, "import sys; sys.exit(sys.argv[1] == 'land')").run_now(LAND)
    exporter.ended(LAND, ended)
    found = status(settings, now())
    assert [row["name"] for row in found["jobs"]] == ["land", "run"]
    assert (found["incidents"], found["verdicts"]) == ([], [])
    assert found["disk"]["schedule"] > 0
    value = exporter.registry.get_sample_value
    assert value("driftnet_job_runs_total", {"verb": "land", "outcome": "failed"}) == 1
    assert value("driftnet_job_is_failing", {"verb": "land"}) == 1
    assert value("driftnet_job_is_failing", {"verb": "run"}) == 0
    assert value("driftnet_log_lag_bytes", {"topic": "phishing_logs"}) == 0
    assert value("driftnet_disk_bytes", {"folder": "schedule"}) == found["disk"]["schedule"]


def test_verbs_of_one_lane_wait_for_each_other_and_the_other_lane_does_not(
    settings: Settings,
) -> None:
    """The two of the warehouse would both be at work at once, were there no lane."""
    script = f"""
import pathlib, sys, time
verb, lane = sys.argv[1], {"stream"!r} if sys.argv[1] == "watch" else "warehouse"
busy = pathlib.Path({str(settings.home)!r}) / lane
busy.mkdir()  # fails when another of the lane is at work
time.sleep(0.5)
busy.rmdir()
"""
    settings.home.mkdir()
    told = Told()
    jobs = read_timetable("land=* * * * *; run=* * * * *; watch=* * * * *")
    work = Schedule(settings, jobs, runner(settings.schedule, script, attempts=1), now, told)
    work.start()
    for job in jobs:
        work._scheduler.modify_job(job.name, next_run_time=now())
    deadline = time.monotonic() + PATIENCE
    while told.names().count("job_ended") < 3:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    work.stop()
    ended = [fields for name, fields in told.events if name == "job_ended"]
    assert {fields["outcome"] for fields in ended} == {"done"}
    assert {row["name"] for row in job_rows(settings.schedule)} == {"land", "run", "watch"}


def test_times_that_were_missed_are_made_up_once(settings: Settings) -> None:
    """The machine slept for an hour; a run for each missed minute would be sixty."""
    told = Told()
    [job] = read_timetable("land=* * * * *")
    work = Schedule(settings, (job,), runner(settings.schedule, ""), now, told)
    work.start()
    work._scheduler.modify_job("land", next_run_time=now() - timedelta(hours=1))
    deadline = time.monotonic() + PATIENCE
    while "job_ended" not in told.names():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(1)
    assert told.names().count("job_began") <= 2  # a minute may have begun meanwhile
    assert work._scheduler.get_job("land").next_run_time > now()
    work.stop()


def test_a_stop_while_a_run_ends_waits_for_it_and_returns(settings: Settings) -> None:
    told = Told()
    work = Schedule(
        settings, (LAND,), runner(settings.schedule, "import time; time.sleep(1)"), now, told
    )
    work.start()
    work._scheduler.modify_job("land", next_run_time=now())
    deadline = time.monotonic() + PATIENCE
    while "job_began" not in told.names():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    ending = threading.Thread(target=work.stop, daemon=True)
    ending.start()
    ending.join(PATIENCE)
    assert not ending.is_alive()
    assert told.names() == ["job_began", "job_ended"]
    assert job_rows(settings.schedule)[0]["last_outcome"] == "done"


@pytest.mark.slow
def test_the_scheduler_runs_verbs_shows_metrics_and_ends_with_0(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DRIFTNET_HOME": str(tmp_path / "home"),
        "DRIFTNET_SCHEDULE": "land=* * * * *",
    }
    script = "import sys; from ops.cli import call; sys.exit(call(sys.argv[1:]))"
    process = subprocess.Popen(
        [sys.executable, "-c", script, "schedule", "--metrics-port", "0"],
        stderr=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
        env=environment,
    )
    assert process.stderr is not None
    try:
        told: list[dict[str, object]] = []
        shown = ""
        for line in process.stderr:
            told.append(json.loads(line))
            if told[-1]["event"] == "scheduling":
                address = f"http://{told[-1]['metrics']}/metrics"
            if told[-1]["event"] == "job_ended":
                with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
                    shown = answer.read().decode()
                process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
    names = [line["event"] for line in told]
    assert names == ["scheduling", "job_began", "job_ended", "draining", "ended"]
    assert told[2]["outcome"] == "done"
    assert 'driftnet_log_lag_bytes{topic="phishing_logs"} 0.0' in shown
    assert 'driftnet_job_next_timestamp_seconds{verb="land"}' in shown
