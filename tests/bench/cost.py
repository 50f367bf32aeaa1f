"""What a million events cost: bytes on disk and seconds of a core, step by step."""

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

from ingest.synthesize import synthesize
from ops.settings import CHECKOUT
from ops.status import disk_bytes
from retrain.train import train_initial
from tests.measured import table

TITLE = "Cost of a million events"
EVENTS = int(os.environ.get("COST_EVENTS", "400000"))
WEEKS, TRAINED_WEEKS = 30, 4
FOLDERS = ("log", "landing", "warehouse", "published")


def run(say: Callable[[str], None]) -> str:
    """Measure, and return the section of the page."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        weekly = EVENTS // (WEEKS - TRAINED_WEEKS)
        made = synthesize(home, 5, weeks=WEEKS, calm_weeks=WEEKS, events_per_week=weekly, drifts=())
        until = made.end - timedelta(weeks=WEEKS - TRAINED_WEEKS)
        moment = datetime(2026, 3, 1, tzinfo=UTC)
        train_initial(made.events, until, home / "models", "cost", 5, lambda: moment)
        last = made.end - timedelta(days=1)
        span = ("--from", f"{until:%Y-%m-%d}")
        first = [*span, "--until", f"{last:%Y-%m-%d}"]
        rest = ["--from", f"{last:%Y-%m-%d}", "--labels-from", f"{until:%Y-%m-%d}"]
        steps = [
            ("replay: score and log", ["replay", str(made.events), *first]),
            ("land", ["land"]),
            ("first build, all at once", ["build"]),
            ("gate", ["gate"]),
            ("report", ["report"]),
            ("one more day: replay", ["replay", str(made.events), *rest]),
            ("one more day: land", ["land"]),
            ("one more day: build", ["build"]),
        ]
        rows, held = [], {}
        for what, words in steps:
            cpu, wall = _measure(home, words)
            rows.append((what, f"{cpu:,.1f}", f"{wall:,.1f}"))
            say(f"{what}: {cpu:.1f} CPU s, {wall:.1f} s")
            if what == "report":
                held = disk_bytes(home)
    sizes = [
        (folder, f"{held[folder] / 1e6:,.0f}", f"{held[folder] / EVENTS:,.0f}")
        for folder in FOLDERS
    ]
    load = os.getloadavg()[0]
    return "\n\n".join(
        [
            _HEAD.format(events=EVENTS, days=(WEEKS - TRAINED_WEEKS) * 7, load=load),
            table(("step", "CPU s", "wall s"), rows),
            table(("folder", "MB", "bytes an event"), sizes),
        ]
    )


_HEAD = (
    "{events:,} made-up events of {days} days with their labels, scored by the shipped model; each"
    " step is the verb as a process, its children included. The log holds messages as they came;"
    " landing, warehouse (with its state) and the published copy are compressed. 2 cores, load"
    " {load:.0f} at the end: trust the CPU seconds."
)


def _measure(home: Path, words: list[str]) -> tuple[float, float]:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), perf_counter()
    script = "import sys; from ops.cli import call; sys.exit(call(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", script, *words],
        env={**os.environ, "DRIFTNET_HOME": str(home)},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
    )
    assert done.returncode in (0, 3), done.stderr
    wall, after = perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall
