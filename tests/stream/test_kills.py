"""The watch is killed 25 times while events and labels come in: slow."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ops.settings import CHECKOUT, Settings
from tests.stream.places import append, label_rows, messages, publish_labels, write_reference

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ROUNDS = 25
LABELS, EVENTS = 4_000, 2_000  # a round


def labels() -> list[pa.Table]:
    """Return one fold a round; the error rate steps up and down."""
    drawn = np.random.default_rng(31)
    found = []
    for number in range(ROUNDS):
        rate = (0.05, 0.05, 0.25, 0.25, 0.08)[number % 5]
        wrong = list(drawn.random(LABELS) < rate)
        known = sorted(int(m) for m in drawn.integers(0, LABELS, LABELS) + LABELS * number)
        found.append(label_rows(wrong, number + 1, LABELS * number, known=known))
    return found


def events() -> list[list[bytes]]:
    """Return the messages of each round; scores and lengths step up and down."""
    drawn = np.random.default_rng(32)
    found = []
    for number in range(ROUNDS):
        scores = np.clip(drawn.random(EVENTS) + (0.0, 0.0, 0.3, 0.3)[number % 4], 0.0, 1.0)
        lengths = drawn.normal((50.0, 50.0, 50.0, 60.0, 60.0)[number % 5], 10.0, EVENTS)
        found.append(messages(scores, lengths, EVENTS * number))
    return found


class Watches:
    """Watches of homes, one after the other."""

    def __init__(self, server: "subprocess.Popen[str]") -> None:
        assert server.stdin is not None
        assert server.stdout is not None
        self._give, self._take = server.stdin, server.stdout

    def _begin(self, *words: str) -> int:
        self._give.write(" ".join(words) + "\n")
        self._give.flush()
        return int(self._take.readline())

    def killed(self, home: Path, seconds: float) -> None:
        """Let a watch be at work for a while, then kill it."""
        process = self._begin(str(home))
        assert self._take.readline() == "at work\n"
        time.sleep(seconds)
        os.kill(process, signal.SIGKILL)
        assert self._take.readline() == "ended -9\n"

    def once(self, home: Path) -> None:
        """Let a watch catch up and end."""
        self._begin(str(home), "once")
        while (line := self._take.readline()) == "at work\n":
            pass
        assert line == "ended 0\n"


@pytest.fixture
def watches() -> Iterator[Watches]:
    words = [sys.executable, "-m", "tests.stream.watcher"]
    with subprocess.Popen(
        words, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        yield Watches(server)


def told(home: Path) -> Counter[tuple[str, str]]:
    text = (home / "alerts" / "incident_log.json").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    return Counter((line["change_id"], line["summary"]) for line in lines)


def landed(home: Path) -> Counter[tuple[str, str, str]]:
    rows = []
    for path in (home / "landing" / "stream").glob("*.parquet"):
        rows += pq.read_table(path).to_pylist()
    return Counter((str(row["happening_id"]), row["kind"], row["summary"]) for row in rows)


def test_25_kills_under_load_give_the_alarms_of_an_undisturbed_run_once_each(
    tmp_path: Path, watches: Watches
) -> None:
    killed, calm = tmp_path / "killed", tmp_path / "calm"
    settings = Settings(killed)
    write_reference(settings.models)
    folds, sent = labels(), events()
    chance = random.Random(33)
    for number in range(ROUNDS):
        append(settings, sent[number])
        publish_labels(settings, pa.concat_tables(folds[: number + 1]), number + 1)
        watches.killed(killed, chance.uniform(0.0, 0.3))
    watches.once(killed)
    for name in ("models", "log", "published"):
        shutil.copytree(killed / name, calm / name, symlinks=True)
    watches.once(calm)
    assert landed(killed) == landed(calm)
    assert told(killed) == told(calm)
    assert set(told(calm).values()) == set(landed(calm).values()) == {1}
    subjects = {summary.split(", ")[1].split(":")[0] for _, summary in told(calm)}
    assert subjects >= {"errors", "score", "length"}
    assert len(told(calm)) >= 10
