"""Scales: where a value stands among those of the model version's own reference.

A score or a feature is turned into its place in [0, 1] among the reference rows (the middle of its
ties), so one set of detector settings fits all, whatever the unit or the tails. The place of a
category is by how common it is: rare ones are low, one that the reference lacks is 0.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from stream.alarm import ERRORS, SCORE, feature_signal
from stream.outcome import errors
from stream.policy import Level

LABELLED_MINIMUM = 200  # labelled reference rows below which a level is learnt from the stream
DIGITS = 4


@dataclass(frozen=True)
class NumberScale:
    """The sorted values of a number in the reference."""

    values: npt.NDArray[np.float64]

    def takes(self, value: Any) -> bool:
        """Return whether a value can be placed: a number that is one."""
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and not math.isnan(value)

    def places(self, values: Sequence[Any]) -> list[float]:
        """Return the place of each value."""
        given = np.asarray(values, dtype=np.float64)
        low = np.searchsorted(self.values, given, "left")
        high = np.searchsorted(self.values, given, "right")
        places = np.round((low + high) / (2 * len(self.values)), DIGITS)
        return [float(place) for place in places]


@dataclass(frozen=True)
class CategoryScale:
    """The place of each category, rare ones low."""

    by_category: Mapping[Any, float]

    def takes(self, value: Any) -> bool:
        """Return whether a value can be placed: a text or a yes or no."""
        return isinstance(value, str | bool)

    def places(self, values: Sequence[Any]) -> list[float]:
        """Return the place of each category."""
        return [self.by_category.get(value, 0.0) for value in values]


Scale = NumberScale | CategoryScale


@dataclass(frozen=True)
class Reference:
    """What the reference of a version says of its streams.

    Parameters
    ----------
    levels
        By signal; errors are absent when too few rows are labelled.
    scales
        By signal, of score and the features.
    """

    levels: Mapping[str, Level]
    scales: Mapping[str, Scale]


class References:
    """The references of all model versions, read when first asked for.

    Parameters
    ----------
    models
        The folder of the model folders.
    features
        Names of the features that are watched.
    """

    def __init__(self, models: Path, features: Sequence[str] = ()) -> None:
        self._models = models
        self._features = tuple(features)
        self._known: dict[tuple[str, str], Reference] = {}

    def of(self, model_name: str, model_version: str) -> Reference | None:
        """Return the reference of a version; None while it has none."""
        key = (model_name, model_version)
        if key not in self._known:
            path = self._models / model_name / model_version / "reference.parquet"
            if not path.is_file():
                return None
            self._known[key] = read_reference(path, self._features)
        return self._known[key]


def read_reference(path: Path, features: Sequence[str]) -> Reference:
    """Return levels and scales from the rows of a reference."""
    names = pq.read_schema(path).names
    wanted = ["score", "is_predicted_positive", "is_actual_positive"]
    wanted += [f"feature_{name}" for name in features if f"feature_{name}" in names]
    rows = pq.read_table(path, columns=wanted)
    levels: dict[str, Level] = {}
    scales: dict[str, Scale] = {}
    labelled = rows.filter(rows.column("is_actual_positive").is_valid())
    if labelled.num_rows >= LABELLED_MINIMUM:
        wrong = errors(
            labelled.column("is_predicted_positive"), labelled.column("is_actual_positive")
        )
        levels[ERRORS] = Level.of_values("error", wrong)
    columns = {SCORE: "score"}
    columns |= {feature_signal(name[8:]): name for name in wanted if name.startswith("feature_")}
    for signal, name in columns.items():
        column = rows.column(name).drop_null()
        if len(column):
            scales[signal] = _scale(column)
            levels[signal] = Level.of_values("value", scales[signal].places(column.to_pylist()))
    return Reference(levels, scales)


def _scale(column: pa.ChunkedArray) -> Scale:
    if pa.types.is_floating(column.type):
        return NumberScale(np.sort(column.to_numpy()))
    counts = sorted(
        ((row["counts"], row["values"]) for row in column.value_counts().to_pylist()),
        key=lambda item: (item[0], str(item[1])),
    )
    below, found = 0, {}
    for count, value in counts:
        found[value] = round((below + count / 2) / len(column), DIGITS)
        below += count
    return CategoryScale(found)
