import signal
import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from ingest.errors import DriftnetError
from ops import warehouse
from ops.settings import Settings

START = datetime(2021, 1, 1, tzinfo=UTC)


def written(home: Path, rows: int = 3) -> Settings:
    settings = Settings(home=home)
    settings.warehouse.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute(
            f"create or replace table int_rows as select range as n from range({rows})"
        )
        connection.execute(
            "create or replace view fct_rows as select n from driftnet.main.int_rows"
        )
        connection.execute("create or replace table dim_models as select 'm' as model_name")
        connection.execute("comment on table dim_models is 'One row per model''s version'")
        connection.execute("comment on column dim_models.model_name is 'its name'")
    return settings


def count(settings: Settings) -> int:
    with warehouse.reader(settings) as query:
        return int(query("select count(*) as n from fct_rows", [])["n"][0].as_py())


def test_marts_are_published_as_tables_and_parquet_and_nothing_else_is(tmp_path: Path) -> None:
    settings = written(tmp_path)
    publication = warehouse.publish(settings, lambda: START)
    assert publication.marts == ("dim_models", "fct_rows")
    with duckdb.connect(str(settings.current / "driftnet.duckdb"), read_only=True) as connection:
        tables = connection.execute("select table_name from duckdb_tables() order by 1").fetchall()
        views = connection.execute("select 1 from duckdb_views() where not internal").fetchall()
    assert [name for (name,) in tables] == ["dim_models", "fct_rows"]
    assert not views
    assert pq.read_table(settings.current / "fct_rows.parquet").num_rows == 3
    assert not settings.current.readlink().is_absolute()


def test_what_the_columns_mean_is_published_with_them(tmp_path: Path) -> None:
    settings = written(tmp_path)
    warehouse.publish(settings, lambda: START)
    with warehouse.reader(settings) as query:
        found = query(
            "select comment from duckdb_columns() where table_name = ? and comment is not null",
            ["dim_models"],
        )
        table = query("select comment from duckdb_tables() where table_name = 'dim_models'", [])
    assert found["comment"].to_pylist() == ["its name"]
    assert table["comment"].to_pylist() == ["One row per model's version"]


def test_publishing_does_not_write_to_the_warehouse(tmp_path: Path) -> None:
    settings = written(tmp_path)
    before = settings.warehouse.read_bytes()
    warehouse.publish(settings, lambda: START)
    assert settings.warehouse.read_bytes() == before


def test_the_warehouse_is_newer_until_it_is_published_and_again_when_written(
    tmp_path: Path,
) -> None:
    assert not warehouse.is_newer_than_published(Settings(home=tmp_path))
    settings = written(tmp_path)
    assert warehouse.is_newer_than_published(settings)
    warehouse.publish(settings, lambda: START)
    assert not warehouse.is_newer_than_published(settings)
    written(tmp_path, rows=4)
    assert warehouse.is_newer_than_published(settings)


def test_an_open_reader_keeps_its_copy_and_a_new_one_sees_the_new(tmp_path: Path) -> None:
    settings = written(tmp_path)
    warehouse.publish(settings, lambda: START)
    with warehouse.reader(settings) as query:
        written(tmp_path, rows=5)
        warehouse.publish(settings, lambda: START + timedelta(hours=1))
        assert query("select count(*) as n from fct_rows", [])["n"][0].as_py() == 3
        assert count(settings) == 5


def test_old_copies_go_but_never_the_current_nor_a_young_one(tmp_path: Path) -> None:
    settings = written(tmp_path)
    minutes = [0, 60, 120, 180, 240, 300, 301, 302, 303, 304]
    times = iter([START + timedelta(minutes=minute) for minute in minutes for _ in range(2)])
    for _ in minutes:
        warehouse.publish(settings, times.__next__)
    copies = sorted(path.name for path in settings.published.iterdir() if path.name[0] == "2")
    assert copies[-1] == settings.current.resolve().name
    assert copies[0] == "20210101T050000.000000Z"
    assert len(copies) == 5


def test_reading_before_anything_is_published_names_the_remedy(tmp_path: Path) -> None:
    with (
        pytest.raises(DriftnetError, match="driftnet build"),
        warehouse.reader(Settings(home=tmp_path)),
    ):
        pass


def test_publishing_without_a_warehouse_or_a_mart_is_refused(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with pytest.raises(DriftnetError, match="no warehouse"):
        warehouse.publish(settings, lambda: START)
    settings.warehouse.parent.mkdir()
    duckdb.connect(str(settings.warehouse)).close()
    with pytest.raises(DriftnetError, match="no marts"):
        warehouse.publish(settings, lambda: START)
    assert not settings.current.exists()


def test_a_wrong_question_is_one_line(tmp_path: Path) -> None:
    settings = written(tmp_path)
    warehouse.publish(settings, lambda: START)
    with (
        warehouse.reader(settings) as query,
        pytest.raises(DriftnetError, match="fct_nothing") as refusal,
    ):
        query("select 1 from fct_nothing", [])
    assert "\n" not in str(refusal.value)


def test_a_kill_between_any_two_steps_of_publishing_leaves_current_whole(tmp_path: Path) -> None:
    settings = written(tmp_path)
    warehouse.publish(settings, lambda: START)
    written(tmp_path, rows=7)
    script = textwrap.dedent(
        """
        import os, signal, sys
        from datetime import UTC, datetime
        from pathlib import Path
        from ops import shelf, warehouse
        from ops.settings import Settings

        left = int(sys.argv[2])
        def die(event, arguments):
            global left
            if event in {"open", "os.mkdir", "os.rename", "os.symlink", "os.remove"}:
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
        settings = Settings(home=Path(sys.argv[1]))
        sys.addaudithook(die)
        warehouse.publish(settings, lambda: datetime(2021, 1, 2, tzinfo=UTC))
        """
    )
    seen, died = set(), 0
    for step in (1, 2, 4, 6, 7, 8, 9, 10, 11, 12):
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path), str(step)], check=False
        ).returncode
        died += done == -signal.SIGKILL
        seen.add(count(settings))
        if settings.current.resolve().name.startswith("20210102"):
            break
    assert died >= 5
    assert seen == {3, 7} or seen == {3}
    warehouse.publish(settings, lambda: START + timedelta(days=2))
    assert count(settings) == 7
    assert not list(settings.published.glob(".*.part"))
