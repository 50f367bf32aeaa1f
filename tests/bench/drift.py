"""The whole drift report of two Parquet files against peers; counting; any two stretches."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
import numpy as np

from tests.bench._columns import CATEGORIES, NUMBERS, write
from tests.measured import Say, table
from tests.sql.macros import package

TITLE = "Drift report of two Parquet files"
FOLDER = Path("build/drift")
PEERS = {
    "evidently": ["evidently==0.7.23", "pandas<3.1", "pyarrow"],
    "frouros": ["frouros", "pandas", "pyarrow"],
}
#: peer, metrics, rows a side; a setting so that a busy machine can leave the longest out.
RUNS = (
    ("frouros", "psi", 1_000_000),
    ("frouros", "psi,jensenshannon,kl_div", 1_000_000),
    ("evidently", "psi", 1_000_000),
    ("evidently", "psi,jensenshannon,kl_div,chisquare", 100_000),
)


@dataclass(frozen=True)
class Run:
    """What a process took: seconds on the clock, seconds of CPU, megabytes at most."""

    wall: float
    cpu: float
    peak: float
    said: str


def run(say: Say) -> str:
    """Measure everything and return the page's section."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    parts = [_intro(), _report_section(say), _counting_section(say), _stretch_section(say)]
    return "\n\n".join(parts)


def _intro() -> str:
    load = os.getloadavg()[0]
    return (
        f"Two files of N rows, {len(NUMBERS)} numeric and {len(CATEGORIES)} categorical columns (2"
        f" to 5,000 values), 30 days; whole processes. {os.cpu_count()} cores, load {load:.1f} at"
        " the beginning: where the machine was busy, compare the CPU seconds."
    )


def _report_section(say: Say) -> str:
    lines: list[list[object]] = []
    ours: dict[int, Run] = {}
    for rows in sorted({rows for *_, rows in RUNS} | {10_000_000}):
        reference, current = _files(rows)
        command = [
            sys.executable,
            "-m",
            "tests.bench._ours",
            str(reference),
            str(current),
            "1500MB",
        ]
        ours[rows] = _measure(command)
        made = f"8 metrics, p, q, whole and 30 days ({ours[rows].said} rows)"
        lines.append(_line("Driftnet's macros", made, rows, ours[rows], ours[rows]))
        say(str(lines[-1]))
    for peer, metrics, rows in RUNS:
        reference, current = _files(rows)
        script = str(Path(__file__).with_name("_peer.py"))
        found = _measure([str(_python(peer)), script, peer, str(reference), str(current), metrics])
        what = metrics.replace(",", ", ") + ", whole"
        lines.append(_line(peer, what, rows, found, ours[rows]))
        say(str(lines[-1]))
    columns = ["tool", "what", "rows a side", "wall s", "CPU s", "peak MB", "CPU against ours"]
    return "### The report\n\n" + table(columns, lines)


def _line(tool: str, what: str, rows: int, found: Run, ours: Run) -> list[object]:
    times = f"{found.cpu / ours.cpu:.1f}"
    return [tool, what, f"{rows:,}", found.wall, found.cpu, round(found.peak), times]


def _files(rows: int) -> tuple[Path, Path]:
    paths = FOLDER / f"reference_{rows}.parquet", FOLDER / f"current_{rows}.parquet"
    for path, seed, shift in zip(paths, (2, 1), (0.0, 0.2), strict=True):
        if not path.exists():
            write(path, rows, seed, shift)
    return paths


