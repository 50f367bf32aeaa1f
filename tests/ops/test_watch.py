"""The verb watch, as a person calls it."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ops import cli, watching
from ops.settings import Settings
from ops.verbs.options import now
from stream.policy import TABLE, shipped
from tests.stream.places import append, label_rows, messages, publish_labels, write_reference


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("DRIFTNET_HOME", str(tmp_path))
    write_reference(tmp_path / "models")
    return Settings(tmp_path)


def drift(settings: Settings) -> None:
    """Let errors, scores and lengths change: errors after 5,000 labels, the others after 3,000."""
    random = np.random.default_rng(41)
    wrong = [*(random.random(5000) < 0.05), *(random.random(3000) < 0.2)]
    publish_labels(settings, label_rows([bool(item) for item in wrong]), 1)
    scores = np.clip(random.random(5000) + np.repeat([0.0, 0.3], [3000, 2000]), 0.0, 1.0)
    append(settings, messages(scores, random.normal(50.0, 10.0, 5000)))


def noted(settings: Settings) -> list[dict[str, Any]]:
    path = settings.alerts / "incident_log.json"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_watch_once_tells_each_alarm_once(
    home: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    drift(home)
    assert cli.call(["watch", "--once"]) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("ALARM")]
    assert len(told) == len(noted(home)) >= 2
    assert {line["feature_name"] for line in noted(home)} >= {"errors", "score"}
    assert cli.call(["watch", "--once"]) == 0
    assert "0 alarms" in capsys.readouterr().out
    assert len(noted(home)) == len(told)


def test_a_home_without_anything_is_watched_in_peace(home: Settings) -> None:
    assert cli.call(["watch", "--once"]) == 0
    assert not noted(home)


def test_a_policy_is_tried_on_history_before_it_is_switched_on(
    home: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    drift(home)
    change = "2025-01-09T11:20:00"  # label 5,000
    words = ["watch", "--replay", "2025-01-06", "2025-02-01", "--change", change]
    assert cli.call(words) == 0
    shown = capsys.readouterr().out
    (line,) = [
        line
        for line in shown.splitlines()
        if line.split()[:3] == ["m", "1", "errors"] and "(" not in line
    ]
    values, alarms, false, delay = line.split()[3:7]
    assert (values, alarms, false) == ("8,000", "1", "0")
    assert 0 < int(delay) < 500
    assert cli.call([*words, "--set", "ddm_threshold=50", "--set", "votes=3"]) == 0
    assert "missed" in capsys.readouterr().out
    assert not (home.home / "watch").exists()
    assert not noted(home)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--once", "--calibrate"], "give one of --once, --replay and --calibrate"),
        (["--once", "--change", "2025-01-01"], "--change goes with --replay"),
        (["--once", "--set", "vote=2"], "vote=2: no such setting"),
    ],
)
def test_what_makes_no_sense_is_refused(
    home: Settings, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert cli.call(["watch", *words]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("is_same", [True, False])
def test_the_calibration_is_shown_and_held_against_the_shipped_table(
    home: Settings,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    is_same: bool,
) -> None:
    table = json.loads(TABLE.read_text())
    if not is_same:
        table["rows"][0]["ddm_threshold"] = 9.5
    monkeypatch.setattr("stream.calibration.calibrate", lambda advance: table)
    assert cli.call(["watch", "--calibrate"]) == (0 if is_same else 1)
    shown = capsys.readouterr().out
    assert ("equal to the shipped table" in shown) == is_same
    assert ("DIFFERENT from the shipped table" in shown) != is_same
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    for row in table["rows"]:
        picked = f"{row['adwin_delta']:g} {row['ddm_warm_up']} / {row['ddm_threshold']:g} "
        assert any(picked in line for line in lines)


def test_while_it_follows_an_alarm_from_the_log_is_told_without_a_build(home: Settings) -> None:
    drift(home)
    random = np.random.default_rng(42)
    told: list[str] = []
    looks = threading.Event()

    class Enough(Exception):  # noqa: N818 - ends the watch, is no error
        pass

    def wait(seconds: float) -> None:
        looks.set()
        time.sleep(0.01)
        if any("length" in text for text in told) or time.monotonic() > deadline:
            raise Enough

    def later() -> None:
        looks.wait(60)
        lengths = random.normal(70.0, 10.0, 3000)
        append(home, messages(random.random(3000), lengths, 5000))

    deadline = time.monotonic() + 120
    adder = threading.Thread(target=later)
    adder.start()
    with pytest.raises(Enough):
        watching.watch(
            home,
            shipped(),
            ["length"],
            "log",
            clock=now,
            tell=lambda alarm: told.append(alarm.stream.subject_name),
            say=print,
            wait=wait,
        )
    adder.join()
    assert "length" in told
    assert watching.POLL_SECONDS <= 10
