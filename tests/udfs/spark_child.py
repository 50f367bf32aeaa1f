"""Answer SQL in Spark with the registry's functions; runs in the environment of Spark.

`python spark_child.py` reads a JSON list of SQL expressions and prints a JSON list of answers.
"""

import json
import sys
from typing import Any

from udfs.spark import register_spark


def answers(expressions: list[str]) -> list[Any]:
    """Return what Spark answers, structs as objects."""
    from pyspark.sql import SparkSession  # type: ignore[import-not-found]

    session = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .getOrCreate()
    )
    register_spark(session)
    columns = ", ".join(f"{sql} as a{number}" for number, sql in enumerate(expressions))
    (row,) = session.sql(f"select {columns}").collect()
    found = row.asDict(recursive=True)
    session.stop()
    return [found[f"a{number}"] for number in range(len(expressions))]


if __name__ == "__main__":
    print(json.dumps(answers(json.load(sys.stdin))))
