"""The two axes that all plots share: time from left to right, one scale of values per metric."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import floor, log10, sqrt

from reports.rows import MetricRow

WIDTH = 1000
HEIGHT = 160

_TICKS = (0, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16)


@dataclass(frozen=True)
class Tick:
    """A label on an axis, at a share (0..1) of its length."""

    at: float
    label: str


@dataclass(frozen=True)
class TimeAxis:
    """Time from the first window's start to the last window's end, as 0..WIDTH."""

    begin: datetime
    end: datetime
    grain: str
    timezone: str

    def x(self, at: datetime) -> float:
        """Return where an instant lies."""
        return round(WIDTH * ((at - self.begin) / (self.end - self.begin)), 1)

    @property
    def ticks(self) -> list[Tick]:
        """The first of years, of quarters or of months: at most about a dozen."""
        days = (self.end - self.begin).days
        months = 12 if days > 900 else 3 if days > 270 else 1
        form = "%Y" if months == 12 else "%b %Y"
        firsts = (datetime(year, month, 1) for year, month in self._months(months))
        inside = [at for at in firsts if self.begin <= at < self.end]
        return [Tick(self.x(at) / WIDTH, f"{at:{form}}") for at in inside]

    def _months(self, step: int) -> list[tuple[int, int]]:
        years = range(self.begin.year, self.end.year + 1)
        return [(year, month) for year in years for month in range(1, 13, step)]


@dataclass(frozen=True)
class ValueAxis:
    """Values of one metric as heights, by their square root: small values stay apart."""

    top: float

    def y(self, value: float) -> float:
        """Return where a value lies, 0 at the top; what is above the top is drawn there."""
        share = sqrt(min(max(value, 0.0), self.top) / self.top)
        return round(HEIGHT * (1 - share), 1)

    @property
    def ticks(self) -> list[Tick]:
        """Round values, those that would crowd left out."""
        unit = 1.0 if self.top >= 0.25 else 10.0 ** floor(log10(self.top))
        kept: list[Tick] = []
        for value in reversed([tick * unit for tick in _TICKS if tick * unit <= self.top]):
            at = self.y(value) / HEIGHT
            if not kept or at - kept[-1].at > 0.11:
                kept.append(Tick(at, f"{value:g}"))
        return kept


def time_axis(
    rows: Iterable[MetricRow], windows: Iterable[datetime], grain: str, timezone: str
) -> TimeAxis | None:
    """Return the axis that holds every window, judged or not; None where there is none."""
    judged = list(rows)
    starts = [*windows, *(row.window_start_at for row in judged)]
    if not starts:
        return None
    begin, newest = min(starts), max(starts)
    step = max(
        (row.window_end_at - row.window_start_at for row in judged), default=timedelta(days=1)
    )
    return TimeAxis(begin, newest + step, grain, timezone)


def value_axis(rows: Iterable[MetricRow]) -> ValueAxis:
    """Return the one scale on which every value and bound of the rows fits."""
    numbers = [
        number
        for row in rows
        for number in (row.metric_value, row.fail_bound, row.warn_bound)
        if number is not None
    ]
    return ValueAxis(max(numbers, default=1.0) * 1.05 or 1.0)
