from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from ingest.errors import InputError
from ingest.event_file import open_events
from ingest.event_sql import Delay
from ingest.events import Label, Prediction, parse_label, parse_prediction
from ingest.local.log import LocalLog
from ingest.log import Position
from ingest.replay import Replayed, Topics, replay
from ingest.scorer import Scorer
from ingest.synthesize import synthesize
from retrain.train import train_initial

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
START = datetime(2025, 3, 3, tzinfo=UTC)
Play = Callable[..., tuple[Replayed, list[Prediction], list[Label]]]


@pytest.fixture(scope="module")
def scorer(tmp_path_factory: pytest.TempPathFactory) -> Scorer:
    home = tmp_path_factory.mktemp("home")
    made = synthesize(home, 3, weeks=4, calm_weeks=4, events_per_week=400, drifts=())
    train_initial(made.events, made.end, home / "models", "urls", 3, lambda: NOW)
    return Scorer.load(home / "models", "urls")


class Memory:
    """A log in memory that remembers what was appended at once."""

    def __init__(self) -> None:
        self.batches: list[tuple[str, list[bytes]]] = []

    def append(self, topic: str, values: Iterable[bytes]) -> list[Position]:
        self.batches.append((topic, list(values)))
        return []

    def of(self, topic: str) -> list[bytes]:
        return [value for name, values in self.batches if name == topic for value in values]


@pytest.fixture
def play(scorer: Scorer) -> Play:
    def run(path: Path, **options: Any) -> tuple[Replayed, list[Prediction], list[Label]]:
        log = Memory()
        base: dict[str, Any] = {"from_": None, "until": None, "seed": 7, "clock": lambda: NOW}
        done = replay(path, scorer, log, Topics("p", "l"), **(base | options))  # type: ignore[arg-type]
        predictions = [parse_prediction(value, NOW) for value in log.of("p")]
        return done, predictions, [parse_label(value, NOW) for value in log.of("l")]

    return run


