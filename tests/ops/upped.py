"""`driftnet up` as a process on free ports; `lines` are what the services said."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from ops.settings import CHECKOUT
from tests.brokers import free_ports

PATIENCE = 180  # seconds, on a loaded machine
SCRIPT = "import sys; from ops.cli import call; sys.exit(call(sys.argv[1:]))"


class Up:
    """The services of a home."""

    def __init__(self, home: Path, *options: str, **more: str) -> None:
        api, api_metrics, metrics = (f"127.0.0.1:{port}" for port in free_ports(3))
        self.api, self.api_metrics, self.metrics = (
            f"http://{at}" for at in (api, api_metrics, metrics)
        )
        self.lines: list[str] = []
        self.pids: dict[str, int] = {}
        self.process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, "up", *options],
            stderr=subprocess.PIPE,
            text=True,
            cwd=CHECKOUT,
            env={
                **{k: x for k, x in os.environ.items() if not k.startswith("DRIFTNET_")},
                "DRIFTNET_HOME": str(home),
                "DRIFTNET_API_LISTEN": api,
                "DRIFTNET_API_METRICS_LISTEN": api_metrics,
                "DRIFTNET_METRICS_LISTEN": metrics,
                **more,
            },
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line.rstrip())
            if line.startswith("{") and (told := json.loads(line))["event"] == "started":
                self.pids[told["service"]] = told["pid"]

    def told(self, service: str, event: str) -> list[dict[str, Any]]:
        """Return what a service told of an event."""
        return [
            told
            for line in list(self.lines)
            if line.startswith(f"{service} ") and "| {" in line
            for told in [json.loads(line.split("| ", 1)[1])]
            if told["event"] == event
        ]

    def until(self, true: Callable[[], object]) -> None:
        """Wait for a condition."""
        deadline = time.monotonic() + PATIENCE
        while not true():
            assert self.process.poll() is None, "\n".join(self.lines)
            assert time.monotonic() < deadline, "\n".join(self.lines[-40:])
            time.sleep(0.1)

    def is_ready(self) -> bool:
        """Return whether the API answers."""
        return get(f"{self.api}/readyz") is not None

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code


@contextmanager
def up(home: Path, *options: str, **more: str) -> Iterator[Up]:
    """Run the services; they are gone afterwards, whatever happens."""
    services = Up(home, *options, **more)
    try:
        yield services
    finally:
        if services.process.poll() is None:
            services.process.kill()
        services.process.wait()
        for pid in services.pids.values():
            if is_alive(pid):
                os.kill(pid, signal.SIGKILL)
        services._reader.join(PATIENCE)
        assert services.process.stderr is not None
        services.process.stderr.close()


def is_alive(pid: int) -> bool:
    """Return whether a process runs (one that waits to be reaped does not)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def get(address: str) -> str | None:
    """Return what an address on loopback answers; None where it does not, or not well."""
    try:
        answer = httpx.get(address, timeout=10)
    except httpx.HTTPError:
        return None
    return answer.text if answer.is_success else None


def post(address: str, body: Mapping[str, Any] | list[Any], key: str = "") -> Any:
    """Send JSON and return the answer."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    answer = httpx.post(address, json=body, headers=headers, timeout=30)
    answer.raise_for_status()
    return answer.json()
