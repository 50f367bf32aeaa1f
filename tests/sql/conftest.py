"""A stranger's dbt project, run on tables of counts that a test makes."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
Counts = npt.NDArray[np.int64]
Compare = Callable[..., dict[str, npt.NDArray[np.float64]]]


def _long(case_ids: Counts, counts: Counts, name: str) -> pa.Table:
    """Return one row per case and column of a (cases, columns) table, -1 cells left out."""
    rows, columns = counts.shape
    kept = counts.ravel() >= 0
    return pa.table(
        {
            "case_id": np.repeat(case_ids, columns)[kept],
            "bin_index": np.tile(np.arange(columns), rows)[kept],
            name: counts.ravel()[kept],
        }
    )


def compare_with_dbt(
    home: Path,
    reference: Counts,
    current: Counts,
    families: Counts | None = None,
    reference_days: Counts | None = None,
    reference_day_sizes: Counts | None = None,
    current_day_sizes: Counts | None = None,
) -> dict[str, npt.NDArray[np.float64]]:
    """Compare histograms by the package's macros, and return each column by case.

    Parameters
    ----------
    reference, current : array of shape (cases, bins)
        Counts; a reference count of -1 leaves the bin out.
    families : array of shape (cases,)
        Which family of tests a case is of; one for all when left out.
    reference_days : array of shape (cases, days, bins)
        Counts by day from which the correlation of rows is learnt.
    reference_day_sizes, current_day_sizes : array of shape (cases, days)
        Rows of either side by day; the reference's are those of `reference_days` when left out.
    """
    cases = np.arange(len(reference))
    bins = _long(cases, reference, "reference_count")
    kept = reference.ravel() >= 0
    bins = bins.append_column("current_count", pa.array(current.ravel()[kept]))
    family = np.zeros(len(reference), dtype=np.int64) if families is None else families
    bins = bins.append_column("family_id", pa.array(family[bins["case_id"].to_numpy()]))
    pq.write_table(bins, home / "bins.parquet")

    if reference_days is None:
        reference_days = np.zeros((0, 1, 1), dtype=np.int64)
    cells = np.nonzero(reference_days)
    pq.write_table(
        pa.table(
            {
                "case_id": cells[0],
                "day_number": cells[1],
                "bin_index": cells[2],
                "event_count": reference_days[cells],
            }
        ),
        home / "days.parquet",
    )
    if reference_day_sizes is None:
        reference_day_sizes = reference_days.sum(axis=2)
    _write_sizes(home / "reference_sizes.parquet", reference_day_sizes)
    _write_sizes(home / "current_sizes.parquet", current_day_sizes)
    _run_dbt(home)
    with duckdb.connect(str(home / "stranger.duckdb"), read_only=True) as warehouse:
        columns = warehouse.execute("select * from statistics order by case_id").fetchnumpy()
    return {
        name: np.ma.filled(np.ma.asarray(column, dtype=np.float64), np.nan)
        for name, column in columns.items()
    }


def _write_sizes(path: Path, sizes: Counts | None) -> None:
    sizes = np.zeros((0, 1), dtype=np.int64) if sizes is None else sizes
    cases = np.repeat(np.arange(len(sizes)), sizes.shape[1])
    pq.write_table(pa.table({"case_id": cases, "event_count": sizes.ravel()}), path)


def _run_dbt(home: Path) -> None:
    command = [
        str(Path(sys.executable).with_name("dbt")),
        "build",
        "--quiet",
        "--project-dir",
        str(CHECKOUT / "tests" / "sql" / "stranger"),
        "--profiles-dir",
        str(CHECKOUT / "tests" / "sql" / "stranger"),
        "--target-path",
        str(home / "target"),
        "--log-path",
        str(home / "logs"),
    ]
    environment = {
        **os.environ,
        "STRANGER_HOME": str(home),
        "STRANGER_PACKAGES": str(CHECKOUT / "dbt_project" / "packages"),
    }
    run = subprocess.run(
        command, env=environment, cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.fixture(scope="module")
def compare(tmp_path_factory: pytest.TempPathFactory) -> Compare:
    """Return `compare_with_dbt` with a folder of its own for each call."""

    def call(*counts: Counts, **more: Counts) -> dict[str, npt.NDArray[np.float64]]:
        home = tmp_path_factory.mktemp("stranger")
        try:
            return compare_with_dbt(home, *counts, **more)
        finally:
            shutil.rmtree(home)

    return call
