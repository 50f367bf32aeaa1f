"""Marts of the other suites, mutes and incidents, added to a copy of the small marts."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from .conftest import FIRST, WEEK, Marts, query_on

KEY = {
    "model_name": "steady",
    "model_version": "1",
    "window_grain": "week",
    "window_start_at": FIRST + 11 * WEEK,
    "window_end_at": FIRST + 12 * WEEK,
}
TABLES = {
    "dim_mutes": """model_name varchar, drift_kind varchar, feature_name varchar,
        metric_name varchar, why varchar, muted_until timestamp""",
    "dim_feeds": """model_name varchar, is_stale boolean, newest_event_at timestamp,
        as_of timestamp""",
    "fct_quality_metrics": """model_name varchar, model_version varchar, window_grain varchar,
        window_start_at timestamp, window_end_at timestamp, is_complete boolean,
        segment_name varchar, segment_value varchar, metric_name varchar, basis varchar,
        metric_value double, lower_limit double, upper_limit double, warn_bound double,
        fail_bound double, is_higher_better boolean, event_count bigint, labelled_count bigint,
        positive_count bigint, label_coverage double, is_mature boolean, is_breach boolean,
        severity integer, note varchar, computed_at timestamp""",
    "fct_window_checks": """model_name varchar, model_version varchar, window_grain varchar,
        window_start_at timestamp, window_end_at timestamp, check_name varchar,
        subject_name varchar, check_value double, event_count bigint, is_low_bad boolean,
        warn_bound double, fail_bound double, severity integer, is_lasting boolean, note varchar,
        measured_at timestamp, computed_at timestamp""",
    "fct_concept_checks": """model_name varchar, model_version varchar, window_grain varchar,
        window_start_at timestamp, window_end_at timestamp, is_complete boolean,
        check_name varchar, subject_name varchar, check_value double, warn_bound double,
        fail_bound double, severity integer, first_happened_at timestamp,
        first_happening_id varchar, note varchar, computed_at timestamp""",
    "fct_timeline": """happening_id uuid, room varchar, kind varchar, model_name varchar,
        model_version varchar, subject_name varchar, severity integer, summary varchar,
        detail varchar, source_position varchar, happened_at timestamp""",
    "fct_incidents": """incident_id varchar, previous_incident_id varchar, model_name varchar,
        model_version varchar, window_grain varchar, drift_kind varchar, feature_name varchar,
        metric_name varchar, status varchar, metric_value double, expected_value double,
        warn_bound double, fail_bound double, q_value double, is_low_bad boolean, severity integer,
        worst_severity integer, worst_value double, window_count bigint,
        first_happening_id varchar, is_open boolean, is_muted boolean,
        opened_window_start_at timestamp, last_window_start_at timestamp,
        last_window_end_at timestamp, worst_window_start_at timestamp, opened_at timestamp,
        worsened_at timestamp, resolved_at timestamp, alert_until_at timestamp""",
}


def with_tables(
    marts: Marts, folder: Path, tables: Mapping[str, Sequence[Mapping[str, Any]]]
) -> Marts:
    """Return a copy of the marts with these rows in further tables."""
    path = folder / "more.duckdb"
    shutil.copy(marts.path, path)
    with duckdb.connect(str(path)) as connection:
        for name, rows in tables.items():
            if name in TABLES:
                connection.execute(f"create table {name} ({TABLES[name]})")
            if rows:
                connection.register("rows", pa.Table.from_pylist([dict(row) for row in rows]))
                connection.execute(f"insert into {name} by name select * from rows")
                connection.unregister("rows")
    return Marts(path, query_on(path), marts.models)


def quality(**more: Any) -> dict[str, Any]:
    """A mature row of quality that is in order."""
    return (
        KEY
        | {
            "is_complete": True,
            "segment_name": "all",
            "segment_value": "all",
            "metric_name": "roc_auc",
            "basis": "realised",
            "metric_value": 0.93,
            "lower_limit": 0.91,
            "upper_limit": 0.95,
            "warn_bound": 0.88,
            "fail_bound": 0.84,
            "is_higher_better": True,
            "event_count": 4000,
            "labelled_count": 3600,
            "positive_count": 900,
            "label_coverage": 0.9,
            "is_mature": True,
            "is_breach": False,
            "severity": 0,
            "note": "",
        }
        | more
    )


def check(**more: Any) -> dict[str, Any]:
    """A check of the pipeline that is in order."""
    return (
        KEY
        | {
            "check_name": "dead_letters",
            "subject_name": "",
            "check_value": 0.001,
            "is_low_bad": False,
            "warn_bound": 0.01,
            "fail_bound": 0.05,
            "severity": 0,
            "note": "share of messages that could not be read",
        }
        | more
    )


def alarms(**more: Any) -> dict[str, Any]:
    """A count of alarms that is in order."""
    return (
        KEY
        | {
            "is_complete": True,
            "check_name": "alarms",
            "subject_name": "errors",
            "check_value": 0.0,
            "warn_bound": None,
            "fail_bound": 0.0,
            "severity": 0,
            "note": "",
        }
        | more
    )


def incident(**more: Any) -> dict[str, Any]:
    """An incident of `drifting` that has just opened."""
    return {
        "incident_id": "one",
        "previous_incident_id": None,
        "model_name": "drifting",
        "model_version": "2",
        "window_grain": "week",
        "drift_kind": "covariate",
        "feature_name": "public_suffix",
        "metric_name": "psi",
        "status": "opened",
        "metric_value": 0.967,
        "expected_value": 0.002,
        "warn_bound": 0.102,
        "fail_bound": 0.255,
        "q_value": 1e-9,
        "is_low_bad": False,
        "severity": 2,
        "worst_severity": 2,
        "worst_value": 0.967,
        "window_count": 1,
        "first_happening_id": None,
        "is_open": True,
        "is_muted": False,
        "opened_window_start_at": FIRST + 11 * WEEK,
        "last_window_start_at": FIRST + 11 * WEEK,
        "last_window_end_at": FIRST + 12 * WEEK,
        "worst_window_start_at": FIRST + 11 * WEEK,
        "opened_at": FIRST + 12 * WEEK,
        "worsened_at": None,
        "resolved_at": None,
        "alert_until_at": FIRST + 14 * WEEK,
    } | more
