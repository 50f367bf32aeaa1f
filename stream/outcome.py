"""What the watch counts: an error is 1, a right decision is 0. Written here and nowhere else."""

import pyarrow as pa
import pyarrow.compute as pc

ERROR = 1.0
RIGHT = 0.0


def errors(predicted: pa.ChunkedArray, actual: pa.ChunkedArray) -> list[float]:
    """Return for each decision whether it was wrong.

    Parameters
    ----------
    predicted, actual
        Booleans without NULL: what was decided, what was true.

    Examples
    --------
    >>> yes, no = pa.chunked_array([[True, False]]), pa.chunked_array([[True, True]])
    >>> errors(yes, no)
    [0.0, 1.0]
    """
    wrong = pc.if_else(pc.not_equal(predicted, actual), ERROR, RIGHT)
    return list(wrong.to_pylist())
