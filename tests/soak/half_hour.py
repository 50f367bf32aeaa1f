"""The services under a steady load for half an hour, with kills or without.

Senders name their events and ask again until they are answered: then each event was acknowledged
once or more often, and must be counted once. The supervisor is Docker's part and is not killed.
"""

import json
import os
import random
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import httpx

from tests.ingest.api_home import make_models
from tests.measured import table
from tests.ops.upped import PATIENCE, Up, up
from tests.soak import processes
from tests.soak.processes import Growth, Sample
from tests.warehouse.home import Home

SHORT = os.environ.get("SOAK_MINUTES")
MINUTES = float(SHORT or 30)
MEASURED_MINUTES = MINUTES * 2 / 3
KILL_SECONDS = 60.0
SAMPLE_SECONDS = 5.0
RATE = 20.0  # events a second
LABELLED = 0.2  # share of events whose truth is sent
SERVICES = ("serve", "land", "schedule", "watch", "up")
COLUMNS = (
    "process",
    "killed",
    "peak MB",
    "lives",
    "longest, minutes",
    "MB a minute, least squares (goal: under 1)",
    "median",
)
TIMETABLE = "run=*/5 * * * *; compact=*/11 * * * *"


class Sender:
    """Sends events at a rate, each until it is acknowledged; a share of them gets a label."""

    def __init__(self, address: str, rate: float) -> None:
        self.events: list[str] = []
        self.labels: list[str] = []
        self.again = 0
        self._address, self._pause = address, 1 / rate
        self._rng = random.Random(7)
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(1)
        self._done = self._pool.submit(self._run)

    def stop(self) -> None:
        """Send no more; return when what was begun is acknowledged, or raise what ended it."""
        self._stop.set()
        self._pool.shutdown()
        self._done.result()

    def _run(self) -> None:
        due = time.monotonic()
        with httpx.Client(base_url=self._address, timeout=30) as client:
            while not self._stop.is_set():
                one = str(uuid.UUID(int=self._rng.getrandbits(128), version=4))
                number = self._rng.randrange(1 << 30)
                url = f"https://www.example{number % 97}.com/{number % 1009}/login?id={number}"
                self._send(client, "/predict", {"event_id": one, "url": url})
                self.events.append(one)
                if self._rng.random() < LABELLED:
                    truth = self._rng.random() < 0.3
                    self._send(client, "/labels", {"event_id": one, "is_actual_positive": truth})
                    self.labels.append(one)
                due += self._pause
                time.sleep(max(0.0, due - time.monotonic()))

    def _send(self, client: httpx.Client, path: str, body: Mapping[str, object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                if client.post(path, json=body).is_success:
                    return
            except httpx.HTTPError:
                pass
            self.again += 1
            time.sleep(0.2)
        raise TimeoutError(f"{path} was not acknowledged in {PATIENCE:g} s")


@dataclass(frozen=True)
class HalfHour:
    """What was seen: samples of memory, kills by name, (sent, counted) by kind.

    `again` is how often sending was in vain, `code` the exit code of the services.
    """

    samples: Sequence[Sample]
    killed: Mapping[str, int]
    counts: Mapping[str, tuple[int, int]]
    again: int
    code: int


def half_hour(say: Callable[[str], None], *, has_kills: bool) -> HalfHour:
    """Run the services under load, then count."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        make_models(home)
        with up(home, DRIFTNET_SCHEDULE=TIMETABLE) as services:
            services.until(services.is_ready)
            sender = Sender(services.api, RATE)
            try:
                samples, killed = _watch(services, home, has_kills, say)
            finally:
                sender.stop()
            services.until(services.is_ready)
            code = services.end()
        kept = Path("build") / f"soak-{datetime.now(UTC):%Y%m%dT%H%M%S}"
        kept.mkdir(parents=True)
        (kept / "services.log").write_text("\n".join(services.lines))
        (kept / "samples.json").write_text(json.dumps([asdict(sample) for sample in samples]))
        say(f"the services ended with {code}")
        return HalfHour(samples, killed, _counts(Home(home), sender), sender.again, code)


def _watch(
    services: Up, home: Path, has_kills: bool, say: Callable[[str], None]
) -> tuple[list[Sample], "Counter[str]"]:
    rng = random.Random(11)
    samples: list[Sample] = []
    killed: Counter[str] = Counter()
    began = time.monotonic()
    kill_at = KILL_SECONDS
    while (at := time.monotonic() - began) < MINUTES * 60:
        assert services.process.poll() is None, "\n".join(services.lines[-20:])
        alive = processes.of_home(home)
        for pid, name in alive.items():
            if held := processes.resident(pid):
                samples.append(Sample(name, pid, at, held))
        if has_kills and at >= kill_at:
            kill_at += KILL_SECONDS
            victim = rng.choice([pid for pid, name in alive.items() if name != "up"])
            if processes.kill(victim):
                killed[alive[victim]] += 1
                say(f"{at / 60:.1f} min: {alive[victim]} killed; {len(alive)} processes")
        time.sleep(SAMPLE_SECONDS)
    return samples, killed


def _counts(home: Home, sender: Sender) -> Mapping[str, tuple[int, int]]:
    """Return what was sent and what the warehouse counts, by kind."""
    for words in (["land"], ["build"]):
        done = home.driftnet(*words)
        assert done.returncode == 0, done.stderr
    path = str(home.path / "warehouse" / "driftnet.duckdb")
    with duckdb.connect(path, read_only=True) as warehouse:
        [(counted, distinct, dead)] = warehouse.execute(
            "select count(*) filter (event_status = 'counted'),"
            " count(distinct event_id) filter (event_status = 'counted'),"
            " count(*) filter (event_status in ('dead', 'held')) from int_predictions"
        ).fetchall()
        [(labels,)] = warehouse.execute(
            "select count(distinct event_id) from int_event_labels"
        ).fetchall()
        [(strangers,)] = warehouse.execute(
            "select count(*) from int_predictions where event_id::varchar not in"
            " (select unnest(?))",
            [sender.events],
        ).fetchall()
    return {
        "events counted": (len(sender.events), counted),
        "of them different": (len(sender.events), distinct),
        "events dead or held": (0, dead),
        "events that were never sent": (0, strangers),
        "labels": (len(sender.labels), labels),
    }


def load(seen: HalfHour) -> str:
    """Return in words what was run."""
    return (
        f"`driftnet up` on one home with the local log (API, lander, scheduler with"
        f" `{TIMETABLE}`, watch) for {MINUTES:g} minutes at {RATE:g} events a second, each sent"
        f" until it was acknowledged ({seen.again:,} tries in vain)."
    )


def counted(seen: HalfHour) -> str:
    """Return what was sent and what was counted, and whether they are equal."""
    rows = [(kind, f"{sent:,}", f"{found:,}") for kind, (sent, found) in seen.counts.items()]
    wrong = [what for what, (sent, found) in seen.counts.items() if sent != found]
    verdict = "Every count is exact." if not wrong else f"NOT EQUAL: {', '.join(wrong)}."
    return table(("what", "sent", "in the warehouse"), rows) + f"\n\n{verdict}"


def memory(seen: HalfHour) -> str:
    """Return how the memory of each process grew, and how that was measured."""
    how = (
        f"Memory, resident, sampled every {SAMPLE_SECONDS:g} s over the last {MEASURED_MINUTES:g}"
        f" minutes; of each life of a process without its first {processes.WARM_UP_SECONDS:g} s."
        " Growth is of one and the same process: by least squares, one slope for all lives of a"
        " name, and as the median of the slopes between any two samples, which a single step does"
        " not move. A life is as long as it was measured. Other processes end by themselves."
    )
    growth = processes.growth(seen.samples, (MINUTES - MEASURED_MINUTES) * 60)
    rows = []
    for name in sorted({x.name for x in seen.samples}):
        peak = max(x.resident for x in seen.samples if x.name == name) / 1e6
        found = growth.get(name) if name in SERVICES else None
        rows.append((name, seen.killed.get(name, 0), f"{peak:,.0f}", *_told(found)))
    return f"{how}\n\n{table(COLUMNS, rows)}"


def _told(growth: Growth | None) -> tuple[str, ...]:
    if growth is None:
        return ("", "", "", "")
    return (
        str(growth.lives),
        f"{growth.longest:.1f}",
        f"{growth.squares:+.2f}",
        f"{growth.median:+.2f}",
    )
