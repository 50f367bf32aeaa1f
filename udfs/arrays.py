"""Arrow columns as NumPy arrays, one array for each row, without a loop over elements."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Floats = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.floating[Any]]
Blocks = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Lists:
    """A list column: row `i` is ``values[offsets[i]:offsets[i + 1]]``; a NULL list has no row.

    Parameters
    ----------
    values : array of shape (elements,)
        The elements of all rows; NULL elements of floats are NaN.
    offsets : array of shape (rows + 1,)
        Where each row begins.
    is_null : array of shape (rows,)
        Whether the list itself is NULL.
    """

    values: npt.NDArray[Any]
    offsets: npt.NDArray[np.int64]
    is_null: npt.NDArray[np.bool_]

    def at(self, row: int) -> npt.NDArray[Any] | None:
        """Return the elements of a row, None where the list is NULL."""
        if self.is_null[row]:
            return None
        return self.values[self.offsets[row] : self.offsets[row + 1]]


@dataclass(frozen=True)
class ListsOfLists:
    """A column of lists of lists: row `i` is a matrix, NaN where an inner list is NULL or odd.

    Parameters
    ----------
    outer
        Which inner lists are of which row; its values number the inner lists.
    inner
        The inner lists of all rows.
    """

    outer: Lists
    inner: Lists

    def at(self, row: int) -> Matrix | None:
        """Return the inner lists of a row as a matrix, None where the outer list is NULL.

        The width is the most frequent length; an inner list that is NULL or of another length
        is a row of NaN.
        """
        members = self.outer.at(row)
        if members is None:
            return None
        if not len(members):
            return np.empty((0, 0))
        first, last = int(members[0]), int(members[-1]) + 1
        lengths = np.diff(self.inner.offsets[first : last + 1])
        known = ~self.inner.is_null[first:last]
        width = int(np.bincount(lengths[known]).argmax()) if known.any() else 0
        whole = known & (lengths == width)
        if not width:
            return np.empty((last - first, 0))
        values = self.inner.values[self.inner.offsets[first] : self.inner.offsets[last]]
        if whole.all():
            return values.reshape(-1, width)
        matrix = np.full((last - first, width), np.nan, dtype=values.dtype)
        matrix[whole] = values[np.repeat(whole, lengths)].reshape(-1, width)
        return matrix


def lists(column: pa.Array | pa.ChunkedArray) -> Lists | ListsOfLists:
    """Return a list column, or a column of lists of lists, as arrays.

    Examples
    --------
    >>> lists(pa.array([[1.0, None], None, []])).at(0)
    array([ 1., nan])
    >>> lists(pa.array([[[1.0, 2.0], None]])).at(0)
    array([[ 1.,  2.],
           [nan, nan]])
    """
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    # a NULL list may hold elements behind its back: the offsets say which are its own
    offsets = column.offsets.to_numpy().astype(np.int64)
    is_null = column.is_null().to_numpy(zero_copy_only=False)
    if pa.types.is_list(column.type.value_type) or pa.types.is_large_list(column.type.value_type):
        numbers = np.arange(len(column.values))
        inner = lists(column.values)
        assert isinstance(inner, Lists)  # noqa: S101  (two levels at most)
        return ListsOfLists(Lists(numbers, offsets, is_null), inner)
    return Lists(column.values.to_numpy(zero_copy_only=False), offsets, is_null)


def whole_rows(matrix: Matrix, *more: Blocks | None) -> tuple[Any, ...]:
    """Return the rows without NaN or infinite cell, the same rows of `more`, and how many fell.

    Where `more` is not told for every row, no row is whole.
    """
    if any(other is not None and len(other) != len(matrix) for other in more):
        return (matrix[:0], *(None for _ in more), len(matrix))
    kept = np.isfinite(matrix).all(axis=1)
    if kept.all():
        return (matrix, *more, 0)
    rest = tuple(None if other is None else other[kept] for other in more)
    return (matrix[kept], *rest, int((~kept).sum()))


def one_thread() -> AbstractContextManager[object]:
    """Keep matrix products on the thread that SQL calls from; theirs would fight with its own.

    On a busy machine that is twenty times faster. It needs threadpoolctl, which comes with the
    extra `model`; without it set OPENBLAS_NUM_THREADS=1.
    """
    try:
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
    except ImportError:
        return nullcontext()
    limited: AbstractContextManager[object] = threadpool_limits(limits=1, user_api="blas")
    return limited
