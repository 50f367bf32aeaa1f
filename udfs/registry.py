"""The one list of the functions that SQL may call.

DuckDB and Spark register the same rows; adding a function is adding a row here.
"""

<<<<<<< HEAD
from udfs.bootstrap import QUALITY_CELLS, QualityLimits, bootstrap_quality
from udfs.calibration import CALIBRATION, fit_calibration
from udfs.function import Function
=======
from collections.abc import Callable
from dataclasses import dataclass
from inspect import Parameter, Signature
from typing import Any, Literal

import pyarrow as pa

from udfs.arrays import lists, one_thread
>>>>>>> 4ca9a70 (Keep samples, moments and bases in the warehouse and compare windows by them)
from udfs.ks import kolmogorov_sf, ks_two_sample
from udfs.mmd import mmd_squared
from udfs.pca import fit_basis, pca_wasserstein
from udfs.special import chi2_sf, noncentral_chi2_isf
from udfs.wasserstein import wasserstein_distance, wasserstein_scale

<<<<<<< HEAD
=======
ARROW = {
    "DOUBLE": pa.float64(),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "DOUBLE[]": pa.list_(pa.float64()),
    "BIGINT[]": pa.list_(pa.int64()),
    "FLOAT[][]": pa.list_(pa.list_(pa.float32())),
    "DOUBLE[][]": pa.list_(pa.list_(pa.float64())),
}
"""Every SQL type of the registry and its Arrow type."""

NullRule = Literal["elementwise", "any", "optional blocks"]


@dataclass(frozen=True)
class Function:
    """A function that SQL may call.

    Parameters
    ----------
    name
        What SQL calls it.
    kernel
        Pure. With the null rule "elementwise" it takes and returns arrays of one length, one
        element a row, NaN for NULL. Else it is called once a row, a list being an array and a list
        of lists a matrix, and returns a named tuple, or None for NULL.
    parameters
        Name and SQL type of each parameter, in order.
    returns
        SQL type of the answer, or name and SQL type of each field of a struct.
    null_rule
        elementwise: NULL comes as NaN, NaN leaves as NULL. any: a NULL argument gives NULL.
        optional blocks: the same, but for `reference_blocks` and `current_blocks`, where NULL
        means that every row is its own block. NULL elements of lists are dropped and counted.
    description
        One sentence: what it answers, and in which unit.
    """

    name: str
    kernel: Callable[..., Any]
    parameters: tuple[tuple[str, str], ...]
    returns: str | tuple[tuple[str, str], ...]
    null_rule: NullRule
    description: str

    @property
    def sql_type(self) -> str:
        """Return the SQL type of the answer."""
        if isinstance(self.returns, str):
            return self.returns
        return f"STRUCT({', '.join(f'{name} {kind}' for name, kind in self.returns)})"

    def arrow(self) -> Callable[..., pa.Array]:
        """Return the kernel as a function from Arrow columns to an Arrow array.

        DuckDB registers it as an arrow function, Spark as an arrow_udf.
        """

        def call(*columns: Any) -> pa.Array:
            if self.null_rule == "elementwise":
                answer = self.kernel(*(column.to_numpy() for column in columns))
                return pa.array(answer, from_pandas=True)
            return self._by_row(columns)

        # DuckDB counts the parameters of what it registers.
        call.__signature__ = Signature(  # type: ignore[attr-defined]
            [Parameter(name, Parameter.POSITIONAL_ONLY) for name, _ in self.parameters]
        )
        return call

    def _by_row(self, columns: tuple[Any, ...]) -> pa.Array:
        readers = [
            lists(column).at if kind.endswith("]") else column.to_pylist().__getitem__
            for column, (_, kind) in zip(columns, self.parameters, strict=True)
        ]
        optional = [
            self.null_rule == "optional blocks" and name.endswith("_blocks")
            for name, _ in self.parameters
        ]
        answers = []
        with one_thread():
            for row in range(len(columns[0])):
                given = [read(row) for read in readers]
                is_asked = all(
                    value is not None or may_be_null
                    for value, may_be_null in zip(given, optional, strict=True)
                )
                answers.append(self.kernel(*given) if is_asked else None)
        return _structs(answers, self.returns)


def _structs(answers: list[Any], fields: str | tuple[tuple[str, str], ...]) -> pa.Array:
    assert not isinstance(fields, str)  # noqa: S101  (a row's answer is a named tuple)
    missing = pa.array([answer is None for answer in answers])
    children = []
    for name, kind in fields:
        found = [None if answer is None else getattr(answer, name) for answer in answers]
        children.append(pa.array(found, ARROW[kind], from_pandas=True))
    return pa.StructArray.from_arrays(children, [name for name, _ in fields], mask=missing)


