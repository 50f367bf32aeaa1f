"""Retrainings in processes of their own that say at which stage they are.

Everything is imported once; then each line of the input, the path of a home, is one retraining in
a fork. It says its process id first, and waits to be killed at the latest when it is done.
"""

import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

from ingest import model as models
from ops import learning  # noqa: F401  (imported before the forks, like the others below)
from ops.settings import read
from retrain import learn  # noqa: F401
from retrain.estimator import Recipe
from retrain.train import RECIPE
from tests.retrain.year import Year


def quick(features: Any, seed: int) -> Any:
    """Return the shipped estimator with fewer trees; its making is where training begins."""
    say("training")
    pipeline = RECIPE.build(features, seed)
    return pipeline.set_params(judge__max_iter=30)


QUICK = Recipe("fewer trees", RECIPE.features, quick, RECIPE.weighted_step)


def say(word: object) -> None:
    """Write a line at once; below the buffers of Python, which a kill would lose."""
    os.write(1, f"{word}\n".encode())


def retrain(home: Path) -> None:
    """Retrain by force as of week 21."""

    def stage(name: str, act: Any) -> Any:
        def aloud(*words: Any, **names: Any) -> Any:
            say(name)
            return act(*words, **names)

        return aloud

    models.save = stage("saving", models.save)
    models.promote = stage("promoting", models.promote)
    year = Year(read().at(home), home)
    say(year.retrain(21, force=True, recipe="tests.retrain.child:QUICK").kind)


if __name__ == "__main__":
    import sklearn.compose
    import sklearn.ensemble
    import sklearn.pipeline
    import sklearn.preprocessing  # noqa: F401
    import skops.io  # noqa: F401

    say("ready")
    for line in iter(sys.stdin.readline, ""):
        child = os.fork()
        if not child:
            say(os.getpid())
            try:
                retrain(Path(line.strip()))
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            signal.pause()
        os.waitpid(child, 0)
        say("ended")
