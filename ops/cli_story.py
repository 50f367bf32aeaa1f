"""Tells what a demo has seen: planted against found, counts against counts, where to look."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ops import cli_show as show
from ops.cli_judge import nearby
from ops.cli_options import now

if TYPE_CHECKING:
    from ops.settings import Settings
    from ops.story import Decision, Found, Planted

TOP_WEEKS = 5


def tell_planted(settings: "Settings", model: str, planted: Sequence["Planted"]) -> None:
    """Say for each planted drift when it was seen, and what was seen where nothing was planted."""
    from ops import story, warehouse
    from ops.target import choose

    rows: list[list[object]] = []
    seen: dict[str, list[Decision]] = {}
    with warehouse.reader(settings) as query:
        for grain in ("day", "week"):
            seen[grain] = story.decisions(query, choose(settings, model, grain=grain))
    for drift in planted:
        by_week = story.find(drift, seen["week"], "week")
        by_day = story.find(drift, seen["day"], "day")
        rows.append(
            [
                drift.kind,
                f"{drift.starts_at:%Y-%m-%d}",
                f"{drift.ends_at:%Y-%m-%d}" if drift.ends_at else "stays",
                _outcome(by_week),
                _delay(by_week),
                _delay(by_day),
                ", ".join(by_week.features[:3]) or "-",
            ]
        )
    columns = ("planted", "from", "until", "by week", "days later", "by day", "features at fail")
    show.table("", columns, rows)
    for drift in planted:
        show.say(f"  {drift.starts_at:%Y-%m-%d} {drift.kind}: {drift.description}")
    alarms = story.false_alarms(planted, seen["week"], "week")
    calm = story.calm_windows(planted, seen["week"], "week")
    names = sorted({f"{row.feature_name} ({row.window_start_at:%Y-%m-%d})" for row in alarms})
    show.say("")
    show.say(
        f"false alarms: {len({row.window_start_at for row in alarms})} of {len(calm)} weeks without"
        f" a planted drift have a feature at fail ({len(alarms)} of"
        f" {sum(count for count in calm.values())} feature weeks)"
        + (f": {', '.join(names[:4])}" if names else "")
    )
    tell_weeks(settings, model)


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


def tell_weeks(settings: "Settings", model: str) -> None:
    """Say how many features were at severity 2 in each week, and which weeks had the most."""
    from ops import story, warehouse
    from ops.target import choose

    with warehouse.reader(settings) as query:
        rows = story.decisions(query, choose(settings, model))
    counts = story.counts_by_window(rows)
    if not counts:
        show.say("no complete week was judged: too few events")
        return
    show.say("")
    show.say("features at fail by ISO week (blank 0, # the most, _ not judged):")
    for year, line in story.lines_by_year({at: failed for at, (failed, _) in counts.items()}):
        show.say(f"  {year} |{line}|")
    top = sorted(counts, key=lambda at: (-counts[at][0], at))[:TOP_WEEKS]
    show.table(
        "weeks with the most features at fail",
        ("week of", "at fail", "judged", "features"),
        [[f"{at:%Y-%m-%d}", *counts[at], _names(rows, at)] for at in top if counts[at][0]],
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
        " metric_name, metric_value, fail_bound, severity order by metric_value desc limit 20'))\""
    )


def _outcome(found: "Found") -> str:
    if found.outcome == "seen":
        return "SEEN"
    if found.outcome == "warned":
        return "warned only"
    needs = f", needs {found.planted.needs}" if found.planted.needs else ""
    return f"{found.outcome}{needs}"


def _delay(found: "Found") -> str:
    return "-" if found.delay_days is None else f"{found.delay_days:.1f}"


def _names(rows: Sequence["Decision"], at: datetime) -> str:
    names = [row.feature_name for row in rows if row.window_start_at == at and row.severity > 1]
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
