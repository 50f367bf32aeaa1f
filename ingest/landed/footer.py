"""What the footer of a landed file says of a column, without reading its rows.

`pyarrow.parquet.FileMetaData.schema` is not asked for: it and its footer hold each other, so that
only a collection of all garbage frees them (60 kB a file). Python makes one when many objects are
new; a process that lands a file every few seconds made one in minutes, and grew until then.
"""

from pathlib import Path

import pyarrow.parquet as pq


def chunks(footer: pq.FileMetaData, name: str) -> list[pq.ColumnChunkMetaData]:
    """Return what is said of a column in each row group, in order."""
    groups = [footer.row_group(number) for number in range(footer.num_row_groups)]
    if not groups:
        return []
    names = [groups[0].column(place).path_in_schema for place in range(groups[0].num_columns)]
    place = names.index(name)
    return [group.column(place) for group in groups]


def count_errors(path: Path) -> int:
    """Return the bad rows of a landed file: the values of ``_error``."""
    found = chunks(pq.read_metadata(path), "_error")
    return sum(chunk.num_values - chunk.statistics.null_count for chunk in found)