def rows(count: int = 10, **changes: Any) -> dict[str, Any]:
    columns = {
        "ts_utc": [START + number * DAY for number in range(count)],
        "url": [f"https://host{number}.example.com/a?n={number}" for number in range(count)],
        "label": [number % 2 for number in range(count)],
        "source": ["mail", "proxy"] * (count // 2),
    } | changes
    return {name: values for name, values in columns.items() if values is not None}


def parquet(folder: Path, **changes: Any) -> Path:
    path = folder / "events.parquet"
    pq.write_table(pa.table(rows(**changes)), path)
    return path


def test_every_row_becomes_a_prediction_that_the_contract_accepts(
    tmp_path: Path, play: Play, scorer: Scorer
) -> None:
    done, predictions, _ = play(parquet(tmp_path))
    assert done.prediction_count == len(predictions) == 10
    urls = rows()["url"]
    expected = scorer.score(urls)
    for place, event in enumerate(predictions):
        assert event.subject == urls[place]
        assert event.occurred_at == START + place * DAY
        assert event.score == expected.score[place]
        assert event.features == expected.features[place]
        assert np.array_equal(np.asarray(event.embedding, np.float32), expected.embedding[place])
        assert event.cluster == expected.cluster[place]
        assert event.channel == ("mail", "proxy")[place % 2]
        assert (event.model_name, event.model_version) == ("urls", "1")
        assert event.threshold == scorer.threshold
        assert event.latency_ms is None


def test_events_come_in_order_of_time_and_of_rows_where_times_are_equal(
    tmp_path: Path, play: Play
) -> None:
    days = [3, 1, 1, 2, 0, 1, 9, 1, 1, 0]
    _, predictions, _ = play(parquet(tmp_path, ts_utc=[START + day * DAY for day in days]))
    order = sorted(range(10), key=lambda row: (days[row], row))
    assert [event.subject for event in predictions] == [rows()["url"][row] for row in order]


def test_a_replay_repeated_gives_the_same_ids_and_another_file_others(
    tmp_path: Path, play: Play
) -> None:
    path = parquet(tmp_path)
    first, second = play(path), play(path, seed=8, batch=3)
    assert first[1] == second[1]
    assert len({event.event_id for event in first[1]}) == 10
    other = play(parquet(tmp_path, source=["mail"] * 10))
    assert not {e.event_id for e in first[1]} & {e.event_id for e in other[1]}


def test_the_id_of_an_event_does_not_depend_on_where_the_replay_begins(
    tmp_path: Path, play: Play
) -> None:
    path = parquet(tmp_path)
    _, whole, _ = play(path)
    done, part, _ = play(path, from_=START + 4 * DAY, until=START + 7 * DAY)
    assert part == whole[4:7]
    assert (done.first_at, done.newest_at) == (START + 4 * DAY, START + 6 * DAY)


def test_a_replay_keeps_of_a_url_what_it_is_told_to(tmp_path: Path, play: Play) -> None:
    path = parquet(tmp_path)
    _, full, _ = play(path)
    _, hosts, _ = play(path, storage="host")
    _, hashes, _ = play(path, storage="hash")
    assert [event.subject for event in hosts] == [f"host{n}.example.com" for n in range(10)]
    assert all((event.subject or "").startswith("sha256:") for event in hashes)
    assert len({event.subject for event in hashes}) == 10
    for kept in (hosts, hashes):
        assert [event.features for event in kept] == [event.features for event in full]


def test_the_same_url_twice_is_two_events(tmp_path: Path, play: Play) -> None:
    _, predictions, _ = play(parquet(tmp_path, url=["example.com"] * 10))
    assert len({event.event_id for event in predictions}) == 10


def test_labels_come_in_the_order_in_which_they_became_known(tmp_path: Path, play: Play) -> None:
    known = [START + (9 - number) * DAY for number in range(10)]
    done, predictions, labels = play(parquet(tmp_path, label_known_at=known))
    moments = [label.labelled_at for label in labels]
    assert moments == sorted(moments)
    occurred = {event.event_id: event.occurred_at for event in predictions}
    truth = {event.event_id: place % 2 == 1 for place, event in enumerate(predictions)}
    for label in labels:
        assert label.labelled_at >= occurred[label.event_id]
        assert label.is_actual_positive == truth[label.event_id]
    assert done.label_count == len(labels) == 10


def test_a_label_follows_the_events_of_its_time(tmp_path: Path, scorer: Scorer) -> None:
    path = parquet(tmp_path, label_known_at=[START + number * DAY for number in range(10)])
    log = Memory()
    replay(
        path,
        scorer,
        log,  # type: ignore[arg-type]
        Topics("p", "l"),
        from_=None,
        until=None,
        seed=1,
        clock=lambda: NOW,
        batch=4,
    )
    assert [(topic, len(values)) for topic, values in log.batches] == [
        ("p", 4),
        ("l", 3),
        ("p", 4),
        ("l", 4),
        ("p", 2),
        ("l", 2),
        ("l", 1),
    ]


def test_labels_known_after_the_replayed_time_are_pending(tmp_path: Path, play: Play) -> None:
    known = [START + (number + 3) * DAY for number in range(10)]
    done, _, labels = play(parquet(tmp_path, label_known_at=known))
    assert (len(labels), done.pending_label_count) == (7, 3)
    done, _, labels = play(parquet(tmp_path, label_known_at=known), until=START + 5 * DAY)
    assert (len(labels), done.pending_label_count) == (2, 3)


def test_a_file_played_in_parts_gives_the_events_and_labels_of_the_whole(
    tmp_path: Path, play: Play
) -> None:
    path = parquet(tmp_path, label_known_at=[START + (n * 7 % 13) * DAY for n in range(10)])
    _, predictions, labels = play(path, until=START + 10 * DAY)
    first = play(path, until=START + 4 * DAY)
    second = play(
        path, from_=START + 4 * DAY, until=START + 10 * DAY, labels_from=START - 100 * DAY
    )
    assert first[1] + second[1] == predictions
    assert first[2] + second[2] == labels


def test_rows_without_a_label_or_without_the_time_it_was_known_get_none(
    tmp_path: Path, play: Play
) -> None:
    known = [START + 5 * DAY] * 5 + [None] * 5
    done, _, labels = play(parquet(tmp_path, label=[None, 1, 0, None, 1] * 2, label_known_at=known))
    assert len(labels) == 3
    assert done.pending_label_count == 0
    assert play(parquet(tmp_path, label=None, source=None))[2] == []


def test_drawn_delays_are_lognormal_by_row_and_seed(tmp_path: Path, play: Play) -> None:
    count = 2000
    stamps = [START + timedelta(minutes=number) for number in range(count)]
    urls = ["example.com"] * count
    path = parquet(
        tmp_path, count=count, ts_utc=stamps, url=urls, label=[1] * count, source=["x"] * count
    )
    end = NOW - DAY
    _, predictions, labels = play(path, until=end, delay=Delay(10.0, 0.5))
    occurred = {event.event_id: event.occurred_at for event in predictions}
    hours = np.array(
        [(label.labelled_at - occurred[label.event_id]) / timedelta(hours=1) for label in labels]
    )
    assert len(hours) == count
    assert np.median(hours) == pytest.approx(10, rel=0.05)
    assert np.log(hours).std() == pytest.approx(0.5, rel=0.07)
    assert play(path, until=end, delay=Delay(10.0, 0.5))[2] == labels
    assert play(path, until=end, delay=Delay(10.0, 0.5), seed=8)[2] != labels


def test_csv_gives_what_parquet_gives(tmp_path: Path, play: Play) -> None:
    path = tmp_path / "events.csv"
    texts = [f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in rows()["ts_utc"]]
    pyarrow.csv.write_csv(pa.table(rows(ts_utc=texts)), path)
    _, predictions, labels = play(path)
    _, expected, _ = play(parquet(tmp_path))
    assert [event.subject for event in predictions] == [event.subject for event in expected]
    assert [event.occurred_at for event in predictions] == [e.occurred_at for e in expected]
    assert [event.channel for event in predictions] == [event.channel for event in expected]
    assert labels


def test_times_without_an_offset_are_utc_and_others_are_brought_to_it(
    tmp_path: Path, play: Play
) -> None:
    path = tmp_path / "events.csv"
    path.write_text("ts_utc,url\n2025-03-03 10:00:00,a.test\n2025-03-03T10:30:00+02:00,b.test\n")
    _, predictions, _ = play(path)
    assert [(event.subject, event.occurred_at.hour) for event in predictions] == [
        ("b.test", 8),
        ("a.test", 10),
    ]


def test_hostile_urls_land_like_all_others(tmp_path: Path, play: Play) -> None:
    urls = ["", None, "http://[", "x" * 100_000, "a\x00b", '"],{', "\u202e", "%", "\n", "http://"]
    done, predictions, _ = play(parquet(tmp_path, url=urls))
    assert done.prediction_count == 10
    assert predictions[0].subject is None
    assert len(predictions[3].subject or "") == 65_536
    assert predictions[3].features["url_length"] == 100_000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cannot be read|give it columns"),
        ("ts_utc,url\n", "has no rows"),
        ("when,url\n2025-01-01,a\n", "give it columns ts_utc and url"),
        ("ts_utc,url\n2025-01-01,a\nyesterday,b\n", "row 2: ts_utc is empty or no time"),
        ("ts_utc,url\n2025-01-01,a\n,b\n", "row 2: ts_utc is empty"),
        ("ts_utc,url\n1999-12-31,a\n", "row 1: ts_utc lies before 2000"),
        ("ts_utc,url\n2999-12-31,a\n", "in the future"),
        ("ts_utc,url,label\n2025-01-01,a,2\n", "row 1: label is neither"),
        ("ts_utc,url,label,label_known_at\n2025-01-01,a,1,soon\n", "row 1: label_known_at"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_line(
    tmp_path: Path, play: Play, text: str, message: str
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        play(path)
    assert "\n" not in str(caught.value)
    assert "bad.csv" in str(caught.value)


def test_a_missing_file_a_broken_one_and_one_of_another_kind_are_refused(
    tmp_path: Path, play: Play
) -> None:
    with pytest.raises(InputError, match="there is no file"):
        play(tmp_path / "none.parquet")
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 no")
    with pytest.raises(InputError, match="cannot be read"):
        play(broken)
    other = tmp_path / "events.json"
    other.write_text("{}")
    with pytest.raises(InputError, match=r"ends in \.parquet or \.csv"):
        play(other)
    starred = tmp_path / "a*.csv"
    starred.write_text("ts_utc,url\n2025-01-01,a\n")
    with pytest.raises(InputError, match="rename it"):
        play(starred)


def test_a_time_without_events_is_refused_with_what_the_file_holds(
    tmp_path: Path, play: Play
) -> None:
    with pytest.raises(InputError, match="2025-03-03 to 2025-03-12"):
        play(parquet(tmp_path), from_=START + 50 * DAY)


def test_progress_counts_every_event_once(tmp_path: Path, play: Play) -> None:
    told: list[int] = []
    play(parquet(tmp_path), batch=4, advance=told.append)
    assert told == [4, 4, 2]


def test_a_replay_into_the_local_log_is_durable_and_whole(tmp_path: Path, scorer: Scorer) -> None:
    log = LocalLog(tmp_path / "log", lambda text: None)
    path = parquet(tmp_path)
    done = replay(path, scorer, log, Topics(), from_=None, until=None, seed=7, clock=lambda: NOW)
    records = log.read("phishing_logs", 0, 0, 1 << 24)
    labels = log.read("phishing_labels", 0, 0, 1 << 24)
    assert (len(records), len(labels)) == (done.prediction_count, done.label_count)


def test_the_real_stream_is_read_whole_and_in_order(shared_data: Path) -> None:
    from ingest.event_file import read_events

    file = open_events(shared_data / "url_stream_2019_2022.parquet", NOW)
    assert file.row_count == 342_547
    last = None
    count = 0
    for batch in read_events(file, None, datetime(2019, 7, 1, tzinfo=UTC), 5_000):
        moments = batch.column("occurred_at").to_pylist()
        assert moments == sorted(moments)
        assert last is None or moments[0] >= last
        last = moments[-1]
        count += len(moments)
    assert count == 9_488
