"""The crontab: its lines are cron's, its verbs exist, and only a crash says something."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from ops.cli import cli
from ops.settings import CHECKOUT, KNOWN
from ops.timetable import Job

LINES = [
    line
    for line in (CHECKOUT / "ops" / "cron" / "crontab").read_text().splitlines()
    if line and not line.startswith("#")
]
VALUES = dict(line.split("=", 1) for line in LINES if re.match(r"[A-Z_]+=", line))
JOBS = [line.split(None, 5) for line in LINES if not re.match(r"[A-Z_]+=", line)]
VERB = re.compile(r'"\$DRIFTNET" (\w+)((?: --?\w+)*) >')


def test_each_time_is_one_of_cron_and_each_command_a_verb() -> None:
    assert len(JOBS) == 4
    for *fields, command in JOBS:
        assert Job("land", (), " ".join(fields)).trigger() is not None
        [(verb, options)] = VERB.findall(command)
        known = {
            flag
            for option in cli.commands[verb].params
            for flag in (*option.opts, *option.secondary_opts)
        }
        assert set(options.split()) <= known
        assert "%" not in command  # cron would end the command there
    assert {name for name in VALUES if name.startswith("DRIFTNET_")} <= set(KNOWN)


@pytest.mark.parametrize(("code", "said"), [(0, ""), (3, ""), (1, "went wrong\n")])
def test_only_a_crash_of_run_says_something(tmp_path: Path, code: int, said: str) -> None:
    """Cron mails what a command says."""
    command = tmp_path / "driftnet"
    command.write_text(f"#!/bin/sh\necho begun\necho went wrong >&2\nexit {code}\n")
    command.chmod(0o755)
    [line] = [words[5] for words in JOBS if '"$DRIFTNET" run' in words[5]]
    done = subprocess.run(
        [VALUES["SHELL"], "-c", line],
        env={**os.environ, "DRIFTNET": str(command), "DRIFTNET_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == (said, "")
