"""SIGKILL at any moment of a retraining: the champion is whole, and a promotion is told once."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ingest import model as models
from retrain.record import record_missing
from tests.retrain.year import Year, copied

pytestmark = pytest.mark.slow

KILLS = 25
STAGES = ("training", "saving", "promoting")


class Trainer:
    """Starts retrainings one after the other, see `tests.retrain.child`."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.retrain.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
        assert self.line() == "ready"

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def begin(self, home: Path) -> int:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{home}\n")
        return int(self.line())

    def unharmed(self, home: Path) -> dict[str, float]:
        """Let a retraining come to its end; return when it said what."""
        process_id = self.begin(home)
        said = {}
        for line in iter(self.line, "promoted"):
            assert line in STAGES, line
            said[line] = time.monotonic()
        said["promoted"] = time.monotonic()
        os.kill(process_id, signal.SIGKILL)
        assert self.line() == "ended"
        return said

    def killed(self, home: Path, stage: str, delay: float) -> str:
        """Kill a retraining so long after a stage began; return the last that it said."""
        process_id = self.begin(home)
        for line in iter(self.line, stage):
            assert line in STAGES, line
        time.sleep(delay)
        os.kill(process_id, signal.SIGKILL)
        return [stage, *iter(self.line, "ended")][-1]


@pytest.fixture(scope="module")
def trainer() -> Iterator[Trainer]:
    found = Trainer()
    yield found
    assert found.process.stdin is not None
    assert found.process.stdout is not None
    found.process.stdin.close()
    assert found.process.wait(60) == 0
    found.process.stdout.close()


@pytest.mark.parametrize("stage", ["training", "saving"])
def test_a_kill_leaves_the_champion_whole_and_tells_a_promotion_once(
    turned: Year, trainer: Trainer, tmp_path: Path, stage: str
) -> None:
    rng = np.random.default_rng(9)
    home = copied(turned, tmp_path / "home")
    pristine = tmp_path / "models"
    shutil.copytree(home.settings.models, pristine)
    at = trainer.unharmed(home.settings.home)
    assert list(at) == [*STAGES, "promoted"]
    length = 0.7 * (at["saving" if stage == "training" else "promoted"] - at[stage])
    ends = Counter[str]()
    for _ in range(KILLS):
        restore(home, pristine)
        ends[trainer.killed(home.settings.home, stage, float(rng.uniform(0, length)))] += 1
        served = models.champion(home.settings.models, "urls")
        assert served in {"1", "2"}
        assert models.load(home.settings.models, "urls").card.version == served
        told = [item for item in home.told() if item["kind"] == "promoted"]
        assert len(told) <= (served == "2")
        if served == "2":  # the next run tells what the killed one could not
            for _ in range(2):
                card = models.load(home.settings.models, "urls").card
                record_missing(home.settings.landing, card)
            assert [item["kind"] for item in home.told()].count("promoted") == 1
    print(f"killed from {stage} on: {dict(ends)}")
    restore(home, pristine)
    assert home.retrain(21, force=True).kind == "promoted"


def restore(home: Year, pristine: Path) -> None:
    """Bring the first champion back, and forget what was told."""
    shutil.rmtree(home.settings.models)
    shutil.copytree(pristine, home.settings.models)
    shutil.rmtree(home.settings.landing / "retrain", ignore_errors=True)
