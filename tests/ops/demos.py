"""Whole demos, run as a person would."""

import os
import subprocess
import sys
from pathlib import Path

from ops.settings import CHECKOUT

DRIFTNET = str(Path(sys.executable).with_name("driftnet"))
DBT = str(Path(sys.executable).with_name("dbt"))


def run(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command line in a home."""
    environment = {**os.environ, "DRIFTNET_HOME": str(home)}
    return subprocess.run(
        words, env=environment, cwd=CHECKOUT, capture_output=True, text=True, check=False
    )


def make_demo(home: Path, *words: str) -> tuple[Path, str]:
    """Run a demo and return its home and what it told."""
    done = run(home, DRIFTNET, "demo", "--home", str(home / "demo"), *words)
    assert done.returncode == 0, done.stderr
    return home / "demo", done.stdout
