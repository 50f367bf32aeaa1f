"""Odd against even days of a month of a real source: no drift, yet rows of a day are alike."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from ingest.features import FEATURES, extract

Counts = npt.NDArray[np.int64]
Values = npt.NDArray[np.generic]
LEARNT_DAYS = 90
BINS = 10


@dataclass(frozen=True)
class Month:
    """A feature in a month of a source: counts by day and bin, of the days before it too."""

    source: str
    feature: str
    learnt: Counts
    odd: Counts
    even: Counts


def shared_stream() -> Path | None:
    """Return the shared stream of real rows, None where it is absent."""
    path = Path(__file__).resolve().parents[3] / "shared" / "data" / "url_stream_2019_2022.parquet"
    return path if path.exists() else None


def codes(learnt: Values, values: Values, kind: str) -> Counts:
    """Bin values by the rule of the bin specs, learnt on other rows."""
    if kind != "numeric":
        names, counts = np.unique(learnt, return_counts=True)
        kept = names[np.lexsort((names, -counts))][:50]
        place = np.searchsorted(np.sort(kept), values)
        found = np.sort(kept)[np.minimum(place, len(kept) - 1)] == values
        other = np.isin(values, names)
        return np.where(found, place, np.where(other, len(kept), len(kept) + 1))
    missing = np.isnan(values)
    learnt = learnt[~np.isnan(learnt)]
    names, counts = np.unique(learnt, return_counts=True)
    atoms = names[counts * BINS >= len(learnt)]
    rest = learnt[~np.isin(learnt, atoms)].astype(np.float64)
    steps = np.arange(1, BINS) / BINS
    edges = np.unique(np.quantile(rest, steps)) if len(rest) else np.array([])
    ranges = np.searchsorted(edges, values, side="left")
    place = np.minimum(np.searchsorted(atoms, values), max(len(atoms) - 1, 0))
    is_atom = atoms[place] == values if len(atoms) else np.zeros(len(values), dtype=bool)
    found_codes = np.where(is_atom, len(edges) + 1 + place, ranges)
    return np.where(missing, len(edges) + 1 + len(atoms), found_codes)


def by_day(found: Counts, days: Counts, bins: int) -> Counts:
    """Count codes by day: shape (days, bins)."""
    numbers, place = np.unique(days, return_inverse=True)
    cells: Counts = np.zeros((len(numbers), bins), dtype=np.int64)
    np.add.at(cells, (place, found), 1)
    return cells


def features_of(stream: Path) -> tuple[dict[str, Any], dict[str, tuple[str, Any]]]:
    """Return source, day (since 1970) and month of each row, and kind and values by feature."""
    rows = duckdb.execute(
        "select source, url, epoch(ts_utc)::bigint // 86400 as day,"
        " year(ts_utc) * 12 + month(ts_utc) as month from read_parquet(?)",
        [str(stream)],
    ).fetchnumpy()
    features = [extract(url) for url in rows["url"]]
    columns: dict[str, tuple[str, Any]] = {
        feature.name: (
            feature.kind,
            np.array(
                [row[feature.name] for row in features],
                dtype=np.float64 if feature.kind == "numeric" else np.str_,
            ),
        )
        for feature in FEATURES
    }
    return rows, columns


def months(stream: Path) -> Iterator[Month]:
    """Give every feature of every month of a source that has enough days, and days before it."""
    rows, columns = features_of(stream)
    for source in np.unique(rows["source"]):
        for month in np.unique(rows["month"][rows["source"] == source]):
            now = (rows["source"] == source) & (rows["month"] == month)
            first = rows["day"][now].min()
            before = (
                (rows["source"] == source)
                & (rows["day"] < first)
                & (rows["day"] >= first - LEARNT_DAYS)
            )
            days = np.unique(rows["day"][now])
            if now.sum() < 300 or len(days) < 15 or len(np.unique(rows["day"][before])) < 20:
                continue
            for name, (kind, values) in columns.items():
                both = codes(values[before], np.r_[values[before], values[now]], kind)
                learnt, current = both[: before.sum()], both[before.sum() :]
                bins = int(both.max()) + 1
                by = by_day(current, rows["day"][now], bins)
                yield Month(
                    str(source),
                    name,
                    by_day(learnt, rows["day"][before], bins),
                    by[::2],
                    by[1::2],
                )
