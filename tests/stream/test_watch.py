import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import stream.watch
from ingest.errors import DriftnetError, InputError
from ingest.happenings import land_happenings
from stream.alarm import Alarm, Stream
from stream.batch import Batch
from stream.checkpoint import State, alone, load, save
from stream.labels import batch_of
from stream.policy import shipped
from stream.scales import References
from stream.watch import Places, Watch
from tests.stream.places import MODEL, label_rows, write_reference


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class Outside:
    """The alert channel: it knows the ids that it has had."""

    def __init__(self) -> None:
        self.sent: list[Alarm] = []
        self.is_down = False

    def __call__(self, alarm: Alarm) -> None:
        if self.is_down:
            raise DriftnetError("the channel is down")
        if alarm.alarm_id not in {known.alarm_id for known in self.sent}:
            self.sent.append(alarm)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_reference(tmp_path / "models")
    return tmp_path


def watch(home: Path, outside: Callable[[Alarm], None], clock: Clock, say: Any = print) -> Watch:
    places = Places(home / "watch" / "checkpoint.json", home / "landing")
    return Watch(places, shipped(), References(home / "models"), outside, clock, say)


def batches(*parts: tuple[int, float], size: int = 500, version: str = "1") -> list[Batch]:
    random = np.random.default_rng(21)
    wrong = np.concatenate([random.random(count) < rate for count, rate in parts])
    return [
        batch_of(label_rows(list(wrong[at : at + size]), first=at, version=version))
        for at in range(0, len(wrong), size)
    ]


DRIFTING = ((5000, 0.05), (3000, 0.2), (3000, 0.2))


def lane(given: list[Batch]) -> Callable[[State], Batch | None]:
    """Return a lane that reads on from the position of the state, as the real ones do."""
    starts = [None, *(batch.position for batch in given)]

    def read(state: State) -> Batch | None:
        at = starts.index(state.positions.get("labels"))
        return given[at] if at < len(given) else None

    return read


def run(at_work: Watch, given: list[Batch]) -> None:
    while at_work.step([lane(given)]):
        pass


