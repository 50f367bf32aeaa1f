"""The watch reads Kafka: the same alarms, gaps that are told, a broker that goes and comes back."""

import json
import threading
import time
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from kafka import TopicPartition

from ingest.kafka.log import KafkaLog
from ingest.kafka.topics import KafkaTopics
from ops import watching
from ops.settings import Settings
from ops.verbs.options import now
from stream.policy import shipped
from tests.brokers import Running, running
from tests.landers import PATIENCE
from tests.stream.places import append, messages, write_reference

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("lost_sockets"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]


def home_of(folder: Path, broker: Running | None) -> Settings:
    write_reference(folder / "models")
    topic = f"t-{uuid.uuid4().hex[:10]}"
    kafka = broker.kafka(partitions=1, connect_ms=2_000) if broker else None
    return replace(Settings(folder), kafka=kafka, predictions_topic=topic)


def produce(settings: Settings, values: list[bytes]) -> None:
    assert settings.kafka is not None
    log = KafkaLog(settings.kafka)
    log.append(settings.predictions_topic, values)
    log.close()


def once(settings: Settings) -> list[str]:
    """Let a watch catch up; return its lines."""
    said: list[str] = []
    watching.watch(
        settings, shipped(), [], "log",
        clock=now, tell=lambda alarm: None, say=said.append, wait=None,
    )  # fmt: skip
    return said


def landed(settings: Settings) -> list[dict[str, Any]]:
    paths = sorted((settings.landing / "stream").glob("*.parquet"))
    return [row for path in paths for row in pq.read_table(path).to_pylist()]


def drifting(count: int, at: int) -> list[bytes]:
    random = np.random.default_rng(51)
    scores = np.clip(random.random(count) + np.repeat([0.0, 0.3], [at, count - at]), 0.0, 1.0)
    return messages(scores, random.normal(50.0, 10.0, count))


def facts(settings: Settings) -> set[tuple[str, str, str]]:
    return {(row["kind"], str(row["happened_at"]), row["summary"]) for row in landed(settings)}


def test_kafka_gives_the_alarms_of_the_local_log_once_each(broker: Running, tmp_path: Path) -> None:
    local, kafka = home_of(tmp_path / "local", None), home_of(tmp_path / "kafka", broker)
    sent = drifting(6_000, 4_000)
    append(local, sent)
    once(local)
    for start in range(0, 6_000, 2_500):
        produce(kafka, sent[start : start + 2_500])
        once(kafka)
    assert facts(kafka) == facts(local)
    assert {row["subject_name"] for row in landed(kafka) if row["kind"] == "alarm"} == {"score"}
    count = len(landed(kafka))
    assert len(facts(kafka)) == count
    once(kafka)
    assert len(landed(kafka)) == count


def test_what_retention_took_before_it_was_watched_is_told_and_the_watch_goes_on(
    broker: Running, tmp_path: Path
) -> None:
    home = home_of(tmp_path, broker)
    assert home.kafka is not None
    sent = drifting(8_000, 5_000)
    produce(home, sent[:2_000])
    assert once(home) == []
    produce(home, sent[2_000:4_000])
    with KafkaTopics(home.kafka) as topics:
        topics._admin.delete_records({TopicPartition(home.predictions_topic, 0): 3_000})
    produce(home, sent[4_000:])
    (line,) = once(home)
    assert line.startswith(f"GAP in {home.predictions_topic}/")
    gone = "offsets 2000 to 2999 were deleted before they were watched; going on at 3000"
    assert line.endswith(gone)
    (gap,) = [row for row in landed(home) if row["kind"] == "gap"]
    assert (gap["model_name"], gap["model_version"], gap["subject_name"]) == ("m", "1", "score")
    assert (gap["severity"], json.loads(gap["detail"])["value_count"]) == (1, 1_000)
    assert gone in gap["summary"]
    alarms = [row for row in landed(home) if row["kind"] == "alarm"]
    assert alarms, "it goes on from what there is"
    assert once(home) == []
    assert len([row for row in landed(home) if row["kind"] == "gap"]) == 1


def test_a_log_that_was_old_when_the_watch_began_is_a_line_and_no_happening(
    broker: Running, tmp_path: Path
) -> None:
    home = home_of(tmp_path, broker)
    assert home.kafka is not None
    produce(home, drifting(100, 50))
    with KafkaTopics(home.kafka) as topics:
        topics._admin.delete_records({TopicPartition(home.predictions_topic, 0): 40})
    (line,) = once(home)
    assert line.endswith("going on at 40")
    assert landed(home) == []


def test_while_kafka_is_away_the_watch_waits_and_then_goes_on(tmp_path: Path) -> None:
    class Enough(Exception):  # noqa: N818 - ends the watch, is no error
        pass

    said: list[str] = []
    told: list[str] = []
    with running(tmp_path / "broker") as own:
        home = home_of(tmp_path / "home", own)
        sent = drifting(6_000, 3_000)
        produce(home, sent[:2_000])

        def wait(seconds: float) -> None:
            time.sleep(0.05)
            if told or time.monotonic() > deadline:
                raise Enough

        def follow() -> None:
            with pytest.raises(Enough):
                watching.watch(
                    home, shipped(), [], "log",
                    clock=now, tell=lambda alarm: told.append(alarm.summary),
                    say=said.append, wait=wait,
                )  # fmt: skip

        own.kill()
        deadline = time.monotonic() + PATIENCE
        watcher = threading.Thread(target=follow)
        watcher.start()
        while not said and time.monotonic() < deadline:
            time.sleep(0.05)
        assert said
        assert said[0].startswith("waiting: no answer from Kafka at")
        own.restart()
        produce(home, sent[2_000:])
        watcher.join(PATIENCE)
        assert not watcher.is_alive()
    assert len(told) == 1
