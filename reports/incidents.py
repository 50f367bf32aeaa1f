"""Incidents as rows, and what has changed in them: opened, reopened, worsened, resolved."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from reports import rows
from reports.rows import Query

ChangeKind = Literal["opened", "reopened", "worsened", "resolved"]


@dataclass(frozen=True)
class IncidentRow:
    """One incident, from `fct_incidents`; times are UTC."""

    incident_id: str
    previous_incident_id: str | None
    model_name: str
    model_version: str
    window_grain: str
    drift_kind: str
    feature_name: str
    metric_name: str
    status: str
    metric_value: float | None
    expected_value: float | None
    warn_bound: float | None
    fail_bound: float | None
    q_value: float | None
    is_low_bad: bool
    severity: int
    worst_severity: int
    window_count: int
    first_happening_id: str | None
    is_open: bool
    is_muted: bool
    opened_window_start_at: datetime
    last_window_start_at: datetime
    opened_at: datetime
    worsened_at: datetime | None
    resolved_at: datetime | None
    alert_until_at: datetime

    @property
    def bound(self) -> float | None:
        """The bound that was crossed: fail's at severity 2, else warn's."""
        return self.fail_bound if self.severity > 1 else self.warn_bound


@dataclass(frozen=True)
class Change:
    """One change of an incident, known when its window ended (`known_at`, UTC)."""

    incident: IncidentRow
    kind: ChangeKind
    known_at: datetime

    @property
    def change_id(self) -> str:
        """Names the change for ever: an incident opens, worsens and resolves once."""
        return f"{self.incident.incident_id}:{self.kind}"


def incidents(query: Query, model_name: str | None = None) -> list[IncidentRow]:
    """Return the incidents of one model or of all, the oldest first."""
    if "fct_incidents" not in rows.tables(query):
        return []
    where = "true" if model_name is None else "model_name = ?"
    values = [] if model_name is None else [model_name]
    order = "order by opened_at, model_name, drift_kind, feature_name"
    return rows.fetch(query, IncidentRow, "fct_incidents", f"{where} {order}", values)


def changes(found: Iterable[IncidentRow]) -> list[Change]:
    """Return every change of the incidents, in order of time."""
    made = []
    for incident in found:
        first: ChangeKind = "reopened" if incident.previous_incident_id else "opened"
        made.append(Change(incident, first, incident.opened_at))
        if incident.worsened_at is not None:
            made.append(Change(incident, "worsened", incident.worsened_at))
        if incident.resolved_at is not None:
            made.append(Change(incident, "resolved", incident.resolved_at))
    return sorted(made, key=lambda change: change.known_at)


def newest(found: Iterable[Change]) -> list[Change]:
    """Return the last change of each incident: what came before it needs no telling."""
    last: Mapping[str, Change] = {change.incident.incident_id: change for change in found}
    return list(last.values())
