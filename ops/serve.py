"""The scoring API as a process: its parts and its ports."""

import gc
import ipaddress
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version

from ingest.api import create_app
from ingest.champions import Champions, Tell
from ingest.errors import InputError
from ingest.log import Topics
from ingest.scorer import SUBJECT
from ingest.serving.keys import Keys
from ingest.serving.limits import Limits
from ingest.serving.metrics import Metrics
from ingest.serving.parts import Parts
from ingest.serving.server import BACKLOG, Server
from ingest.serving.service import Service
from ops import pipeline
from ops.ports import LOOPBACK, showing
from ops.settings import Settings

GRACE_SECONDS = 10.0  # for answers under way at the end, beyond the time of the log


@dataclass(frozen=True)
class Place:
    """Where a server listens.

    Parameters
    ----------
    host, port
        Of the API; port 0: any that is free.
    metrics_host, metrics_port
        Of the metrics; port 0: any that is free.
    drain_seconds
        How long /readyz says 503 before the server closes.
    """

    host: str = LOOPBACK
    port: int = 8000
    metrics_port: int = 9101
    drain_seconds: float = 0.0
    metrics_host: str = LOOPBACK


def serve(
    settings: Settings,
    model: str,
    place: Place,
    limits: Limits,
    clock: Callable[[], datetime],
    tell: Tell,
) -> None:
    """Serve the champion of a model until SIGTERM or SIGINT.

    Parameters
    ----------
    tell
        Is told of ``serving`` (with both addresses), ``draining``, ``ended`` and what goes wrong.

    Raises
    ------
    InputError
        There is no champion; a port is taken; no keys are set and the host is not loopback.
    """
    keys = Keys(settings.api_keys)
    if not keys and not is_loopback(place.host):
        raise InputError(
            f"without API keys the API listens on loopback only, not on {place.host}: "
            "set DRIFTNET_API_KEYS (such as `openssl rand -hex 24` prints)"
        )
    metrics = Metrics()
    with (
        _listening(place.host, place.port) as listener,
        showing(metrics.registry, place.metrics_port, place.metrics_host) as metrics_port,
    ):
        champions = Champions(settings.models, model, clock, tell)
        log = pipeline.open_appender(settings, lambda text: tell("log_repaired", what=text))
        topics = Topics(settings.predictions_topic, settings.labels_topic)
        service = Service(
            champions, log, topics, limits, metrics, clock, tell, settings.subject_storage
        )
        parts = Parts(service, SUBJECT, keys, limits, metrics, version("driftnet"))
        grace = limits.acknowledge_seconds + GRACE_SECONDS
        server = Server(create_app(parts), service.health, tell, place.drain_seconds, grace)
        with _settled():
            server.serve_on(
                listener,
                lambda: tell(
                    "serving",
                    address=_address(listener),
                    metrics=f"{place.metrics_host}:{metrics_port}",
                    model=model,
                    version=champions.version,
                    key_count=len(settings.api_keys),
                ),
            )
    tell("ended")


def is_loopback(host: str) -> bool:
    """Return whether a host can be reached from this machine alone.

    Examples
    --------
    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("localhost")
    (True, True, True)
    >>> is_loopback("0.0.0.0"), is_loopback("example.com")
    (False, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def _settled() -> Iterator[None]:
    """Spare the collector what is loaded: it stays, and looking at it costs milliseconds."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, OverflowError) as error:
        raise InputError(f"cannot listen on {host} port {port} ({error}): give another") from error
    with listener:
        yield listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
