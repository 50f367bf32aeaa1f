"""Readers of the published copy notice nothing while it is made; an older DuckDB reads it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest

from ops import warehouse
from ops.settings import Settings
from tests.warehouse.home import BEGIN, CHECKOUT, Home, draw

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

READERS = 8
PUBLICATIONS = 50
READ = """
import sys, time
from pathlib import Path
from ops import warehouse
from ops.settings import Settings
settings, until = Settings(home=Path(sys.argv[1])), Path(sys.argv[2])
print("ready", flush=True)
folders, rounds = set(), 0
while not until.exists():
    marts = warehouse.published(settings).marts
    with warehouse.reader(settings) as query:
        for mart in marts:
            query(f"select * from {mart}", [])
        for _ in range(2):  # one reader speaks of one publication
            query("select count(*) from fct_drift_metrics", [])
    folders.add(settings.current.resolve().name)
    rounds += 1
    time.sleep(1)  # eight readers without a pause would leave a small machine to no one else
print(rounds, len(folders), flush=True)
"""
LIST = """
import json, sys
import duckdb
with duckdb.connect(sys.argv[1], read_only=True) as connection:
    names = connection.execute("select table_name from duckdb_tables()").fetchall()
    rows = {n: len(connection.execute(f"select * from {n}").fetchall()) for n, in names}
print(json.dumps([duckdb.__version__, rows]))
"""


@pytest.fixture(scope="module")
def home(make_home: Callable[[], Home]) -> Home:
    """A home with all marts in it, published."""
    home = make_home()
    home.register("toy", draw(np.random.default_rng(1), 600, BEGIN - timedelta(days=60), 60))
    events = draw(np.random.default_rng(2), 400, BEGIN, 8)
    home.send("toy", events)
    home.label("toy", events[:200], is_positive=True)
    home.land()
    built = home.driftnet("build")
    assert built.returncode == 0, built.stderr
    return home


@contextmanager
def readers(home: Home) -> Iterator[list["subprocess.Popen[str]"]]:
    """Run processes that read in a loop until the block ends."""
    until = home.path / "until"
    until.unlink(missing_ok=True)
    children = [
        subprocess.Popen(
            [sys.executable, "-c", READ, str(home.path), str(until)],
            cwd=CHECKOUT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(READERS)
    ]
    try:
        for child in children:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
        yield children
    finally:
        until.touch()
        for child in children:
            child.wait(120)


def test_eight_readers_in_a_loop_see_no_error_while_the_copy_is_made_fifty_times(
    home: Home,
) -> None:
    settings = Settings(home=home.path)
    with readers(home) as children:
        for _ in range(PUBLICATIONS - 2):
            warehouse.publish(settings, lambda: datetime.now(UTC))
        for part in range(2):
            rng = np.random.default_rng(3 + part)
            home.send("toy", draw(rng, 50, BEGIN + timedelta(days=8 + part), 1))
            home.land()
            built = home.driftnet("build")
            assert built.returncode == 0, built.stderr
        assert [child.poll() for child in children] == [None] * READERS
    for child in children:
        said, error = child.communicate()
        assert child.returncode == 0, error
        rounds, folders = map(int, said.split())
        print(f"a reader went {rounds} times through all marts of {folders} publications")
        assert rounds >= folders > 1
    with warehouse.reader(settings) as query:
        counted = query(
            "select sum(event_count) as n from fct_histogram_bins"
            " where window_grain = 'day' and segment_name = 'all'"
            " and feature_name = 'decision'",
            [],
        ).to_pylist()
    assert counted == [{"n": 500}]


def test_duckdb_1_2_reads_every_mart(home: Home) -> None:
    python = CHECKOUT / "build" / "duckdb12" / "bin" / "python"
    if not python.exists() or _run(python, "-c", "import duckdb").returncode:
        assert _run(Path(sys.executable), "-m", "venv", str(python.parents[1])).returncode == 0
        install = _run(python, "-m", "pip", "install", "--quiet", "duckdb==1.2.*")
        if install.returncode:
            reason = f"no DuckDB 1.2 from a registry: {install.stderr.strip().splitlines()[-1]}"
            print(reason)
            if os.environ.get("CI"):
                pytest.fail(reason)
            pytest.skip(reason)
    published = Settings(home=home.path).current / warehouse.FILE
    read = _run(python, "-c", LIST, str(published))
    assert read.returncode == 0, read.stderr
    with duckdb.connect(str(published), read_only=True) as connection:
        names = connection.execute("select table_name from duckdb_tables()").fetchall()
        rows = {n: len(connection.table(n).fetchall()) for (n,) in names}
    version, theirs = json.loads(read.stdout)
    print(f"DuckDB {version} reads {len(theirs)} marts, DuckDB {duckdb.__version__} wrote them")
    assert version.startswith("1.2.")
    assert theirs == rows
    assert set(rows) == set(warehouse.published(Settings(home=home.path)).marts)


def _run(program: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([str(program), *words], capture_output=True, text=True, check=False)
