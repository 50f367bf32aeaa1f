"""The verdict in sentences: what, since when, which bins, which segment, how sure, what next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from reports.bins import Comparison
from reports.defang import shorten
from reports.figures import figure, percent, probability, window
from reports.history import Streak, Track, streak
from reports.rows import MetricRow
from reports.verdict import Verdict

NAMED = 3


@dataclass(frozen=True)
class Answer:
    """One question a reader has, and the answer in one to three sentences."""

    question: str
    text: str


@dataclass(frozen=True)
class Evidence:
    """What the sentences are made of: the offending rows of the window and what is around them."""

    verdict: Verdict
    rows: Sequence[MetricRow]
    tracks: Sequence[Track]
    comparisons: Mapping[tuple[str, str], Comparison]
    timezone: str

    @property
    def deciding(self) -> list[MetricRow]:
        """The window's rows that decide by default."""
        return [row for row in self.rows if row.is_decision]

    @property
    def offending(self) -> list[MetricRow]:
        """The deciding rows that warn or fail, in the verdict's order."""
        known = {(row.drift_kind, row.feature_name, row.metric_name): row for row in self.rows}
        keys = [(o.suite, o.feature_name, o.metric_name) for o in self.verdict.offenders]
        return [known[key] for key in keys if key in known]

    def name(self, at: datetime | None) -> str:
        """Name a window in the model's timezone."""
        return window(at, self.verdict.window_grain, self.timezone)

    def streak_of(self, row: MetricRow) -> Streak | None:
        """Since when a row's feature is out of bounds, as of its window."""
        for track in self.tracks:
            if (track.drift_kind, track.feature_name) == (row.drift_kind, row.feature_name):
                return streak(track.until(row.window_start_at))
        return None


def headline(evidence: Evidence) -> str:
    """Return the verdict in one sentence."""
    verdict = evidence.verdict
    if verdict.is_blind:
        return f"Nothing could be judged: {verdict.reason}."
    where = _capital(_in(evidence))
    of_all = f"of {verdict.deciding_count} features and outputs watched"
    failed = [row for row in verdict.offenders if row.severity > 1]
    if failed:
        return f"{where}, {len(failed)} {of_all} moved beyond their fail bounds."
    if verdict.offenders:
        number = len(verdict.offenders)
        return f"{where}, {number} {of_all} moved beyond their warn bounds; none failed."
    return f"{where} nothing drifted: all {verdict.deciding_count} features and outputs held."


def answers(evidence: Evidence) -> list[Answer]:
    """Return the six answers, for a window that was judged."""
    return [
        Answer("What", _what(evidence)),
        Answer("Since when", _since_when(evidence)),
        Answer("Which bins", _which_bins(evidence)),
        Answer("Which segment", _which_segment(evidence)),
        Answer("How sure", _how_sure(evidence)),
        Answer("What next", _what_next(evidence)),
    ]


def advice(drift_kind: str, feature_name: str, since: str) -> str:
    """Say what to do about one row out of bounds."""
    feature = shorten(feature_name)
    told = {
        "prediction": "the model's output moved: check labelled events of these windows, and"
        " retrain if they show more errors.",
        "label": "the share of positives moved: ask who labels and what they were sent; the"
        " threshold may need a new look.",
        "embedding": "the inputs as a whole moved: read new events beside those of the reference.",
        "quality": f"the model errs more ({feature}): look at its worst segment, then retrain on"
        " newer labels (`driftnet retrain`).",
        "concept": f"errors changed about {since}: look at labelled events before and after.",
        "pipeline": f"mend the pipeline first ({feature}): other drift may be its shadow.",
    }
    source = (
        f"ask what changed at the source of {feature} about {since}: a feed, a field, a parser."
    )
    return told.get(drift_kind, source)


def in_a_row(found: Streak) -> str:
    """Say how long a streak is."""
    return f"{found.window_count} in a row" if found.window_count > 1 else "the first"


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
        f" {'fails' if row.severity > 1 else 'warns'} over {figure(_bound(row))})"
        for row in offending[:NAMED]
    ]
    more = len(offending) - len(named)
    tail = f", and {more} more below" if more else ""
    return f"{', '.join(named)}{tail}."


def _since_when(evidence: Evidence) -> str:
    offending = evidence.offending
    if not offending:
        return "No feature is out of bounds now; the calendar shows when any was."
    told = []
    for row in offending[:NAMED]:
        found = evidence.streak_of(row)
        if found is not None:
            told.append(
                f"{row.feature_name} since {evidence.name(found.since)} ({in_a_row(found)})"
            )
    return f"{'; '.join(told)}." if told else "Since this window."


def _which_bins(evidence: Evidence) -> str:
    told = []
    for row in evidence.offending[:NAMED]:
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
    return f"{'; '.join(told)}." if told else "None stands out: no feature is out of bounds."


def _which_segment(evidence: Evidence) -> str:
    if not evidence.rows:
        return "-"
    current = max(row.current_count for row in evidence.rows)
    reference = max(row.reference_count for row in evidence.rows)
    return (
        f"All traffic as one: {current:,} events against {reference:,} of the reference."
        " No part of it was compared by itself."
    )


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
    return " ".join(told) or "No p-value could be computed."


def _what_next(evidence: Evidence) -> str:
    offending = evidence.offending
    failed = [row for row in offending if row.severity > 1]
    if not offending:
        return "Nothing to do."
    lead = (failed or offending)[0]
    outputs = [row for row in failed if row.drift_kind == "prediction"]
    if not failed:
        return f"Watch {lead.feature_name} in the next window; a warning fails nothing."
    found = evidence.streak_of(lead)
    since = evidence.name(found.since) if found else "this window"
    inputs = [row for row in failed if row.drift_kind != "prediction"]
    told = []
    if inputs:
        told.append(
            f"Ask what changed at the source of {inputs[0].feature_name} about {since}:"
            " a feed, a field, a parser."
        )
    if outputs:
        told.append(
            "The model's output moved: check labelled events of these windows, and retrain"
            " if they show more errors."
        )
    else:
        told.append("The model's output did not fail with its inputs: labels say if errors grew.")
    return " ".join(told)


def _nearest(rows: Sequence[MetricRow]) -> MetricRow | None:
    bounded = [row for row in rows if row.warn_bound and row.metric_value is not None]
    return max(
        bounded, key=lambda row: (row.metric_value or 0) / (row.warn_bound or 1), default=None
    )


def _bound(row: MetricRow) -> float | None:
    return row.fail_bound if row.severity > 1 else row.warn_bound


def _in(evidence: Evidence) -> str:
    name = evidence.name(evidence.verdict.window_start_at)
    return f"{'on' if evidence.verdict.window_grain == 'day' else 'in'} {name}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
