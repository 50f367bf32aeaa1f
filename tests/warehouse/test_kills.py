"""SIGKILL at random points of every step, then run again: nothing is lost, nothing counted twice.

Every test prints where each kill fell (`pytest -s`). The points are drawn from a seed, but where
they fall depends on the machine: no kill is expected to fall at one place.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from ingest.landed import chain
from ingest.landed.compaction import compact
from ingest.landing import land
from ingest.local.log import LocalLog
from ops import warehouse
from ops.settings import Settings
from tests.ingest.test_compaction import put, rows
from tests.warehouse.home import BEGIN, CHECKOUT, VOLATILE, Home, draw

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

KILLS = 25
# Numbers of folds, and what is made of them, tell in how many builds rows came, not what they say.
BY_BUILD = VOLATILE | {"fold_id", "counted_fold_id", "comparison_state"}

APPEND = """
import sys
from pathlib import Path
from ingest.local.log import LocalLog
log = LocalLog(Path(sys.argv[1]), print)
print("ready", flush=True)
for number in range(100_000):
    log.append("t", [f"{sys.argv[2]}-{number}".encode() + b"." * (number % 3000)])
    print(f"{sys.argv[2]}-{number}", flush=True)
"""
LAND = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from ingest.landing import land
from ingest.local.log import LocalLog
print("ready", flush=True)
land(LocalLog(Path(sys.argv[1], "log"), print), "t", "label", Path(sys.argv[1], "landing"), [],
     lambda: datetime(2024, 5, 1, tzinfo=UTC), 2_000)
print("done", flush=True)
"""
COMPACT = """
import sys
from pathlib import Path
from ingest.landed.compaction import compact
print("ready", flush=True)
compact(Path(sys.argv[1]), ["t"], 40_000)
print("done", flush=True)
"""
PUBLISH = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from ops import warehouse
from ops.settings import Settings
settings = Settings(home=Path(sys.argv[1]))
print("ready", flush=True)
warehouse.publish(settings, lambda: datetime.now(UTC))
print("done", flush=True)
"""


@contextmanager
def process(script: str, *words: object) -> Iterator["subprocess.Popen[str]"]:
    """Run a script until it says that it is ready; it is dead when the block ends."""
    command = [sys.executable, "-c", script, *map(str, words)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        try:
            yield child
        finally:
            child.send_signal(signal.SIGKILL)


def killed_after(script: str, seconds: float, *words: object) -> list[str]:
    """Run a script, kill it so long after it was ready; return what it had said."""
    with process(script, *words) as child:
        time.sleep(seconds)
        child.send_signal(signal.SIGKILL)
        assert child.stdout is not None
        return child.stdout.read().split("\n")[:-1]


def undisturbed(script: str, *words: object) -> float:
    """Run a script to its end; return how long it took."""
    with process(script, *words) as child:
        begun = time.monotonic()
        assert child.wait(120) == 0
        return time.monotonic() - begun


def test_append(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    acknowledged: list[str] = []
    for run in range(KILLS):
        said = killed_after(APPEND, rng.uniform(0, 0.2), tmp_path, run)
        print(f"append: kill {run + 1} after {len(said)} acknowledged messages")
        acknowledged += said
    log = LocalLog(tmp_path, print)
    log.append("t", [b"after"])
    found, offset = [], 0
    while records := log.read("t", 0, offset, 1 << 20):
        found += [(record.value or b"").decode().rstrip(".") for record in records]
        offset = records[-1].next_offset
    assert len(acknowledged) > KILLS
    assert len(found) == len(set(found))
    assert [value for value in found if value in set(acknowledged)] == acknowledged
    assert len(found) - len(acknowledged) <= KILLS + 1  # one that was on its way, and the last
    assert offset == log.end_offset("t", 0)


def test_land(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    log = LocalLog(tmp_path / "log", print)
    landing = tmp_path / "landing"
    folder = chain.partition_folder(landing, "t", log.source_id("t"), 0)
    kills, pause = 0, 0.05
    for run in range(4 * KILLS):
        log.append("t", [f"{run}-{number}".encode() * 10 for number in range(200)])
        begun, more = len(chain.listing(folder)), int(rng.integers(0, 5))
        with process(LAND, tmp_path) as child:
            # somewhere in the file after those
            while child.poll() is None and len(chain.listing(folder)) < begun + more:
                time.sleep(0.001)
            time.sleep(rng.uniform(0, pause))
            is_alive = child.poll() is None
            kills += is_alive
            pause *= 1 if is_alive else 0.8
        print(f"land: kill {run + 1} after {len(chain.listing(folder)) - begun} files")
        if kills == KILLS:
            break
    undisturbed(LAND, tmp_path)
    records, offset = [], 0
    while read := log.read("t", 0, offset, 1 << 20):
        records += [record.offset for record in read]
        offset = read[-1].next_offset
    assert kills == KILLS
    assert [row["_offset"] for row in rows(folder)] == records
    links = list(chain.walk(folder))
    assert [link.position for link in links] == [0, *(link.next_offset for link in links[:-1])]
    assert links[-1].next_offset == offset
    assert sorted(chain.listing(folder)) == [link.position for link in links]
    assert not list(folder.glob(".*"))
    land(log, "t", "label", landing, [], lambda: datetime(2024, 5, 1, tzinfo=UTC))
    assert chain.chain_end(folder) == offset


def test_compact(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    folder = chain.partition_folder(tmp_path, "t", "s", 0)
    kills = 0
    took = 0.2
    for run in range(3 * KILLS):
        for _ in range(30):
            end = chain.chain_end(folder)
            put(folder, range(end, end + 10), end + 10)
        if not run:
            copy = tmp_path / "copy"
            shutil.copytree(tmp_path / "t", copy / "t")
            took = undisturbed(COMPACT, copy)
        said = killed_after(COMPACT, rng.uniform(0, took), tmp_path)
        kills += said != ["done"]
        took *= 0.8 if said == ["done"] else 1  # measured on a machine that was busier
        print(
            f"compact: kill {run + 1} with {len(chain.listing(folder))} files of the chain and"
            f" {len(list(folder.parent.glob('compacted/p=0/*.parquet')))} compacted"
        )
        assert [row["_offset"] for row in rows(folder)] == list(range(300 * (run + 1)))
        if kills == KILLS:
            break
    assert kills == KILLS
    before = rows(folder)
    compact(tmp_path, ["t"], 40_000)
    assert rows(folder) == before
    assert not list(folder.glob(".*")) + list((folder.parent / "compacted/p=0").glob(".*"))


def test_publish(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    settings = Settings(home=tmp_path)
    settings.warehouse.parent.mkdir()

    def write(count: int) -> None:
        with duckdb.connect(str(settings.warehouse)) as connection:
            for name in ("dim_one", "fct_two", "fct_three"):
                connection.execute(
                    f"create or replace table {name} as select i, md5(i::varchar) as text,"
                    f" {count} as run from range(20000 + {count}) as numbers (i)"
                )

    write(0)
    took = undisturbed(PUBLISH, tmp_path)
    kills = 0
    for run in range(1, 3 * KILLS):
        write(run)
        said = killed_after(PUBLISH, rng.uniform(0, took), tmp_path)
        kills += said != ["done"]
        took *= 0.8 if said == ["done"] else 1
        with warehouse.reader(settings) as query:
            seen = query(
                "select count(*) - 20000 as n, max(run) as run from fct_three", []
            ).to_pylist()[0]
        print(f"publish: kill {run}, readers see run {seen['run']}")
        assert seen["n"] == seen["run"]
        if kills == KILLS:
            break
    assert kills == KILLS
    undisturbed(PUBLISH, tmp_path)
    assert not warehouse.is_newer_than_published(settings)
    assert not list(settings.published.glob(".*.part"))


COMPARED = (
    "int_predictions",
    "int_labels",
    "int_histograms",
    "int_reference_codes",
    "int_bin_specs",
    "fct_histogram_bins",
    "fct_drift_metrics",
    "fct_drift_bins",
    "fct_labelled_predictions",
    "fct_pipeline_checks",
)


def test_build(make_home: Callable[[], Home]) -> None:
    rng = np.random.default_rng(5)
    events = draw(rng, 2_600, BEGIN, 26)
    reference = draw(rng, 3_000, BEGIN - timedelta(days=60), 60)
    whole, home = make_home(), make_home()
    for day in range(KILLS + 1):
        part = events[day * 100 : day * 100 + 100]
        whole.send("late" if day % 5 == 4 else "toy", [*part, *events[day * 90 : day * 90 + 5]])
        whole.label("toy", part[:40], is_positive=day % 2 == 0)
        whole.land()
    whole.register("toy", reference)
    shutil.copytree(whole.path / "models", home.path / "models")
    whole.register("late", reference)
    whole.build(*NO_TESTS)

    files = {
        topic: sorted((whole.path / "landing" / topic).glob("*/p=0/*.parquet"))
        for topic in ("phishing_logs", "phishing_labels")
    }
    with_wal = kills = 0
    for run in range(2 * KILLS):
        for paths in files.values():
            for path in paths[run : run + 1]:
                target = home.path / path.relative_to(whole.path)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.hardlink_to(path)
        if run == KILLS // 2:
            shutil.copytree(whole.path / "models", home.path / "models", dirs_exist_ok=True)
        where, has_wal, died = _kill_a_build(home, int(rng.integers(1, 55)), rng.uniform(0, 0.3))
        kills += died
        with_wal += died and has_wal
        print(f"build: kill {run + 1} {where}")
        if run >= KILLS and kills >= KILLS and with_wal >= 15:
            break
    assert kills >= KILLS
    assert with_wal >= 15
    home.build(*NO_TESTS)
    home.build(*NO_TESTS)
    for table in COMPARED:
        _assert_same(home, whole, table)


NO_TESTS = ("--exclude-resource-type", "test")


def _kill_a_build(home: Home, nodes: int, seconds: float) -> tuple[str, bool, bool]:
    """Kill a build so long after it has finished so many nodes; say where it was."""
    stored = home.path / "warehouse" / "driftnet.duckdb"
    wal = stored.with_name(f"{stored.name}.wal")
    log = home.path / "killed.log"

    def done() -> list[str]:
        return [line for line in log.read_text().splitlines() if " OK " in line]

    with (
        log.open("w") as output,
        subprocess.Popen(
            home.command(*NO_TESTS, is_quiet=False),
            cwd=CHECKOUT,
            env={**os.environ, "DRIFTNET_HOME": str(home.path)},
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as child,
    ):
        while child.poll() is None and len(done()) < nodes:
            time.sleep(0.01)
        time.sleep(seconds)
        died = child.poll() is None
        child.send_signal(signal.SIGKILL)
        child.wait()
    spill = list((home.path / "tmp").rglob("duckdb_temp*"))
    size = wal.stat().st_size if wal.exists() else 0
    last = done()[-1].split(" OK ")[1].split(" .")[0] if done() else "no model"
    what = f"after {last} with {size} bytes of WAL" if died else "came too late"
    return what, bool(size or spill), died


def _assert_same(ours: Home, theirs: Home, table: str) -> None:
    columns = [name for name, *_ in ours.query(f"describe {table}") if name not in BY_BUILD]
    where = "where check_name <> 'gaps'" if table == "fct_pipeline_checks" else ""
    grouped = f"select {', '.join(columns)} from {table} {where} order by all"
    mine, other = ours.query(grouped), theirs.query(grouped)
    assert len(mine) == len(other), table
    for left, right in zip(mine, other, strict=True):
        assert all(map(_equal, left, right)), (table, left, right)
    print(f"{table}: {len(mine)} rows alike")


def _equal(left: Any, right: Any) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        return left == pytest.approx(right, rel=1e-12, abs=1e-15)
    return bool(left == right)
