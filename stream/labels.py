"""The lane of labels: errors of the labelled predictions in the published warehouse.

A label is known late, and lands later still: a new build may bring rows whose `label_known_at` lies
before rows that were read. So the position is by fold: rows are read in the order of (fold_id,
label_known_at, source_id, partition_id, position), and a publication holds whole folds only.
Nothing is skipped, nothing comes twice, however often one looks. A row whose label was revised has
a new fold, and is read again as what it says now.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import pyarrow as pa

from stream.alarm import ERRORS, Stream
from stream.batch import Batch, Feed
from stream.outcome import errors

MART: Final = "fct_labelled_predictions"
CHUNK: Final = 100_000
KEY: Final = ("fold_id", "label_known_at", "source_id", "partition_id", "position")
KEY_OF_HISTORY: Final = KEY[1:]
_PREFIX: Final = "segment_"

Query = Callable[[str, Sequence[object]], pa.Table]


def read_labels(
    query: Query,
    position: Sequence[Any] | None,
    chunk: int = CHUNK,
    between: tuple[datetime, datetime] | None = None,
) -> Batch | None:
    """Return the next labelled predictions of a publication; None when all have been read.

    Parameters
    ----------
    query
        Asks the published copy.
    position
        Of the last row read, by `KEY`; None: from the first.
    chunk
        Rows at most.
    between
        Only labels known from the first on and before the second (UTC), in the order in which
        they were known, whatever build brought them; None: all, in the order of `KEY`.
    """
    known = query("select column_name from information_schema.columns where table_name = ?", [MART])
    names = set(known.column("column_name").to_pylist())
    if not names:
        return None
    segments = sorted(name for name in names if name.startswith(_PREFIX))
    asked = ["model_name", "model_version", "is_predicted_positive", "is_actual_positive"]
    columns = ", ".join([*asked, *KEY, *segments])
    key = KEY if between is None else KEY_OF_HISTORY
    tests, values = ["true"], list[object]()
    if between is not None:
        tests.append("label_known_at >= ? and label_known_at < ?")
        values += [moment.astimezone(UTC).replace(tzinfo=None) for moment in between]
    if position is not None:
        at = dict(zip(KEY, position, strict=True))
        marks = ", ".join("cast(? as timestamp)" if n == "label_known_at" else "?" for n in key)
        tests.append(f"{key[0]} >= {marks.split(', ')[0]} and row({', '.join(key)}) > row({marks})")
        values += [at[key[0]], *(at[name] for name in key)]
    rows = query(
        f"select {columns} from {MART} where {' and '.join(tests)}"
        f" order by {', '.join(key)} limit {int(chunk)}",
        values,
    )
    return batch_of(rows) if rows.num_rows else None


def batch_of(rows: pa.Table) -> Batch:
    """Return the errors of some labelled predictions as a batch.

    Parameters
    ----------
    rows
        In the order of `KEY`; the columns of `KEY`, model_name, model_version,
        is_predicted_positive, is_actual_positive, and segment_<name> as there are.
    """
    values = np.array(
        errors(rows.column("is_predicted_positive"), rows.column("is_actual_positive"))
    )
    segments = [name for name in rows.column_names if name.startswith(_PREFIX)]
    feeds = []
    for (name, version), members in _groups(rows, ["model_name", "model_version"]).items():
        whole = Stream(name, version, ERRORS)
        feeds.append(_feed(whole, values, members))
        for column in segments:
            for (value,), inside in _groups(rows, [column], members).items():
                if value is not None:
                    stream = whole._replace(
                        segment_name=column.removeprefix(_PREFIX), segment_value=value
                    )
                    feeds.append(_feed(stream, values, inside))
    keys = [rows.column(name) for name in KEY]

    def key(row: int) -> list[Any]:
        told = [column[row].as_py() for column in keys]
        return [item.isoformat() if hasattr(item, "isoformat") else item for item in told]

    moments = rows.column("label_known_at")
    return Batch(
        "labels",
        key(rows.num_rows - 1),
        rows.num_rows,
        feeds,
        lambda row: moments[row].as_py(),
        lambda row: "labels " + "/".join(str(item) for item in key(row)),
    )


def _feed(stream: Stream, values: Any, members: Any) -> Feed:
    return Feed(stream, values[members].tolist(), members)


def _groups(
    rows: pa.Table, names: Sequence[str], among: Any = None
) -> Mapping[tuple[Any, ...], Any]:
    """Return the row numbers of each combination of values, in order of value, rows in order."""
    codes = np.zeros(rows.num_rows, dtype=np.int64)
    dictionaries = []
    for name in names:
        encoded = rows.column(name).combine_chunks().dictionary_encode(null_encoding="encode")
        words = encoded.dictionary.to_pylist()
        dictionaries.append(words)
        codes = codes * len(words) + np.asarray(encoded.indices)
    members = np.arange(rows.num_rows) if among is None else among
    found: dict[tuple[Any, ...], Any] = {}
    for code in np.unique(codes[members]):
        inside = members[codes[members] == code]
        words, rest = [], int(code)
        for dictionary in reversed(dictionaries):
            rest, at = divmod(rest, len(dictionary))
            words.append(dictionary[at])
        found[tuple(reversed(words))] = inside
    return dict(sorted(found.items(), key=lambda item: str(item[0])))
