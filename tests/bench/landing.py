"""How fast landing from a real broker is, against the bare poll of the same client."""

import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from kafka import KafkaConsumer, TopicPartition

from ingest.events import Prediction
from ingest.kafka.client import Kafka
from ingest.kafka.lander import KafkaLander
from ingest.kafka.log import KafkaLog
from ingest.kafka.records import bound
from ingest.kafka.share import Landing
from ingest.model import Feature
from tests.brokers import running
from tests.measured import Say, table

TITLE = "Landing from Kafka"
COUNT = 400_000  # messages a run
RUNS = 3
NAMES = [f"f{number}" for number in range(10)]
FEATURES = [Feature(name, "numeric", "") for name in NAMES]


@dataclass
class Cost:
    """What a run took: seconds, and shares of one core and of the machine."""

    seconds: float = 0.0
    cpu: float = 0.0
    idle: float = 0.0

    def rate(self) -> float:
        return COUNT / self.seconds


@contextmanager
def timed() -> Iterator[Cost]:
    cost = Cost()
    busy, all_, began, cpu = *_machine(), time.perf_counter(), time.process_time()
    yield cost
    cost.seconds = time.perf_counter() - began
    cost.cpu = (time.process_time() - cpu) / cost.seconds
    after, total = _machine()
    cost.idle = 1 - (after - busy) / max(total - all_, 1)


def _machine() -> tuple[int, int]:
    """Return the ticks that all cores were busy, and all ticks."""
    found = [int(word) for word in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    return sum(found) - found[3] - found[4], sum(found)


def run(say: Say) -> str:
    """Measure, each run of landing right after a bare poll of the same messages."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "broker") as broker:
        kafka = broker.kafka()
        good, mixed = (_fill(kafka, share, say) for share in (0.0, 0.01))
        kinds: dict[str, Callable[[], object]] = {
            "bare poll of kafka-python": lambda: _poll(kafka, good, is_bound=False),
            "poll with our reader of batches": lambda: _poll(kafka, good, is_bound=True),
            "landing": lambda: _land(kafka, good, Path(folder)),
            "landing, 1% bad messages": lambda: _land(kafka, mixed, Path(folder)),
        }
        rows = []
        for number in range(1, RUNS + 1):
            bare = 0.0
            for name, do in kinds.items():
                with timed() as cost:
                    do()
                bare = bare or cost.rate()
                say(f"run {number}: {name} {cost.rate():,.0f}/s")
                rows.append(
                    [number, name, f"{cost.rate():,.0f}", cost.rate() / bare, cost.cpu, cost.idle]
                )
    columns = ["run", "what", "messages/s", "of the bare poll", "CPU s per s", "machine idle"]
    return (
        f"{COUNT:,} messages of 329 bytes and ten features on four partitions of one broker on this"
        " machine; landing begins with nothing and ends with every row linked and synced (start of"
        " reader and engine included).\n\n" + table(columns, rows)
    )


def _fill(kafka: Kafka, bad: float, say: Say) -> str:
    topic, log, now = f"bench-{uuid.uuid4().hex[:8]}", KafkaLog(kafka), datetime.now(UTC)
    every = int(1 / bad) if bad else COUNT + 1
    values = [
        b'{"score": NaN}'
        if number % every == every - 1
        else Prediction(
            uuid.uuid4(),
            now,
            "m",
            "1",
            0.5,
            dict.fromkeys(NAMES, number * 0.1),
            threshold=0.5,
            channel="x",
            subject=f"subject {number}",
        ).to_json()
        for number in range(10_000)
    ]
    for _ in range(COUNT // len(values)):
        log.append(topic, values)
    log.close()
    say(f"produced {COUNT:,} messages, {bad:.0%} bad")
    return topic


def _poll(kafka: Kafka, topic: str, *, is_bound: bool) -> None:
    consumer = KafkaConsumer(
        **kafka.options(),
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        max_partition_fetch_bytes=1 << 22,
        max_poll_records=5_000,
        metrics_enabled=False,
    )
    if is_bound:
        bound(consumer)
    places = [TopicPartition(topic, number) for number in range(4)]
    consumer.assign(places)
    for place in places:
        consumer.seek(place, 0)
    count = 0
    while count < COUNT:
        count += sum(map(len, consumer.poll(500).values()))
    consumer.close()


def _land(kafka: Kafka, topic: str, folder: Path) -> None:
    landing = Landing(
        {topic: "prediction"},
        folder / uuid.uuid4().hex,
        lambda: FEATURES,
        lambda: datetime.now(UTC),
    )
    landed = KafkaLander(kafka, landing, once=True).run()[topic]
    assert landed.row_count == COUNT
