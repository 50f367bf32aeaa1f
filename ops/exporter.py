"""Where everything stands, for Prometheus: jobs, lag, freshness, verdicts, incidents, marts.

METRICS.md describes each of them.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ingest import model as models
from ingest.landed.tails import Tails
from ops import judging, status, warehouse
from ops.mart_metrics import MartMetrics
from ops.runner import OUTCOMES, Ended
from ops.settings import Settings
from ops.timetable import Job
from reports.verdict import STATUSES


class Exporter(Collector):
    """Looks at a home whenever it is asked.

    Parameters
    ----------
    settings
        Whose home.
    clock
        The time in UTC.
    jobs
        Whose runs are counted; each has its counters from the beginning.
    """

    def __init__(
        self, settings: Settings, clock: Callable[[], datetime], jobs: Iterable[Job] = ()
    ) -> None:
        self.registry = CollectorRegistry()
        self._settings = settings
        self._clock = clock
        self._runs = Counter(
            "driftnet_job_runs", "Runs ended", ("verb", "outcome"), registry=self.registry
        )
        self._seconds = Counter(
            "driftnet_job_seconds", "Time of runs", ("verb",), registry=self.registry
        )
        for job in jobs:
            self._seconds.labels(job.name)
            for outcome in (*OUTCOMES.values(), "failed", "stopped"):
                self._runs.labels(job.name, outcome)
        self._marts = MartMetrics(settings)
        self._tails = Tails()
        self.registry.register(self)

    def describe(self) -> Iterable[Metric]:
        """Return nothing: to register needs no look at the home."""
        return []

    def ended(self, job: Job, ended: Ended) -> None:
        """Count a run."""
        self._runs.labels(job.name, ended.outcome).inc()
        self._seconds.labels(job.name).inc(ended.seconds)

    def collect(self) -> Iterable[Metric]:
        """Return what is true now."""
        settings = self._settings
        yield from _jobs(status.job_rows(settings.schedule))
        topics = status.topic_rows(settings, self._tails)
        for unit in ("bytes", "messages"):
            lag = _gauge(f"log_lag_{unit}", f"Of the log, {unit} that have not landed", "topic")
            for topic in topics:
                if topic.get(f"lag_{unit}") is not None:
                    lag.add_metric([topic["topic"]], topic[f"lag_{unit}"])
            yield lag
        age = _gauge("published_age_seconds", "Since the marts were published")
        if published_at := warehouse.published_at(settings):
            age.add_metric([], (self._clock() - published_at).total_seconds())
        yield age
        verdict = _gauge("verdict", "1 for what the gate said last", "model", "status")
        for model in sorted({card.name for card in models.registered(settings.models)}):
            if said := judging.last_verdict(settings, model):
                for word in STATUSES:
                    verdict.add_metric([model, word], said["status"] == word)
        yield verdict
        disk = _gauge("disk_bytes", "Disk that a folder of the home takes", "folder")
        for name, size in status.disk_bytes(settings.home).items():
            disk.add_metric([name], size)
        yield disk
        yield from self._marts.collect()


def _jobs(rows: Iterable[dict[str, Any]]) -> Iterable[Metric]:
    last = _gauge("job_last_good_timestamp_seconds", "When a job last ended well", "verb")
    due = _gauge("job_next_timestamp_seconds", "When a job runs next", "verb")
    well = _gauge("job_is_failing", "1 while a job's last run failed", "verb")
    for row in rows:
        for gauge, key in ((last, "last_good_at"), (due, "next_at")):
            if row.get(key):
                gauge.add_metric([row["name"]], datetime.fromisoformat(row[key]).timestamp())
        well.add_metric([row["name"]], bool(row.get("is_failing")))
    return (last, due, well)


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"driftnet_{name}", text, labels=labels)
