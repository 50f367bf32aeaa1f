"""The services under a steady load, while one of their processes is killed each minute.

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
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import httpx

from tests.ingest.api_home import make_models
from tests.measured import table
from tests.ops.upped import Up, up
from tests.soak import processes
from tests.soak.processes import Growth, Sample
from tests.warehouse.home import Home

TITLE = "Soak: half an hour of kills"
SHORT = os.environ.get("SOAK_MINUTES")
MINUTES = float(SHORT or 30)
MEASURED_MINUTES = MINUTES * 2 / 3
KILL_SECONDS = 60.0
SAMPLE_SECONDS = 5.0
RATE = 20.0  # events a second
LABELLED = 0.2  # share of events whose truth is sent
SERVICES = ("serve", "land", "schedule", "watch", "up")
COLUMNS = ("process", "killed", "peak MB", "MB a minute, least squares", "median (goal: under 1)")
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
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        """Send no more; returns when all that was begun is acknowledged."""
        self._stop.set()
        self._thread.join()

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
        while True:
            try:
                if client.post(path, json=body).is_success:
                    return
            except httpx.HTTPError:
                pass
            self.again += 1
            time.sleep(0.2)


def run(say: Callable[[str], None]) -> str:
    """Measure, and return the section of the page."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        make_models(home)
        with up(home, DRIFTNET_SCHEDULE=TIMETABLE) as services:
            services.until(services.is_ready)
            sender = Sender(services.api, RATE)
            try:
                samples, killed = _watch(services, home, say)
            finally:
                sender.stop()
            services.until(services.is_ready)
            code = services.end()
        kept = Path("build") / f"soak-{datetime.now(UTC):%Y%m%dT%H%M%S}"
        kept.mkdir(parents=True)
        (kept / "services.log").write_text("\n".join(services.lines))
        (kept / "samples.json").write_text(json.dumps([asdict(sample) for sample in samples]))
        say(f"the services ended with {code}")
        counts = _counts(Home(home), sender)
    growth = processes.growth(samples, (MINUTES - MEASURED_MINUTES) * 60)
    return _section(samples, killed, counts, growth, sender, code)


def _watch(
    services: Up, home: Path, say: Callable[[str], None]
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
        if at >= kill_at:
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


def _section(
    samples: list[Sample],
    killed: "Counter[str]",
    counts: Mapping[str, tuple[int, int]],
    growth: Mapping[str, Growth],
    sender: Sender,
    code: int,
) -> str:
    peaks = {
        name: max(x.resident for x in samples if x.name == name) / 1e6
        for name in sorted({x.name for x in samples})
    }
    rows = [
        (name, killed[name], f"{peak:,.0f}", *_told(growth.get(name) if name in SERVICES else None))
        for name, peak in peaks.items()
    ]
    wrong = [what for what, (sent, found) in counts.items() if sent != found]
    verdict = "Every count is exact." if not wrong else f"NOT EQUAL: {', '.join(wrong)}."
    what = (
        f"`driftnet up` on one home with the local log (API, lander, scheduler with"
        f" `{TIMETABLE}`, watch) for {MINUTES:g} minutes at {RATE:g} events a second, each sent"
        f" until it was acknowledged ({sender.again:,} tries in vain). Each minute one of all"
        f" processes, chosen by chance, was killed (SIGKILL): {sum(killed.values())} kills. Ctrl-C"
        f" at the end: exit code {code}."
    )
    how = (
        f"Memory, resident, sampled every {SAMPLE_SECONDS:g} s. Growth: of one and the same"
        f" process after its first {processes.WARM_UP_SECONDS:g} s, over the last"
        f" {MEASURED_MINUTES:g} minutes, by least squares, and as the median of the slopes between"
        " any two samples, which a single step does not move. A process that is killed often is"
        " measured while it is young. Other processes end by themselves."
    )
    lines = [(kind, f"{sent:,}", f"{found:,}") for kind, (sent, found) in counts.items()]
    return "\n\n".join(
        [
            what,
            table(("what", "sent", "in the warehouse"), lines),
            verdict,
            how,
            table(COLUMNS, rows),
        ]
    )


def _told(growth: Growth | None) -> tuple[str, str]:
    return (f"{growth.squares:+.2f}", f"{growth.median:+.2f}") if growth else ("", "")
