"""Late labels: a million predictions have been folded, then 100,000 labels come for old windows."""

import json
import tempfile
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ingest.events import Label
from tests.measured import table
from tests.warehouse.home import Home

TITLE = "Late labels"
ROWS, LABELS, DAYS, FEATURES = 1_000_000, 100_000, 120, 10
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)


def run(say: Callable[[str], None]) -> str:
    """Fold predictions, then late labels for a week of them, then labels spread over all."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        say(f"{ROWS:,} predictions")
        ids, at, truths = _write(Path(folder))
        mapping = "score=score,occurred_at=at,event_id=event_id,threshold=0.5"
        model = ("--model", "toy", "--model-version", "1")
        for words in (
            ("--map", f"{mapping},label=truth", "--reference", f"{folder}/reference.parquet"),
            (f"{folder}/past.parquet", "--map", mapping, "--ignore", "truth"),
        ):
            done = home.driftnet("import", *model, *words)
            if done.returncode:
                raise RuntimeError(done.stderr)
        rows = [("first build", *_build(home))]
        say(str(rows[-1]))
        rows.append(("nothing new", *_build(home)))
        say(str(rows[-1]))
        week = np.flatnonzero((at >= 30 * 86_400) & (at < 44 * 86_400))[:LABELS]
        rest = np.setdiff1d(np.arange(ROWS), week)
        spread = np.random.default_rng(3).choice(rest, LABELS, replace=False)
        for name, chosen in (("for two old weeks", week), ("spread over all days", spread)):
            _label(home, ids, at, truths, chosen)
            rows.append((f"{len(chosen):,} labels {name}", *_build(home)))
            say(str(rows[-1]))
    return (
        f"{ROWS:,} predictions of {DAYS} days with {FEATURES} features are folded, then labels"
        " come."
        " Seconds of the whole build (`dbt build` as a process, its tests included), then of the"
        " models of labels and quality in it. Two cores, shared with other work.\n\n"
        + table(["build", "whole, s", "labels and quality, s", "the slowest of them"], rows)
    )


def _write(folder: Path) -> tuple[list[uuid.UUID], Any, Any]:
    rng = np.random.default_rng(1)
    for name, count, days, begin in (
        ("reference", 20_000, 60, BEGIN - timedelta(days=60)),
        ("past", ROWS, DAYS, BEGIN),
    ):
        at = np.sort(rng.integers(0, days * 86_400, count))
        score = rng.beta(1, 3, count)
        truths = rng.random(count) < score
        raw = rng.bytes(16 * count)
        ids = [uuid.UUID(bytes=raw[16 * n : 16 * n + 16], version=4) for n in range(count)]
        columns = {
            "event_id": [str(one) for one in ids],
            "at": pa.array(at * 1_000_000 + int(begin.timestamp() * 1e6), pa.timestamp("us")),
            "score": score,
            "truth": truths,
        }
        columns |= {f"x{n}": rng.normal(size=count) for n in range(FEATURES)}
        pq.write_table(pa.table(columns), folder / f"{name}.parquet")
    return ids, at, truths


def _label(home: Home, ids: list[uuid.UUID], at: Any, truths: Any, chosen: Any) -> None:
    home.append_labels(
        [
            Label(
                event_id=ids[row],
                model_name="toy",
                labelled_at=BEGIN + timedelta(seconds=int(at[row]), days=2),
                is_actual_positive=bool(truths[row]),
            ).to_json()
            for row in chosen
        ]
    )
    home.land()


def _build(home: Home) -> tuple[float, float, str]:
    began = time.perf_counter()
    home.build()
    whole = time.perf_counter() - began
    results = json.loads((home.path / "target" / "run_results.json").read_text())["results"]
    words = ("label", "quality", "calibration", "estimate")
    times = {
        result["unique_id"].split(".")[-1]: float(result["execution_time"])
        for result in results
        if result["unique_id"].startswith("model.")
        and any(word in result["unique_id"] for word in words)
    }
    slowest = max(times, key=lambda name: times[name])
    return whole, sum(times.values()), f"{slowest} {times[slowest]:.1f}"
