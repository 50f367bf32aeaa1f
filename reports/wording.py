"""What an alert says: what, how much against which bound, since when, where, what to do next."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ingest.happenings import Happening
from reports import bins, figures, rows
from reports.advice import advice
from reports.channels import Message
from reports.defang import defang, shorten
from reports.incidents import Change, IncidentRow
from reports.rows import Query, Scope

SHOWN = 8
VERDICTS = ("note", "WARN", "FAIL")


def message(query: Query, changes: Sequence[Change], page: str = "") -> Message:
    """Return one message on the changes of one model, the worst first."""
    ordered = sorted(
        changes,
        key=lambda change: (
            change.kind == "resolved",
            -change.incident.severity,
            -(change.incident.metric_value or 0.0),
        ),
    )
    model = defang(shorten(ordered[0].incident.model_name))
    counts = [
        f"{sum(change.kind == kind for change in ordered)} {kind}"
        for kind in ("opened", "reopened", "worsened", "resolved")
        if any(change.kind == kind for change in ordered)
    ]
    lines = [_line(query, change) for change in ordered[:SHOWN]]
    if len(ordered) > SHOWN:
        lines.append(f"... and {len(ordered) - SHOWN} more.")
    if page:
        lines.append(f"The page: {page}")
    return Message(f"Driftnet, {model}: {', '.join(counts)}", "\n\n".join(lines))


def alarm(happening: Happening) -> Message:
    """Return the message on an alarm of the watch."""
    model = defang(shorten(happening.model_name))
    subject = defang(shorten(happening.subject_name))
    return Message(
        f"Driftnet, {model}: alarm on {subject}",
        f"{VERDICTS[happening.severity]} {subject} of version"
        f" {defang(happening.model_version)}: {defang(shorten(happening.summary, 300))},"
        f" at {happening.happened_at:%Y-%m-%d %H:%M} UTC.\n"
        "Next: look at labelled events since then; the next build adds it to the incidents.",
    )


def logged(change: Change, now: datetime, silence: str) -> Mapping[str, Any]:
    """Return the line of the incident log for a change."""
    incident = change.incident
    names = ("model_name", "model_version", "drift_kind", "feature_name", "metric_name")
    numbers = ("metric_value", "expected_value", "warn_bound", "fail_bound", "q_value", "severity")
    return {
        "change_id": change.change_id,
        "logged_at": now.isoformat(),
        "change": change.kind,
        "known_at": change.known_at.isoformat(),
        "incident_id": incident.incident_id,
        "window_grain": incident.window_grain,
        "since": incident.opened_window_start_at.isoformat(),
        **{name: defang(str(getattr(incident, name))) for name in names},
        **{name: getattr(incident, name) for name in numbers},
        "window_count": incident.window_count,
        "not_told_because": silence or None,
    }


def logged_alarm(happening: Happening, change_id: str, now: datetime) -> Mapping[str, Any]:
    """Return the line of the incident log for an alarm of the watch."""
    return {
        "change_id": change_id,
        "logged_at": now.replace(tzinfo=None).isoformat(),
        "change": "alarm",
        "known_at": happening.happened_at.replace(tzinfo=None).isoformat(),
        "model_name": defang(happening.model_name),
        "model_version": defang(happening.model_version),
        "drift_kind": "concept",
        "feature_name": defang(happening.subject_name),
        "severity": happening.severity,
        "summary": defang(happening.summary),
    }


def _line(query: Query, change: Change) -> str:
    incident = change.incident
    scope = Scope(incident.model_name, incident.model_version, incident.window_grain)
    model = rows.model(query, scope)
    zone = model.window_timezone if model is not None else "UTC"
    since = figures.window(incident.opened_window_start_at, incident.window_grain, zone)
    named = f"{defang(shorten(incident.feature_name))} ({incident.drift_kind})"
    if change.kind == "resolved":
        number = figures.count(incident.window_count, incident.window_grain)
        return f"RESOLVED {named}: within bounds again after {number}, since {since}."
    parts = [
        f"{VERDICTS[incident.severity]} {named} {change.kind}: {incident.metric_name}"
        f" {figures.figure(incident.metric_value)} {'under' if incident.is_low_bad else 'over'}"
        f" its bound {figures.figure(incident.bound)}" + _sure(incident) + f"; since {since}."
    ]
    parts += [
        text for text in (_segment(query, scope, incident), _bins(query, scope, incident)) if text
    ]
    parts.append(f"Next: {defang(advice(incident.drift_kind, incident.feature_name, since))}")
    return "\n".join(parts)


def _sure(incident: IncidentRow) -> str:
    told = []
    if incident.expected_value is not None:
        told.append(f"chance alone about {figures.figure(incident.expected_value)}")
    if incident.q_value is not None:
        told.append(f"q {figures.probability(incident.q_value)}")
    return f" ({', '.join(told)})" if told else ""


def _segment(query: Query, scope: Scope, incident: IncidentRow) -> str:
    for row in rows.segments(query, scope, incident.last_window_start_at):
        key = (row.drift_kind, row.feature_name)
        if row.is_significant and key == (incident.drift_kind, incident.feature_name):
            return (
                f"Most in {row.segment_name} {defang(shorten(row.segment_value))}:"
                f" {row.metric_name} {figures.figure(row.metric_value)}."
            )
    return ""


def _bins(query: Query, scope: Scope, incident: IncidentRow) -> str:
    found = [
        row
        for row in rows.bins(query, scope, incident.last_window_start_at)
        if (row.drift_kind, row.feature_name) == (incident.drift_kind, incident.feature_name)
    ]
    told = [
        f"{defang(shorten(line.label))} {figures.percent(line.reference_share)} ->"
        f" {figures.percent(line.current_share)}"
        for line in bins.compare(found).carriers[:3]
    ]
    return f"Bins that carry it: {', '.join(told)}." if told else ""
