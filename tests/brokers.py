"""A real broker for tests: Apache Kafka from Maven, on loopback, in a folder of the test."""

import os
import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingest.kafka.client import Kafka
from ingest.kafka.topics import KafkaTopics
from ingest.log import Unavailable
from ops.broker import Broker

ROOT = Path(__file__).resolve().parents[1]
JARS = ROOT / "build" / "kafka" / "lib"
ABSENT = "no broker: Java 17 and Maven are needed (`make kafka`), the local log is tested alone"


class Running:
    """A broker that a test may kill, freeze and start again."""

    def __init__(self, folder: Path, broker: Broker) -> None:
        self.folder = folder
        self.broker = broker
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def servers(self) -> str:
        return f"127.0.0.1:{self.broker.port}"

    def kafka(self, **options: object) -> Kafka:
        """Return how to reach it: short sessions, and a group of this call's own."""
        given = {"session_ms": 3_000, "group": f"group-{uuid.uuid4().hex[:8]}", **options}
        return Kafka(self.servers, **given)  # type: ignore[arg-type]

    def start(self) -> None:
        self.broker.prepare()
        log = (self.folder / "broker.log").open("ab")
        self.process = subprocess.Popen(self.broker.command(), stdout=log, stderr=log)
        log.close()

    def wait(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + 120
        while True:
            assert self.process is not None
            assert self.process.poll() is None, (self.folder / "broker.log").read_text()[-2000:]
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex(("127.0.0.1", self.broker.port)) == 0:
                    return
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def restart(self) -> None:
        self.kill()
        self.start()
        self.wait()


@contextmanager
def running(
    folder: Path,
    properties: Mapping[str, str] | None = None,
    users: Sequence[str] = (),
    ports: tuple[int, int] | None = None,
) -> Iterator[Running]:
    """Give a broker that answers; it is killed at the end."""
    fetch_jars()
    port, controller_port = ports or free_ports(2)
    usual = {
        "group.min.session.timeout.ms": "1000",
        "log.retention.check.interval.ms": "500",
        "log.segment.delete.delay.ms": "100",
        "log.initial.task.delay.ms": "100",
    }
    broker = Broker(
        JARS,
        folder,
        port,
        controller_port,
        properties={**usual, **(properties or {})},
        users=users,
        memory="384m",
    )
    found = Running(folder, broker)
    found.folder.mkdir(parents=True, exist_ok=True)
    found.start()
    try:
        found.wait()
        if not properties:
            answer(found.kafka())
        yield found
    finally:
        found.kill()


def answer(kafka: Kafka) -> None:
    """Wait until a client is answered."""
    deadline = time.monotonic() + 60
    while True:
        try:
            KafkaTopics(kafka).close()
        except Unavailable:
            assert time.monotonic() < deadline
        else:
            return


def fetch_jars() -> None:
    """Have the jars, or skip; under CI fail instead of skipping."""
    if not (shutil.which("java") and (any(JARS.glob("kafka_*.jar")) or shutil.which("mvn"))):
        if os.environ.get("CI"):
            pytest.fail(ABSENT)
        pytest.skip(ABSENT)
    if not any(JARS.glob("kafka_*.jar")):
        made = subprocess.run(
            ["make", "build/kafka/.jars"], cwd=ROOT, capture_output=True, text=True
        )
        if made.returncode and not os.environ.get("CI"):
            pytest.skip(f"{ABSENT}; Maven could not fetch it")
        assert made.returncode == 0, made.stderr[-2000:]


def free_ports(count: int) -> tuple[int, ...]:
    """Return ports of loopback that nobody listens on now."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return tuple(probe.getsockname()[1] for probe in probes)
    finally:
        for probe in probes:
            probe.close()
