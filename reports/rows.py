"""What the readers ask of the marts of drift, as typed rows. SQL stands here and in `checks`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from datetime import datetime
from typing import Any, TypeVar

import pyarrow as pa

Query = Callable[[str, Sequence[object]], pa.Table]

TRAINING = "training"
ALL = "all"

Row = TypeVar("Row")


@dataclass(frozen=True)
class ModelRow:
    """A model version, from `dim_models`; times are UTC."""

    model_name: str
    model_version: str
    kind: str
    threshold: float | None
    reference_from: datetime | None
    reference_until: datetime | None
    reference_count: int | None
    feature_count: int | None
    window_timezone: str


@dataclass(frozen=True)
class FeatureRow:
    """What a feature is, from `dim_features`."""

    drift_kind: str
    feature_name: str
    feature_kind: str
    unit: str | None
    description: str | None


@dataclass(frozen=True)
class MetricRow:
    """One metric of one feature in one window, from `fct_drift_metrics`; times are UTC."""

    window_start_at: datetime
    window_end_at: datetime
    is_complete: bool
    segment_name: str
    segment_value: str
    drift_kind: str
    feature_name: str
    metric_name: str
    metric_value: float | None
    expected_value: float | None
    min_detectable_value: float | None
    p_value: float | None
    q_value: float | None
    design_effect: float | None
    has_design_effect: bool | None
    warn_bound: float | None
    fail_bound: float | None
    is_decision: bool
    is_significant: bool | None
    is_breach: bool | None
    severity: int
    reference_count: int
    current_count: int
    reference_is_small: bool | None
    is_higher_better: bool = False
    lower_limit: float | None = None
    upper_limit: float | None = None
    note: str = ""
    mute: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether the row speaks of all events, not of a segment."""
        return self.segment_name == ALL

    @property
    def side(self) -> str:
        """On which side of its bounds a value is out of bounds, in a word."""
        return "under" if self.is_higher_better else "over"

    @property
    def bound(self) -> float | None:
        """The bound that was crossed: fail's at severity 2, else warn's."""
        return self.fail_bound if self.severity > 1 else self.warn_bound


@dataclass(frozen=True)
class BinRow:
    """One bin of one feature in one window, from `fct_drift_bins`; shares in 0..1."""

    drift_kind: str
    feature_name: str
    bin_index: int
    bin_label: str
    bin_kind: str
    reference_count: int
    current_count: int
    reference_share: float | None
    current_share: float | None
    psi_part: float | None


@dataclass(frozen=True)
class Scope:
    """Which model version, at which grain, against which reference."""

    model_name: str
    model_version: str
    window_grain: str
    reference_kind: str = TRAINING


@dataclass(frozen=True)
class FeedRow:
    """How fresh the events of a model are, from `dim_feeds`; times are UTC."""

    newest_event_at: datetime
    as_of: datetime
    is_stale: bool


def feed(query: Query, scope: Scope) -> FeedRow | None:
    """Return how fresh the model's events are, None where that is not known."""
    if "dim_feeds" not in tables(query):
        return None
    found = fetch(query, FeedRow, "dim_feeds", "model_name = ?", [scope.model_name])
    return found[0] if found else None


def model(query: Query, scope: Scope) -> ModelRow | None:
    """Return the model version's row, or None where the warehouse does not know it."""
    found = fetch(query, ModelRow, "dim_models", _MODEL, [scope.model_name, scope.model_version])
    return found[0] if found else None


def features(query: Query, scope: Scope) -> list[FeatureRow]:
    """Return the features of a model version, in the order of their names."""
    where = f"{_MODEL} order by drift_kind, feature_name"
    return fetch(query, FeatureRow, "dim_features", where, [scope.model_name, scope.model_version])


def metrics(query: Query, scope: Scope, window_start_at: datetime) -> list[MetricRow]:
    """Return every metric row of the whole (segment all) in one window."""
    where = f"{_SCOPE} and window_start_at = ? order by drift_kind, feature_name, metric_name"
    values = [*_scope_values(scope), window_start_at]
    return fetch(query, MetricRow, "fct_drift_metrics", where, values)


