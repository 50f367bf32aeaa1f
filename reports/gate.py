"""Judge one window: pass, warn or fail, by Great Expectations on the rows of the marts.

The severities are SQL's (`fct_drift_metrics`), the verdict is Great Expectations': it checks each
value against the bound of its row, and only a failure that it finds fails the verdict. Where the
two disagree the rows cannot be trusted, and that is an error, not a verdict.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from pathlib import Path

from ingest.errors import DriftnetError, InputError
from reports import data_docs, figures, rows
from reports.expectations import CRITICAL, Result, expected_failure, open_checkpoints
from reports.rows import MetricRow, Query, Scope
from reports.verdict import STATUSES, Offender, Verdict
from reports.window import Window, choose_window

SUITES = ("covariate", "prediction", "embedding", "label", "quality", "concept", "pipeline")


def judge(
    query: Query,
    docs: Path,
    *,
    model_name: str,
    model_version: str,
    window_grain: str,
    window_start_at: datetime | None = None,
    suites: Collection[str] | None = None,
    metrics: Collection[str] | None = None,
    reference_kind: str = rows.TRAINING,
    clock: Callable[[], datetime],
) -> Verdict:
    """Judge one window of one model version and write its data docs.

    Parameters
    ----------
    query : Query
        Asks the published marts; called as ``query(sql, parameters)``.
    docs : Path
        Folder of the static site; replaced as a whole by each judgement.
    model_name, model_version, window_grain : str
        What is judged; the grain is day, week or month.
    window_start_at : datetime, optional
        Start of the window (UTC, naive); the newest complete window by default.
    suites : collection of str, optional
        Judge only these drift kinds; all that have rows by default.
    metrics : collection of str, optional
        Let the rows of these metrics decide, instead of the rows with `is_decision`.
    reference_kind : str
        Which comparison is judged.
    clock : callable
        Returns the present time; stands in the verdict and in the data docs.

    Returns
    -------
    Verdict
        `fail` where a deciding row has severity 2 or nothing could be judged, `warn` at severity 1.

    Raises
    ------
    InputError
        Where a suite or metric is unknown, or a chosen metric has no bounds to judge by.
    DriftnetError
        Where Great Expectations is absent, or disagrees with the severities of the rows.
    """
    scope = Scope(model_name, model_version, window_grain, reference_kind)
    _refuse_unknown(suites or (), SUITES, "suite")
    window = choose_window(query, scope, window_start_at)
    found = [] if window.start_at is None else rows.metrics(query, scope, window.start_at)
    judged = [row for row in found if suites is None or row.drift_kind in suites]
    reason = window.reason or ("" if judged else f"no rows of suite {_listed(suites or ())}")
    _refuse_undecidable(judged, metrics)
    with data_docs.new_site(docs) as folder:
        results: list[Result] = []
        if not reason:
            results = _checked(folder, judged, metrics, clock)
            data_docs.make_offline(folder)
        verdict = _verdict(scope, window, reason, results, judged_at=clock(), docs=docs)
        data_docs.write_index(folder, verdict)
    return verdict


def _checked(
    folder: Path,
    judged: Sequence[MetricRow],
    metrics: Collection[str] | None,
    clock: Callable[[], datetime],
) -> list[Result]:
    """Run one checkpoint for each suite and hold its findings against the rows' severities."""
    checkpoints = open_checkpoints(folder, clock)
    results: list[Result] = []
    for suite in dict.fromkeys(row.drift_kind for row in judged):
        of_suite = [row for row in judged if row.drift_kind == suite]
        results += checkpoints.run(suite, of_suite, [_decides(row, metrics) for row in of_suite])
    checkpoints.write_docs()
    for result in results:
        _refuse_disagreement(result)
    return results


def _verdict(
    scope: Scope,
    window: Window,
    reason: str,
    results: Sequence[Result],
    *,
    judged_at: datetime,
    docs: Path,
) -> Verdict:
    severities: dict[str, int] = {}
    for result in results:
        suite = result.row.drift_kind
        severities[suite] = max(severities.get(suite, 0), severity_of(result))
    status = "fail" if reason else STATUSES[max(severities.values(), default=0)]
    offenders = sorted(
        (_offender(result) for result in results if severity_of(result)),
        key=lambda row: (-row.severity, -(row.metric_value or 0.0), row.feature_name),
    )
    return Verdict(
        model_name=scope.model_name,
        model_version=scope.model_version,
        window_grain=scope.window_grain,
        window_start_at=window.start_at,
        window_end_at=results[0].row.window_end_at if results else None,
        status=status,
        reason=reason or _reason(offenders, results),
        judged_at=judged_at,
        data_docs=docs / "index.html",
        severities=severities,
        offenders=tuple(offenders),
        evaluated_count=len(results),
        deciding_count=sum(result.is_deciding for result in results),
    )


def severity_of(result: Result) -> int:
    """Return the severity that a result gives the verdict: 2 only if Great Expectations failed it.

    A row over its warn bound and within its fail bound is a success there, and a warning here.
    """
    if not result.is_deciding:
        return 0
    if not result.is_success:
        return 2 if result.failure == CRITICAL else 1
    return min(result.row.severity, 1)


def _reason(offenders: Sequence[Offender], results: Sequence[Result]) -> str:
    of_all = f"of {sum(result.is_deciding for result in results)} deciding rows"
    if not offenders:
        return f"none {of_all} is out of bounds"
    failed = sum(offender.severity > 1 for offender in offenders)
    verb, number = ("fail", failed) if failed else ("warn", len(offenders))
    lead = offenders[0]
    return (
        f"{number} {of_all} {verb}; first {lead.feature_name}: {lead.metric_name}"
        f" {figures.figure(lead.metric_value)} over {figures.figure(lead.bound)}"
    )


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
        severity=severity_of(result),
    )


def _decides(row: MetricRow, metrics: Collection[str] | None) -> bool:
    return row.is_decision if metrics is None else row.metric_name in metrics


def _refuse_unknown(asked: Collection[str], known: Collection[str], noun: str) -> None:
    for name in asked:
        if name not in known:
            raise InputError(f"no {noun} {name!r}: choose from {_listed(known)}")


def _refuse_undecidable(judged: Sequence[MetricRow], metrics: Collection[str] | None) -> None:
    if metrics is None or not judged:
        return
    _refuse_unknown(metrics, {row.metric_name for row in judged}, "metric")
    bounded = {row.metric_name for row in judged if row.warn_bound is not None or row.severity}
    for name in metrics:
        if name not in bounded:
            raise InputError(
                f"metric {name!r} has no bounds to judge by: choose from {_listed(bounded)}"
            )


def _refuse_disagreement(result: Result) -> None:
    row = result.row
    same = result.is_success != expected_failure(row)
    if not same or (result.is_deciding and severity_of(result) != row.severity):
        raise DriftnetError(
            f"Great Expectations and fct_drift_metrics disagree on {row.feature_name}"
            f" {row.metric_name} (value {row.metric_value}, severity {row.severity}):"
            " build the warehouse again"
        )


def _listed(names: Collection[str]) -> str:
    return ", ".join(sorted(names))
