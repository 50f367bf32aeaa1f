import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from ingest.scorer import Scores
from ingest.serving.batching import CHARACTERS, Batching


class Counting:
    """Scores a text by its length, and remembers what it was given at once."""

    def __init__(self, bad: str = "bad") -> None:
        self.calls: list[list[str]] = []
        self.bad = bad

    def score(self, texts: Sequence[str]) -> Scores:
        self.calls.append(list(texts))
        if self.bad in texts:
            raise ValueError("bad")
        score = np.array([len(text) / 1e6 for text in texts])
        return Scores(
            score,
            score > 0.5,
            np.zeros((len(texts), 2), dtype=np.float32),
            [{"n": float(len(text))} for text in texts],
            list(texts),
        )


def test_who_asks_at_the_same_time_is_scored_together_and_gets_its_own() -> None:
    judge = Counting()

    async def run() -> list[list[str]]:
        batching = Batching()
        asked = [batching.score(judge, [f"{n}a", f"{n}b"]) for n in range(20)]
        return [[one.cluster for one in rows] for rows in await asyncio.gather(*asked)]

    assert asyncio.run(run()) == [[f"{n}a", f"{n}b"] for n in range(20)]
    assert len(judge.calls) == 1


def test_a_turn_is_bounded_and_a_long_list_is_answered_in_its_order() -> None:
    judge = Counting()

    async def run() -> tuple[list[str], list[str]]:
        batching = Batching(turn=10)
        texts = [str(n) for n in range(95)]
        long, short = await asyncio.gather(
            batching.score(judge, texts), batching.score(judge, ["short"])
        )
        return [one.cluster for one in long], [one.cluster for one in short]

    assert asyncio.run(run()) == ([str(n) for n in range(95)], ["short"])
    assert max(map(len, judge.calls)) == 10
    assert len(judge.calls) == 10


def test_long_texts_weigh_more() -> None:
    judge = Counting()

    async def run() -> None:
        await Batching(turn=10).score(judge, ["x" * 4 * CHARACTERS] * 5)

    asyncio.run(run())
    assert [len(call) for call in judge.calls] == [2, 2, 1]


def test_the_loop_breathes_between_turns() -> None:
    seen: list[int] = []
    judge = Counting()

    async def look() -> None:
        while len(judge.calls) < 10:
            seen.append(len(judge.calls))
            await asyncio.sleep(0)

    async def run() -> None:
        await asyncio.gather(Batching(turn=1).score(judge, list("abcdefghij")), look())

    asyncio.run(run())
    assert set(seen) == set(range(10))


def test_one_that_fails_does_not_take_its_neighbours_along() -> None:
    judge = Counting()

    async def run() -> list[object]:
        batching = Batching()
        asked = [batching.score(judge, [text]) for text in ("one", "bad", "two")]
        return await asyncio.gather(*asked, return_exceptions=True)

    first, failed, second = asyncio.run(run())
    assert isinstance(failed, ValueError)
    assert isinstance(first, list)
    assert isinstance(second, list)
    assert (first[0].cluster, second[0].cluster) == ("one", "two")


def test_two_judges_are_never_mixed() -> None:
    old, new = Counting(), Counting()

    async def run() -> None:
        batching = Batching()
        asked = [batching.score(new if n % 2 else old, [str(n)]) for n in range(6)]
        await asyncio.gather(*asked)

    asyncio.run(run())
    assert sorted(text for call in old.calls for text in call) == ["0", "2", "4"]
    assert sorted(text for call in new.calls for text in call) == ["1", "3", "5"]


def test_nobody_is_scored_who_stopped_waiting() -> None:
    judge = Counting()

    async def run() -> None:
        batching = Batching()
        gone = asyncio.create_task(batching.score(judge, ["gone"]))
        stays = asyncio.create_task(batching.score(judge, ["stays"]))
        await asyncio.sleep(0)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        await stays

    asyncio.run(run())
    assert judge.calls[-1][-1] == "stays"


def test_nothing_asked_is_nothing_scored() -> None:
    judge = Counting()
    assert asyncio.run(Batching().score(judge, [])) == []
    assert judge.calls == []
