"""From what Great Expectations found to a verdict: severities, offenders, the reason in words."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from ingest.errors import DriftnetError
from reports import figures
from reports.expectations import CRITICAL, Result, expected_failure
from reports.rows import Scope
from reports.verdict import STATUSES, Offender, Verdict
from reports.window import Window

SUITES = ("covariate", "prediction", "embedding", "label", "quality", "concept", "pipeline")


def rule(
    scope: Scope,
    window: Window,
    reason: str,
    stale: str,
    results: Sequence[Result],
    *,
    judged_at: datetime,
    docs: Path,
) -> Verdict:
    """Return the verdict on a window from its results; `reason` or `stale` say why it is blind."""
    severities: dict[str, int] = {}
    for result in results:
        suite = result.row.drift_kind
        severities[suite] = max(severities.get(suite, 0), severity_of(result))
    blind = reason or stale
    status = "fail" if blind else STATUSES[max(severities.values(), default=0)]
    offenders = _sorted(_offender(result) for result in results if severity_of(result))
    muted = _sorted(
        _offender(result) for result in results if _is_muted(result) and result.row.severity
    )
    return Verdict(
        model_name=scope.model_name,
        model_version=scope.model_version,
        window_grain=scope.window_grain,
        window_start_at=window.start_at,
        window_end_at=results[0].row.window_end_at if results else None,
        status=status,
        reason=reason or "; ".join(filter(None, (stale, _reason(offenders, muted, results)))),
        judged_at=judged_at,
        data_docs=docs / "index.html",
        severities=severities,
        offenders=tuple(offenders),
        muted=tuple(muted),
        evaluated_count=len(results),
        deciding_count=sum(result.is_deciding for result in results),
        is_stale=bool(stale),
    )


def severity_of(result: Result) -> int:
    """Return the severity that a result gives the verdict: 2 only if Great Expectations failed it.

    A row over its warn bound and within its fail bound is a success there, and a warning here.
    """
    if not result.is_deciding or result.row.mute:
        return 0
    if not result.is_success:
        return 2 if result.failure == CRITICAL else 1
    return min(result.row.severity, 1)


def _reason(
    offenders: Sequence[Offender], muted: Sequence[Offender], results: Sequence[Result]
) -> str:
    of_all = f"of {sum(result.is_deciding for result in results)} deciding rows"
    aside = f" ({figures.count(len(muted), 'row')} muted)" if muted else ""
    if not offenders:
        return f"none {of_all} is out of bounds{aside}"
    failed = sum(offender.severity > 1 for offender in offenders)
    verb, number = ("fail", failed) if failed else ("warn", len(offenders))
    lead = offenders[0]
    return (
        f"{number} {of_all} {verb}{aside}; first {lead.feature_name}: {lead.metric_name}"
        f" {figures.figure(lead.metric_value)} {lead.side} {figures.figure(lead.bound)}"
    )


def _sorted(found: Iterable[Offender]) -> list[Offender]:
    """Return offenders by severity, then suite, then how far they are, as their suite counts."""
    order = {suite: place for place, suite in enumerate(SUITES)}
    return sorted(
        found,
        key=lambda row: (
            -row.severity,
            order.get(row.suite, 0) > 1,
            order.get(row.suite, 0) if order.get(row.suite, 0) > 1 else 0,
            -(row.metric_value or 0.0),
            row.feature_name,
        ),
    )


def _is_muted(result: Result) -> bool:
    return result.is_deciding and bool(result.row.mute)


def _offender(result: Result) -> Offender:
    row = result.row
    return Offender(
        suite=row.drift_kind,
        feature_name=row.feature_name,
        metric_name=row.metric_name,
        segment_name=row.segment_name,
        segment_value=row.segment_value,
        metric_value=row.metric_value,
        expected_value=row.expected_value,
        warn_bound=row.warn_bound,
        fail_bound=row.fail_bound,
        q_value=row.q_value,
        severity=severity_of(result) or row.severity,
        mute=row.mute,
        is_higher_better=row.is_higher_better,
    )


def refuse_disagreement(result: Result) -> None:
    """Refuse rows whose severity their own bounds do not bear out: they cannot be trusted."""
    row = result.row
    same = result.is_success != expected_failure(row)
    decides = result.is_deciding and not row.mute
    if not same or (decides and severity_of(result) != row.severity):
        raise DriftnetError(
            f"Great Expectations and the {row.drift_kind} rows disagree on {row.feature_name}"
            f" {row.metric_name} (value {row.metric_value}, severity {row.severity}):"
            " build the warehouse again"
        )
