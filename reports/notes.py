"""A metric row in words, for the data docs of Great Expectations."""

from collections.abc import Iterator

from markupsafe import escape

from reports.defang import defang
from reports.figures import figure, probability
from reports.rows import ALL, MetricRow


def column_name(row: MetricRow) -> str:
    """Return the column of the wide frame: feature and metric, and the segment if not the whole."""
    whole = row.segment_name == ALL
    where = "" if whole else f" where {row.segment_name} is {row.segment_value}"
    return _harmless(f"{row.feature_name} {row.metric_name}{where}")


def sentence(row: MetricRow) -> str:
    """Return the row in words: feature, metric, value, bounds, how sure.

    The text holds only names that the event contract restricts and numbers.
    """
    side = "under" if row.is_higher_better else "over"
    bounds = [
        f"{verb} {side} {figure(bound)}"
        for verb, bound in (("warns", row.warn_bound), ("fails", row.fail_bound))
        if bound is not None
    ]
    sure = (
        "no p-value"
        if row.p_value is None
        else f"{'significant' if row.is_significant else 'not significant'}"
        f" ({'p' if row.q_value is None else 'q'}"
        f" {probability(row.p_value if row.q_value is None else row.q_value)})"
    )
    found = ("", "OVER ITS WARNING BOUND: ", "OUT OF BOUNDS: ")[row.severity]
    found += "(muted) " if row.mute and row.severity else ""
    return f"{found}{column_name(row)} is {figure(row.metric_value)}; " + "; ".join(
        [*(bounds or ["no bounds"]), sure]
    )


def notes(row: MetricRow, decides: bool) -> Iterator[str]:
    """Yield the numbers of the row as lines, for the reader of the data docs."""
    yield "This row decides the verdict." if decides else "This row informs; it decides nothing."
    yield f"severity {row.severity}"
    if row.mute:
        yield f"muted: {_harmless(row.mute)}"
    if row.note:
        yield _harmless(row.note)
    yield f"value {figure(row.metric_value)}, expected by chance {figure(row.expected_value)}"
    yield f"warn bound {figure(row.warn_bound)}, fail bound {figure(row.fail_bound)}"
    yield f"p {probability(row.p_value)}, q {probability(row.q_value)}"
    yield f"design effect {figure(row.design_effect)}"
    yield f"{row.reference_count} reference events, {row.current_count} current events"


def _harmless(text: str) -> str:
    """Escape here: the library's pages escape nothing, and fill in what follows a dollar sign."""
    return str(escape(defang(text))).replace("$", "")
