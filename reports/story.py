"""The verdict in sentences: what, since when, which bins, which segment, how sure, what next."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.advice import capital, what_next
from reports.defang import shorten
from reports.evidence import Evidence
from reports.figures import count, figure, percent, probability
from reports.history import Streak
from reports.rows import MetricRow
from reports.verdict import Verdict


@dataclass(frozen=True)
class Answer:
    """One question a reader has, and the answer in one to three sentences."""

    question: str
    text: str


def headline(evidence: Evidence) -> str:
    """Return the verdict in one sentence."""
    verdict = evidence.verdict
    if verdict.is_blind:
        return f"Nothing could be judged: {verdict.reason}."
    where = capital(_in(evidence))
    of_all = f"of {verdict.deciding_count} {_watched(verdict)}"
    failed = [row for row in verdict.offenders if row.severity > 1]
    if verdict.is_stale:
        return (
            f"{capital(verdict.reason.split(';')[0])}. The last window judged is {where.lower()}."
        )
    if failed:
        return f"{where}, {_beyond(len(failed), of_all, 'fail')}."
    if verdict.offenders:
        return f"{where}, {_beyond(len(verdict.offenders), of_all, 'warn')}; none failed."
    aside = f" ({count(len(verdict.muted), 'row')} muted)" if verdict.muted else ""
    return f"{where} nothing drifted: all {verdict.deciding_count} {_watched(verdict)} held{aside}."


def _beyond(number: int, of_all: str, bound: str) -> str:
    return (
        f"1 {of_all} is beyond its {bound} bound"
        if number == 1
        else f"{number} {of_all} are beyond their {bound} bounds"
    )


def _watched(verdict: Verdict) -> str:
    drift = {"covariate", "prediction", "embedding", "label"}
    return "features and outputs" if set(verdict.severities) <= drift else "checks"


def answers(evidence: Evidence) -> list[Answer]:
    """Return the six answers, for a window that was judged."""
    return [
        Answer("What", _what(evidence)),
        Answer("Since when", _since_when(evidence)),
        Answer("Which bins", _which_bins(evidence)),
        Answer("Which segment", _which_segment(evidence)),
        Answer("How sure", _how_sure(evidence)),
        Answer("What next", what_next(evidence)),
    ]


def in_a_row(found: Streak) -> str:
    """Say how long a streak is."""
    return f"{found.window_count} in a row" if found.window_count > 1 else "new"


def _what(evidence: Evidence) -> str:
    offending = evidence.offending
    if not offending:
        nearest = _nearest(evidence.deciding)
        if nearest is None:
            return "Every value is within its bounds."
        return (
            f"Every value is within its bounds. Nearest to one: {nearest.feature_name},"
            f" {nearest.metric_name} {figure(nearest.metric_value)} where"
            f" {figure(nearest.warn_bound)} would warn."
        )
    named = [
        f"{row.feature_name} ({row.metric_name} {figure(row.metric_value)},"
        f" {'fails' if row.severity > 1 else 'warns'}"
        f" {'under' if row.is_higher_better else 'over'} {figure(row.bound)})"
        for row in evidence.named
    ]
    more = len(offending) - len(named)
    tail = f", and {more} more below" if more else ""
    return f"{', '.join(named)}{tail}."


def _since_when(evidence: Evidence) -> str:
    offending = evidence.offending
    if not offending:
        return "No feature is out of bounds now; the calendar shows when any was."
    told = []
    for row in evidence.named:
        found = evidence.streak_of(row)
        if found is not None:
            told.append(
                f"{row.feature_name} since {evidence.name(found.since)} ({in_a_row(found)})"
            )
    return f"{'; '.join(told)}." if told else "Since this window."


def _which_bins(evidence: Evidence) -> str:
    told = []
    for row in evidence.named:
        comparison = evidence.comparisons.get((row.drift_kind, row.feature_name))
        if comparison is None or not comparison.carriers:
            continue
        first = comparison.carriers[0]
        meaning = f" ({first.meaning})" if first.meaning else ""
        told.append(
            f"{row.feature_name}: bin {shorten(first.label)}{meaning} went from"
            f" {percent(first.reference_share)} to {percent(first.current_share)}"
            f" of events, {percent(first.psi_share)} of the psi"
        )
    if told:
        return f"{'; '.join(told)}."
    if not evidence.offending:
        return "None stands out: nothing is out of bounds."
    return f"None to name: {_listed(evidence.named)} is judged as one number, without bins."


def _which_segment(evidence: Evidence) -> str:
    if not evidence.rows:
        return "-"
    told = [
        f"{shorten(row.feature_name)}: the channel itself"
        for row in evidence.named
        if row.metric_name == "channel_volume"
    ]
    if not (evidence.parts or told):
        drift = [row for row in evidence.rows if row.reference_count]
        current = max((row.current_count for row in drift), default=0)
        reference = max((row.reference_count for row in drift), default=0)
        return (
            f"All traffic as one: {current:,} events against {reference:,} of the reference."
            " No part of it was large enough to be compared by itself."
        )
    for row in evidence.named:
        for part in evidence.worst_parts(row, 1):
            told.append(
                f"{row.feature_name}: most in {part.segment_name} {shorten(part.segment_value, 40)}"
                f" ({part.metric_name} {figure(part.metric_value)}, {part.current_count:,} events)"
            )
    if told:
        return f"{'; '.join(told)}."
    moved = [part for part in evidence.parts if part.severity]
    if not evidence.offending and moved:
        part = moved[0]
        return (
            f"The whole holds; of its parts {part.segment_name} {shorten(part.segment_value, 40)}"
            f" moved in {part.feature_name} ({part.metric_name} {figure(part.metric_value)})."
        )
    return "No part moved by itself more than chance explains."


def _how_sure(evidence: Evidence) -> str:
    rows = evidence.offending or evidence.deciding
    told = []
    known = [row.q_value for row in rows if row.q_value is not None]
    if evidence.offending and known:
        told.append(
            f"Chance does not explain it: the largest q-value among them is"
            f" {probability(max(known))}, with every feature of its kind tested together."
        )
    elif known:
        detectable = sorted(r.min_detectable_value for r in rows if r.min_detectable_value)
        if detectable:
            middle = detectable[len(detectable) // 2]
            told.append(
                f"A shift of psi {figure(middle)} would have been found nine times in ten"
                " (the middle feature)."
            )
    told += _limits(evidence.named)
    effects = [row.design_effect for row in rows if row.design_effect is not None]
    if effects and max(effects) > 1:
        told.append(
            f"Rows of one day resemble each other: the design effect, up to"
            f" {figure(max(effects))}, is already in these numbers."
        )
    if any(row.has_design_effect is False for row in rows):
        told.append("For some the reference has too few days to know how alike rows are.")
    if any(row.reference_is_small for row in rows):
        told.append("The reference is small beside the window: all windows share its luck.")
    if any(row.drift_kind == "concept" for row in evidence.offending):
        told.append("An alarm needs a vote of detectors that are calibrated on calm streams.")
    if any(row.drift_kind == "pipeline" for row in evidence.offending):
        told.append("What the pipeline lost is counted, not estimated.")
    return " ".join(told) or "No p-value could be computed."


def _limits(offending: Sequence[MetricRow]) -> list[str]:
    """Say the 95% limits of the first value of quality that is out of bounds."""
    for row in offending:
        if row.drift_kind == "quality" and row.lower_limit is not None:
            told = (
                f"The 95% limits of {row.feature_name} ({row.metric_name}, {row.current_count:,}"
                f" events), {figure(row.lower_limit)} to {figure(row.upper_limit)}, leave out what"
                " the reference leads to expect."
            )
            return [told]
    return []


def _listed(found: Sequence[MetricRow]) -> str:
    return " and ".join(shorten(row.feature_name) for row in found)


def _nearest(rows: Sequence[MetricRow]) -> MetricRow | None:
    bounded = [
        row
        for row in rows
        if row.warn_bound and row.metric_value is not None and not row.is_higher_better
    ]
    return max(
        bounded, key=lambda row: (row.metric_value or 0) / (row.warn_bound or 1), default=None
    )


def _in(evidence: Evidence) -> str:
    name = evidence.name(evidence.verdict.window_start_at)
    return f"{'on' if evidence.verdict.window_grain == 'day' else 'in'} {name}"
