import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from ops import cli, lock
from ops.settings import CHECKOUT
from ops.verbs.options import now


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("DRIFTNET_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"  # type: ignore[return-value]


def test_every_verb_has_help_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    for verb in cli.cli.commands:
        assert cli.call([verb, "--help"]) == 0
        text = capsys.readouterr().out
        assert f"driftnet {verb}" in text.split("Example", 1)[1]


def test_help_needs_no_heavy_library() -> None:
    heavy = "duckdb pyarrow numpy rich dbt sklearn great_expectations"
    script = f"import sys, ops.cli; print(*set('{heavy}'.split()) & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=CHECKOUT, check=True
    )
    assert done.stdout.strip() == ""


@pytest.mark.parametrize(
    ("line", "word"),
    [
        (["fold"], "fold"),
        (["replay"], "FILE"),
        (["replay", "nothing.parquet"], "nothing.parquet"),
        (["gate", "--window", "soon"], "soon"),
        (["gate", "--model", "nobody"], "nobody"),
        (["gate"], "retrain --initial"),
        (["run"], "retrain --initial"),
        (["retrain", "--events", __file__, "--until", "2020-01-01"], "--initial"),
        (["demo", "--train-until", "2020-01-01"], "--events"),
        (["import", "--model", "churn", "--map", "score=p"], "FILE"),
        (["import", __file__, "--model", "churn", "--map", "score"], "KEY=COLUMN"),
        (["import", __file__, "--model", "churn", "--map", "score=p,score=q"], "twice"),
    ],
)
def test_bad_usage_is_one_line_and_exit_code_2(
    line: list[str], word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.call(line) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert word in told.err
    assert len(told.err.strip().splitlines()) == 1
    assert "Traceback" not in told.err


def test_a_misspelt_setting_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DRIFTNET_HOEM", "x")
    assert cli.call(["status"]) == 2
    assert "DRIFTNET_HOEM" in capsys.readouterr().err


def test_the_second_build_names_the_first_and_exits_2(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with lock.hold(home, "build", now):
        assert cli.call(["build"]) == 2
    assert "build by process" in capsys.readouterr().err


def test_what_nobody_foresaw_is_one_line_and_the_traceback_is_kept(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise RuntimeError("the sky\nfell")

    monkeypatch.setitem(cli.cli.commands, "models", click.command()(fail))
    assert cli.call(["models"]) == 1
    told = capsys.readouterr().err
    assert "unexpected RuntimeError: the sky" in told
    assert len(told.strip().splitlines()) == 1
    (kept,) = (home / "tmp").glob("error-*.txt")
    assert "Traceback" in kept.read_text()


def test_an_interrupt_is_no_error_of_ours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    monkeypatch.setitem(cli.cli.commands, "models", click.command()(stop))
    assert cli.call(["models"]) == 130
    assert "interrupted" in capsys.readouterr().err


def test_status_of_an_empty_home_says_so_and_makes_nothing(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.call(["status", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["warehouse"]["published_at"] is None
    assert found["models"] == []
    assert [topic["lag_bytes"] for topic in found["topics"]] == [0, 0]
    assert not home.exists()
    assert cli.call(["status"]) == 0
    assert "published: never" in capsys.readouterr().out


def test_land_of_an_empty_log_lands_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.call(["land"]) == 0
    assert "0 rows in 0 files" in capsys.readouterr().out


def test_the_log_is_behind_until_it_has_landed(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from ops.pipeline import open_log
    from ops.settings import read

    open_log(read()).append("phishing_logs", [b"not json"])
    cli.call(["status", "--json"])
    assert json.loads(capsys.readouterr().out)["topics"][0]["lag_bytes"] > 0
    assert cli.call(["land"]) == 0
    assert "1 of them bad" in capsys.readouterr().out
    cli.call(["status", "--json"])
    topic = json.loads(capsys.readouterr().out)["topics"][0]
    assert (topic["lag_bytes"], topic["file_count"]) == (0, 1)


@pytest.mark.usefixtures("lost_sockets")
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_while_kafka_is_away_status_says_so_and_tells_the_rest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("ops.status.PATIENCE_MS", 100)
    monkeypatch.setenv("DRIFTNET_KAFKA_SERVERS", "127.0.0.1:1")
    assert cli.call(["status"]) == 0
    told = capsys.readouterr().out
    assert "topic phishing_logs: no answer from Kafka at 127.0.0.1:1" in told
    assert "published: never" in told
    assert cli.call(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["topics"][0]["lag_messages"] is None


def test_an_import_lands_once_and_gives_the_model_its_reference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"2021-03-{day:02d} 00:00:00,0.{day:02d},{day % 7},{day % 2}" for day in range(1, 29)]
    (tmp_path / "scores.csv").write_text("\n".join(["at,p,age,left", *rows]) + "\n")
    line = ["import", "scores.csv", "--model", "churn", "--reference", "scores.csv"]
    line += ["--map", "score=p,occurred_at=at", "--map", "label=left,threshold=0.5"]
    assert cli.call(line) == 0
    told = capsys.readouterr().out
    assert "model churn version 0 has a reference of 28 rows" in told
    assert "imported 28 predictions, 28 labels" in told
    assert cli.call(line) == 0
    assert "nothing was changed" in capsys.readouterr().out
    assert cli.call(["models", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["name"], row["kind"], row["is_champion"]) == ("churn", "external", False)
    assert cli.call(["replay", "scores.csv"]) == 2


def test_a_happening_is_one_line_of_json_without_live_addresses(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from ops.verbs.show import tell

    tell("job_ended", said="cannot read\nhttps://login.example.com/a", seconds=1.5)
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    told = json.loads(line)
    assert (told["event"], told["seconds"]) == ("job_ended", 1.5)
    assert "hxxps://login[.]example[.]com/a" in told["said"]
