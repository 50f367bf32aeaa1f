"""Spark and DuckDB get the same answers from the one registry."""

import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from udfs.function import ARROW
from udfs.plugin import Plugin
from udfs.registry import REGISTRY
from udfs.spark import SPARK, spark_type

CHECKOUT = Path(__file__).resolve().parents[2]
PLACE = CHECKOUT / "build" / "spark"
NEEDS = ("pyspark==4.1.1", "pandas", "pyarrow", "numpy", "scipy")
X, Y = "array(1.5D, NULL, 2.5D, 4.0D, 4.0D)", "array(0.5D, 3.0D, 9.0D)"
ROWS = "array(array(1, 2), NULL, array(3, 5), array(6), array(7, 9), array(2, 8))"
BASIS = "array(0.0D, 0.0D), array(1.0D, 0.0D, 0.0D, 1.0D), array(4.0D, 1.0D)"
EXPRESSIONS = (
    "chi2_sf(3.8, 2)",
    "chi2_sf(cast(NULL as double), 2)",
    "noncentral_chi2_isf(0.05, 9, 50)",
    "kolmogorov_sf(1.36)",
    f"ks_two_sample({X}, {Y})",
    f"ks_two_sample({X}, cast(NULL as array<double>))",
    f"ks_two_sample(array(1.0D), {Y})",
    f"wasserstein_distance({X}, {Y})",
    f"wasserstein_scale({X})",
    f"mmd_squared({ROWS}, {ROWS}, NULL, NULL, 1.5, 200, 42)",
    f"mmd_squared({ROWS}, {ROWS}, array(1, 1, 2, 2, 3, 3), array(1, 1, 2, 2, 3, 3), 2, 0, 1)",
    f"fit_basis({ROWS}, 2)",
    f"pca_wasserstein({ROWS}, {ROWS}, NULL, NULL, {BASIS}, 0, 1)",
    "fourier_frequencies(2, 4, 1.5, 7)",
    f"fourier_sums({ROWS}, array(0.5D, 1.0D))",
    "fit_calibration(array(0.2D, 0.2D, 0.8D, 0.8D), array(0.0D, 0.0D, 1.0D, 1.0D))",
)


def _in_spark() -> list[Any]:
    python = PLACE / "bin" / "python"
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java 17 or later")
    if not (PLACE / ".made").exists():
        subprocess.run([sys.executable, "-m", "venv", str(PLACE)], check=True)
        words = [str(python), "-m", "pip", "install", "--quiet", *NEEDS]
        if subprocess.run(words, capture_output=True, check=False).returncode:
            pytest.skip(f"pip cannot install {NEEDS[0]}")
        (PLACE / ".made").touch()
    done = subprocess.run(
        [str(python), "-m", "tests.udfs.spark_child"],
        input=json.dumps(EXPRESSIONS),
        env={
            **os.environ,
            "PYTHONPATH": str(CHECKOUT),
            "PYSPARK_PYTHON": str(python),
            "SPARK_LOCAL_IP": "127.0.0.1",
        },
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    answers: list[Any] = json.loads(done.stdout.splitlines()[-1])
    return answers


def _in_duckdb() -> list[Any]:
    with duckdb.connect() as connection:
        Plugin.configure_connection(SimpleNamespace(), connection)  # type: ignore[arg-type]
        found = []
        for sql in EXPRESSIONS:
            ours = sql.replace("array<double>", "double[]").replace("array(", "list_value(")
            ours = ours.replace("D,", ",").replace("D)", ")")
            found.append(connection.execute(f"select {ours}").fetchall()[0][0])
        return found


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, float):
        return math.isclose(left, right, rel_tol=1e-12, abs_tol=1e-15)
    return bool(left == right)


def test_every_type_of_the_registry_is_one_of_sparks() -> None:
    assert SPARK.keys() == ARROW.keys()
    for function in REGISTRY:
        assert spark_type(function.returns)
        assert {kind for _, kind in function.parameters} <= set(SPARK)


@pytest.mark.slow
def test_spark_answers_as_duckdb_does() -> None:
    theirs, ours = _in_spark(), _in_duckdb()
    asked = {sql.split("(")[0] for sql in EXPRESSIONS}
    assert asked == {function.name for function in REGISTRY} - {"bootstrap_quality"}
    for sql, spark, duck in zip(EXPRESSIONS, theirs, ours, strict=True):
        print(f"   {sql[:60]}: {spark}")
        assert _same(spark, duck), (sql, spark, duck)
