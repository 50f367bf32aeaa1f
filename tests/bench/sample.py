"""What KS, Wasserstein, MMD and components cost: beside SciPy, beside the plain way, in a build."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.spatial.distance import cdist

from tests.measured import Say, table
from udfs.arrays import one_thread
from udfs.ks import ks_two_sample
from udfs.mmd import mmd_squared
from udfs.pca import fit_basis, pca_wasserstein
from udfs.wasserstein import wasserstein_distance

TITLE = "Sample statistics: KS, Wasserstein, MMD, components"
CHECKOUT = Path(__file__).resolve().parents[2]
HOME = CHECKOUT / "build" / "sample" / "home"
STREAM = CHECKOUT.parent / "shared" / "data" / "url_stream_2019_2022.parquet"
PERMUTATIONS, INDEXED = 200, 10
WIDTH = 32
Floats = npt.NDArray[np.float64]


def run(say: Say) -> str:
    """Measure and return the page's section."""
    load = os.getloadavg()[0]
    with one_thread():
        parts = [_numbers(say), _vectors(say)]
    return "\n\n".join(
        [
            (
                f"{os.cpu_count()} cores, load {load:.1f} at the beginning: seconds are CPU seconds"
                " of one thread, by turns in one run."
            ),
            *parts,
            _replay(say),
        ]
    )


def _cpu(call: Callable[..., object], *given: object) -> float:
    began = time.process_time()
    call(*given)
    return time.process_time() - began


def _numbers(say: Say) -> str:
    rng = np.random.default_rng(1)
    lines: list[list[object]] = []
    for n, m in ((1_000, 1_000), (5_000, 5_000), (10_000, 5_000), (100_000, 5_000)):
        x, y = rng.normal(size=n), rng.lognormal(size=m)
        for name, ours, theirs in (
            ("ks_two_sample", ks_two_sample, partial(stats.ks_2samp, method="asymp")),
            ("wasserstein_distance", wasserstein_distance, stats.wasserstein_distance),
        ):
            taken = [(_cpu(ours, x, y), _cpu(theirs, x, y)) for _ in range(41)]
            mine, other = (median(side) * 1000 for side in zip(*taken, strict=True))
            lines.append([name, f"{n:,} / {m:,}", mine, other, mine / other])
            say(" ".join(map(str, lines[-1])))
    return "### Numbers: beside SciPy on the same arrays (median of 41)\n\n" + table(
        ["function", "values", "ours, ms", "SciPy, ms", "ratio (goal 1)"], lines
    )


def _indexed(x: Floats, y: Floats, bandwidth: float, permutations: int) -> None:
    """Permute the plain way: the kernel once, then its rows and columns by index."""
    both = np.concatenate((x, y))
    kernel = np.exp(-cdist(both, both, "sqeuclidean") / (2 * bandwidth**2))
    np.fill_diagonal(kernel, 0.0)
    rng, n, m = np.random.default_rng(1), len(x), len(y)
    for _ in range(permutations):
        order = rng.permutation(n + m)
        of_x, of_y = order[:n], order[n:]
        within = kernel[np.ix_(of_x, of_x)].sum() / (n * (n - 1))
        within += kernel[np.ix_(of_y, of_y)].sum() / (m * (m - 1))
        within - 2 * kernel[np.ix_(of_x, of_y)].mean()


def _vectors(say: Say) -> str:
    rng = np.random.default_rng(2)
    lines: list[list[object]] = []
    for size in (500, 1_000, 2_000):
        x, y = rng.normal(size=(size, WIDTH)), rng.normal(size=(size, WIDTH))
        days = np.arange(size) * 30 // size, np.arange(size) * 7 // size
        bandwidth = float(np.sqrt(2 * WIDTH))
        basis = fit_basis(x, 8)
        assert basis is not None
        parts = basis.means, basis.components, basis.explained_variances
        wanted = PERMUTATIONS, 42
        rows = _cpu(mmd_squared, x, y, None, None, bandwidth, *wanted)
        blocks = _cpu(mmd_squared, x, y, *days, bandwidth, *wanted)
        along = _cpu(pca_wasserstein, x, y, *days, *parts, *wanted)
        once = _cpu(_indexed, x, y, bandwidth, 0)
        indexed = once + (_cpu(_indexed, x, y, bandwidth, INDEXED) - once) * (
            PERMUTATIONS / INDEXED
        )
        lines.append([f"{size:,}", rows, blocks, indexed, rows / indexed, along])
        say(" ".join(map(str, lines[-1])))
    return (
        f"### Vectors of {WIDTH} numbers, {PERMUTATIONS} permutations, CPU s\n\n"
        + table(
            [
                "rows a side",
                "mmd_squared, rows dealt out",
                "days dealt out (as in a build)",
                "kernel once, indexed",
                "ratio (goal 0.1)",
                "pca_wasserstein, 8 components",
            ],
            lines,
        )
        + f"\n\nThe indexed way: {INDEXED} permutations, times {PERMUTATIONS // INDEXED}."
        " alibi-detect 0.13 took 10.7 s for 100 permutations at 2,000 rows a side (measured on this"
        " kind of machine before this was built, PyTorch)."
    )


