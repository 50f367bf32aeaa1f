"""A home as it is after some weeks of work: a champion, events and labels, marts, a verdict."""

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest.synthesize import synthesize
from ops.settings import CHECKOUT
from retrain.train import train_initial

WEEKS, TRAINED_WEEKS = 10, 6
NAME = "urls"
DRIFTED = 3


def driftnet(
    home: Path, *words: str, codes: tuple[int, ...] = (0,), **more: str
) -> "subprocess.CompletedProcess[str]":
    """Run a verb in a home, to one of these exit codes."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("driftnet")), *words],
        env={
            **{k: x for k, x in os.environ.items() if not k.startswith("DRIFTNET_")},
            "DRIFTNET_HOME": str(home),
            **more,
        },
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in codes, done.stdout + done.stderr
    return done


def make_watched(home: Path) -> Path:
    """Make such a home."""
    made = synthesize(home, 3, weeks=WEEKS, calm_weeks=WEEKS, events_per_week=400, drifts=())
    until = made.end - timedelta(weeks=WEEKS - TRAINED_WEEKS)
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    train_initial(made.events, until, home / "models", NAME, 3, lambda: moment)
    driftnet(home, "replay", str(made.events), "--from", f"{until:%Y-%m-%d}")
    driftnet(home, "land")
    driftnet(home, "build")
    driftnet(home, "gate", codes=(0, DRIFTED))
    return home


def needed(tool: str, remedy: str) -> str:
    """Return where a tool is; without it the test fails under CI and is skipped elsewhere."""
    if found := shutil.which(tool):
        return found
    absent = f"no {tool}: {remedy}"
    if os.environ.get("CI"):
        pytest.fail(absent)
    pytest.skip(absent)
