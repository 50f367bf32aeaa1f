"""The gate, its data docs after many runs, and the page, at the sizes of a large model."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from reports.gate import judge
from reports.page import render
from tests.measured import table
from tests.reports import conftest as small

TITLE = "The gate, the data docs and the page"
RUNS = 1_000
SEGMENTS = 8


def run(say: Callable[[str], None]) -> str:
    """Measure on 40 features, 8 segments and 90 weeks."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        marts = _marts(folder)
        scope: dict[str, Any] = {"model_name": "large", "model_version": "1"}
        at = [datetime(2023, 6, 1, tzinfo=UTC)]

        def gate() -> Any:
            at[0] += timedelta(seconds=1)
            return judge(
                marts.query, folder / "docs", window_grain="week", clock=lambda: at[0], **scope
            )

        say("gate, first (imports Great Expectations)")
        first, verdict = _timed(gate)
        second, verdict = _timed(gate)
        say(f"{verdict.evaluated_count} results: {first[0]:.1f} s, then {second[0]:.1f} s")
        # A thousand runs of a small window stand for a thousand gates: their pages are kept alike.
        run_folder = next((folder / "docs" / "runs").iterdir())
        for number in range(RUNS):
            copy = run_folder.with_name(f"20200101T{number:06d}.000000Z-0")
            shutil.copytree(run_folder, copy, copy_function=os.link)
        after, verdict = _timed(gate)
        kept = len(list((folder / "docs" / "runs").iterdir()))
        say(f"after {RUNS} runs: {after[0]:.1f} s, {kept} kept")
        page_s, page = _timed(
            lambda: render(marts.query, window_grain="week", now=at[0], verdict=verdict, **scope)
        )
        size = len(page.text.encode()) / 1e6
        say(f"page: {page_s[0]:.1f} s, {size:.2f} MB")
    rows = [
        ("gate, with the import of Great Expectations", *first, "15 s"),
        ("gate again", *second, "15 s"),
        (
            f"gate that finds {RUNS:,} runs in the data docs ({RUNS + 3 - kept} removed)",
            *after,
            "15 s",
        ),
        ("page", *page_s, "10 s"),
    ]
    return (
        f"On {os.cpu_count()} cores."
        f" 40 features, {SEGMENTS} segment values, 90 weeks; {verdict.evaluated_count:,} results of"
        f" Great Expectations. The page is {size:.2f} MB (at most 2). CPU seconds tell"
        " what the seconds would be on an idle machine.\n\n"
        + table(("step", "seconds", "CPU seconds", "at most"), rows)
    )


def _marts(folder: Path) -> small.Marts:
    shapes = tuple(
        small._tenths(
            name=f"feature_{i:02d}", moved_from=50 if i % 5 == 0 else None, moved_shares=small.UP
        )
        for i in range(38)
    )
    model = small.Model("large", "1", shapes + small.DRIFTING[-2:], week_count=90)
    marts = small._write(folder / "driftnet.duckdb", [model])
    with duckdb.connect(str(marts.path)) as connection:
        # Every part is as significant as the whole, so that each is asserted.
        connection.execute(
            "insert into fct_drift_metrics select * replace ('channel' as segment_name,"
            " 'part ' || part as segment_value, true as is_significant,"
            " case when metric_value > fail_bound then 2 when metric_value > warn_bound then 1"
            " else 0 end as severity)"
            f" from fct_drift_metrics, range({SEGMENTS}) as parts (part) where is_decision".replace(
                "select * replace", "select fct_drift_metrics.* replace"
            )
        )
    return marts


def _timed(work: Callable[[], Any]) -> tuple[tuple[float, float], Any]:
    """Return the seconds and the CPU seconds that some work took, and what it made."""
    begun, cpu = time.perf_counter(), time.process_time()
    made = work()
    return (time.perf_counter() - begun, time.process_time() - cpu), made
