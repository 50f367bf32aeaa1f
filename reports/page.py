"""The page: one self-contained HTML file that says what drifted, since when, where, how sure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup

from reports import axes, bins, checks, embedding, feed, history, plots, rows, since, story
from reports.axes import TimeAxis, ValueAxis
from reports.bins import Comparison
from reports.evidence import Evidence
from reports.history import Streak, Track
from reports.rows import FeatureRow, MetricRow, Query, Scope
from reports.template import render_template
from reports.verdict import Verdict

OUTPUTS = ("prediction", "embedding", "label")
OTHERS = (checks.QUALITY, checks.PIPELINE, checks.CONCEPT)


@dataclass(frozen=True)
class Page:
    """The page as HTML, and what the next page has to know of it."""

    text: str
    state: Mapping[str, Any]


@dataclass(frozen=True)
class Chapter:
    """One feature in detail: its row of the window, its bins, its history."""

    row: MetricRow
    feature: FeatureRow | None
    streak: Streak | None
    comparison: Comparison | None
    bars: tuple[Markup, ...]
    history: Markup
    parts: tuple[MetricRow, ...] = ()


@dataclass(frozen=True)
class CalendarRow:
    """One feature's line of the calendar."""

    track: Track
    row: MetricRow | None
    strip: Markup


def render(
    query: Query,
    *,
    model_name: str,
    model_version: str,
    window_grain: str,
    now: datetime,
    verdict: Verdict,
    reference_kind: str = rows.TRAINING,
    docs_link: str = "",
    former: Mapping[str, Any] | None = None,
) -> Page:
    """Return the page of one model version and verdict, as HTML.

    Parameters
    ----------
    query : Query
        Asks the published marts; called as ``query(sql, parameters)``.
    model_name, model_version, window_grain : str
        What the page shows.
    now : datetime
        When the page was made (UTC).
    verdict : Verdict
        The gate's verdict; its window is the one shown in detail.
    reference_kind : str
        Which comparison is shown.
    docs_link : str
        Where the data docs are, relative to the page; no link where empty.
    former : mapping, optional
        The state of the page before this one: what changed since is said.

    Returns
    -------
    Page
        A whole document that needs no network and runs no script. What came from data is defanged
        and escaped.
    """
    scope = Scope(model_name, model_version, window_grain, reference_kind)
    model = rows.model(query, scope)
    zone = model.window_timezone if model is not None else "UTC"
    decisions = rows.decisions(query, scope)
    others = [row for row in checks.other_rows(query, scope) if row.is_decision]
    counts = rows.event_counts(query, scope)
    tracks = history.tracks([*decisions, *others], verdict.window_start_at)
    axis = axes.time_axis(decisions, counts, window_grain, zone)
    evidence = _evidence(query, scope, verdict, tracks, zone)
    scale = axes.value_axis(row for row in decisions if row.drift_kind != embedding.KIND)
    chapters = _chapters(evidence, rows.features(query, scope), axis, scale)
    state = since.state(verdict, evidence.rows, now)
    text = render_template(
        "page.html.j2",
        model=model,
        scope=scope,
        verdict=verdict,
        zone=zone,
        now=now,
        docs_link=Markup.escape(docs_link),
        headline=story.headline(evidence),
        answers=story.answers(evidence) if evidence.rows else [],
        axis=axis,
        scale=scale,
        calendar=_calendar(tracks, axis, verdict.window_start_at),
        judged_count=len({row.window_start_at for row in decisions}),
        window_count=len({*counts, *(row.window_start_at for row in decisions)}),
        drifted=[c for c in chapters if c.row.severity and c.row.drift_kind not in OUTPUTS],
        outputs=[c for c in chapters if c.row.drift_kind in OUTPUTS],
        vectors=embedding.embedding(query, scope, axis, verdict.window_start_at),
        numbers=_by_kind([row for row in evidence.rows if row.drift_kind not in OTHERS]),
        in_a_row=story.in_a_row,
        quality=_quality(query, scope, verdict.window_start_at),
        feed=feed.feed([row for row in evidence.rows if row.drift_kind in OTHERS[1:]]),
        since=since.since(former, state),
    )
    return Page(text, state)


def _quality(query: Query, scope: Scope, at: datetime | None) -> list[checks.QualityRow]:
    if at is None:
        return []
    return [*checks.quality(query, scope, at), *checks.quality_parts(query, scope, at)[:20]]


def _evidence(
    query: Query, scope: Scope, verdict: Verdict, tracks: Sequence[Track], zone: str
) -> Evidence:
    at = verdict.window_start_at
    found = [] if at is None else rows.metrics(query, scope, at)
    found += [] if at is None else checks.other_rows(query, scope, at)
    found = checks.muted(found, checks.mutes(query), scope)
    of_parts = [] if at is None else rows.segments(query, scope, at)
    moved = [] if at is None else checks.quality_parts(query, scope, at)
    of_parts += [checks.quality_metric(row) for row in moved]
    parts: dict[tuple[str, str], list[rows.BinRow]] = {}
    for row in [] if at is None else rows.bins(query, scope, at):
        parts.setdefault((row.drift_kind, row.feature_name), []).append(row)
    comparisons = {key: bins.compare(of_feature) for key, of_feature in parts.items()}
    return Evidence(verdict, found, tracks, comparisons, zone, of_parts)


def _chapters(
    evidence: Evidence,
    features: Sequence[FeatureRow],
    axis: TimeAxis | None,
    scale: ValueAxis,
) -> list[Chapter]:
    """Return a chapter for each output and each feature out of bounds, the worst first."""
    at = evidence.verdict.window_start_at
    known = {(feature.drift_kind, feature.feature_name): feature for feature in features}
    made = []
    for track in evidence.tracks:
        row = track.at(at)
        if at is None or axis is None or row is None or track.drift_kind == embedding.KIND:
            continue
        if row.drift_kind in OTHERS or not (row.severity or row.drift_kind in OUTPUTS):
            continue
        key = (track.drift_kind, track.feature_name)
        comparison = evidence.comparisons.get(key)
        made.append(
            Chapter(
                row=row,
                feature=known.get(key),
                streak=evidence.streak_of(row),
                comparison=comparison,
                bars=_bars(comparison),
                history=plots.history(track, axis, scale, at),
                parts=tuple(evidence.worst_parts(row)),
            )
        )
    return sorted(made, key=lambda c: (-c.row.severity, -(c.row.metric_value or 0.0)))


def _bars(comparison: Comparison | None) -> tuple[Markup, ...]:
    if comparison is None:
        return ()
    top = comparison.top_share
    return tuple(
        plots.bars(line.reference_share, line.current_share, top) for line in comparison.lines
    )


def _calendar(
    tracks: Sequence[Track], axis: TimeAxis | None, at: datetime | None
) -> list[CalendarRow]:
    if axis is None:
        return []
    return [
        CalendarRow(track, track.at(at), plots.strip(track, axis, at))
        for track in tracks
        if track.drift_kind not in OTHERS or track.count(1) or track.count(2)
    ]


def _by_kind(found: Sequence[MetricRow]) -> Mapping[str, list[MetricRow]]:
    grouped: dict[str, list[MetricRow]] = {}
    for row in found:
        grouped.setdefault(row.drift_kind, []).append(row)
    return grouped
