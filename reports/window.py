"""Which window is judged; or, in words, why there is none."""

from dataclasses import dataclass
from datetime import datetime

from reports import figures, rows
from reports.rows import Query, Scope


@dataclass(frozen=True)
class Window:
    """The window to judge, or the reason in words why there is none."""

    start_at: datetime | None
    reason: str = ""


def choose_window(query: Query, scope: Scope, start_at: datetime | None) -> Window:
    """Return the window to judge, or say why none can be judged.

    A window without metric rows that two later windows have followed is over and was never
    judged (too few events): the gate is blind there and says so, instead of judging an older one.
    """
    counts = rows.event_counts(query, scope)
    if start_at is not None:
        return _asked_window(query, scope, start_at, counts.get(start_at, 0))
    complete = rows.newest_complete_window(query, scope)
    incomplete = rows.newest_incomplete_window(query, scope)
    judged = max((at for at in (complete, incomplete) if at is not None), default=datetime.min)
    skipped = [at for at in counts if at > judged][:-2]
    if skipped:
        name = figures.window(skipped[-1], scope.window_grain)
        number = figures.count(counts[skipped[-1]], "event")
        return Window(None, f"{name} has {number}: too few to judge")
    if complete is not None:
        return Window(complete)
    if incomplete is not None:
        name = figures.window(incomplete, scope.window_grain)
        return Window(None, f"no complete window yet: {name} has not ended")
    if counts:
        number = figures.count(max(counts.values()), "event")
        return Window(None, f"no window could be judged yet: the fullest holds {number}")
    return Window(
        None,
        f"no events of model {scope.model_name} version {scope.model_version}"
        f" at grain {scope.window_grain}: nothing has been watched",
    )


def _asked_window(query: Query, scope: Scope, start_at: datetime, event_count: int) -> Window:
    name = figures.window(start_at, scope.window_grain)
    found = rows.metrics(query, scope, start_at)
    if not found:
        return Window(None, f"{name} has {figures.count(event_count, 'event')} and was not judged")
    if not all(row.is_complete for row in found):
        return Window(None, f"{name} is not complete yet")
    return Window(start_at)
