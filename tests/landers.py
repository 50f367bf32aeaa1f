"""Landers as processes, a producer under load, and the check that everything landed once."""

import json
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from ingest.events import Prediction
from ingest.kafka.client import Kafka
from ingest.kafka.lander import KafkaLander
from ingest.kafka.log import KafkaLog
from ingest.kafka.share import Landing
from ingest.landed import chain
from ingest.landing import Landed
from ingest.log import Unavailable
from tests.brokers import ROOT

PATIENCE = 120.0  # seconds: a condition that does not come true by then is a failure


def until(true: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + patience
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def message(event_id: uuid.UUID, **changes: Any) -> bytes:
    return Prediction(event_id, datetime.now(UTC), "m", "1", 0.5, {"age": 1.5}, **changes).to_json()


class Lander:
    """A process of `tests.lander`; its lines are kept."""

    def __init__(
        self,
        kafka: Kafka,
        folder: Path,
        topics: Sequence[str],
        widen: float = 0,
        rename: bool = False,
        max_age: float = 0.3,
    ) -> None:
        told = {
            "kafka": {k: v if v is None else str(v) for k, v in asdict(kafka).items()}
            | {"session_ms": kafka.session_ms, "partitions": kafka.partitions, "replication": -1}
            | {"connect_ms": kafka.connect_ms},
            "folder": str(folder),
            "topics": dict.fromkeys(topics, "prediction"),
            "widen": widen,
            "rename": rename,
            "max_age": max_age,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.lander", json.dumps(told)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    def says(self, word: str) -> int:
        return sum(word in line for line in self.lines)

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End the process (a frozen one goes on first) and return its exit code."""
        if self.process.poll() is None:
            self.send(signal.SIGCONT)
            self.send(number)
        code = self.process.wait(PATIENCE)
        print(*self.lines[-12:], sep="\n")
        self._reader.join(PATIENCE)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


class Load:
    """A producer in a thread, until it is stopped; notes what was acknowledged and what was not."""

    def __init__(self, kafka: Kafka, topic: str, batch: int = 50, pause: float = 0.02) -> None:
        self.acknowledged: dict[str, tuple[int, int]] = {}
        self.doubtful: set[str] = set()
        self._kafka, self._topic, self._batch, self._pause = kafka, topic, batch, pause
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        log: KafkaLog | None = None
        while not self._stop.is_set():
            ids = [uuid.uuid4() for _ in range(self._batch)]
            values = [message(one) for one in ids]
            try:
                log = log or KafkaLog(self._kafka)
                places = log.append(self._topic, values)
            except Unavailable:
                self.doubtful |= {str(one) for one in ids}
                self._stop.wait(0.2)
                continue
            for one, place in zip(ids, places, strict=True):
                self.acknowledged[str(one)] = (place.partition, place.offset)
            self._stop.wait(self._pause)
        if log is not None:
            log.close()

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()


@contextmanager
def landers(*found: Lander) -> Iterator[tuple[Lander, ...]]:
    """Give landers; those that still live are killed at the end."""
    try:
        yield found
    finally:
        for lander in found:
            lander.end(signal.SIGKILL)


def catch_up(
    kafka: Kafka, folder: Path, topic: str, tell: Callable[[str], object] = print
) -> Landed:
    """Land what there is, in this process."""
    landing = Landing({topic: "prediction"}, folder, list, lambda: datetime.now(UTC))
    return KafkaLander(kafka, landing, once=True, tell=tell).run()[topic]


def rows(folder: Path, topic: str, columns: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return the rows of all files, compacted or not, whether a chain leads to them or not."""
    found = []
    for place in sorted((folder / topic).glob("*/p=*")):
        paths = [link.path for link in chain.walk(place)]
        paths += [path for path in chain.listing(place).values() if path not in paths]
        for path in paths:
            table = pq.read_table(path, columns=["_offset", "_error", "event_id", *columns])
            number = int(place.name.removeprefix("p="))
            found += [{"partition": number, **row} for row in table.to_pylist()]
    return found


def reachable(folder: Path, topic: str) -> bool:
    """Tell whether every file is a link of a chain."""
    return all(
        set(chain.listing(place).values()) <= {link.path for link in chain.walk(place)}
        for place in (folder / topic).glob("*/p=*")
    )


def faults(folder: Path, topic: str, load: Load) -> list[str]:
    """Return what is wrong: rows twice, acknowledged events that are not there or elsewhere."""
    found = rows(folder, topic)
    places = Counter((row["partition"], row["_offset"]) for row in found)
    ids = {str(event_id(row)): row for row in found if row["event_id"]}
    wrong = [f"position {place} landed {n} times" for place, n in places.items() if n > 1]
    for one, place in load.acknowledged.items():
        if one not in ids:
            wrong.append(f"event {one} acknowledged at {place} did not land")
        elif (ids[one]["partition"], ids[one]["_offset"]) != place:
            wrong.append(f"event {one} acknowledged at {place} landed elsewhere")
    strangers = set(ids) - set(load.acknowledged) - load.doubtful
    wrong += [f"event {one} was never sent" for one in strangers]
    if len(ids) != len(found):
        wrong.append(f"{len(found)} rows of {len(ids)} events")
    if not reachable(folder, topic):
        wrong.append("a file is not a link of its chain")
    return wrong


def event_id(row: dict[str, Any]) -> uuid.UUID:
    found = row["event_id"]
    return found if isinstance(found, uuid.UUID) else uuid.UUID(bytes=found)
