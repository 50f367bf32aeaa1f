"""What the published marts say, for Prometheus: drift, quality, checks and freshness.

It speaks of the window that the gate judges, of the version that the gate looks at, and of the
whole, not of segments: so there are as many series as a model has features and metrics. The file
is read once for each publication.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from prometheus_client.core import GaugeMetricFamily, Metric

from ingest import model as models
from ingest.errors import DriftnetError
from ops import project, warehouse
from ops.settings import Settings
from ops.status import incident_rows
from ops.target import Target, choose
from reports import checks, rows
from reports.checks import QualityRow
from reports.rows import MetricRow, Query, Scope
from reports.window import choose_window

MODEL = ("model", "version")
FEATURE = (*MODEL, "kind", "feature")
#: name -> what it says, and its labels. METRICS.md says the same at length.
GAUGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "window_end_timestamp_seconds": ("End of the window that is judged", (*MODEL, "grain")),
    "window_events": ("Events of that window", MODEL),
    "drift_value": ("How far it lies from the reference", (*FEATURE, "metric")),
    "drift_warn_bound": ("Beyond it a deciding metric warns", (*FEATURE, "metric")),
    "drift_fail_bound": ("Beyond it a deciding metric fails", (*FEATURE, "metric")),
    "drift_severity": ("Of the deciding metric: 0 note, 1 warn, 2 fail", FEATURE),
    "quality_value": ("How good the predictions were", (*MODEL, "metric", "basis")),
    "quality_severity": ("Of a metric of quality: 0, 1, 2", (*MODEL, "metric", "basis")),
    "quality_window_end_timestamp_seconds": ("End of its window", (*MODEL, "basis")),
    "label_coverage_share": ("Labelled share of the window that is judged", MODEL),
    "check_severity": ("Of the pipeline's check, its worst subject: 0, 1, 2", (*MODEL, "check")),
    "newest_event_timestamp_seconds": ("Time of the newest event", ("model",)),
    "open_incidents": ("Incidents that are not resolved", ("model", "drift")),
    "feed_is_stale": ("1 while a model's events have stopped", ("model",)),
}
READABLE = ("marts_are_readable", "0 while the published copy cannot be read")

Sample = tuple[str, tuple[str, ...], float]


class MartMetrics:
    """Asks a published copy once, and repeats what it said until there is another.

    Parameters
    ----------
    settings
        Whose home.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._asked: object = None
        self._said: list[Sample] = []
        self._is_readable = True

    def collect(self) -> Iterable[Metric]:
        """Return what is published now."""
        self._ask()
        gauges = {
            name: GaugeMetricFamily(f"driftnet_{name}", text, labels=labels)
            for name, (text, labels) in GAUGES.items()
        }
        for name, labels, value in self._said:
            gauges[name].add_metric(labels, value)
        yield from gauges.values()
        name, text = READABLE
        yield GaugeMetricFamily(f"driftnet_{name}", text, value=self._is_readable)

    def _ask(self) -> None:
        published_at = warehouse.published_at(self._settings)
        if published_at is None:
            return
        try:
            asked = (published_at, targets(self._settings))
            if asked != self._asked:
                with warehouse.reader(self._settings) as query:
                    self._said = [x for target in asked[1] for x in samples(query, target)]
                for row in incident_rows(self._settings):
                    who = (row["model_name"], row["drift_kind"])
                    self._said.append(("open_incidents", who, row["open_count"]))
                self._asked = asked
            self._is_readable = True
        except DriftnetError:
            self._said, self._asked, self._is_readable = [], None, False


def targets(settings: Settings) -> tuple[Target, ...]:
    """Return what the gate looks at: one version of each model, at the grain of the gate."""
    names = sorted({card.name for card in models.registered(settings.models)})
    grain = str(project.variables(settings)["gate_grain"]) if names else ""
    return tuple(choose(settings, name, grain=grain) for name in names)


def samples(query: Query, target: Target) -> Iterable[Sample]:
    """Return what the marts say of one model version."""
    scope = Scope(target.model_name, target.model_version, target.grain)
    who = (target.model_name, target.model_version)
    if feed := rows.feed(query, scope):
        yield "newest_event_timestamp_seconds", who[:1], _seconds(feed.newest_event_at)
        yield "feed_is_stale", who[:1], feed.is_stale
    start_at = choose_window(query, scope, None).start_at
    if start_at is None:
        return
    found = rows.metrics(query, scope, start_at)
    yield "window_end_timestamp_seconds", (*who, target.grain), _seconds(found[0].window_end_at)
    yield "window_events", who, rows.event_counts(query, scope).get(start_at, 0)
    for row in found:
        yield from _drift(who, row)
    yield from _quality(who, checks.quality(query, scope), start_at)
    worst: dict[str, int] = {}
    for check in checks.pipeline(query, scope, start_at):
        worst[check.check_name] = max(worst.get(check.check_name, 0), check.severity)
    for name, severity in worst.items():
        yield "check_severity", (*who, name), severity


def _drift(who: tuple[str, ...], row: MetricRow) -> Iterable[Sample]:
    what = (*who, row.drift_kind, row.feature_name)
    which = (*what, row.metric_name)
    if row.metric_value is not None:
        yield "drift_value", which, row.metric_value
    if not row.is_decision:
        return
    yield "drift_severity", what, row.severity
    if row.warn_bound is not None:
        yield "drift_warn_bound", which, row.warn_bound
    if row.fail_bound is not None:
        yield "drift_fail_bound", which, row.fail_bound


def _quality(
    who: tuple[str, ...], found: Sequence[QualityRow], start_at: datetime
) -> Iterable[Sample]:
    """Return the estimate of the window that is judged, and what labels said of the newest one."""
    for row in found:
        if row.window_start_at == start_at and row.label_coverage is not None:
            yield "label_coverage_share", who, row.label_coverage
            break
    newest: dict[str, datetime] = {}
    for row in found:
        if row.is_complete and row.metric_value is not None and (_is_told(row, start_at)):
            newest[row.basis] = max(row.window_start_at, newest.get(row.basis, row.window_start_at))
    for basis, at in newest.items():
        held = [row for row in found if (row.basis, row.window_start_at) == (basis, at)]
        yield (
            "quality_window_end_timestamp_seconds",
            (*who, basis),
            _seconds(held[0].window_end_at),
        )
        for row in held:
            if row.metric_value is not None:
                yield "quality_value", (*who, row.metric_name, basis), row.metric_value
                yield "quality_severity", (*who, row.metric_name, basis), row.severity


def _is_told(row: QualityRow, start_at: datetime) -> bool:
    return bool(row.is_mature) if row.basis == "realised" else row.window_start_at == start_at


def _seconds(moment: datetime) -> float:
    return moment.replace(tzinfo=UTC).timestamp()
