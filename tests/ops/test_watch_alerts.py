"""An alarm from a live log reaches a channel at once, without a build, and once: slow."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from ops.settings import CHECKOUT, Settings
from tests.landers import PATIENCE, until
from tests.stream.places import append, messages, write_reference

pytestmark = pytest.mark.slow

AT_ONCE = 60.0  # seconds, of the issue; an idle machine needs five
COMMAND = "import sys; from ops.cli import call; sys.exit(call(['watch']))"
#: The same, but killed right after the first alarm was told, before that is noted.
KILLED = f"""
import os, signal
import reports.alerts
tell = reports.alerts.tell_alarm
def told(*words, **more):
    tell(*words, **more)
    os.kill(os.getpid(), signal.SIGKILL)
reports.alerts.tell_alarm = told
{COMMAND}"""


class Channel:
    """A local server that keeps what it is sent."""

    def __init__(self) -> None:
        self.got: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append(json.loads(body)["text"])
                self.send_response(200)
                self.end_headers()

            def log_message(self, *words: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/hook"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join(PATIENCE)


@pytest.fixture
def channel() -> Iterator[Channel]:
    made = Channel()
    yield made
    made.close()


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    write_reference(tmp_path / "models")
    return Settings(tmp_path)


@contextmanager
def watching(
    home: Settings, channel: Channel, script: str = COMMAND
) -> Iterator["subprocess.Popen[bytes]"]:
    """Follow a home; the process is gone afterwards."""
    environment = {
        **os.environ, "DRIFTNET_HOME": str(home.home), "SLACK_WEBHOOK_URL": channel.url,
    }  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=CHECKOUT, env=environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def send(home: Settings, first: int, count: int, shift: float) -> None:
    random = np.random.default_rng(first)
    scores = np.clip(random.random(count) + shift, 0.0, 1.0)
    append(home, messages(scores, random.normal(50.0, 10.0, count), first))


def checkpoint(home: Settings) -> dict[str, Any]:
    """Return what the watch remembers; nothing while there is no file."""
    path = home.home / "watch" / "checkpoint.json"
    if not path.is_file():
        return {"outbox": [], "positions": {}}
    return dict(json.loads(path.read_text().partition("\n")[2]))


def has_read(home: Settings) -> bool:
    (end,) = [path.stat().st_size for path in home.log.glob("*/p=0.log")]
    return list(checkpoint(home)["positions"].get("events", {}).values()) == [end]


def test_an_alarm_from_a_live_log_reaches_the_channel_within_a_minute_without_a_build(
    home: Settings, channel: Channel
) -> None:
    send(home, 0, 3_000, 0.0)
    with watching(home, channel):
        until(lambda: has_read(home))
        assert channel.got == []
        send(home, 3_000, 2_000, 0.3)
        until(lambda: bool(channel.got), AT_ONCE)
        until(lambda: has_read(home) and not checkpoint(home)["outbox"])
    assert len(channel.got) == 1
    assert "m version 1, score: mean place among the reference" in channel.got[0]
    assert not home.warehouse.exists()
    assert not home.published.exists()


def test_a_watch_killed_between_the_alert_and_its_note_does_not_alert_again(
    home: Settings, channel: Channel
) -> None:
    send(home, 0, 3_000, 0.0)
    send(home, 3_000, 1_500, 0.3)
    with watching(home, channel, KILLED) as process:
        assert process.wait(PATIENCE) == -signal.SIGKILL
    assert len(channel.got) == 1
    assert len(checkpoint(home)["outbox"]) == 1, "sent, and not noted"
    with watching(home, channel):
        until(lambda: has_read(home) and not checkpoint(home)["outbox"])
        assert len(channel.got) == 1
        send(home, 4_500, 3_000, 0.0)  # it is at work: what comes next is told
        until(lambda: len(channel.got) == 2)
    log = (home.alerts / "incident_log.json").read_text().splitlines()
    alarms = [line for line in map(json.loads, log) if line["change"] == "alarm"]
    assert len({line["change_id"] for line in alarms}) == len(alarms) == 2
    landed = [
        str(row["happening_id"])
        for path in (home.landing / "stream").glob("*.parquet")
        for row in pq.read_table(path).to_pylist()
        if row["kind"] == "alarm"
    ]
    assert len(set(landed)) == len(landed) == 2
