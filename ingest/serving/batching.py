"""Scoring on an event loop: who asks at the same time is scored together.

An estimator takes nearly as long for one row as for thirty. So nothing is scored at once: the rows
that came in one turn of the loop are scored in the next, without any added wait. A turn scores a
bounded weight, so that a long list does not hold up a short one. A row's answer does not depend on
its neighbours (`ingest.scorer`).
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ingest.features import Value
from ingest.scorer import Scores

TURN = 128  # weight that one turn of the loop scores
CHARACTERS = 1_000  # characters that weigh as much as one row


class Judge(Protocol):
    """What scores texts; `ingest.scorer.Scorer` does."""

    def score(self, texts: Sequence[str], /) -> Scores:
        """Score n texts."""
        ...


class Judged(NamedTuple):
    """What a model says of one text; fields as in `ingest.scorer.Scores`."""

    score: float
    is_positive: bool
    embedding: list[float]
    features: dict[str, Value]
    cluster: str


@dataclass(frozen=True)
class _Asked:
    judge: Judge
    texts: Sequence[str]
    weight: int
    answer: "asyncio.Future[list[Judged]]"


class Batching:
    """Scores texts for the callers of one event loop.

    Parameters
    ----------
    turn
        Weight of the rows that are scored at once: one for each row and for each `CHARACTERS`.
    """

    def __init__(self, turn: int = TURN) -> None:
        self._turn = turn
        self._waiting: deque[_Asked] = deque()

    async def score(self, judge: Judge, texts: Sequence[str]) -> list[Judged]:
        """Return what a judge says of texts, in their order."""
        loop = asyncio.get_running_loop()
        answers = []
        for part in _parts(texts, self._turn):
            if not self._waiting:
                loop.call_soon(self._take_turn)
            answer: asyncio.Future[list[Judged]] = loop.create_future()
            self._waiting.append(_Asked(judge, part, sum(map(_weight, part)), answer))
            answers.append(answer)
        try:
            return [judged for answer in answers for judged in await answer]
        finally:
            for answer in answers:
                answer.cancel()

    def _take_turn(self) -> None:
        together: list[_Asked] = []
        left = self._turn
        while self._waiting and (not together or self._waiting[0].weight <= left):
            if together and self._waiting[0].judge is not together[0].judge:
                break
            asked = self._waiting.popleft()
            if not asked.answer.done():
                together.append(asked)
                left -= asked.weight
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._take_turn)
        if together:
            _answer(together)


def _answer(together: Sequence[_Asked]) -> None:
    """Score what was asked together; where that fails, each by itself, to spare the others."""
    try:
        rows = _rows(together[0].judge.score([text for asked in together for text in asked.texts]))
    except Exception as error:
        if len(together) == 1:
            together[0].answer.set_exception(error)
            return
        for asked in together:
            _answer([asked])
        return
    start = 0
    for asked in together:
        stop = start + len(asked.texts)
        asked.answer.set_result(rows[start:stop])
        start = stop


def _rows(scores: Scores) -> list[Judged]:
    return [
        Judged(*row)
        for row in zip(
            scores.score.tolist(),
            scores.is_positive.tolist(),
            scores.embedding.tolist(),
            scores.features,
            scores.cluster,
            strict=True,
        )
    ]


def _weight(text: str) -> int:
    return 1 + len(text) // CHARACTERS


def _parts(texts: Sequence[str], turn: int) -> list[Sequence[str]]:
    parts: list[Sequence[str]] = []
    start = weight = 0
    for place, text in enumerate(texts):
        if place > start and weight + _weight(text) > turn:
            parts.append(texts[start:place])
            start, weight = place, 0
        weight += _weight(text)
    return [*parts, texts[start:]] if texts else []
