"""One suite for both logs: the interface, the commit rule, and appends from an event loop."""

import asyncio
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.errors import InputError
from ingest.fields import MAX_MESSAGE_BYTES
from ingest.kafka.appender import KafkaAppender
from ingest.kafka.log import KafkaLog
from ingest.landed import chain
from ingest.landing import Landed, land
from ingest.local.appender import LocalAppender
from ingest.local.log import LocalLog
from ingest.log import AsyncAppender, EventLog, Record
from tests.brokers import Running
from tests.landers import event_id, message, reachable, rows

KINDS = ["local", pytest.param("kafka", marks=pytest.mark.slow)]


@pytest.fixture(params=KINDS)
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EventLog]:
    if request.param == "local":
        yield LocalLog(tmp_path / "log", pytest.fail)
        return
    broker: Running = request.getfixturevalue("broker")
    found = KafkaLog(broker.kafka(partitions=2))
    yield found
    found.close()


@pytest.fixture
def topic() -> str:
    return f"t-{uuid.uuid4().hex[:10]}"


def clock() -> datetime:
    return datetime.now(UTC)


def all_of(log: EventLog, topic: str, max_bytes: int = 1 << 20) -> list[tuple[int, Record]]:
    found = []
    for partition in log.partitions(topic):
        offset, end = 0, log.end_offset(topic, partition)
        while offset < end:
            records = log.read(topic, partition, offset, max_bytes)
            found += [(partition, record) for record in records]
            offset = records[-1].next_offset
    return found


def test_what_is_acknowledged_is_read_at_its_place_in_order(log: EventLog, topic: str) -> None:
    sent = [[b"%d-%d" % (call, n) for n in range(20)] for call in range(3)]
    for values in sent:
        places = log.append(topic, values)
        assert {place.topic for place in places} == {topic}
        assert {place.source_id for place in places} == {log.source_id(topic)}
        read = {(part, record.offset): record.value for part, record in all_of(log, topic)}
        assert [read[place.partition, place.offset] for place in places] == values
        assert [place.offset for place in places] == sorted({place.offset for place in places})
    assert len(all_of(log, topic)) == 60


def test_reading_from_each_next_offset_gives_the_rest_and_at_the_end_nothing(
    log: EventLog, topic: str
) -> None:
    log.append(topic, [b"x" * 100] * 50)
    (partition,) = {partition for partition, _ in all_of(log, topic)}
    whole = [record for _, record in all_of(log, topic)]
    for place in (0, 17, 48):
        rest = log.read(topic, partition, whole[place].next_offset, 1 << 20)
        assert rest == whole[place + 1 :]
    assert log.read(topic, partition, log.end_offset(topic, partition), 1 << 20) == []
    assert whole[-1].next_offset == log.end_offset(topic, partition)


def test_a_topic_without_messages_holds_nothing_and_too_long_a_message_is_refused(
    log: EventLog, topic: str
) -> None:
    assert log.partitions(topic) == []
    with pytest.raises(InputError, match="1048576 at most"):
        log.append(topic, [b"fine", b"x" * (MAX_MESSAGE_BYTES + 1)])
    longest = b"x" * MAX_MESSAGE_BYTES
    log.append(topic, [longest])
    assert [record.value for _, record in all_of(log, topic)] == [longest]


def test_the_source_of_a_topic_stays_and_another_topic_has_another(
    log: EventLog, topic: str
) -> None:
    source = log.source_id(topic)
    log.append(topic, [b"x"])
    assert log.source_id(topic) == source
    assert log.source_id(f"{topic}-b") != source
    assert "/" not in source


def test_landing_lands_each_position_once_however_often_it_runs(
    log: EventLog, topic: str, tmp_path: Path
) -> None:
    ids = [uuid.uuid4() for _ in range(30)]
    total = Landed()
    for start in range(0, 30, 10):
        log.append(topic, [*(message(one) for one in ids[start : start + 10]), b"bad"])
        for _ in range(2):
            total += land(log, topic, "prediction", tmp_path / "landing", [], clock, 2_000)
    assert (total.row_count, total.error_count) == (33, 3)
    found = rows(tmp_path / "landing", topic)
    assert sorted(event_id(row) for row in found if row["event_id"]) == (sorted(ids))
    assert len({(row["partition"], row["_offset"]) for row in found}) == 33
    assert reachable(tmp_path / "landing", topic)


def test_a_zombie_is_fenced_on_either_log(
    log: EventLog, topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.append(topic, [message(uuid.uuid4()) for _ in range(10)])
    commit, asleep = chain.commit, [True]

    def frozen(temporary: Path, folder: Path, position: int) -> Path:
        if asleep.pop() if asleep else False:
            land(log, topic, "prediction", tmp_path / "landing", [], clock)
        return commit(temporary, folder, position)

    monkeypatch.setattr(chain, "commit", frozen)
    zombie = land(log, topic, "prediction", tmp_path / "landing", [], clock)
    assert zombie == Landed()
    assert len(rows(tmp_path / "landing", topic)) == 10


@pytest.mark.parametrize("kind", KINDS)
def test_appends_of_an_event_loop_are_acknowledged_each_with_its_places(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, topic: str
) -> None:
    log: EventLog = LocalLog(tmp_path, pytest.fail)
    kafka = None
    if kind == "kafka":
        kafka = request.getfixturevalue("broker").kafka(partitions=2)
        log = KafkaLog(kafka)

    async def run() -> None:
        appender: AsyncAppender = KafkaAppender(kafka) if kafka else LocalAppender(log)
        sent = [[b"%d-%d" % (call, n) for n in range(3)] for call in range(100)]
        found = await asyncio.gather(*(appender.append(topic, values) for values in sent))
        with pytest.raises(InputError):
            await appender.append(topic, [b"x" * (MAX_MESSAGE_BYTES + 1)])
        await appender.close()
        read = {(part, record.offset): record.value for part, record in all_of(log, topic)}
        assert len(read) == 300
        for values, places in zip(sent, found, strict=True):
            assert [read[place.partition, place.offset] for place in places] == values

    asyncio.run(run())
    if isinstance(log, KafkaLog):
        log.close()
