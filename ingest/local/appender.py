"""Acknowledged appends to the local log from an event loop: who waits together is written together.

One thread writes: while it syncs, callers queue up, and the next write and sync take all of them.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ingest.log import EventLog, Position, Unavailable, require_fit

MAX_WAITING_BYTES = 1 << 26
"""How much may wait to be written before more is refused."""


@dataclass(frozen=True)
class _Waiting:
    values: Sequence[bytes]
    positions: "asyncio.Future[list[Position]]"


class LocalAppender:
    """Appends to a log whose `append` blocks; satisfies `ingest.log.AsyncAppender`.

    Parameters
    ----------
    log
        Its `append` runs in a thread of this appender.
    max_waiting_bytes
        How much may wait.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from ingest.local.log import LocalLog
    >>> async def two() -> list[int]:
    ...     appender = LocalAppender(LocalLog(Path(tempfile.mkdtemp()), print))
    ...     first, second = await asyncio.gather(
    ...         appender.append("t", [b"one"]), appender.append("t", [b"two"])
    ...     )
    ...     await appender.close()
    ...     return [first[0].offset, second[0].offset]
    >>> asyncio.run(two())
    [0, 11]
    """

    def __init__(self, log: EventLog, max_waiting_bytes: int = MAX_WAITING_BYTES) -> None:
        self._log = log
        self._max_waiting_bytes = max_waiting_bytes
        self._waiting: dict[str, list[_Waiting]] = defaultdict(list)
        self._waiting_bytes = 0
        self._writer: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "append")
        self._is_closed = False

    async def append(self, topic: str, values: Sequence[bytes]) -> list[Position]:
        """Add messages in order; see `ingest.log.AsyncAppender`."""
        require_fit(values)
        if self._is_closed:
            raise Unavailable("the event log was closed: this process is ending")
        size = sum(map(len, values))
        if self._waiting_bytes + size > self._max_waiting_bytes:
            raise Unavailable("the event log does not keep up: try again later")
        loop = asyncio.get_running_loop()
        waiting = _Waiting(values, loop.create_future())
        self._waiting[topic].append(waiting)
        self._waiting_bytes += size
        if self._writer is None or self._writer.done():
            self._writer = loop.create_task(self._write())
        return await waiting.positions

    async def close(self) -> None:
        """Wait for what is under way, then end."""
        self._is_closed = True
        if self._writer is not None:
            await self._writer
        self._thread.shutdown()

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            topic = next(iter(self._waiting))
            together = self._waiting.pop(topic)
            values = [value for waiting in together for value in waiting.values]
            try:
                positions = await loop.run_in_executor(
                    self._thread, self._log.append, topic, values
                )
            except Exception as error:
                for waiting in together:
                    if not waiting.positions.done():
                        waiting.positions.set_exception(_told(error))
            else:
                start = 0
                for waiting in together:
                    stop = start + len(waiting.values)
                    if not waiting.positions.done():
                        waiting.positions.set_result(positions[start:stop])
                    start = stop
            finally:
                self._waiting_bytes -= sum(map(len, values))


def _told(error: Exception) -> Exception:
    """Return the error for one of several callers, each of whom raises its own."""
    told = Unavailable(str(error))
    told.__cause__ = error
    return told
