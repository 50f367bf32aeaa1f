"""A function that SQL may call: from arrays to Arrow, by element or by row."""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import Parameter, Signature
from typing import Any, Literal

import pyarrow as pa

from udfs.arrays import lists, one_thread

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
                answer = self.kernel(*(column.to_numpy(zero_copy_only=False) for column in columns))
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
