"""Estimated against realised quality: under covariate shift, concept drift, and on real traffic."""

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ingest.features import FEATURES, extract
from tests.conftest import SHARED_DATA
from tests.measured import table
from tests.warehouse.home import Home

TITLE = "Estimated against realised quality"
Floats = npt.NDArray[np.float64]
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
WEEKS, CONCEPT_WEEK, ROWS_A_WEEK = 24, 16, 3_000
SHOWN = ("roc_auc", "f1", "accuracy", "brier", "cost")
STREAM = "url_stream_2019_2022.parquet"


def run(say: Callable[[str], None]) -> str:
    """Import each stream through the ordinary project and compare by week."""
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        synthetic(Path(folder))
        rows = weeks_of(import_stream(Path(folder) / "home"))
    say(f"{len(rows)} weeks of invented traffic")
    concept = BEGIN.replace(tzinfo=None) + timedelta(weeks=CONCEPT_WEEK)
    shift = [row for row in rows if row["at"] < concept]
    drift = [row for row in rows if row["at"] >= concept]
    lines += [_line("covariate shift alone", shift), _line("then concept drift", drift)]
    if SHARED_DATA.is_dir():
        with tempfile.TemporaryDirectory() as folder:
            real(Path(folder), SHARED_DATA)
            lines.append(
                _line("real traffic 2021-2022", weeks_of(import_stream(Path(folder) / "home")))
            )
        say("real traffic done")
    names = ["traffic", "weeks"]
    names += [f"{name}: {what}" for name in SHOWN for what in ("MAE", "realised - estimated")]
    return (
        "Weeks with at least 100 labels. MAE: mean absolute error of the estimate against what the"
        " labels then showed; beside it the mean of realised minus estimated. Invented traffic: the"
        f" features wander from the first week on; from week {CONCEPT_WEEK} on a third of the truth"
        " no longer follows the score (concept drift). Real traffic: a logistic regression on"
        " lexical features, learnt on the first half of 2020, its reference the second half. Its"
        " sources change over time, so what a score means changes too.\n\n"
        + table(names, lines)
        + "\n\nThe estimate follows covariate shift and is blind to concept drift: there the"
        " realised values fall away from it, on the bad side for every metric."
    )


def synthetic(folder: Path) -> None:
    """Write a reference and a stream whose features wander, then whose truth changes."""
    rng = np.random.default_rng(42)
    for name, weeks, begin in (
        ("reference", 12, BEGIN - timedelta(weeks=12)),
        ("now", WEEKS, BEGIN),
    ):
        count = weeks * ROWS_A_WEEK
        at = np.sort(rng.integers(0, weeks * 604_800, count))
        week = at // 604_800
        shift = np.where(name == "now", 0.06 * week, 0.0)
        x = rng.normal(size=(count, 3)) + np.c_[shift, -shift, np.zeros(count)]
        odds = 1.2 * x[:, 0] + 0.6 * x[:, 1] - 0.8
        score = 1 / (1 + np.exp(-1.4 * odds))  # too sure of itself
        truth = rng.random(count) < 1 / (1 + np.exp(-odds))
        changed = (name == "now") & (week >= CONCEPT_WEEK) & (rng.random(count) < 1 / 3)
        truth = np.where(changed, rng.random(count) < 0.3, truth)
        _write(folder / f"{name}.parquet", at, begin, score, truth, {"a": x[:, 0], "b": x[:, 1]})


def real(folder: Path, shared_data: Path, per_week: int = 500) -> None:
    """Write a reference and a stream of real traffic, scored by a model of before."""
    rows = duckdb.execute(
        "select url, label = 1 as truth, epoch(ts_utc)::bigint as moment, year(ts_utc) as year,"
        " month(ts_utc) > 6 as is_late from read_parquet(?) where year(ts_utc) >= 2020 qualify"
        " row_number() over (partition by date_trunc('week', ts_utc) order by bucket, url) <= ?"
        " order by moment, url",
        [str(shared_data / STREAM), per_week],
    ).fetchnumpy()
    names = [feature.name for feature in FEATURES if feature.kind == "numeric"]
    inputs = np.array([[extract(url)[name] for name in names] for url in rows["url"]], dtype=float)
    inputs = np.nan_to_num(inputs)
    learnt = (rows["year"] == 2020) & ~rows["is_late"]
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2_000))
    model.fit(inputs[learnt], rows["truth"][learnt])
    score = np.clip(model.predict_proba(inputs)[:, 1], 0, 1)
    for name, taken in (
        ("reference", (rows["year"] == 2020) & rows["is_late"]),
        ("now", rows["year"] > 2020),
    ):
        _write(
            folder / f"{name}.parquet",
            rows["moment"][taken],
            datetime(1970, 1, 1, tzinfo=UTC),
            score[taken],
            rows["truth"][taken],
            {names[0]: inputs[taken, 0]},
        )


def _write(
    path: Path,
    at: Any,
    begin: datetime,
    score: Floats,
    truth: Any,
    features: dict[str, Floats],
) -> None:
    moments = pa.array(at * 1_000_000 + int(begin.timestamp()) * 1_000_000, pa.timestamp("us"))
    columns = {"moment": moments, "score": score, "truth": truth, **features}
    pq.write_table(pa.table(columns), path)


def import_stream(path: Path) -> Home:
    """Import the two files beside a home as a user would, and build."""
    home, files = Home(path), path.parent
    done = home.driftnet(
        *("import", str(files / "now.parquet"), "--model", "toy"),
        *("--map", "score=score,occurred_at=moment,label=truth,threshold=0.5"),
        *("--reference", str(files / "reference.parquet")),
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    home.build()
    return home


def weeks_of(home: Home) -> list[dict[str, Any]]:
    """Return by week the realised and the estimated value of each shown metric."""
    found = home.query(
        "select window_start_at, metric_name, basis, metric_value from fct_quality_metrics"
        " where window_grain = 'week' and segment_name = 'all' and labelled_count >= 100"
        " and is_complete order by 1"
    )
    weeks: dict[datetime, dict[str, Any]] = {}
    for at, name, basis, value in found:
        weeks.setdefault(at, {"at": at})[f"{basis} {name}"] = value
    return list(weeks.values())


def _line(name: str, rows: list[dict[str, Any]]) -> list[object]:
    cells: list[object] = [name, len(rows)]
    for metric in SHOWN:
        gaps = [
            row[f"realised {metric}"] - row[f"estimated {metric}"]
            for row in rows
            if row[f"realised {metric}"] is not None
        ]
        cells += [float(np.mean(np.abs(gaps))), float(np.mean(gaps))]
    return cells
