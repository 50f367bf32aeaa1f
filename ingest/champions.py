"""The champion at work, and the next one as soon as it is promoted.

The file that names the champion is looked at every second. A new one is read and warmed up beside
the old one, then takes its place at once; requests under way keep the scorer that they began with.
A version that cannot be read leaves the old one at work, and that is told.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ingest.errors import DriftnetError, InputError
from ingest.model import champion
from ingest.scorer import Scorer

LOOK_SECONDS = 1.0
AGAIN_SECONDS = 30.0

Tell = Callable[..., object]
"""Is told of a happening: its name, then fields by name."""


@dataclass(frozen=True)
class Serving:
    """A scorer, and since when it is at work."""

    scorer: Scorer
    since: datetime


class Champions:
    """Holds the scorer that serves (`current`), and why a promoted version does not (`refusal`).

    Parameters
    ----------
    models, name
        The folder of all models, and which one.
    clock
        The time in UTC.
    tell
        Is told of ``champion_loaded`` and ``champion_refused``.
    look_seconds, again_seconds
        How often the name is looked at, and when a version that was refused is tried again.
    """

    def __init__(
        self,
        models: Path,
        name: str,
        clock: Callable[[], datetime],
        tell: Tell,
        look_seconds: float = LOOK_SECONDS,
        again_seconds: float = AGAIN_SECONDS,
    ) -> None:
        self._models = models
        self.name = name
        self._clock = clock
        self._tell = tell
        self._look_seconds = look_seconds
        self._again_seconds = again_seconds
        self._tried = ("", 0.0)  # version, time of the loop
        self.refusal: str | None = None
        self.refusal_count = 0
        self.current = self._load(self._wanted())

    @property
    def version(self) -> str:
        """Return the version at work."""
        return self.current.scorer.card.version

    async def watch(self) -> None:
        """Take up what is promoted, until cancelled."""
        while True:
            await asyncio.sleep(self._look_seconds)
            await self.look()

    async def look(self) -> None:
        """Look once, and take up another champion when there is one that can be read."""
        now = asyncio.get_running_loop().time()
        wanted = ""
        try:
            wanted = self._wanted()
            if wanted == self.version:
                self.refusal = None
                return
            if self._tried[0] == wanted and now - self._tried[1] < self._again_seconds:
                return
            self.current = await asyncio.to_thread(self._load, wanted)
            self.refusal = None
        except Exception as error:  # whatever is wrong with the new one, the old one serves on
            what = str(error) if isinstance(error, DriftnetError) else type(error).__name__
            if what != self.refusal or wanted:
                self.refusal_count += 1
                self._tell("champion_refused", model=self.name, version=wanted, reason=what)
            self.refusal = what
        self._tried = (wanted, now)

    def _wanted(self) -> str:
        version = champion(self._models, self.name)
        if not version:
            raise InputError(
                f"model {self.name} has no champion: train one (`driftnet retrain --initial`)"
            )
        return version

    def _load(self, version: str) -> Serving:
        scorer = Scorer.load(self._models, self.name, version)
        scorer.score(["warm", "up"])
        self._tell("champion_loaded", model=self.name, version=version)
        return Serving(scorer, self._clock())
