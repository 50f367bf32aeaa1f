"""Any two stretches of time of a published cube: how long an analyst waits."""

import os
import time
from typing import Any

import duckdb
import numpy as np

from tests.measured import Say, table
from tests.sql.rendered import package

TITLE = "Any two stretches of time"


def run(say: Say) -> str:
    """Time the macro on cubes as the published file holds them."""
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
            worked = time.process_time()
            connection.execute(f"from drift_between({', '.join(stamps)})").fetchall()
            cpu.append(1000 * (time.process_time() - worked))
            wall.append(1000 * (time.perf_counter() - begin))
        found = [float(np.quantile(times, share)) for times in (wall, cpu) for share in (0.5, 0.95)]
        cube = f"{windows:,} {grain}s x 40 features x 11 bins x {segments} segment values"
        (count,) = connection.execute("select count(*) from fct_histogram_bins").fetchone() or (0,)
        lines.append([cube, f"{count:,}", *found])
        say(str(lines[-1]))
    columns = ["cube", "rows", "p50 ms", "p95 ms", "CPU p50 ms", "CPU p95 ms"]
    return (
        "`drift_between` of the published file: all eight metrics of all 40 features of the whole,"
        f" with their laws and p; 1,000 random pairs. Load {os.getloadavg()[0]:.1f} at the end.\n\n"
        + table(columns, lines)
        + "\n\nGoal: p95 under 50 ms. Wall time, the machine's load included; about half of it is"
        " DuckDB's planning of the query, which does not depend on the rows."
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
