"""The plots: SVG that stretches to the width it is given, with no text in it but titles.

All share one style: thin lines that do not thicken when stretched (CSS), colours by class, and a
width of 1,000 units. Labels stand beside them in HTML, so they keep their size on every screen.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from markupsafe import Markup

from reports import figures
from reports.axes import HEIGHT, WIDTH, TimeAxis, ValueAxis
from reports.defang import defang
from reports.history import Track
from reports.rows import MetricRow

STRIP_HEIGHT = 16
BAR_HEIGHT = 18
SWAY_HEIGHT = 28
DENSE = 60
SEVERITIES = ("within bounds", "warn", "fail")


def strip(track: Track, axis: TimeAxis, window_start_at: datetime | None) -> Markup:
    """Draw the severities of one feature: a line where judged, half a bar warns, a bar fails."""
    middle = STRIP_HEIGHT - 1
    baseline = "".join(
        f"M{axis.x(row.window_start_at):g} {middle}H{axis.x(row.window_end_at):g}"
        for row in track.rows
    )
    parts = [_ticks(axis, STRIP_HEIGHT), _tag("path", d=baseline, class_="judged")]
    for row in track.rows:
        if row.window_start_at == window_start_at:
            left, right = axis.x(row.window_start_at), axis.x(row.window_end_at)
            parts.insert(
                0,
                _tag("rect", class_="now", x=left, y=0, width=right - left, height=STRIP_HEIGHT),
            )
        if row.severity:
            height = STRIP_HEIGHT if row.severity > 1 else STRIP_HEIGHT / 2
            left = axis.x(row.window_start_at)
            parts.append(
                _tag(
                    "rect",
                    _title(_said(row, axis)),
                    class_=SEVERITIES[row.severity] + ("" if row.is_complete else " open"),
                    x=left,
                    y=STRIP_HEIGHT - height,
                    width=max(0.9 * (axis.x(row.window_end_at) - left), 0.8),
                    height=height,
                )
            )
    said = (
        f"{track.feature_name}: {figures.count(track.count(2), 'window')} fail,"
        f" {figures.count(track.count(1), 'window')} warn, of {len(track.rows)} judged"
    )
    return _picture(parts, STRIP_HEIGHT, said, "strip")


def history(track: Track, axis: TimeAxis, scale: ValueAxis, window_start_at: datetime) -> Markup:
    """Draw a metric through time with its bounds and with what chance alone would give."""
    lines: tuple[tuple[str, Callable[[MetricRow], float | None]], ...] = (
        ("expected", lambda row: row.expected_value),
        ("detectable", lambda row: row.min_detectable_value),
        ("warn-bound", lambda row: row.warn_bound),
        ("fail-bound", lambda row: row.fail_bound),
        ("value", lambda row: row.metric_value),
    )
    parts = [
        _ticks(axis, HEIGHT),
        _tag("path", d=_levels(scale), class_="grid"),
        *(_line(track.rows, axis, scale, name, number) for name, number in lines),
        *(_dot(row, axis, scale) for row in track.rows if row.severity),
        *(
            _dot(row, axis, scale, "now")
            for row in track.rows
            if row.window_start_at == window_start_at
        ),
    ]
    name = "history dense" if len(track.rows) > DENSE else "history"
    return _picture(parts, HEIGHT, _history_said(track, axis), name)


def bars(reference_share: float | None, current_share: float | None, top: float) -> Markup:
    """Draw the two shares of a bin, the reference above the current, on a scale to `top`."""
    parts = [
        _tag(
            "rect",
            class_=name,
            x=0,
            y=y,
            width=round(WIDTH * (share or 0.0) / (top or 1.0), 1),
            height=7,
        )
        for name, share, y in (("reference", reference_share, 1), ("current", current_share, 10))
    ]
    return _picture(parts, BAR_HEIGHT, "", "bars")


def lean(value: float, top: float) -> Markup:
    """Draw a number as a bar to the left (negative) or right of the middle, on a scale to `top`."""
    middle = WIDTH / 2
    width = round(middle * min(abs(value) / (top or 1.0), 1.0), 1)
    left = middle if value > 0 else middle - width
    parts = [
        _tag("path", d=f"M{middle:g} 0V{BAR_HEIGHT}", class_="grid"),
        _tag("rect", class_="current", x=left, y=4, width=width, height=10),
    ]
    return _picture(parts, BAR_HEIGHT, "", "bars")


def sway(
    points: Sequence[tuple[datetime, datetime, float]], axis: TimeAxis, top: float, name: str
) -> Markup:
    """Draw a signed number through time (start and end of a window, value) about a zero line."""
    middle, path, last_end = SWAY_HEIGHT / 2, "", None
    for start, end, value in points:
        x = round((axis.x(start) + axis.x(end)) / 2, 1)
        y = round(middle - (middle - 2) * value / (top or 1.0), 1)
        follows = last_end is not None and start <= last_end
        path += f"{'L' if follows else 'M'}{x:g} {y:g}" + ("" if follows else "h0")
        last_end = end
    least, most = min(point[2] for point in points), max(point[2] for point in points)
    said = f"mean of {name}: from {figures.figure(least)} to {figures.figure(most)} std"
    zero = _tag("path", d=f"M0 {middle:g}H{WIDTH}", class_="judged")
    parts = [_ticks(axis, SWAY_HEIGHT), zero, _tag("path", d=path, class_="value")]
    return _picture(parts, SWAY_HEIGHT, said, "strip sway")


def _line(
    rows: Sequence[MetricRow],
    axis: TimeAxis,
    scale: ValueAxis,
    name: str,
    number: Callable[[MetricRow], float | None],
) -> Markup:
    """Draw one line through the middles of the windows, broken where windows are missing."""
    path, last_end = "", None
    for row in rows:
        value = number(row)
        if value is None:
            last_end = None
            continue
        follows = last_end is not None and row.window_start_at <= last_end
        path += f"{'L' if follows else 'M'}{_middle(row, axis):g} {scale.y(value):g}"
        path += "" if follows else "h0"
        last_end = row.window_end_at
    return _tag("path", d=path, class_=name)


def _dot(row: MetricRow, axis: TimeAxis, scale: ValueAxis, name: str = "") -> Markup:
    # A line of no length with round ends stays round when the picture is stretched.
    spot = f"M{_middle(row, axis):g} {scale.y(row.metric_value or 0.0):g}h0"
    title = Markup("") if name else _title(_said(row, axis))
    return _tag("path", title, d=spot, class_=f"dot {name or SEVERITIES[row.severity]}")


def _middle(row: MetricRow, axis: TimeAxis) -> float:
    return round((axis.x(row.window_start_at) + axis.x(row.window_end_at)) / 2, 1)


def _ticks(axis: TimeAxis, height: float) -> Markup:
    path = "".join(f"M{tick.at * WIDTH:g} 0V{height:g}" for tick in axis.ticks)
    return _tag("path", d=path, class_="tick")


def _levels(scale: ValueAxis) -> str:
    return "".join(f"M0 {tick.at * HEIGHT:g}H{WIDTH}" for tick in scale.ticks)


def _said(row: MetricRow, axis: TimeAxis) -> str:
    bound = row.fail_bound if row.severity > 1 else row.warn_bound
    return (
        f"{figures.window(row.window_start_at, axis.grain, axis.timezone)}:"
        f" {SEVERITIES[row.severity]}, {row.metric_name} {figures.figure(row.metric_value)}"
        f" {row.side} {figures.figure(bound)}{'' if row.is_complete else ' (not complete yet)'}"
    )


def _history_said(track: Track, axis: TimeAxis) -> str:
    first, last = track.rows[0], track.rows[-1]
    return (
        f"{last.metric_name} of {track.feature_name} from"
        f" {figures.day(first.window_start_at, axis.timezone)} to"
        f" {figures.day(last.window_end_at, axis.timezone)}: last"
        f" {figures.figure(last.metric_value)}, warns over {figures.figure(last.warn_bound)},"
        f" fails over {figures.figure(last.fail_bound)}"
    )


def _picture(parts: Iterable[Markup], height: float, said: str, name: str) -> Markup:
    shape = {"viewBox": f"0 0 {WIDTH} {height:g}", "preserveAspectRatio": "none", "class_": name}
    inside = Markup("").join(parts)
    if not said:
        return _tag("svg", inside, aria_hidden="true", **shape)
    return _tag("svg", _title(said) + inside, role="img", aria_label=defang(said), **shape)


def _title(said: str) -> Markup:
    return _tag("title", said)


def _tag(name: str, inside: str | Markup = "", **attributes: str | float) -> Markup:
    """Write an element; texts and attributes are defanged and escaped unless already drawn."""
    filled = Markup("").join(
        Markup(' {}="{}"').format(
            key if key.startswith(("view", "preserve")) else key.rstrip("_").replace("_", "-"),
            f"{value:g}" if isinstance(value, (int, float)) else value,
        )
        for key, value in attributes.items()
    )
    text = inside if isinstance(inside, Markup) else defang(inside)
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), filled, text)  # noqa: S704
