import asyncio
import threading
from collections.abc import Iterable
from pathlib import Path

import pytest

from ingest.errors import DriftnetError, InputError
from ingest.fields import MAX_MESSAGE_BYTES
from ingest.local.appender import LocalAppender
from ingest.local.log import LocalLog
from ingest.log import Position, Unavailable


class Slow(LocalLog):
    """A log whose first append waits until it is let go; it counts the appends."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, pytest.fail)
        self.go = threading.Event()
        self.appends: list[int] = []
        self.refuse = False

    def append(self, topic: str, values: Iterable[bytes]) -> list[Position]:
        values = list(values)
        self.appends.append(len(values))
        assert self.go.wait(30)
        if self.refuse:
            raise DriftnetError("the disk is full")
        return super().append(topic, values)


def values_of(log: LocalLog, topic: str) -> list[bytes | None]:
    return [record.value for record in log.read(topic, 0, 0, 1 << 20)]


def test_callers_that_wait_together_share_one_write_and_each_gets_its_own_places(
    tmp_path: Path,
) -> None:
    async def run() -> list[list[Position]]:
        log = Slow(tmp_path)
        appender = LocalAppender(log)
        first = asyncio.create_task(appender.append("t", [b"first"]))
        while not log.appends:
            await asyncio.sleep(0.001)
        rest = [
            asyncio.create_task(appender.append("t", [b"%d" % n, b"%d" % n])) for n in range(50)
        ]
        await asyncio.sleep(0)
        log.go.set()
        found = await asyncio.gather(first, *rest)
        await appender.close()
        assert log.appends == [1, 100]
        return found

    found = asyncio.run(run())
    log = LocalLog(tmp_path, pytest.fail)
    records = {record.offset: record.value for record in log.read("t", 0, 0, 1 << 20)}
    assert [records[place.offset] for place in found[0]] == [b"first"]
    for number, places in enumerate(found[1:]):
        assert [records[place.offset] for place in places] == [b"%d" % number] * 2


def test_one_who_stops_waiting_does_not_disturb_the_others(tmp_path: Path) -> None:
    async def run() -> None:
        log = Slow(tmp_path)
        appender = LocalAppender(log)
        left = asyncio.create_task(appender.append("t", [b"left"]))
        stays = asyncio.create_task(appender.append("t", [b"stays"]))
        await asyncio.sleep(0)
        left.cancel()
        log.go.set()
        assert len(await stays) == 1
        with pytest.raises(asyncio.CancelledError):
            await left
        await appender.close()

    asyncio.run(run())
    assert b"stays" in values_of(LocalLog(tmp_path, pytest.fail), "t")


def test_what_the_log_refuses_is_told_to_all_who_wait_and_the_next_may_succeed(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        log = Slow(tmp_path)
        log.refuse = True
        log.go.set()
        appender = LocalAppender(log)
        found = await asyncio.gather(
            *(appender.append("t", [b"x"]) for _ in range(3)), return_exceptions=True
        )
        assert [type(error) for error in found] == [Unavailable] * 3
        assert "the disk is full" in str(found[0])
        log.refuse = False
        assert len(await appender.append("t", [b"y"])) == 1
        await appender.close()

    asyncio.run(run())
    assert values_of(LocalLog(tmp_path, pytest.fail), "t") == [b"y"]


def test_too_long_a_message_and_too_much_waiting_are_refused_at_once(tmp_path: Path) -> None:
    async def run() -> None:
        log = Slow(tmp_path)
        appender = LocalAppender(log, max_waiting_bytes=10)
        with pytest.raises(InputError, match="1048576 at most"):
            await appender.append("t", [b"x" * (MAX_MESSAGE_BYTES + 1)])
        waiting = asyncio.create_task(appender.append("t", [b"x" * 10]))
        await asyncio.sleep(0)
        with pytest.raises(Unavailable, match="does not keep up"):
            await appender.append("t", [b"x"])
        log.go.set()
        await waiting
        assert len(await appender.append("t", [b"x"])) == 1
        await appender.close()

    asyncio.run(run())


def test_close_waits_for_what_is_under_way_and_refuses_what_comes_after(tmp_path: Path) -> None:
    async def run() -> None:
        log = Slow(tmp_path)
        appender = LocalAppender(log)
        waiting = asyncio.create_task(appender.append("t", [b"x"]))
        await asyncio.sleep(0)
        closing = asyncio.create_task(appender.close())
        await asyncio.sleep(0)
        log.go.set()
        await closing
        assert waiting.done()
        with pytest.raises(Unavailable, match="was closed"):
            await appender.append("t", [b"y"])

    asyncio.run(run())
    assert values_of(LocalLog(tmp_path, pytest.fail), "t") == [b"x"]
