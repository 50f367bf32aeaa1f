"""Happenings of other rooms come to rest whole and once."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from ingest.errors import InputError
from ingest.happenings import Happening, identify, land_happenings

AT = datetime(2024, 4, 1, 12, tzinfo=UTC)


def happening(number: int = 1, room: str = "stream") -> Happening:
    return Happening(
        identify(room, number),
        AT,
        room,
        "alarm",
        "toy",
        "1",
        "errors",
        2,
        "the error rate rose",
        {"votes": ["adwin", "ddm"], "at": AT},
        "p=0:17",
    )


def test_a_landed_happening_reads_back_as_it_was(tmp_path: Path) -> None:
    path = land_happenings(tmp_path, "run-1", [happening()])
    assert path == tmp_path / "stream" / "run-1.parquet"
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        [row] = connection.execute(f"from '{path}'").fetchall()
        kinds = {
            name: kind
            for name, kind, *_ in connection.execute(f"describe from '{path}'").fetchall()
        }
    assert row[0] == identify("stream", 1)
    assert row[1:9] == (AT, "stream", "alarm", "toy", "1", "errors", 2, "the error rate rose")
    assert row[9] == '{"at": "2024-04-01 12:00:00+00:00", "votes": ["adwin", "ddm"]}'
    assert (kinds["happening_id"], kinds["happened_at"]) == ("UUID", "TIMESTAMP WITH TIME ZONE")


def test_a_run_that_is_repeated_adds_nothing(tmp_path: Path) -> None:
    first = land_happenings(tmp_path, "run-1", [happening(1)])
    assert first is not None
    before = first.read_bytes()
    assert land_happenings(tmp_path, "run-1", [happening(1), happening(2)]) is None
    assert first.read_bytes() == before
    assert [path.name for path in (tmp_path / "stream").iterdir()] == ["run-1.parquet"]


def test_nothing_to_tell_leaves_no_file(tmp_path: Path) -> None:
    assert land_happenings(tmp_path, "run-1", []) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("run_id", ["", "../up", ".hidden", "a/b"])
def test_a_run_id_that_is_no_file_name_is_refused(tmp_path: Path, run_id: str) -> None:
    with pytest.raises(InputError, match="run id"):
        land_happenings(tmp_path, run_id, [happening()])


def test_two_rooms_do_not_share_a_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="one room"):
        land_happenings(tmp_path, "run-1", [happening(), happening(2, "reports")])


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(InputError, match="without a zone"):
        Happening(identify(1), AT.replace(tzinfo=None), "stream", "alarm", "toy", "1")


def test_a_service_that_tells_something_does_not_load_pandas_for_it(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tests.ingest.test_happenings import happening;"
        "from ingest.happenings import land_happenings;"
        f"assert land_happenings(Path({str(tmp_path)!r}), 'run-1', [happening()]);"
        "sys.exit('pandas' in sys.modules)"
    )
    root = Path(__file__).resolve().parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_a_writer_killed_at_any_moment_leaves_whole_files_only(tmp_path: Path) -> None:
    # The writer lands file after file until it is killed; what has a final name can be read.
    code = (
        "import sys; from pathlib import Path; from tests.ingest.test_happenings import happening;"
        "from ingest.happenings import land_happenings\n"
        "for n in range(10_000):\n"
        f"    land_happenings(Path({str(tmp_path)!r}), f'run-{{n}}', [happening(n)])\n"
        "    print(n, flush=True)\n"
    )
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=root, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            if int(line) >= 20:
                os.kill(writer.pid, signal.SIGKILL)
                break
    files = sorted((tmp_path / "stream").glob("*.parquet"))
    assert len(files) >= 21
    [(count,)] = duckdb.execute(
        f"select count(distinct happening_id) from read_parquet('{tmp_path}/stream/*.parquet')"
    ).fetchall()
    assert count == len(files)
