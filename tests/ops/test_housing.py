"""A model of houses: the same project, a map of columns, no line changed; slow."""

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from ops.settings import CHECKOUT

pytestmark = pytest.mark.slow

DRIFTNET = str(Path(sys.executable).with_name("driftnet"))
MAP = "score=y_pred_proba,occurred_at=timestamp,label=clf_target,decision=y_pred,threshold=0.5"


def run(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [DRIFTNET, *words],
        env={**os.environ, "DRIFTNET_HOME": str(home)},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_housing_example_goes_the_whole_path(shared_data: Path, tmp_path: Path) -> None:
    path = str(shared_data / "nannyml_california_housing.parquet")
    words = ["--model", "housing", "--map", MAP, "--ignore", "period"]
    reference = ["--reference", path, "--reference-where", "period = 'reference'"]
    done = run(tmp_path, "import", path, *words, *reference)
    assert done.returncode == 0, done.stderr
    done = run(tmp_path, "build")
    assert done.returncode == 0, done.stderr
    done = run(tmp_path, "gate", "--model", "housing", "--grain", "month")
    assert done.returncode == 3, done.stderr
    assert run(tmp_path, "report", "--model", "housing", "--grain", "month").returncode == 0
    assert (tmp_path / "reports" / "housing.html").is_file()
    with duckdb.connect(
        str(tmp_path / "published" / "current" / "driftnet.duckdb"), read_only=True
    ) as published:
        counted = published.execute(
            "select sum(event_count), sum(labelled_count) from fct_histogram_bins"
            " where window_grain = 'month' and segment_name = 'all' and feature_name = 'medinc'"
        ).fetchall()
        mean_ks = dict(
            published.execute(
                "select feature_name, avg(metric_value) from fct_drift_metrics"
                " where window_grain = 'month' and reference_kind = 'training'"
                " and metric_name = 'ks_statistic' and drift_kind = 'covariate' group by 1"
            ).fetchall()
        )
    assert counted == [(14_064, 14_064)]
    # 20 calendar months, each against all rows of the reference: the published means
    figures = json.loads((shared_data / "published_numbers.json").read_text())
    expected = figures["california_housing"]["mean_ks"]
    ours = {name: float(f"{mean_ks[name.lower()]:.6g}") for name in expected}
    assert ours == expected
