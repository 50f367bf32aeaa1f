"""Rows of the other suites (quality, pipeline, concept) as metric rows, and mutes.

A mart that a warehouse does not have yet has nothing to judge.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from reports import rows
from reports.rows import ALL, MetricRow, Query, Scope

QUALITY, PIPELINE, CONCEPT = "quality", "pipeline", "concept"


@dataclass(frozen=True)
class Mute:
    """What is known and shall not decide, from `dim_mutes`; '*' fits all; the time is UTC."""

    model_name: str
    drift_kind: str
    feature_name: str
    metric_name: str
    muted_until: datetime
    why: str

    def covers(self, scope: Scope, row: MetricRow) -> bool:
        """Return whether the mute speaks of a row of a model."""
        pairs = (
            (self.model_name, scope.model_name),
            (self.drift_kind, row.drift_kind),
            (self.feature_name, row.feature_name),
            (self.metric_name, row.metric_name),
        )
        fits = all(mine in ("*", theirs) for mine, theirs in pairs)
        return fits and row.window_start_at < self.muted_until


@dataclass(frozen=True)
class QualityRow:
    """One metric of the model's quality in one window, from `fct_quality_metrics`."""

    window_start_at: datetime
    window_end_at: datetime
    is_complete: bool
    segment_name: str
    segment_value: str
    metric_name: str
    basis: str
    metric_value: float | None
    lower_limit: float | None
    upper_limit: float | None
    warn_bound: float | None
    fail_bound: float | None
    is_higher_better: bool
    event_count: int
    labelled_count: int
    label_coverage: float | None
    is_mature: bool | None
    severity: int
    note: str | None


@dataclass(frozen=True)
class CheckRow:
    """One check of the pipeline or of the watch in one window; times are UTC.

    `is_low_bad` says that values under the bounds are out of bounds, not those over them.
    """

    window_start_at: datetime
    window_end_at: datetime
    check_name: str
    subject_name: str
    check_value: float | None
    warn_bound: float | None
    fail_bound: float | None
    is_low_bad: bool
    severity: int
    note: str | None


def mutes(query: Query) -> list[Mute]:
    """Return every mute."""
    if "dim_mutes" not in rows.tables(query):
        return []
    return rows.fetch(query, Mute, "dim_mutes", "true", [])


def muted(found: Iterable[MetricRow], known: Sequence[Mute], scope: Scope) -> list[MetricRow]:
    """Return the rows with the reason of the first mute that covers each."""
    return [
        replace(row, mute=next((mute.why for mute in known if mute.covers(scope, row)), ""))
        for row in found
    ]


def quality(query: Query, scope: Scope, start_at: datetime | None = None) -> list[QualityRow]:
    """Return the quality of the whole, by window, oldest first; of one window where one is named.

    Rows of the parts are left out here: see `quality_parts`.
    """
    return _quality(query, scope, start_at, f"segment_name = '{ALL}'")


def quality_parts(query: Query, scope: Scope, start_at: datetime) -> list[QualityRow]:
    """Return the quality of the parts in one window that are out of bounds, the worst first."""
    return _quality(query, scope, start_at, f"segment_name <> '{ALL}' and severity > 0")


def pipeline(query: Query, scope: Scope, start_at: datetime | None = None) -> list[CheckRow]:
    """Return the checks of the pipeline, by window; of one window where one is named.

    A week's checks speak of its days too: each is the worst that was found in the window.
    """
    return _checks(query, "fct_window_checks", "*", scope, start_at)


def concept(query: Query, scope: Scope, start_at: datetime | None = None) -> list[CheckRow]:
    """Return what the watch said, by window; of one window where one is named."""
    return _checks(query, "fct_concept_checks", "*, false as is_low_bad", scope, start_at)


def other_rows(query: Query, scope: Scope, start_at: datetime | None = None) -> list[MetricRow]:
    """Return the rows of the suites quality, concept and pipeline, by window; or of one window."""
    return [
        *(quality_metric(row) for row in quality(query, scope, start_at)),
        *(check_metric(CONCEPT, row) for row in concept(query, scope, start_at)),
        *(check_metric(PIPELINE, row) for row in pipeline(query, scope, start_at)),
    ]


def quality_metric(row: QualityRow) -> MetricRow:
    """Return a row of quality as a metric row: the feature is the metric, the metric its basis."""
    return _metric(
        row,
        QUALITY,
        row.metric_name,
        row.basis,
        row.metric_value,
        is_complete=row.is_complete,
        segment_name=row.segment_name,
        segment_value=row.segment_value,
        current_count=row.labelled_count if row.basis == "realised" else row.event_count,
        is_decision=bool(row.is_mature) or row.basis != "realised",
        is_higher_better=row.is_higher_better,
        lower_limit=row.lower_limit,
        upper_limit=row.upper_limit,
    )


def check_metric(suite: str, row: CheckRow) -> MetricRow:
    """Return a check as a metric row: the feature is its subject, or the check itself."""
    feature = row.subject_name or row.check_name
    return _metric(
        row, suite, feature, row.check_name, row.check_value, is_higher_better=row.is_low_bad
    )


def _metric(
    row: QualityRow | CheckRow,
    suite: str,
    feature_name: str,
    metric_name: str,
    value: float | None,
    **more: Any,
) -> MetricRow:
    # Severity tells whether the row counts: out of bounds and, where that is known, not by chance.
    known: dict[str, Any] = {
        "window_start_at": row.window_start_at,
        "window_end_at": row.window_end_at,
        "is_complete": True,
        "segment_name": ALL,
        "segment_value": ALL,
        "drift_kind": suite,
        "feature_name": feature_name,
        "metric_name": metric_name,
        "metric_value": value,
        "expected_value": None,
        "min_detectable_value": None,
        "p_value": None,
        "q_value": None,
        "design_effect": None,
        "has_design_effect": None,
        "warn_bound": row.warn_bound,
        "fail_bound": row.fail_bound,
        "is_decision": True,
        "is_significant": row.severity > 0,
        "is_breach": row.severity > 0,
        "severity": row.severity,
        "reference_count": 0,
        "current_count": 0,
        "reference_is_small": None,
        "note": row.note or "",
    }
    return MetricRow(**(known | more))


def _quality(
    query: Query, scope: Scope, start_at: datetime | None, condition: str
) -> list[QualityRow]:
    if "fct_quality_metrics" not in rows.tables(query):
        return []
    where, values = _where(scope, start_at)
    order = "order by window_start_at, severity desc, metric_name, basis desc"
    return rows.fetch(
        query, QualityRow, "fct_quality_metrics", f"{where} and {condition} {order}", values
    )


def _checks(
    query: Query, table: str, columns: str, scope: Scope, start_at: datetime | None
) -> list[CheckRow]:
    if table not in rows.tables(query):
        return []
    where, values = _where(scope, start_at)
    order = "order by window_start_at, severity desc, check_name, subject_name"
    selected = f"(select {columns} from {table})"
    return rows.fetch(query, CheckRow, selected, f"{where} {order}", values)


def _where(scope: Scope, start_at: datetime | None) -> tuple[str, list[object]]:
    where = "model_name = ? and model_version = ? and window_grain = ?"
    values: list[object] = [scope.model_name, scope.model_version, scope.window_grain]
    if start_at is not None:
        where, values = f"{where} and window_start_at = ?", [*values, start_at]
    return where, values