>>>>>>> 4ca9a70 (Keep samples, moments and bases in the warehouse and compare windows by them)
_SAMPLE = (("reference_count", "BIGINT"), ("current_count", "BIGINT"), ("dropped_count", "BIGINT"))
_BLOCKS = (("reference_blocks", "BIGINT[]"), ("current_blocks", "BIGINT[]"))
REGISTRY: tuple[Function, ...] = (
    Function(
        name="chi2_sf",
        kernel=chi2_sf,
        parameters=(("x", "DOUBLE"), ("df", "DOUBLE")),
        returns="DOUBLE",
        null_rule="elementwise",
        description="Upper tail probability of the chi-square law with df degrees of freedom.",
    ),
    Function(
        name="noncentral_chi2_isf",
        kernel=noncentral_chi2_isf,
        parameters=(("p", "DOUBLE"), ("df", "DOUBLE"), ("noncentrality", "DOUBLE")),
        returns="DOUBLE",
        null_rule="elementwise",
        description="Value that a non-central chi-square variable exceeds with probability p.",
    ),
    Function(
        name="kolmogorov_sf",
        kernel=kolmogorov_sf,
        parameters=(("x", "DOUBLE"),),
        returns="DOUBLE",
        null_rule="elementwise",
        description="Upper tail probability of the Kolmogorov law, x = D / sqrt(1/n + 1/m).",
    ),
    Function(
        name="ks_two_sample",
        kernel=ks_two_sample,
        parameters=(("reference", "DOUBLE[]"), ("current", "DOUBLE[]")),
        returns=(
            ("statistic", "DOUBLE"),
            ("location", "DOUBLE"),
            ("sign", "INTEGER"),
            ("p_value", "DOUBLE"),
            *_SAMPLE,
        ),
        null_rule="any",
        description="Greatest distance (0..1) of two distribution functions, where, and its p.",
    ),
    Function(
        name="wasserstein_distance",
        kernel=wasserstein_distance,
        parameters=(("reference", "DOUBLE[]"), ("current", "DOUBLE[]")),
        returns=(("distance", "DOUBLE"), *_SAMPLE),
        null_rule="any",
        description="Area between two distribution functions, in the unit of the values.",
    ),
    Function(
        name="wasserstein_scale",
        kernel=wasserstein_scale,
        parameters=(("reference", "DOUBLE[]"),),
        returns=(
            ("mean", "DOUBLE"),
            ("std", "DOUBLE"),
            ("wasserstein_scale", "DOUBLE"),
            ("row_count", "BIGINT"),
            ("dropped_count", "BIGINT"),
        ),
        null_rule="any",
        description="Mean, std and J of a reference: what its Wasserstein distances depend on.",
    ),
    Function(
        name="mmd_squared",
        kernel=mmd_squared,
        parameters=(
            ("reference", "FLOAT[][]"),
            ("current", "FLOAT[][]"),
            *_BLOCKS,
            ("bandwidth", "DOUBLE"),
            ("permutations", "INTEGER"),
            ("seed", "INTEGER"),
        ),
        returns=(("statistic", "DOUBLE"), ("p_value", "DOUBLE"), *_SAMPLE),
        null_rule="optional blocks",
        description="Unbiased MMD^2 of two samples of vectors, and its p by permuting blocks.",
    ),
    Function(
        name="fit_basis",
        kernel=fit_basis,
        parameters=(("reference", "FLOAT[][]"), ("component_count", "INTEGER")),
        returns=(
            ("means", "DOUBLE[]"),
            ("median_distance", "DOUBLE"),
            ("components", "DOUBLE[]"),
            ("explained_variances", "DOUBLE[]"),
            ("row_count", "BIGINT"),
            ("dropped_count", "BIGINT"),
        ),
        null_rule="any",
        description="Mean, median distance and principal components of a reference.",
    ),
    Function(
        name="pca_wasserstein",
        kernel=pca_wasserstein,
        parameters=(
            ("reference", "FLOAT[][]"),
            ("current", "FLOAT[][]"),
            *_BLOCKS,
            ("means", "DOUBLE[]"),
            ("components", "DOUBLE[]"),
            ("explained_variances", "DOUBLE[]"),
            ("permutations", "INTEGER"),
            ("seed", "INTEGER"),
        ),
        returns=(
            ("statistic", "DOUBLE"),
            ("p_value", "DOUBLE"),
            ("distances", "DOUBLE[]"),
            ("shifts", "DOUBLE[]"),
            ("weights", "DOUBLE[]"),
            *_SAMPLE,
        ),
        null_rule="optional blocks",
        description="Distance along the principal components of a basis, in std, and its p.",
    ),
    Function(
        name="fit_calibration",
        kernel=fit_calibration,
        parameters=(("scores", "DOUBLE[]"), ("truths", "DOUBLE[]")),
        returns=CALIBRATION,
        null_rule="any",
        description="Breakpoints that turn a score into the share of positives among its rows.",
    ),
    Function(
        name="bootstrap_quality",
        kernel=bootstrap_quality,
        parameters=QUALITY_CELLS,
        returns=tuple((name, "DOUBLE") for name in QualityLimits._fields),
        null_rule="any",
        description="95% limits and standard error of each metric of quality, by drawing days.",
    ),
)
