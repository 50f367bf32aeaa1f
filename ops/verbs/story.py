"""Tells what a demo has seen: planted against found, counts against counts, where to look."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ops.verbs import show
from ops.verbs.judge import nearby
from ops.verbs.options import now

if TYPE_CHECKING:
    from ops.settings import Settings
    from ops.story import Decision, Found, Planted

TOP_WEEKS = 5
SHORT_HISTORY = 40  # weeks
WEEK = timedelta(days=7)


def tell_planted(settings: "Settings", model: str, planted: Sequence["Planted"]) -> None:
    """Say for each planted drift when it was seen, and what was seen where nothing was planted."""
    from ops import story, warehouse
    from ops.target import choose

    with warehouse.reader(settings) as query:
        by_day = story.decisions(query, choose(settings, model, grain="day"))
        by_week = story.decisions(query, choose(settings, model, grain="week"))
    rows = []
    for drift in planted:
        found = story.find(drift, by_week)
        rows.append(
            [
                drift.kind,
                f"{drift.starts_at:%Y-%m-%d}",
                f"{drift.ends_at:%Y-%m-%d}" if drift.ends_at else "stays",
                _outcome(found),
                _delay(found),
                _delay(story.find(drift, by_day)),
                _first(found.features, 2),
            ]
        )
    columns = (
        "planted",
        "from",
        "until",
        "by week",
        "delay",
        "by day",
        "at fail in that week",
    )
    show.table("", columns, rows)
    for drift in planted:
        show.say(f"  {drift.starts_at:%Y-%m-%d} {drift.kind}: {drift.description}")
    show.say("")
    show.say(
        "A drift is seen when a feature it moves is at fail in a window that overlaps it; a drift"
        " of the errors alone, when quality is (or the watch alarms); a silent channel, when its"
        " volume is. The delay (days; by day: in daily windows) runs from its start to the end of"
        " that window."
    )
    for grain, decided in (("week", by_week), ("day", by_day)):
        calm = story.calm(planted, decided)
        alarms = [row for row in calm if row.severity >= story.FAIL]
        show.say(
            f"false alarms by {grain}: {len({row.window_start_at for row in alarms})} of"
            f" {len({row.window_start_at for row in calm})} {grain}s without a planted drift,"
            f" {len(alarms):,} of {len(calm):,} rows that decide"
        )
    tell_weeks(settings, model, planted)


def tell_counts(settings: "Settings", model: str, events: Path, until: datetime) -> None:
    """Say whether each month of the file is in the warehouse with as many events."""
    from ops import planting, story, warehouse
    from ops.target import choose

    with warehouse.reader(settings) as query:
        counted = story.event_counts_by_month(query, choose(settings, model))
    held = planting.event_counts_by_month(events, until, now())
    months = sorted({*held, *counted})
    wrong = [month for month in months if held.get(month, 0) != counted.get(month, 0)]
    if not wrong:
        show.say(
            f"counts by month: the warehouse equals the file in all {len(months)} months"
            f" ({sum(held.values()):,} events)"
        )
        return
    show.table(
        f"counts by month: {len(wrong)} of {len(months)} months differ",
        ("month", "in the file", "in the warehouse"),
        [[f"{month:%Y-%m}", held.get(month, 0), counted.get(month, 0)] for month in wrong],
    )


def tell_weeks(settings: "Settings", model: str, planted: Sequence["Planted"] = ()) -> None:
    """Say how many features were at fail in each week, and which weeks had the most."""
    from ops import story, warehouse
    from ops.target import choose

    with warehouse.reader(settings) as query:
        decided = story.decisions(query, choose(settings, model))
    rows = [row for row in decided if row.drift_kind in story.DRIFT]
    counts = story.counts_by_window(rows)
    if not counts:
        show.say("no complete week was judged: too few events")
        return
    show.say("")
    if len(counts) <= SHORT_HISTORY:
        show.say("features at fail by week:")
        for at, (failed, _) in counts.items():
            begun = [drift.kind for drift in planted if at <= drift.starts_at < at + WEEK]
            mark = f"  <- {', '.join(begun)} begins" if begun else ""
            show.say(f"  {at:%Y-%m-%d} {failed:3d} {'#' * failed}{mark}".rstrip())
        return
    at_fail = {at: failed for at, (failed, _) in counts.items()}
    show.say("features at fail by ISO week (blank 0, # the most, _ not judged):")
    for year, line in story.lines_by_year(at_fail):
        show.say(f"  {year} |{line}|")
    rises = story.rises(at_fail)
    most = sorted(at_fail, key=lambda at: (-at_fail[at], at))[:TOP_WEEKS]
    steepest = sorted(at_fail, key=lambda at: (-rises[at], at))[:TOP_WEEKS]
    for title, weeks in (("most", most), ("greatest rise over the four weeks before", steepest)):
        show.table(
            f"weeks with the {title}",
            ("week of", "at fail", "rise", "judged", "features"),
            [
                [
                    f"{at:%Y-%m-%d}",
                    at_fail[at],
                    round(rises[at], 1),
                    counts[at][1],
                    _names(rows, at),
                ]
                for at in weeks
                if at_fail[at]
            ],
        )


def tell_places(settings: "Settings", model: str) -> None:
    """Say where page, data docs and published file are, and a query to begin with."""
    from ops import warehouse

    file = nearby(settings.current / warehouse.FILE)
    show.say(f"page:      {nearby(settings.reports / f'{model}.html')}")
    show.say(f"data docs: {nearby(settings.docs / model / 'index.html')}")
    show.say(f"published: {file} (and each mart as Parquet beside it)")
    show.say("ask it, for instance:")
    show.say(
        f"  .venv/bin/python -c \"import duckdb; print(duckdb.connect('{file}', read_only=True)"
        ".sql('from fct_drift_breaches select window_start_at, window_grain, feature_name,"
        " metric_value, fail_bound, severity where is_decision order by window_start_at'))\""
    )


def _outcome(found: "Found") -> str:
    return {"seen": "SEEN", "warned": "warned only"}.get(found.outcome, found.outcome)


def _delay(found: "Found") -> str:
    return "-" if found.delay_days is None else f"{found.delay_days:.1f}"


def _names(rows: Sequence["Decision"], at: datetime) -> str:
    return _first(
        [row.feature_name for row in rows if (row.window_start_at, row.severity) == (at, 2)], 4
    )


def _first(names: Sequence[str], count: int) -> str:
    more = f" and {len(names) - count} more" if len(names) > count else ""
    return ", ".join(names[:count]) + more or "-"
