"""The table of the drift bench."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.bench._columns import CATEGORIES, NUMBERS

LEVELS = (2, 5, 20, 100, 1_000, 5_000)
CHUNK = 500_000
DAYS = 30


def write(path: Path, rows: int, seed: int, shift: float) -> None:
    """Write a file of `rows` rows; `shift` moves every third numeric column."""
    rng = np.random.default_rng(seed)
    part = path.with_suffix(".part")
    writer: pq.ParquetWriter | None = None
    for begin in range(0, rows, CHUNK):
        chunk = _chunk(rng, min(CHUNK, rows - begin), shift)
        if writer is None:
            writer = pq.ParquetWriter(part, chunk.schema)
        writer.write_table(chunk)
    if writer is not None:
        writer.close()
    part.rename(path)


def _chunk(rng: np.random.Generator, count: int, shift: float) -> pa.Table:
    columns: dict[str, pa.Array] = {"day": pa.array(rng.integers(0, DAYS, count, dtype=np.int32))}
    for index, name in enumerate(NUMBERS):
        moved = shift if index % 3 == 0 else 0.0
        kind = index % 6
        if kind == 0:
            values = rng.normal(moved, 1, count)
        elif kind == 1:
            values = rng.lognormal(moved, 1, count)
        elif kind == 2:
            values = rng.standard_t(2, count) + moved
        elif kind == 3:
            values = rng.poisson(3 + moved, count).astype(np.float64)
        elif kind == 4:
            values = np.where(rng.random(count) < 0.4, 0.0, rng.exponential(1 + moved, count))
        else:
            values = rng.normal(moved, 1, count)
        empty = rng.random(count) < 0.03 if kind == 5 else None
        columns[name] = pa.array(values, mask=empty)
    for name, levels in zip(CATEGORIES, LEVELS, strict=True):
        shares = 1 / np.arange(1, levels + 1)
        codes = rng.choice(levels, count, p=shares / shares.sum()).astype(np.int32)
        if levels == 5_000 and shift:
            codes[rng.random(count) < 0.02] += levels
        words = pa.array([f"v{code}" for code in range(2 * levels)])
        columns[name] = words.take(pa.array(codes))
    return pa.table(columns)
