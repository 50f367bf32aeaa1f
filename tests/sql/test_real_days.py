"""Odd against even days of a month of a real source: no drift, yet rows of a day are alike."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pytest

from ingest.features import FEATURES, extract

Counts = npt.NDArray[np.int64]
Values = npt.NDArray[np.generic]
Result = dict[str, npt.NDArray[np.float64]]
LEARNT_DAYS = 90
BINS = 10


def _codes(learnt: Values, values: Values, kind: str) -> Counts:
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
    codes = np.where(is_atom, len(edges) + 1 + place, ranges)
    return np.where(missing, len(edges) + 1 + len(atoms), codes)


def _by_day(codes: Counts, days: Counts, bins: int) -> Counts:
    """Count codes by day: shape (days, bins)."""
    numbers, place = np.unique(days, return_inverse=True)
    cells: Counts = np.zeros((len(numbers), bins), dtype=np.int64)
    np.add.at(cells, (place, codes), 1)
    return cells


@pytest.mark.slow
def test_at_most_a_tenth_of_the_features_alarm_and_half_of_them_without_the_design_effect(
    shared_data: Path, compare: Callable[..., Result]
) -> None:
    rows = duckdb.execute(
        "select source, url, epoch(ts_utc)::bigint // 86400 as day,"
        " year(ts_utc) * 12 + month(ts_utc) as month from read_parquet(?)",
        [str(shared_data / "url_stream_2019_2022.parquet")],
    ).fetchnumpy()
    features = [extract(url) for url in rows["url"]]
    columns = {
        feature.name: np.array(
            [row[feature.name] for row in features],
            dtype=np.float64 if feature.kind == "numeric" else np.str_,
        )
        for feature in FEATURES
    }
    cases: list[tuple[Counts, Counts]] = []
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
            for feature in FEATURES:
                values = columns[feature.name]
                both = _codes(values[before], np.r_[values[before], values[now]], feature.kind)
                learnt, current = both[: before.sum()], both[before.sum() :]
                bins = int(both.max()) + 1
                cases.append(
                    (
                        _by_day(learnt, rows["day"][before], bins),
                        _by_day(current, rows["day"][now], bins),
                    )
                )
    bins = max(current.shape[1] for _, current in cases)
    day_count = max(max(len(learnt), len(current)) for learnt, current in cases)
    learnt = np.zeros((len(cases), day_count, bins), dtype=np.int64)
    odd, even = (np.zeros((len(cases), day_count, bins), dtype=np.int64) for _ in range(2))
    for number, (before_days, days) in enumerate(cases):
        learnt[number, : len(before_days), : before_days.shape[1]] = before_days
        odd[number, : len(days[::2]), : days.shape[1]] = days[::2]
        even[number, : len(days[1::2]), : days.shape[1]] = days[1::2]
    result = compare(
        odd.sum(axis=1),
        even.sum(axis=1),
        reference_days=learnt,
        reference_day_sizes=odd.sum(axis=2),
        current_day_sizes=even.sum(axis=2),
    )
    tested = ~np.isnan(result["p_value"])
    alarms = np.mean(result["p_value"][tested] < 0.05)
    naive = np.mean(result["independent_p_value"][tested] < 0.05)
    print(f"{tested.sum()} feature-months: {alarms:.1%} alarms, {naive:.1%} without design effect")
    assert tested.sum() > 500
    assert alarms <= 0.10
    assert naive > 3 * alarms
