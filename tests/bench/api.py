"""How fast the scoring API answers, against a route of FastAPI that does nothing."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from ingest.synthesize import synthesize
from ops.settings import CHECKOUT
from retrain.train import train_initial
from tests.bench._load import Load, load

TITLE = "Scoring API"
SECONDS = 5.0
KAFKA = "DRIFTNET_KAFKA_SERVERS"
BATCH = 100
# what, path, items of a request, connections
ROWS: tuple[tuple[str, str, int, int], ...] = (
    ("empty route", "/empty", 0, 1),
    ("empty route", "/empty", 0, 64),
    ("one", "/predict", 1, 1),
    ("one", "/predict", 1, 64),
    (f"list of {BATCH}", "/predict", BATCH, 1),
    (f"list of {BATCH}", "/predict", BATCH, 8),
)
EMPTY = """
import socket
from datetime import UTC, datetime
from fastapi import FastAPI
from ingest.serving.server import Server
from ingest.serving.service import Health
from ops.verbs.show import tell

app = FastAPI()

@app.post("/empty")
async def empty() -> dict[str, str]:
    return {"status": "ok"}

listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
address = "127.0.0.1:%d" % listener.getsockname()[1]
server = Server(app, Health(), tell, 0.0, 5.0)
server.serve_on(listener, lambda: tell("serving", address=address))
"""
SERVE = """
import sys
from ops.cli import call
sys.exit(call(["serve", "--port", "0", "--metrics-port", "0"]))
"""


def run(say: Callable[[str], None]) -> str:
    """Measure, and return the section of the page."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        made = synthesize(home, 7, weeks=8, calm_weeks=8, events_per_week=3_000, drifts=())
        moment = datetime(2026, 1, 1, tzinfo=UTC)
        train_initial(made.events, made.end, home / "models", "bench", 7, lambda: moment)
        with _server(EMPTY, home) as empty:
            lines = [_measure(*row, empty, say) for row in ROWS if row[1] == "/empty"]
        for log in ("local log", "Kafka") if KAFKA in os.environ else ("local log",):
            with _server(SERVE, home, uses_kafka=log == "Kafka") as api:
                lines += [
                    _measure(f"{what}, {log}", path, items, connections, api, say)
                    for what, path, items, connections in ROWS
                    if path == "/predict"
                ]
    return "\n".join([*_HEAD, *lines, "", *_FOOT])


_COLUMNS = (
    "request", "connections", "requests/s", "items/s", "p50 ms", "p99 ms", "requests per CPU s",
    "CPU", "idle",
)  # fmt: skip
_HEAD = (
    "`POST /predict` of `driftnet serve` (every answer after the log acknowledged: an fsync of the",
    "local log, shared by those who wait together; Kafka too where DRIFTNET_KAFKA_SERVERS is set),",
    "against an empty route of FastAPI on the same server class. One process each; the load runs",
    "on the same machine and takes its part of it. CPU: seconds of the server's process per second",
    "of wall. Idle: share of all cores that nobody used; where it is 0%, others were at work",
    "too, and only the requests per second of the server's CPU compare.",
    "",
    f"| {' | '.join(_COLUMNS)} |",
    "|---" * len(_COLUMNS) + "|",
)
_FOOT = (
    "One connection shows what a request costs alone: the estimator takes nearly as long for one",
    "row as for thirty, and a sync of the disk comes on top. Many connections share both.",
)


@contextmanager
def _server(script: str, home: Path, uses_kafka: bool = False) -> Iterator[tuple[int, int]]:
    """Run a server; gives its process and its port."""
    given = {
        k: x for k, x in os.environ.items() if uses_kafka or not k.startswith("DRIFTNET_KAFKA_")
    }
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stderr=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
        env={**given, "DRIFTNET_HOME": str(home), "DRIFTNET_API_KEYS": ""},
    )
    assert process.stderr is not None
    try:
        for line in process.stderr:
            told = json.loads(line)
            if told["event"] == "serving":
                yield process.pid, int(told["address"].rpartition(":")[2])
                break
    finally:
        process.terminate()
        process.communicate()


def _measure(
    what: str,
    path: str,
    items: int,
    connections: int,
    server: tuple[int, int],
    say: Callable[[str], None],
) -> str:
    pid, port = server
    listed = [{"url": f"https://www.example{n % 50}.com/a/{n}/login?id={n}"} for n in range(items)]
    body = json.dumps(listed if items > 1 else (listed or [{}])[0]).encode()
    load(port, path, body, connections, 1.0)
    began, used, idle = perf_counter(), _cpu(pid), _idle()
    found = load(port, path, body, connections, SECONDS)
    wall = perf_counter() - began
    line = _row(what, items, connections, found, (_cpu(pid) - used) / wall, _since(idle))
    say(line)
    return line


def _row(what: str, items: int, connections: int, found: Load, cpu: float, idle: float) -> str:
    many = f"{found.rate * items:,.0f}" if items else ""
    return (
        f"| {what} | {connections} | {found.rate:,.0f} | {many} | {found.p50 * 1e3:.2f} "
        f"| {found.p99 * 1e3:.2f} | {found.rate / cpu:,.0f} | {cpu:.2f} | {idle:.0%} |"
    )


def _cpu(pid: int) -> float:
    """Return the CPU seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _idle() -> Sequence[int]:
    """Return the ticks of all cores: idle, and all."""
    ticks = [int(x) for x in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)


def _since(before: Sequence[int]) -> float:
    after = _idle()
    return (after[0] - before[0]) / max(1, after[1] - before[1])