def landed(home: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for path in sorted((home / "landing" / "stream").glob("*.parquet")):
        rows += pq.read_table(path).to_pylist()
    return rows


def test_an_alarm_lands_as_an_event_and_is_told_at_once(home: Path) -> None:
    outside = Outside()
    run(watch(home, outside, Clock()), batches(*DRIFTING))
    whole = [
        row for row in landed(home) if row["subject_name"] == "errors" and row["kind"] == "alarm"
    ]
    assert len(whole) == 1
    assert (whole[0]["room"], whole[0]["model_name"], whole[0]["severity"]) == ("stream", MODEL, 2)
    assert whole[0]["summary"].startswith("m version 1, errors: error rate 5.0% -> ")
    assert json.loads(whole[0]["detail"])["signal"] == "errors"
    assert whole[0]["source_position"].startswith("labels 1/2025-01-09T")
    told = [alarm for alarm in outside.sent if alarm.stream == alarm.stream.whole]
    assert [alarm.alarm_id for alarm in told] == [whole[0]["happening_id"]]


def test_what_happened_is_told_by_its_own_time_not_by_the_clock_of_the_watch(home: Path) -> None:
    run(watch(home, Outside(), Clock()), batches(*DRIFTING))
    assert {row["happened_at"].year for row in landed(home)} == {2025}


def test_segments_are_told_only_while_the_whole_has_not_just_alarmed(home: Path) -> None:
    outside = Outside()
    run(watch(home, outside, Clock()), batches(*DRIFTING))
    alarms = [row for row in landed(home) if row["kind"] == "alarm"]
    assert {row["subject_name"] for row in alarms} >= {
        "errors",
        "errors (channel mail)",
        "errors (channel web)",
    }
    (whole,) = [row["happened_at"] for row in alarms if row["subject_name"] == "errors"]
    told = {alarm.alarm_id for alarm in outside.sent}
    for row in alarms:
        if row["subject_name"] != "errors":
            assert (row["happening_id"] in told) == (row["happened_at"] < whole)
            assert row["severity"] == 1


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


def effects(monkeypatch: pytest.MonkeyPatch, at: int | None) -> Callable[[], int]:
    """Count the effects of the watch on the world, and kill it before or after the one at `at`."""
    count = 0

    def around(inner: Callable[..., Any]) -> Callable[..., Any]:
        def call(*words: Any) -> Any:
            nonlocal count
            for step in (0, 1):
                count += 1
                if count == at:
                    raise Killed
                if step == 0:
                    answer = inner(*words)
            return answer

        return call

    monkeypatch.setattr(stream.watch, "save", around(save))
    monkeypatch.setattr(stream.watch, "land_happenings", around(land_happenings))
    monkeypatch.setattr(Outside, "__call__", around(Outside.__call__))
    return lambda: count


def killed_at(home: Path, at: int | None, given: list[Batch]) -> tuple[Outside, int]:
    outside, clock = Outside(), Clock()
    with pytest.MonkeyPatch.context() as patch:
        counted = effects(patch, at)
        try:
            run(watch(home, outside, clock), given)
        except Killed:
            assert at is not None
    if at is not None:
        run(watch(home, outside, clock), given)
    return outside, counted()


def facts(home: Path) -> Counter[tuple[str, str]]:
    return Counter((str(row["happening_id"]), row["summary"]) for row in landed(home))


def test_a_kill_before_or_after_any_effect_repeats_and_skips_nothing(
    home: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    given = batches(*DRIFTING)
    outside, count = killed_at(home, None, given)
    expected = facts(home)
    assert set(expected.values()) == {1}
    assert count >= 12
    for at in range(1, count + 1):
        other = tmp_path_factory.mktemp("killed")
        write_reference(other / "models")
        after, _ = killed_at(other, at, given)
        assert facts(other) == expected, f"killed at effect {at} of {count}"
        assert sorted(map(str, after.sent)) == sorted(map(str, outside.sent))


def test_an_alarm_that_cannot_be_sent_is_kept_over_a_restart_and_sent_later(home: Path) -> None:
    outside, clock = Outside(), Clock()
    outside.is_down = True
    said: list[str] = []
    at_work = watch(home, outside, clock, said.append)
    run(at_work, batches(*DRIFTING))
    assert at_work.unsent()
    assert "an alarm could not be sent, it is kept and tried again: the channel is down" in said
    assert any(row["subject_name"] == "errors" for row in landed(home))
    attempts = len(said)
    at_work.deliver()
    assert len(said) == attempts, "it waits before it tries again"
    outside.is_down = False
    at_work = watch(home, outside, clock)
    assert not at_work.unsent()
    assert {"errors"} <= {alarm.stream.subject_name for alarm in outside.sent}


def test_a_channel_that_stays_down_is_asked_less_and_less_often(home: Path) -> None:
    outside, clock = Outside(), Clock()
    outside.is_down = True
    said: list[str] = []
    at_work = watch(home, outside, clock, said.append)
    run(at_work, batches(*DRIFTING))
    for _ in range(600):
        clock.now += timedelta(seconds=1)
        at_work.deliver()
    assert 5 < len(said) < 12


def test_a_promotion_starts_fresh_detectors_for_the_new_version(home: Path) -> None:
    write_reference(home / "models", "2", error_rate=0.2)
    old, new = batches((4000, 0.05)), batches((6000, 0.2), version="2")
    outside = Outside()
    at_work = watch(home, outside, Clock())
    for batch in [*old, *new]:
        at_work.take(batch)
    assert not outside.sent, "the new version is as good as its reference says"
    panels = at_work.state.panels
    assert panels[Stream(MODEL, "1", "errors")].export()["count"] == 4000
    assert panels[Stream(MODEL, "2", "errors")].export()["count"] == 6000
    assert panels[Stream(MODEL, "2", "errors")].export()["level"][0] == pytest.approx(0.2, abs=0.01)


def test_another_policy_starts_all_detectors_anew_and_keeps_the_positions(home: Path) -> None:
    at_work = watch(home, Outside(), Clock())
    run(at_work, batches((1000, 0.05)))
    path = home / "watch" / "checkpoint.json"
    state, why = load(path, shipped())
    assert why is None
    assert state.panels
    state, why = load(path, shipped(["votes=3"]))
    assert why == "the policy is another now"
    assert not state.panels
    assert state.positions == at_work.state.positions


def test_a_harmed_checkpoint_is_refused_by_name(home: Path) -> None:
    run(watch(home, Outside(), Clock()), batches((1000, 0.05)))
    path = home / "watch" / "checkpoint.json"
    path.write_text(path.read_text().replace('"count":1000', '"count":1001'))
    with pytest.raises(DriftnetError, match=r"checkpoint\.json was harmed: restore it from a copy"):
        load(path, shipped())


def test_two_watches_of_one_home_are_one_too_many(home: Path) -> None:
    path = home / "watch" / "checkpoint.json"
    with alone(path), pytest.raises(InputError, match="is watched already"):
        _enter(path)


def _enter(path: Path) -> None:
    with alone(path):
        pass


@pytest.fixture(autouse=True)
def quiet(capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    yield
    capsys.readouterr()