def _replay(say: Say) -> str:
    """Build the tables of samples anew from four years of landed events, alone in a process."""
    if not STREAM.exists():
        return "The replay was not measured: no ../shared/data."
    if not (HOME / "warehouse").exists():
        words = ["demo", "--events", str(STREAM), "--train-until", "2020-01-01", "--home", HOME]
        _driftnet(*map(str, words))
        _driftnet("replay", str(STREAM), "--from", "2019-01-01", "--until", "2020-01-01")
        _driftnet("land")
        _driftnet("build")
    chosen = [
        "stg_raw_values",
        "stg_reference_raw_values",
        "path:models/samples",
        "fct_embedding_components",
        "fct_vector_sums",
    ]
    whole, wall, peak, models = _dbt("run", "--full-refresh", "--select", *chosen)
    parse, *_ = _dbt("run", "--full-refresh", "--select", "stg_raw_values")
    say(f"{whole:.0f} s of CPU ({parse:.0f} of them dbt's start), {wall:.0f} s, {peak:.0f} MB")
    worst = sorted(models, key=lambda name: -models[name])[:4]
    ((windows, rows),) = _ask(
        "select (select count(*) from int_sample_windows where window_grain = 'week'),"
        " (select count(*) from int_sample_metrics where window_grain = 'week')"
    )
    return (
        "### The whole replay of 2019 to 2022, by days, weeks and months\n\n"
        + table(
            ["what", "measured", "goal"],
            [
                ["CPU s of all tables of samples, built anew", whole - parse, "180"],
                ["CPU s of dbt's own start beside it", parse, ""],
                ["wall s, the machine's other work included", wall, ""],
                ["peak MB of the process", round(peak), "1,000"],
            ],
        )
        + f"\n\nReference: the half year before 2020; {windows} weeks, {rows:,} weekly rows of"
        f" metrics. Slowest (wall): {', '.join(f'{name} {models[name]:.1f} s' for name in worst)}."
    )


def _driftnet(*words: str) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("driftnet")), *words],
        env={**os.environ, "DRIFTNET_HOME": str(HOME)},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 3):
        sys.exit(done.stdout + done.stderr)


def _dbt(*words: str) -> tuple[float, float, float, dict[str, float]]:
    """Run dbt; return CPU s, wall s, peak MB and the seconds of each model."""
    target = HOME / "bench-target"
    command = [str(Path(sys.executable).with_name("dbt")), "--quiet", *words]
    command += ["--project-dir", "dbt_project", "--profiles-dir", "."]
    command += ["--target-path", str(target), "--log-path", str(HOME / "bench-logs")]
    began = time.perf_counter()
    child = subprocess.Popen(command, env={**os.environ, "DRIFTNET_HOME": str(HOME)}, cwd=CHECKOUT)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit("dbt failed")
    results = json.loads((target / "run_results.json").read_text())["results"]
    models = {one["unique_id"].split(".")[-1]: float(one["execution_time"]) for one in results}
    cpu = usage.ru_utime + usage.ru_stime
    return cpu, time.perf_counter() - began, usage.ru_maxrss / 1024, models


def _ask(sql: str) -> list[tuple[int, ...]]:
    import duckdb

    place = str(HOME / "warehouse" / "driftnet.duckdb")
    with duckdb.connect(place, read_only=True) as warehouse:
        return warehouse.execute(sql).fetchall()
