"""An app as a server (uvicorn): its loop, its signals, its end.

At the first SIGTERM or SIGINT the server is not ready any more, then takes no new connections,
answers what is under way and ends; at a second one it ends at once.
"""

import asyncio
import logging
import signal
import socket
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from ingest.champions import Tell
from ingest.serving.service import Health

BACKLOG = 2048
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Server(uvicorn.Server):
    """A server that drains.

    Parameters
    ----------
    app
        What it serves.
    health
        Is told that the server drains.
    tell
        Is told of ``draining``, and of errors of the server itself.
    drain_seconds
        How long it still takes connections while it is not ready, for a load balancer to see that.
    grace_seconds
        How long answers under way may take at the end.
    """

    def __init__(
        self,
        app: FastAPI,
        health: Health,
        tell: Tell,
        drain_seconds: float,
        grace_seconds: float,
    ) -> None:
        config = uvicorn.Config(
            app,
            loop="uvloop",
            http="httptools",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            backlog=BACKLOG,
            timeout_graceful_shutdown=round(grace_seconds),
        )
        super().__init__(config)
        self._health = health
        self._tell = tell
        self._drain_seconds = drain_seconds

    def serve_on(self, listener: socket.socket, started: Callable[[], object]) -> None:
        """Serve on a bound socket until a signal; `started` is called once requests are taken."""
        self._started = started
        with _logged(self._tell):
            self.run([listener])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self._started()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Handle the signals on the loop; none is raised again at the end."""
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self._end, number)
        try:
            yield
        finally:
            for number in SIGNALS:
                loop.remove_signal_handler(number)

    def _end(self, number: int) -> None:
        if self._health.is_draining:
            self.should_exit = self.force_exit = True
            return
        self._health.is_draining = True
        self._tell("draining", signal=signal.Signals(number).name)
        asyncio.get_running_loop().call_later(self._drain_seconds, self._close)

    def _close(self) -> None:
        self.should_exit = True


@contextmanager
def _logged(tell: Tell) -> Generator[None, None, None]:
    """Tell what uvicorn logs as a warning or worse."""
    logger = logging.getLogger("uvicorn.error")
    handler = _Telling(tell)
    logger.addHandler(handler)
    before, logger.propagate = logger.propagate, False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = before


class _Telling(logging.Handler):
    """Tells where an error came from, but not its message: it may hold what was sent."""

    def __init__(self, tell: Tell) -> None:
        super().__init__(logging.WARNING)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        """Tell of one record."""
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            self._tell("server", level=record.levelname.lower(), message=record.getMessage())
            return
        frames = traceback.extract_tb(error.__traceback__)[-5:]
        where = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames]
        self._tell("failed", error=type(error).__name__, where=where)
