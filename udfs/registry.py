"""The one list of the functions that SQL may call.

DuckDB and Spark register the same rows; adding a function is adding a row here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from udfs.special import chi2_sf, noncentral_chi2_isf


@dataclass(frozen=True)
class Function:
    """A function that SQL may call.

    Parameters
    ----------
    name
        What SQL calls it.
    kernel
        Takes and returns NumPy arrays of one length. NULL comes as NaN; NaN leaves as NULL.
    parameters
        Name and SQL type of each parameter, in order.
    returns
        SQL type of the answer.
    description
        One sentence: what it answers, and in which unit.
    """

    name: str
    kernel: Callable[..., npt.NDArray[np.float64]]
    parameters: tuple[tuple[str, str], ...]
    returns: str
    description: str

    def arrow(self) -> Callable[..., pa.Array]:
        """Return the kernel as a function from Arrow arrays to an Arrow array."""

        def call(*columns: Any) -> pa.Array:
            answer = self.kernel(*(column.to_numpy() for column in columns))
            return pa.array(answer, from_pandas=True)

        # DuckDB counts the parameters of what it registers.
        call.__signature__ = signature(self.kernel)  # type: ignore[attr-defined]
        return call


REGISTRY: tuple[Function, ...] = (
    Function(
        name="chi2_sf",
        kernel=chi2_sf,
        parameters=(("x", "DOUBLE"), ("df", "DOUBLE")),
        returns="DOUBLE",
        description="Upper tail probability of the chi-square law with df degrees of freedom.",
    ),
    Function(
        name="noncentral_chi2_isf",
        kernel=noncentral_chi2_isf,
        parameters=(("p", "DOUBLE"), ("df", "DOUBLE"), ("noncentrality", "DOUBLE")),
        returns="DOUBLE",
        description="Value that a non-central chi-square variable exceeds with probability p.",
    ),
)
