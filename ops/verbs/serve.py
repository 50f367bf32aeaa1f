"""The verb that serves the scoring API."""

from typing import TYPE_CHECKING

import click

from ops.settings import use_one_thread
from ops.verbs import show
from ops.verbs.options import example, model_option, now

if TYPE_CHECKING:
    from ops.settings import Settings

SECONDS = click.FloatRange(0, 3600)
SOME = click.IntRange(1)
PORT = click.IntRange(0, 65_535)


@click.command(
    epilog=example(
        "driftnet serve",
        "DRIFTNET_API_KEYS=$(openssl rand -hex 24) driftnet serve --host 0.0.0.0",
    )
)
@model_option
@click.option("--host", help="Where to listen; default: DRIFTNET_API_LISTEN, else 127.0.0.1.")
@click.option("--port", type=PORT, help="Default: as DRIFTNET_API_LISTEN, else 8000; 0: any free.")
@click.option("--metrics-port", type=PORT, help="For Prometheus; default: 9101, on loopback.")
@click.option(
    "--drain-seconds",
    type=SECONDS,
    default=0.0,
    show_default=True,
    help="How long /readyz says 503 before the server closes.",
)
@click.option(
    "--acknowledge-seconds",
    type=click.FloatRange(0.1, 60),
    default=5.0,
    show_default=True,
    help="How long the event log may take, else 503.",
)
@click.option("--max-body-bytes", type=SOME, default=1 << 22, show_default=True)
@click.option("--max-batch", type=SOME, default=1_000, show_default=True, help="Items of a list.")
@click.option(
    "--max-length",
    type=click.IntRange(1, 65_536),
    default=65_536,
    show_default=True,
    help="Characters of what is scored.",
)
@click.pass_obj
def serve(
    settings: "Settings",
    model: str | None,
    host: str | None,
    port: int | None,
    metrics_port: int | None,
    drain_seconds: float,
    acknowledge_seconds: float,
    max_body_bytes: int,
    max_batch: int,
    max_length: int,
) -> None:
    """Score over HTTP with the champion: POST /predict, POST /labels, GET /model.

    Answers once the event log holds the event; GET /openapi.json describes all. Callers show a key
    of DRIFTNET_API_KEYS (header Authorization: Bearer KEY); without keys the API is open, on
    loopback only. Another champion is taken up while it runs. SIGTERM or Ctrl-C: answers what is
    under way, then ends.
    """
    use_one_thread()  # before anything loads a numeric library

    from ingest.model import default_name
    from ingest.serving.limits import Limits
    from ops.serve import Place
    from ops.serve import serve as run

    listen = settings.listen
    place = Place(
        listen.api.host if host is None else host,
        listen.api.port if port is None else port,
        listen.api_metrics.port if metrics_port is None else metrics_port,
        drain_seconds,
        listen.api_metrics.host,
    )
    run(
        settings,
        model or default_name(settings.models),
        place,
        Limits(max_body_bytes, max_batch, max_length, acknowledge_seconds=acknowledge_seconds),
        now,
        show.tell,
    )
