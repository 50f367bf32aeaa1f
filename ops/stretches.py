"""Stretches of days: compare any two in the published file, pin one as a baseline."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa

from ingest.errors import DriftnetError, InputError
from ingest.sealed import replace_text
from ops import warehouse
from ops.settings import Settings
from ops.target import Target

Query = Callable[[str, Sequence[object]], pa.Table]
Stretch = tuple[datetime, datetime]


def of_days(query: Query, model_name: str, first: datetime, until: datetime) -> Stretch:
    """Return the instants (UTC, without a zone) at which days of a model begin.

    Parameters
    ----------
    query
        Asks the published marts for the zone in which the model's days begin.
    first, until
        First day and the day after the last, in the model's zone.

    Raises
    ------
    InputError
        When the stretch is empty.
    """
    if until <= first:
        raise InputError(f"the stretch from {first:%Y-%m-%d} to {until:%Y-%m-%d} is empty")
    sql = "select window_timezone from dim_models where model_name = ? limit 1"
    found = query(sql, [model_name]).to_pylist()
    zone = ZoneInfo(found[0]["window_timezone"] if found else "UTC")
    return _utc(first, zone), _utc(until, zone)


def compare(
    query: Query,
    target: Target,
    *,
    reference: Stretch,
    current: Stretch,
    metric: str = "psi",
    segment: str | None = None,
) -> list[tuple[object, ...]]:
    """Compare two stretches by the macros that the published file carries.

    Returns
    -------
    list of tuple
        drift kind, feature, segment value, value, what chance gives, what would be found, p,
        design effect, reference rows, current rows; the largest values first.

    Raises
    ------
    InputError
        When there is no such metric.
    """
    name = "segment_drift_between(?, ?, ?, ?, ?)" if segment else "drift_between(?, ?, ?, ?)"
    values: list[object] = [*([segment] if segment else []), *reference, *current]
    rows = query(
        "select drift_kind, feature_name, segment_value, metric_name, metric_value,"
        " expected_value, min_detectable_value, p_value, design_effect, reference_count,"
        f" current_count from {name} where model_name = ? and model_version = ?"
        " order by metric_value desc nulls last, drift_kind, feature_name, segment_value",
        [*values, target.model_name, target.model_version],
    ).to_pylist()
    known = sorted({str(row["metric_name"]) for row in rows})
    if rows and metric not in known:
        raise InputError(f"no metric {metric!r}: choose from {', '.join(known)}")
    return [
        tuple(value for name, value in row.items() if name != "metric_name")
        for row in rows
        if row["metric_name"] == metric
    ]


def pin(
    settings: Settings,
    model_name: str,
    first: datetime,
    until: datetime,
    clock: Callable[[], datetime],
) -> Stretch:
    """Write which stretch of a model's traffic is its baseline, and return its instants (UTC)."""
    try:
        with warehouse.reader(settings) as query:
            stretch = of_days(query, model_name, first, until)
    except InputError:
        raise
    except DriftnetError:
        # Nothing is published yet: UTC is every model's zone unless dbt's vars say otherwise.
        stretch = of_days(lambda sql, values: pa.table({}), model_name, first, until)
    text = {
        "model_name": model_name,
        "baseline_from": stretch[0].isoformat(sep=" "),
        "baseline_until": stretch[1].isoformat(sep=" "),
        "pinned_at": clock().isoformat(),
    }
    path = _path(settings, model_name)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_text(path, json.dumps(text, indent=2) + "\n")
    return stretch


def clear(settings: Settings, model_name: str) -> bool:
    """Remove the baseline of a model; return whether there was one."""
    path = _path(settings, model_name)
    was = path.exists()
    path.unlink(missing_ok=True)
    return was


def _path(settings: Settings, model_name: str) -> Path:
    return settings.home / "baselines" / f"{model_name}.json"


def _utc(day: datetime, zone: ZoneInfo) -> datetime:
    return day.replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None)
