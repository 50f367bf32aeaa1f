"""How numbers and times are written: the same in the data docs, on the page and in a message."""

from datetime import UTC, datetime
from math import isfinite
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

NONE = "-"
TINY = "<0.0001"


def figure(value: float | int | None) -> str:
    """Write a number with three digits that matter; counts in whole with thin grouping.

    Examples
    --------
    >>> figure(0.12345), figure(12.345), figure(12345.6), figure(0.0), figure(None)
    ('0.123', '12.3', '12,346', '0', '-')
    >>> figure(0.00031), figure(0.0000123), figure(4821), figure(-0.5)
    ('0.0003', '<0.0001', '4,821', '-0.500')
    """
    if value is None or not isfinite(value):
        return NONE
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}"
    size = abs(value)
    if size == 0:
        return "0"
    if size < 0.001:
        return f"{value:.4f}" if size >= 0.0001 else TINY if value > 0 else f"{value:.1e}"
    return f"{value:.1f}" if size >= 10 else f"{value:.2f}" if size >= 1 else f"{value:.3f}"


def probability(value: float | None) -> str:
    """Write a p or q value; what is under 1 in 10,000 is not worth more digits.

    Examples
    --------
    >>> probability(0.03), probability(1e-9), probability(0.0), probability(None)
    ('0.030', '<0.0001', '<0.0001', '-')
    """
    return TINY if value is not None and 0 <= value < 0.0001 else figure(value)


def percent(share: float | None) -> str:
    """Write a share (0..1) as a percentage with one decimal.

    Examples
    --------
    >>> percent(0.1234), percent(0.00004), percent(0.0), percent(None)
    ('12.3%', '<0.1%', '0%', '-')
    """
    if share is None or not isfinite(share):
        return NONE
    if share == 0:
        return "0%"
    return "<0.1%" if share < 0.0005 else f"{100 * share:.1f}%"


def day(at: datetime | None, timezone: str = "UTC") -> str:
    """Write the day of a UTC instant in a timezone.

    Examples
    --------
    >>> day(datetime(2021, 8, 8, 22), "Europe/Berlin"), day(datetime(2021, 8, 9))
    ('9 August 2021', '9 August 2021')
    """
    if at is None:
        return NONE
    local = _local(at, timezone)
    return f"{local.day} {local:%B %Y}"


def window(start_at: datetime | None, grain: str, timezone: str = "UTC") -> str:
    """Name a window by its grain and start.

    Examples
    --------
    >>> window(datetime(2021, 8, 9), "week"), window(datetime(2021, 8, 1), "month")
    ('the week of 9 August 2021', 'August 2021')
    >>> window(datetime(2021, 8, 9), "day")
    '9 August 2021'
    """
    if start_at is None:
        return "no window"
    if grain == "month":
        return f"{_local(start_at, timezone):%B %Y}"
    return f"the week of {day(start_at, timezone)}" if grain == "week" else day(start_at, timezone)


def count(number: int, noun: str, plural: str = "") -> str:
    """Write a count with its noun.

    Examples
    --------
    >>> count(1, "feature"), count(3, "feature"), count(0, "feature")
    ('1 feature', '3 features', 'no features')
    """
    many = plural or noun + "s"
    return f"no {many}" if number == 0 else f"{number:,} {noun if number == 1 else many}"


def _local(at: datetime, timezone: str) -> datetime:
    """Move a naive UTC instant to a timezone; UTC where the machine does not know the zone."""
    try:
        return at.replace(tzinfo=UTC).astimezone(ZoneInfo(timezone))
    except (ZoneInfoNotFoundError, ValueError):
        return at.replace(tzinfo=UTC)
