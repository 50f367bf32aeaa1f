"""A real server process of the scoring API, and callers that keep asking it."""

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from typing import Any

import httpx

from ops.settings import CHECKOUT

PATIENCE = 120  # seconds, on a loaded machine


class Process:
    """`driftnet serve` on free ports; `told` are the lines of its log."""

    def __init__(
        self, home: Path, *options: str, keys: str = "", more: Mapping[str, str] | None = None
    ) -> None:
        self._lines: Queue[dict[str, Any] | None] = Queue()
        self.told: list[dict[str, Any]] = []
        self.text = ""
        command = "import sys; from ops.cli import call; sys.exit(call(sys.argv[1:]))"
        words = ("serve", "--port", "0", "--metrics-port", "0", *options)
        self.process = subprocess.Popen(
            [sys.executable, "-c", command, *words],
            stderr=subprocess.PIPE,
            text=True,
            cwd=CHECKOUT,
            env={
                **os.environ,
                "DRIFTNET_HOME": str(home),
                "DRIFTNET_API_KEYS": keys,
                **(more or {}),
            },
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        serving = self.wait_for("serving")
        self.address = f"http://{serving['address']}"
        self.metrics = f"http://{serving['metrics']}/metrics"

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.text += line
            self._lines.put(json.loads(line) if line.startswith("{") else {"event": line.strip()})
        self._lines.put(None)

    def wait_for(self, event: str) -> dict[str, Any]:
        """Return the next line of an event."""
        while True:
            line = self._lines.get(timeout=PATIENCE)
            assert line is not None, f"ended before {event}: {self.text}"
            self.told.append(line)
            if line["event"] == event:
                return line

    def end(self, number: int) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Return the exit code."""
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code


@contextmanager
def serving(
    home: Path, *options: str, keys: str = "", more: Mapping[str, str] | None = None
) -> Iterator[Process]:
    """Run a server; it is gone afterwards, whatever happens."""
    process = Process(home, *options, keys=keys, more=more)
    try:
        yield process
    finally:
        if process.process.poll() is None:
            process.process.kill()
        process.wait()
        assert process.process.stderr is not None
        process.process.stderr.close()


class Callers:
    """Ask again and again from several connections, on a thread of their own.

    `answers` are those of status 200; `errors` what else came.
    """

    def __init__(self, address: str, count: int = 6) -> None:
        self.address = address
        self.answers: list[dict[str, Any]] = []
        self.errors: list[str] = []
        self._stop = threading.Event()
        self._count = count
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self) -> "Callers":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    def wait_until(self, condition: Callable[[list[dict[str, Any]]], bool]) -> None:
        """Wait for a condition on the answers."""
        deadline = time.monotonic() + PATIENCE
        while not condition(list(self.answers)):
            assert time.monotonic() < deadline, (len(self.answers), self.errors[:3])
            time.sleep(0.02)

    async def _run(self) -> None:
        limits = httpx.Limits(max_connections=self._count)
        async with httpx.AsyncClient(
            base_url=self.address, limits=limits, timeout=PATIENCE
        ) as client:
            await asyncio.gather(*(self._ask(client, who) for who in range(self._count)))

    async def _ask(self, client: httpx.AsyncClient, who: int) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            item = {"url": f"https://www.example.com/{who}/{number}"}
            body = [item] * 3 if who == 0 else item
            try:
                answer = await client.post("/predict", json=body)
            except httpx.HTTPError as error:
                self.errors.append(type(error).__name__)
                return
            if answer.status_code != 200:
                self.errors.append(answer.text)
            else:
                found = answer.json()
                self.answers += found if isinstance(found, list) else [found]
