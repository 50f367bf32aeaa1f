"""After each fault every acknowledged event is landed exactly once. On a real broker."""

import random
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest.kafka.log import KafkaLog
from ingest.kafka.topics import KafkaTopics
from ingest.landed import chain
from ingest.landed.compaction import compact
from tests.brokers import Running, running
from tests.landers import Lander, Load, catch_up, faults, landers, until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("lost_sockets"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]


@pytest.fixture
def topic() -> str:
    return f"t-{uuid.uuid4().hex[:10]}"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Running]:
    """Give a broker that the test may kill."""
    with running(tmp_path / "broker") as found:
        yield found


def count_files(folder: Path, topic: str) -> int:
    return sum(1 for _ in (folder / topic).glob("*/p=*/*.parquet"))


def test_a_lander_killed_at_random_25_times_under_load(
    broker: Running, tmp_path: Path, topic: str
) -> None:
    kafka, draw = broker.kafka(session_ms=1_000), random.Random(7)
    pair = [Lander(kafka, tmp_path, [topic], max_age=0.1) for _ in range(2)]
    with Load(kafka, topic) as load:
        try:
            for _ in range(25):
                files = count_files(tmp_path, topic)
                until(lambda: count_files(tmp_path, topic) > files)  # noqa: B023
                time.sleep(draw.uniform(0.0, 0.3))
                killed = draw.randrange(2)
                assert pair[killed].end(signal.SIGKILL) == -signal.SIGKILL
                pair[killed] = Lander(kafka, tmp_path, [topic], max_age=0.1)
        finally:
            for lander in pair:
                lander.end(signal.SIGKILL)
    catch_up(kafka, tmp_path, topic)
    assert len(load.acknowledged) > 1_000
    assert faults(tmp_path, topic, load) == []


def attack(
    broker: Running,
    folder: Path,
    topic: str,
    *,
    rename: bool = False,
    times: int,
    meanwhile: Callable[[], object] = lambda: None,
) -> list[str]:
    """Freeze landers between write and link, past their session, while others go on."""
    kafka = broker.kafka(session_ms=1_000, partitions=1)
    with (
        Load(kafka, topic) as load,
        landers(
            *(Lander(kafka, folder, [topic], widen=0.2, rename=rename) for _ in range(2))
        ) as pair,
    ):
        for _ in range(times):
            before = [lander.says("LINKING") for lander in pair]
            until(lambda: any(map(int.__gt__, [x.says("LINKING") for x in pair], before)))  # noqa: B023
            held = next(x for x, n in zip(pair, before, strict=True) if x.says("LINKING") > n)
            other = next(x for x in pair if x is not held)
            held.send(signal.SIGSTOP)
            seen = other.says("LINKING")
            until(lambda: other.says("LINKING") > seen + 2)  # it took over, and went on  # noqa: B023
            meanwhile()
            held.send(signal.SIGCONT)
            time.sleep(0.5)
        load.stop()
        assert [lander.end() for lander in pair] == [0, 0]
    catch_up(kafka, folder, topic)
    return faults(folder, topic, load)


def test_landers_frozen_past_their_session_and_resumed_add_no_row_twice(
    broker: Running, tmp_path: Path, topic: str
) -> None:
    assert attack(broker, tmp_path, topic, times=6) == []


def test_the_same_attack_is_seen_when_the_link_is_replaced_by_a_rename(
    broker: Running, tmp_path: Path, topic: str
) -> None:
    assert attack(broker, tmp_path, topic, rename=True, times=2) != []


def test_compaction_while_landing_and_while_a_lander_is_frozen_loses_and_doubles_nothing(
    broker: Running, tmp_path: Path, topic: str
) -> None:
    done: list[int] = []

    def meanwhile() -> None:
        done.append(compact(tmp_path, [topic], 1 << 20).row_count)

    assert attack(broker, tmp_path, topic, times=4, meanwhile=meanwhile) == []
    assert sum(done) > 0
    assert len(list((tmp_path / topic).glob("*/compacted/p=*/*.parquet"))) > 0


def test_a_broker_killed_and_started_again_under_load(
    own: Running, tmp_path: Path, topic: str
) -> None:
    kafka = own.kafka()
    with Load(kafka, topic) as load, landers(Lander(kafka, tmp_path, [topic])) as (lander,):
        for _ in range(2):
            had = len(load.acknowledged)
            until(lambda: len(load.acknowledged) > had + 500)  # noqa: B023
            own.restart()
        had, files = len(load.acknowledged), count_files(tmp_path, topic)
        until(lambda: len(load.acknowledged) > had + 500)
        until(lambda: count_files(tmp_path, topic) > files + 3)
        load.stop()
        assert lander.end() == 0
    catch_up(kafka, tmp_path, topic)
    assert faults(tmp_path, topic, load) == []


