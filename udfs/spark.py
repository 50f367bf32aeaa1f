"""The door through which the registry enters a Spark session."""

from typing import Any

import pyarrow as pa

from udfs.function import ARROW, Function
from udfs.registry import REGISTRY

SPARK = {
    "DOUBLE": "double",
    "INTEGER": "int",
    "BIGINT": "bigint",
    "DOUBLE[]": "array<double>",
    "BIGINT[]": "array<bigint>",
    "FLOAT[][]": "array<array<float>>",
    "DOUBLE[][]": "array<array<double>>",
}
"""Every SQL type of the registry as Spark writes it."""


def register_spark(session: Any) -> None:
    """Register the functions in a Spark session, under the names that DuckDB knows.

    Spark SQL then calls them on columns as DuckDB does, answers and rules of NULL included. The
    workers import `udfs` too: have the checkout on their PYTHONPATH, or give it to them by
    ``session.addArtifacts`` or ``--py-files``.

    Parameters
    ----------
    session : pyspark.sql.SparkSession
        Of Spark 4.1 or later, which calls functions on Arrow arrays.
    """
    from pyspark.sql.functions import (  # type: ignore[import-not-found]
        ArrowUDFType,
        arrow_udf,
    )

    for function in REGISTRY:
        kernel = _with_types(function)
        known = arrow_udf(kernel, spark_type(function.returns), ArrowUDFType.SCALAR)
        session.udf.register(function.name, known)


def spark_type(returns: str | tuple[tuple[str, str], ...]) -> str:
    """Write a type of the registry as Spark does.

    Examples
    --------
    >>> spark_type("DOUBLE[]")
    'array<double>'
    >>> spark_type((("statistic", "DOUBLE"), ("row_count", "BIGINT")))
    'struct<statistic: double, row_count: bigint>'
    """
    if isinstance(returns, str):
        return SPARK[returns]
    return f"struct<{', '.join(f'{name}: {SPARK[kind]}' for name, kind in returns)}>"


def _with_types(function: Function) -> Any:
    """Return the Arrow function with its columns cast first: Spark hands them over as they are."""
    arrow = function.arrow()
    kinds = [ARROW[kind] for _, kind in function.parameters]

    def call(*columns: pa.Array) -> pa.Array:
        return arrow(*(one.cast(kind) for one, kind in zip(columns, kinds, strict=True)))

    return call