def _python(peer: str) -> Path:
    home = Path("build") / peer
    python = home / "bin" / "python"
    if not (home / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        subprocess.run([str(python), "-m", "pip", "-q", "install", *PEERS[peer]], check=True)
        (home / "ready").touch()
    return python


def _measure(command: list[str]) -> Run:
    begin = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        said = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed")
    return Run(
        time.perf_counter() - begin,
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss / 1024,
        said.strip().splitlines()[-1],
    )


def _counting_section(say: Say) -> str:
    reference, current = _files(1_000_000)
    macros = package()
    connection = duckdb.connect()
    connection.execute(f"create view reference_rows as from read_parquet('{reference}')")
    connection.execute(f"create view rows as from read_parquet('{current}')")
    found = connection.execute(macros.quantile_edges("reference_rows", NUMBERS)).fetchone()
    edges = dict(zip(NUMBERS, found or (), strict=True))
    sums = ", ".join(f"sum({name})" for name in NUMBERS)
    queries = {
        "raw scan (sum of every column by day)": f"select day, {sums} from rows group by day",
        "counting (every column by bin and day)": macros.count_bins(
            "rows", NUMBERS, edges, ["day"]
        ),
    }
    times: dict[str, list[float]] = {name: [] for name in queries}
    for _ in range(9):
        for name, sql in queries.items():
            times[name].append(_cpu_of(connection, sql))
    raw, counting = (median(found) for found in times.values())
    say(f"counting {counting:.3f} s, raw {raw:.3f} s: {counting / raw:.2f}")
    lines: list[list[object]] = [
        [name, median(found), f"{median(found) / raw:.2f}"] for name, found in times.items()
    ]
    return (
        "### Counting alone: 1M rows x 30 numeric columns from Parquet (median of 9, in turn)\n\n"
        + table(["query", "CPU s", "ratio"], lines)
        + "\n\nGoal: within 2.5 times the raw scan."
    )


def _cpu_of(connection: Any, sql: str) -> float:
    begin = time.process_time()
    connection.execute(sql).fetchall()
    return time.process_time() - begin


def _stretch_section(say: Say) -> str:
    """Time the body of `drift_between` on cubes as the published file holds them."""
    lines: list[list[object]] = []
    for grain, windows, segments in (("day", 365, 1), ("day", 365, 5), ("hour", 30 * 24, 1)):
        connection = duckdb.connect()
        _make_cube(connection, grain, windows, segments)
        rng = np.random.default_rng(5)
        wall, cpu = [], []
        for _ in range(1_000):
            first, second = sorted(rng.integers(0, windows, 2)), sorted(rng.integers(0, windows, 2))
            stamps = [
                f"timestamp '2024-01-01' + to_{grain}s({int(value)})"
                for value in (first[0], first[1] + 1, second[0], second[1] + 1)
            ]
            begin = time.perf_counter()
            cpu.append(1000 * _cpu_of(connection, f"from drift_between({', '.join(stamps)})"))
            wall.append(1000 * (time.perf_counter() - begin))
        found = [float(np.quantile(times, share)) for times in (wall, cpu) for share in (0.5, 0.95)]
        cube = f"{windows:,} {grain}s x 40 features x 11 bins x {segments} segment values"
        (count,) = connection.execute("select count(*) from fct_histogram_bins").fetchone() or (0,)
        lines.append([cube, f"{count:,}", *found])
        say(str(lines[-1]))
    columns = ["cube", "rows", "p50 ms", "p95 ms", "CPU p50 ms", "CPU p95 ms"]
    return (
        "### Any two stretches (`drift_between`), 1,000 random pairs\n\n"
        + table(columns, lines)
        + "\n\nThe macro of the published file, all eight metrics of all 40 features with their"
        " laws and p. Goal: p95 under 50 ms. Wall time, the machine's load included; about half of"
        " it is DuckDB's planning of the query, which does not depend on the rows."
    )


def _make_cube(connection: Any, grain: str, windows: int, segments: int) -> None:
    """Make the published tables of a year, at the state's grain, by week and by month."""
    connection.execute("select setseed(0.42)")
    connection.execute(
        f"""create table fct_histogram_bins as
        select 'model' as model_name, '1' as model_version, 'day' as window_grain,
            timestamp '2024-01-01' + to_{grain}s(cast(w as int)) as window_start_at,
            if(s = 0, 'all', 'channel') as segment_name,
            if(s = 0, 'all', 'value_' || s) as segment_value,
            if(f = 0, 'prediction', 'covariate') as drift_kind,
            'feature_' || f as feature_name, cast(b as integer) as bin_index,
            cast(1 + floor(random() * 200) as bigint) as event_count
        from range({windows}) as t (w), range({segments}) as r (s), range(40) as u (f),
            range(11) as v (b)
        order by window_start_at"""
    )
    for longer in ("week", "month"):
        connection.execute(
            f"""insert into fct_histogram_bins by name
            select * replace ('{longer}' as window_grain,
                date_trunc('{longer}', window_start_at) as window_start_at,
                cast(sum(event_count) as bigint) as event_count)
            from fct_histogram_bins where window_grain = 'day' group by all"""
        )
    feature = ["model_name", "model_version", "drift_kind", "feature_name"]
    connection.execute(
        f"create table dim_features as select distinct {', '.join(feature)}, 0.01 as rho"
        " from fct_histogram_bins"
    )
    body = package().compare_stretches(
        "fct_histogram_bins",
        "dim_features",
        by=[*feature[:2], "segment_name", "segment_value", *feature[2:]],
        feature_by=feature,
        reference_from="reference_from",
        reference_to="reference_to",
        current_from="current_from",
        current_to="current_to",
        condition="window_grain = 'day' and segment_name = 'all'",
    )
    connection.execute(
        "create macro drift_between(reference_from, reference_to, current_from, current_to)"
        f" as table ({body})"
    )