def test_a_broker_that_is_down_at_start_is_waited_for(tmp_path: Path, topic: str) -> None:
    with running(tmp_path / "broker") as own:
        own.kill()
        kafka = own.kafka()
        with Load(kafka, topic) as load, landers(Lander(kafka, tmp_path, [topic])) as (lander,):
            until(lambda: bool(lander.says("waiting: no answer from Kafka")))
            own.restart()
            until(lambda: count_files(tmp_path, topic) > 3)
            load.stop()
            assert lander.end() == 0
        catch_up(kafka, tmp_path, topic)
        assert len(load.acknowledged) > 100
        assert faults(tmp_path, topic, load) == []


def test_members_that_join_and_leave_share_the_work(
    broker: Running, tmp_path: Path, topic: str
) -> None:
    kafka = broker.kafka()
    with Load(kafka, topic) as load:
        first = Lander(kafka, tmp_path, [topic])
        with landers(first):
            until(lambda: count_files(tmp_path, topic) > 3)
            others = [Lander(kafka, tmp_path, [topic]) for _ in range(2)]
            with landers(*others):
                until(lambda: all(x.says("READY") for x in others))
                time.sleep(4)
                assert first.end() == 0
                files = count_files(tmp_path, topic)
                until(lambda: count_files(tmp_path, topic) > files + 5)
                load.stop()
                assert [x.end() for x in others] == [0, 0]
                told = [int(x.lines[-1].removeprefix("DONE ")) for x in [first, *others]]
    assert all(told), f"one of the members landed nothing: {told}"
    assert sum(told) + catch_up(kafka, tmp_path, topic).row_count >= len(load.acknowledged)
    assert faults(tmp_path, topic, load) == []


def test_an_added_partition_is_landed_too(broker: Running, tmp_path: Path, topic: str) -> None:
    kafka = broker.kafka(partitions=1)
    with Load(kafka, topic) as load, landers(Lander(kafka, tmp_path, [topic])) as (lander,):
        until(lambda: count_files(tmp_path, topic) > 2)
        load.stop()
        with KafkaTopics(kafka) as topics:
            topics._admin.create_partitions({topic: 3})
            until(lambda: topics.partitions(topic) == [0, 1, 2])
        with Load(kafka, topic) as more:
            until(lambda: {place[0] for place in more.acknowledged.values()} == {0, 1, 2})
            until(lambda: len(list((tmp_path / topic).glob("*/p=2/*.parquet"))) > 0)
        assert lander.end() == 0
    more.acknowledged |= load.acknowledged
    catch_up(kafka, tmp_path, topic)
    assert faults(tmp_path, topic, more) == []


def test_a_folder_listed_while_links_appear_gives_whole_chains(
    broker: Running, tmp_path: Path, topic: str
) -> None:
    kafka = broker.kafka(partitions=1)
    with Load(kafka, topic) as load, landers(Lander(kafka, tmp_path, [topic], max_age=0.05)):
        until(lambda: count_files(tmp_path, topic) > 0)
        (folder,) = (tmp_path / topic).glob("*/p=0")
        ends = [0]
        while len(set(ends)) < 40:
            links = list(chain.walk(folder))
            assert [link.position for link in links[1:]] == [x.next_offset for x in links[:-1]]
            ends.append(links[-1].next_offset)
        assert ends == sorted(ends)
    catch_up(kafka, tmp_path, topic)
    assert faults(tmp_path, topic, load) == []


def test_a_lander_told_to_end_lands_what_it_has_read(
    broker: Running, tmp_path: Path, topic: str
) -> None:
    kafka = broker.kafka(partitions=1)
    log = KafkaLog(kafka)
    with landers(Lander(kafka, tmp_path, [topic], max_age=3_600)) as (lander,):
        with Load(kafka, topic) as load:
            until(lambda: len(load.acknowledged) > 300)
        until(lambda: bool(lander.says("lag 0 in 1 partitions")))
        assert count_files(tmp_path, topic) == 0
        assert lander.end() == 0
    log.close()
    assert lander.lines[-1] == f"DONE {len(load.acknowledged)}"
    assert faults(tmp_path, topic, load) == []
