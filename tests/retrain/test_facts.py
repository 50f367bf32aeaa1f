"""What counts as a sign, on tables that can be read at a glance."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from ingest.card import Card
from retrain.facts import gather, last_try
from retrain.policy import Facts, Policy
from retrain.record import decisions, record

UNTIL = datetime(2024, 1, 1, tzinfo=UTC)
CARD = Card(
    "m", "2", "trained", UNTIL, 0.5, trained_until=UNTIL, metrics={"roc_auc": 0.95}, history={}
)
AS_OF = datetime(2024, 2, 5)  # a Monday
DAY = timedelta(days=1)

Gather = Callable[..., Facts]


@pytest.fixture
def tables() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("""
        create table fct_drift_metrics (model_name text, model_version text, window_grain text,
            window_start_at timestamp, window_end_at timestamp, is_complete boolean,
            is_decision boolean, severity int, reference_kind text, segment_name text);
        create table fct_quality_metrics (model_name text, model_version text, window_grain text,
            window_start_at timestamp, window_end_at timestamp, is_complete boolean,
            is_breach boolean, basis text, segment_name text, metric_name text, warn_bound double,
            is_mature boolean, upper_limit double);
        create table fct_timeline (room text, kind text, model_name text, model_version text,
            happened_at timestamp);
        create table fct_labelled_predictions (model_name text, label_known_at timestamp);
    """)
    return connection


def found(tables: duckdb.DuckDBPyConnection, landing: Path) -> Facts:
    def query(sql: str, values: Sequence[object]) -> pa.Table:
        return tables.sql(sql, params=list(values)).to_arrow_table()

    return gather(
        query, landing, CARD, AS_OF, "week", Policy(quality_loss=0.02, sign_days=28), lateness=DAY
    )


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        ({}, True),
        ({"severity": 1}, False),
        ({"is_complete": False}, False),
        ({"is_decision": False}, False),
        ({"model_version": "1"}, False),
        ({"reference_kind": "previous"}, False),
        ({"segment_name": "channel"}, False),
        ({"window_start_at": datetime(2023, 12, 25)}, False),
        ({"window_start_at": datetime(2024, 1, 5)}, False),  # too long ago
        ({"window_end_at": AS_OF}, False),  # over, but not yet for so long as events may be late
    ],
    ids=str,
)
def test_a_window_at_fail_of_the_champion_is_a_sign(
    tables: duckdb.DuckDBPyConnection, tmp_path: Path, change: dict[str, object], counts: bool
) -> None:
    row: dict[str, object] = {
        "model_name": "m",
        "model_version": "2",
        "window_grain": "week",
        "window_start_at": datetime(2024, 1, 22),
        "window_end_at": datetime(2024, 1, 29),
        "is_complete": True,
        "is_decision": True,
        "severity": 2,
        "reference_kind": "training",
        "segment_name": "all",
    } | change
    for _ in range(2):  # two features of one window are one window
        tables.execute(
            "insert into fct_drift_metrics by name select"
            f" {', '.join(f'${name} as {name}' for name in row)}",
            row,
        )
    assert found(tables, tmp_path).failing_windows == counts


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        ({"is_breach": True, "warn_bound": 0.94}, True),
        ({"upper_limit": 0.92}, True),
        ({"upper_limit": 0.94}, False),
        ({"upper_limit": 0.92, "warn_bound": 0.90}, False),
        ({"upper_limit": 0.92, "is_mature": False}, False),
        ({"upper_limit": 0.92, "metric_name": "recall"}, False),
        ({"upper_limit": 0.92, "basis": "estimated"}, False),
        ({"is_breach": True, "basis": "estimated"}, False),
    ],
    ids=str,
)
def test_a_loss_of_quality_is_a_sign_with_or_without_a_learnt_bound(
    tables: duckdb.DuckDBPyConnection, tmp_path: Path, change: dict[str, object], counts: bool
) -> None:
    row: dict[str, object] = {
        "model_name": "m",
        "model_version": "2",
        "window_grain": "week",
        "window_start_at": datetime(2024, 1, 22),
        "window_end_at": datetime(2024, 1, 29),
        "is_complete": True,
        "is_breach": False,
        "basis": "realised",
        "segment_name": "all",
        "metric_name": "roc_auc",
        "warn_bound": None,
        "is_mature": True,
        "upper_limit": 0.95,
    } | change
    tables.execute(
        "insert into fct_quality_metrics by name select"
        f" {', '.join(f'${name} as {name}' for name in row)}",
        row,
    )
    assert found(tables, tmp_path).quality_breaches == counts


def test_alarms_of_the_watch_on_the_champion_and_labels_since_are_counted(
    tables: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    at = datetime(2024, 1, 20)
    tables.executemany(
        "insert into fct_timeline values (?, ?, ?, ?, ?)",
        [
            ("stream", "alarm", "m", "2", at),
            ("stream", "advice", "m", "2", at),
            ("stream", "alarm", "m", "1", at),
            ("stream", "alarm", "m", "2", AS_OF + DAY),
            ("stream", "alarm", "m", "2", datetime(2024, 1, 5)),
            ("reports", "alarm", "m", "2", at),
        ],
    )
    tables.executemany(
        "insert into fct_labelled_predictions values (?, ?)",
        [("m", at), ("m", at), ("m", AS_OF + DAY), ("other", at), ("m", datetime(2023, 1, 1))],
    )
    facts = found(tables, tmp_path)
    assert (facts.alarms, facts.new_labels) == (1, 2)
    assert facts.last_try_at is None


def test_tries_and_rollbacks_rest_and_waiting_does_not(tmp_path: Path) -> None:
    days = [datetime(2024, 1, day) for day in (8, 9, 10)]
    for day, kind in zip(days, ("rolled_back", "waiting", "waiting"), strict=True):
        for _ in range(2):
            record(tmp_path, CARD, kind, day, ["a reason"])
    assert last_try(tmp_path, "m", AS_OF) == days[0]
    assert last_try(tmp_path, "m", days[0] - DAY) is None
    assert last_try(tmp_path, "other", AS_OF) is None
    # a rollback is told each time, that nothing was due once for each state of the labels
    told = [item.kind for item in decisions(tmp_path, "m", "2")]
    assert told == ["rolled_back", "rolled_back", "waiting", "waiting"]
    assert decisions(tmp_path, "m", "1") == []
