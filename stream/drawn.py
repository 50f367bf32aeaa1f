"""Streams drawn for trials: they have a known level, and change at a known place."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from stream.policy import UNIFORM_STD, Kind, Level

RATES: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4)


@dataclass(frozen=True)
class Trial:
    """What to draw: a kind of stream at a level, and streams that change."""

    kind: Kind
    mean: float

    @property
    def level(self) -> Level:
        """Return the level before the change."""
        return Level(self.mean, UNIFORM_STD) if self.kind == "value" else Level.of_rate(self.mean)


TRIALS: Final = (*(Trial("error", rate) for rate in RATES), Trial("value", 0.5))


def streams(trial: Trial, seed: int, count: int, length: int, after: int) -> Iterator[list[float]]:
    """Draw streams: `length` values without a change, then `after` values with it.

    The rate of errors doubles (or reaches the middle between it and 1); values, uniform before,
    move up by half a standard deviation (those that would pass 1 stay at 1).
    """
    for number in range(count):
        random = np.random.default_rng([seed, round(trial.mean * 1e6), number])
        drawn = random.random(length + after)
        if trial.kind == "error":
            rates = np.full(length + after, trial.mean)
            rates[length:] = min(2 * trial.mean, (1 + trial.mean) / 2)
            drawn = (drawn < rates).astype(float)
        else:
            drawn[length:] = np.minimum(drawn[length:] + UNIFORM_STD / 2, 1.0)
        yield drawn.tolist()
