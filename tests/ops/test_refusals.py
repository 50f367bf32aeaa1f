"""What a build refuses, in one line each, and what readers keep meanwhile."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from ingest import model as models
from ingest.card import Card, Feature
from ops import cli, dbt, lock, warehouse
from ops.settings import Settings

NOON = datetime(2021, 5, 1, 12, tzinfo=UTC)
BUILD_ON_A_FULL_DISK = """
import resource, sys
from ops import cli, dbt
dbt.run = lambda *words: None
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
sys.exit(cli.call(["build"]))
"""


def write(settings: Settings, rows: int) -> None:
    settings.warehouse.parent.mkdir(exist_ok=True)
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute(
            "create or replace table fct_one as"
            f" select i, sha256(i::varchar) as text from range({rows}) as numbers (i)"
        )


@pytest.mark.parametrize("room", [1_000, 300_000, 2_000_000])
def test_a_full_disk_is_one_line_and_readers_keep_the_last_copy(tmp_path: Path, room: int) -> None:
    settings = Settings(home=tmp_path)
    write(settings, 10)
    first = warehouse.publish(settings, lambda: NOON)
    write(settings, 100_000)
    run = subprocess.run(
        [sys.executable, "-c", BUILD_ON_A_FULL_DISK, str(room)],
        env={**os.environ, "DRIFTNET_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1, run
    (line,) = run.stderr.splitlines()
    assert line.startswith(f"driftnet: cannot write to {settings.published}: "), line
    assert "make room on that disk and build again" in line
    assert warehouse.published(settings) == first
    with warehouse.reader(settings) as query:
        assert query("select count(*) as n from fct_one", []).to_pylist() == [{"n": 10}]
    assert not list(settings.published.glob(".*"))
    second = warehouse.publish(settings, lambda: NOON.replace(hour=13))
    assert warehouse.published(settings) == second


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with one model; dbt must not be reached."""
    card = Card("toy", "1", "external", NOON, 0.5)
    reference = pa.table(
        {
            "event_id": ["00000000-0000-4000-8000-000000000001"],
            "occurred_at": [NOON.replace(tzinfo=None)],
            "score": [0.5],
            "feature_amount": [1.0],
        }
    )
    models.save(tmp_path / "models", card, [Feature("amount", "numeric", "")], reference)
    monkeypatch.setenv("DRIFTNET_HOME", str(tmp_path))
    monkeypatch.setattr(dbt, "run", lambda *words: pytest.fail("dbt ran"))
    return tmp_path


@pytest.mark.parametrize("name", ["card.json", "features.json", "reference.parquet"])
@pytest.mark.parametrize("is_missing", [True, False])
def test_a_model_folder_that_is_not_whole_is_refused_by_name(
    home: Path, capsys: pytest.CaptureFixture[str], name: str, *, is_missing: bool
) -> None:
    path = home / "models" / "toy" / "1" / name
    path.unlink() if is_missing else path.write_bytes(path.read_bytes() + b" ")
    assert cli.call(["build"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    what = f"toy/1 is not whole: {name} is missing; "
    other = f"toy/1 was changed: {name} differs from its checksum; "
    assert line.startswith(f"driftnet: {what if is_missing else other}"), line
    assert "restore folder toy/1 from a copy, or remove it" in line


def test_a_half_written_model_folder_is_refused_by_name(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "models" / "toy" / "1" / "checksums.json").unlink()
    assert cli.call(["build"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("driftnet: toy/1 is not whole: no readable checksums.json; "), line


def test_the_second_build_names_the_holder_and_ends_with_2(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with lock.hold(home, "build", lambda: NOON):
        second = subprocess.run(
            [
                sys.executable,
                "-c",
                "import sys; from ops import cli; sys.exit(cli.call(['build']))",
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    assert second.returncode == 2
    (line,) = second.stderr.splitlines()
    assert line == (
        f"driftnet: {home} is in use: build by process {os.getpid()}"
        f" on {os.uname().nodename} since 2021-05-01T12:00:00+00:00; wait for it to end"
    )
    assert not capsys.readouterr().err
