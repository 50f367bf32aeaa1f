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
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", type=PORT, default=8000, show_default=True, help="0: any free port.")
@click.option(
    "--metrics-port", type=PORT, default=9101, show_default=True, help="For Prometheus; loopback."
)
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
    host: str,
    port: int,
    metrics_port: int,
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

    run(
        settings,
        model or default_name(settings.models),
        Place(host, port, metrics_port, drain_seconds),
        Limits(max_body_bytes, max_batch, max_length, acknowledge_seconds=acknowledge_seconds),
        now,
        show.tell,
    )