def decisions(query: Query, scope: Scope) -> list[MetricRow]:
    """Return the decision rows of every window, oldest first: the history that the page draws."""
    where = f"{_SCOPE} and is_decision order by window_start_at, drift_kind, feature_name"
    return fetch(query, MetricRow, "fct_drift_metrics", where, _scope_values(scope))


def segments(query: Query, scope: Scope, window_start_at: datetime) -> list[MetricRow]:
    """Return the decision rows of every part of the whole in one window, the worst first."""
    where = (
        f"{_PARTS} and is_decision and window_start_at = ?"
        " order by severity desc, metric_value desc, drift_kind, feature_name, segment_value"
    )
    values = [*_scope_values(scope), window_start_at]
    return fetch(query, MetricRow, "fct_drift_metrics", where, values)


def bins(query: Query, scope: Scope, window_start_at: datetime) -> list[BinRow]:
    """Return every bin of the whole (segment all) in one window."""
    where = f"{_SCOPE} and window_start_at = ? order by drift_kind, feature_name, bin_index"
    return fetch(query, BinRow, "fct_drift_bins", where, [*_scope_values(scope), window_start_at])


def newest_complete_window(query: Query, scope: Scope) -> datetime | None:
    """Return the start of the newest judged window that is complete, or None."""
    return _newest(query, "fct_drift_metrics", f"{_SCOPE} and is_complete", _scope_values(scope))


def newest_incomplete_window(query: Query, scope: Scope) -> datetime | None:
    """Return the start of the newest window that has rows and is not complete, or None."""
    where = f"{_SCOPE} and not is_complete"
    return _newest(query, "fct_drift_metrics", where, _scope_values(scope))


def event_counts(query: Query, scope: Scope) -> Mapping[datetime, int]:
    """Return how many events each window holds, oldest first, judged or not.

    Every feature's bins count every event, so the largest feature sum is the window's count.
    """
    table = query(
        f"""
        with of_feature as (
            select window_start_at, sum(event_count) as event_count
            from fct_histogram_bins
            where {_MODEL} and window_grain = ?
                and segment_name = '{ALL}' and segment_value = '{ALL}'
            group by window_start_at, drift_kind, feature_name
        )
        select window_start_at, cast(max(event_count) as bigint) as event_count
        from of_feature
        group by window_start_at
        order by window_start_at
        """,
        [scope.model_name, scope.model_version, scope.window_grain],
    )
    return {row["window_start_at"]: row["event_count"] for row in table.to_pylist()}


_MODEL = "model_name = ? and model_version = ?"
_COMPARED = f"{_MODEL} and window_grain = ? and reference_kind = ?"
_SCOPE = f"{_COMPARED} and segment_name = '{ALL}' and segment_value = '{ALL}'"
_PARTS = f"{_COMPARED} and segment_name <> '{ALL}'"


def _scope_values(scope: Scope) -> list[object]:
    return [scope.model_name, scope.model_version, scope.window_grain, scope.reference_kind]


def _newest(query: Query, table: str, where: str, values: Sequence[object]) -> datetime | None:
    answer = query(f"select max(window_start_at) as newest from {table} where {where}", values)
    newest: datetime | None = answer.to_pylist()[0]["newest"]
    return newest


def tables(query: Query) -> frozenset[str]:
    """Return the names of the marts that there are."""
    asked = query("select table_name from information_schema.tables", [])
    return frozenset(asked["table_name"].to_pylist())


def fetch(
    query: Query, kind: type[Row], table: str, where: str, values: Sequence[object]
) -> list[Row]:
    """Select the columns that `kind` names and has no default for, one value of `kind` per row."""
    known = fields(kind)  # type: ignore[arg-type]
    names = [column.name for column in known if column.default is MISSING]
    answer = query(f"select {', '.join(names)} from {table} where {where}", values)
    found: list[dict[str, Any]] = answer.to_pylist()
    return [kind(**row) for row in found]
