"""Judge one window: pass, warn or fail, by Great Expectations on the rows of the marts.

The severities are SQL's (`fct_drift_metrics`), the verdict is Great Expectations': it checks each
value against the bound of its row, and only a failure that it finds fails the verdict. Where the
two disagree the rows cannot be trusted, and that is an error, not a verdict.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from pathlib import Path

from ingest.errors import InputError
from reports import checks, data_docs, rows, ruling
from reports.expectations import Result, open_checkpoints
from reports.rows import FeedRow, MetricRow, Query, Scope
from reports.ruling import SUITES
from reports.verdict import Verdict
from reports.window import choose_window


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
    kept_runs: int = data_docs.KEPT_RUNS,
    clock: Callable[[], datetime],
) -> Verdict:
    """Judge one window of one model version and write its data docs.

    Parameters
    ----------
    query : Query
        Asks the published marts; called as ``query(sql, parameters)``.
    docs : Path
        Folder of the static site; each judgement adds its pages and becomes the first page.
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
    kept_runs : int
        So many judgements stay in the site, the newest ones.
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
    found = [] if window.start_at is None else _rows(query, scope, window.start_at, metrics)
    judged = [row for row in found if suites is None or row.drift_kind in suites]
    reason = window.reason or ("" if judged else f"no rows of suite {_listed(suites or ())}")
    _refuse_undecidable(judged, metrics)
    stale = "" if window_start_at is not None else _staleness(rows.feed(query, scope))
    with data_docs.new_run(docs, clock(), kept_runs) as run:
        results: list[Result] = []
        if not reason:
            results = _checked(run.folder, judged, metrics, clock)
            data_docs.make_offline(run.folder)
        verdict = ruling.rule(scope, window, reason, stale, results, judged_at=clock(), docs=docs)
        data_docs.write_index(run, verdict)
    return verdict


def _rows(
    query: Query, scope: Scope, start_at: datetime, metrics: Collection[str] | None
) -> list[MetricRow]:
    """Return what is asserted: every row of the whole, and what chance leaves of the parts.

    The rows of parts inform: a part that moves alone is named, the whole decides. A row of a part
    that chance explains asserts nothing and is left out.
    """
    whole = rows.metrics(query, scope, start_at)
    parts = [row for row in rows.segments(query, scope, start_at) if row.is_significant]
    others = checks.other_rows(query, scope, start_at)
    chosen = [
        row
        for row in [*whole, *parts, *others]
        if metrics is None or row.metric_name in metrics or row.is_whole
    ]
    order = {suite: place for place, suite in enumerate(SUITES)}
    chosen.sort(key=lambda row: order.get(row.drift_kind, len(order)))
    return checks.muted(chosen, checks.mutes(query), scope)


def _staleness(feed: FeedRow | None) -> str:
    if feed is None or not feed.is_stale:
        return ""
    return (
        f"events have stopped: the newest is of {feed.newest_event_at:%Y-%m-%d %H:%M},"
        f" seen as of {feed.as_of:%Y-%m-%d %H:%M}"
    )


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
        ruling.refuse_disagreement(result)
    return results


def _decides(row: MetricRow, metrics: Collection[str] | None) -> bool:
    return row.is_whole and (row.is_decision if metrics is None else row.metric_name in metrics)


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


def _listed(names: Collection[str]) -> str:
    return ", ".join(sorted(names))
