"""Messages, offsets and topics that a lander must not stumble over. On a real broker."""

import math
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient

from ingest.fields import MAX_MESSAGE_BYTES
from ingest.kafka.client import Kafka
from ingest.kafka.lag import lags
from ingest.kafka.lander import KafkaLander
from ingest.kafka.log import KafkaLog
from ingest.kafka.share import Landing
from ingest.kafka.topics import KafkaTopics, Replaced
from ingest.landed import chain
from ingest.landed.tails import Tails
from ingest.model import Feature
from tests.brokers import Running
from tests.landers import (
    Lander,
    Load,
    catch_up,
    event_id,
    faults,
    landers,
    message,
    reachable,
    rows,
    until,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def topic() -> str:
    return f"t-{uuid.uuid4().hex[:10]}"


@pytest.fixture
def kafka(broker: Running) -> Kafka:
    return broker.kafka(partitions=1)


def make(kafka: Kafka, topic: str, **config: str) -> None:
    admin = KafkaAdminClient(**kafka.options())
    options = {"num_partitions": 1, "replication_factor": 1, "configs": config}
    admin.create_topics({topic: options}, wait_for_metadata=True)
    admin.close()


def produce(kafka: Kafka, topic: str, values: list[bytes | None], **options: Any) -> None:
    producer = KafkaProducer(**{**kafka.options(), "max_request_size": 1 << 27, **options})
    for value in values:
        producer.send(topic, value, key=b"k").get(30)
    producer.close()


def test_no_message_stops_landing_and_each_bad_one_says_why(
    kafka: Kafka, tmp_path: Path, topic: str
) -> None:
    good = message(uuid.UUID(int=1), subject="first")
    cases = [
        ("message has no bytes (a tombstone)", None),
        ("message is not a JSON object", b"null"),
        ("message is not UTF-8", b'{"subject": "\xff\xfe"}'),
        ("message is not JSON", b"\x00" * 100),
        ("score must be a number from 0 to 1", good.replace(b"0.5", b"NaN", 1)),
        ("score must be a number from 0 to 1", good.replace(b"0.5", b"1e400", 1)),
        ("score must be a number from 0 to 1", good.replace(b"0.5", b'"0.5"', 1)),
        ("schema_version must be 1", good.replace(b'"schema_version":1', b'"schema_version":2')),
        ("event_id must be a UUID", good.replace(b'"event_id":"0', b'"event_id":"')),
    ]
    make(kafka, topic)
    produce(kafka, topic, [good, *(value for _, value in cases), message(uuid.UUID(int=2))])
    landed = catch_up(kafka, tmp_path, topic)
    assert (landed.row_count, landed.error_count) == (len(cases) + 2, len(cases))
    found = rows(tmp_path, topic, ["_raw"])
    assert [row["_error"] for row in (found[0], found[-1])] == [None, None]
    for (reason, value), row in zip(cases, found[1:-1], strict=True):
        assert row["_error"].startswith(reason)
        assert row["_raw"] == value


def test_messages_too_long_or_packed_too_tightly_are_rows_and_take_no_memory(
    kafka: Kafka, tmp_path: Path, topic: str
) -> None:
    make(kafka, topic, **{"max.message.bytes": str(1 << 26)})
    long = b'{"x": "' + b"a" * (MAX_MESSAGE_BYTES + 1_000) + b'"}'
    produce(kafka, topic, [message(uuid.UUID(int=1)), long])
    bomb = bytes(100_000_000)
    produce(kafka, topic, [bomb], compression_type="gzip")
    produce(kafka, topic, [message(uuid.UUID(int=2))])
    landed = catch_up(kafka, tmp_path, topic)
    assert (landed.row_count, landed.error_count) == (4, 2)
    found = rows(tmp_path, topic, ["_raw"])
    assert f"message has {len(long)} bytes: 1048576 at most" in found[1]["_error"]
    assert found[1]["_raw"] == long[:4_096]
    assert "unpacks to more than 67108864 bytes" in found[2]["_error"]
    assert found[3]["_error"] is None


def test_aborted_transactions_are_left_out_and_an_open_one_is_waited_for(
    kafka: Kafka, tmp_path: Path, topic: str
) -> None:
    make(kafka, topic)
    producer = KafkaProducer(**kafka.options(), transactional_id=f"x-{topic}")
    producer.init_transactions()
    sent = []
    for number in range(12):
        producer.begin_transaction()
        ids = [uuid.uuid4() for _ in range(5)]
        for one in ids:
            producer.send(topic, message(one))
        producer.flush()
        if number % 3 == 1:
            producer.abort_transaction()
        else:
            producer.commit_transaction()
            sent += ids
        if number % 4 == 3:
            catch_up(kafka, tmp_path, topic)
    late = uuid.uuid4()
    producer.begin_transaction()
    producer.send(topic, message(late)).get(30)
    produce(kafka, topic, [message(uuid.UUID(int=9))])
    assert catch_up(kafka, tmp_path, topic).row_count == 0
    producer.commit_transaction()
    producer.close()
    assert catch_up(kafka, tmp_path, topic).row_count == 2
    found = [event_id(row) for row in rows(tmp_path, topic)]
    assert found == [*sent, late, uuid.UUID(int=9)]
    assert reachable(tmp_path, topic)
    assert catch_up(kafka, tmp_path, topic).file_count == 0


def test_what_retention_took_unread_is_a_gap_with_its_reason(
    kafka: Kafka, tmp_path: Path, topic: str
) -> None:
    make(kafka, topic)
    produce(kafka, topic, [message(uuid.uuid4()) for _ in range(10)])
    catch_up(kafka, tmp_path, topic)
    produce(kafka, topic, [message(uuid.uuid4()) for _ in range(20)])
    with KafkaTopics(kafka) as topics:
        topics._admin.delete_records({TopicPartition(topic, 0): 25})
    told: list[str] = []
    assert catch_up(kafka, tmp_path, topic, told.append).row_count == 5
    reason = "offsets 10 to 24 were deleted by the log's retention before they landed"
    assert any(reason in line and "GAP" in line for line in told)
    (folder,) = (tmp_path / topic).glob("*/p=0")
    links = list(chain.walk(folder))
    assert [(link.position, link.next_offset) for link in links] == [(0, 10), (10, 25), (25, 30)]
    assert [chain.metadata(link.path)["reason"] for link in links] == ["", reason, ""]
    assert [row["_offset"] for row in rows(tmp_path, topic)] == [*range(10), *range(25, 30)]


def test_the_lag_is_what_is_there_and_has_not_landed(
    kafka: Kafka, tmp_path: Path, topic: str
) -> None:
    make(kafka, topic)
    asked, tails = (topic, f"{topic}-absent"), Tails()
    produce(kafka, topic, [message(uuid.uuid4()) for _ in range(10)])
    assert lags(kafka, asked, tmp_path, tails) == {topic: 10, f"{topic}-absent": 0}
    catch_up(kafka, tmp_path, topic)
    assert lags(kafka, asked, tmp_path, tails)[topic] == 0
    produce(kafka, topic, [message(uuid.uuid4()) for _ in range(20)])
    with KafkaTopics(kafka) as topics:
        topics._admin.delete_records({TopicPartition(topic, 0): 25})
    assert lags(kafka, asked, tmp_path, tails)[topic] == 5, "what is gone does not land any more"


def replace_topic(kafka: Kafka, topic: str, count: int) -> list[uuid.UUID]:
    """Delete a topic, make it again and fill it."""
    with KafkaTopics(kafka) as topics:
        topics._admin.delete_topics([topic])
        until(lambda: topics.source_id(topic) is None)
    make(kafka, topic)
    ids = [uuid.uuid4() for _ in range(count)]
    produce_ids(kafka, topic, ids)
    return ids


def produce_ids(kafka: Kafka, topic: str, ids: list[uuid.UUID]) -> None:
    log = KafkaLog(kafka)
    log.append(topic, [message(one) for one in ids])
    log.close()


def test_a_topic_made_again_and_refilled_past_our_position_is_refused_before_the_link(
    kafka: Kafka, tmp_path: Path, topic: str
) -> None:
    make(kafka, topic)
    first = [uuid.uuid4() for _ in range(10)]
    produce_ids(kafka, topic, first)
    catch_up(kafka, tmp_path, topic)
    produce_ids(kafka, topic, [uuid.uuid4() for _ in range(10)])
    new: list[uuid.UUID] = []

    def features() -> list[Feature]:  # asked after reading, before the link
        new.extend(replace_topic(kafka, topic, 50))
        return []

    landing = Landing({topic: "prediction"}, tmp_path, features, lambda: datetime.now(UTC))
    with pytest.raises(Replaced, match=r"deleted and made again.*start the lander again"):
        KafkaLander(kafka, landing, once=True).run()
    assert [event_id(row) for row in rows(tmp_path, topic)] == first
    assert catch_up(kafka, tmp_path, topic).row_count == 50
    found = sorted(event_id(row) for row in rows(tmp_path, topic))
    assert found == sorted([*first, *new])
    assert len(list((tmp_path / topic).glob("*/p=0"))) == 2


def test_a_running_lander_skips_nothing_of_a_topic_made_again(
    kafka: Kafka, tmp_path: Path, topic: str
) -> None:
    make(kafka, topic)
    with landers(Lander(kafka, tmp_path, [topic])) as (lander,):
        with Load(kafka, topic) as load:
            until(lambda: len(list((tmp_path / topic).glob("*/p=0/*.parquet"))) > 2)
        until(lambda: len(rows(tmp_path, topic)) == len(load.acknowledged))
        (old,) = (tmp_path / topic).glob("*/p=0")
        end = chain.chain_end(old)
        ids = replace_topic(kafka, topic, end + 50)
        # the group told it (then it lands the new topic as another source), or the check did
        until(
            lambda: (
                len(rows(tmp_path, topic)) == end + len(ids) or lander.process.poll() is not None
            )
        )
        if lander.end() == 1:
            assert "start the lander again" in lander.lines[-1]
    catch_up(kafka, tmp_path, topic)
    assert chain.chain_end(old) == end
    assert len(list((tmp_path / topic).glob("*/p=0"))) == 2
    found = sorted(event_id(row) for row in rows(tmp_path, topic))
    assert found == sorted([*ids, *(uuid.UUID(one) for one in load.acknowledged)])


def test_a_topic_replaced_between_reading_and_linking_is_refused(kafka: Kafka, topic: str) -> None:
    make(kafka, topic)
    with KafkaTopics(kafka) as topics:
        source = topics.source_id(topic) or ""
        topics.check(topic, source)
        topics._admin.delete_topics([topic])
        until(lambda: topics.source_id(topic) is None)
        with pytest.raises(Replaced, match="was deleted while"):
            topics.check(topic, source)
        make(kafka, topic)
        with pytest.raises(Replaced, match="deleted and made again"):
            topics.check(topic, source)


def test_replayed_messages_bear_the_time_of_today(kafka: Kafka, tmp_path: Path, topic: str) -> None:
    make(kafka, topic)
    began = time.time() * 1000 - 1_000
    log = KafkaLog(kafka)
    log.append(topic, [message(uuid.uuid4())])
    found = log._reader(TopicPartition(topic, 0)).offsets_for_times(
        {TopicPartition(topic, 0): int(began)}
    )
    log.close()
    stamp = found[TopicPartition(topic, 0)].timestamp
    assert math.isclose(stamp, datetime.now(UTC).timestamp() * 1000, abs_tol=60_000)
    assert faults(tmp_path, topic, Load(kafka, topic)) == []
