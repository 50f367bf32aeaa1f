"""What the API counts, for Prometheus; served on a port of its own."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from time import perf_counter
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ingest.champions import Champions

ROUTES = ("/predict", "/labels", "/model", "/healthz", "/readyz", "/openapi.json")
SECONDS = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
ITEMS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


class Metrics:
    """The counters of one API, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"driftnet_api_{name}", text, labels, registry=self.registry)

        def histogram(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            name = f"driftnet_api_{name}"
            return Histogram(name, text, labels, buckets=buckets, registry=self.registry)

        self.requests = counter("requests", "Requests answered", "route", "status")
        self.request_seconds = histogram("request_seconds", "Time of a request", SECONDS, "route")
        self.in_flight = Gauge(
            "driftnet_api_requests_in_flight", "Requests under way", registry=self.registry
        )
        self.items = histogram("items", "Items of a request", ITEMS, "route")
        self.predictions = counter(
            "predictions", "Predictions acknowledged by the log", "model_version", "decision"
        )
        self.labels = counter("labels", "Labels acknowledged by the log")
        self.score_seconds = histogram("score_seconds", "Time until scored", SECONDS)
        self.log_seconds = histogram("log_seconds", "Time until the log acknowledged", SECONDS)
        self.log_failures = counter("log_failures", "Requests that the log did not acknowledge")

    def show(self, champions: Champions) -> None:
        """Say at each look which version is at work, and whether a newer one was refused."""
        self.registry.register(_Who(champions))


class _Who(Collector):
    def __init__(self, champions: Champions) -> None:
        self._champions = champions

    def collect(self) -> Iterable[Metric]:
        """Return what is true now."""
        who = self._champions
        work = GaugeMetricFamily(
            "driftnet_api_champion", "1 for the version at work", labels=["model", "version"]
        )
        work.add_metric([who.name, who.version], 1)
        yield work
        yield GaugeMetricFamily(
            "driftnet_api_champion_is_refused",
            "1 while a promoted version cannot be taken up",
            value=who.refusal is not None,
        )
        yield CounterMetricFamily(
            "driftnet_api_champion_refusals", "Versions refused", value=who.refusal_count
        )


class Measured:
    """An ASGI app that counts and times the requests of another.

    Parameters
    ----------
    app
        Answers them.
    metrics
        Where to.
    """

    def __init__(self, app: App, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        metrics = self._metrics
        route = scope["path"] if scope["path"] in ROUTES else "other"
        status = "500"
        began = perf_counter()

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        metrics.in_flight.inc()
        try:
            await self._app(scope, receive, sent)
        finally:
            metrics.in_flight.dec()
            metrics.requests.labels(route, status).inc()
            metrics.request_seconds.labels(route).observe(perf_counter() - began)
