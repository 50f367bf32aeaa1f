"""The verb that writes the page, and a peer's page beside it."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ops.verbs import show
from ops.verbs.judge import draw, nearby, version_option, warn_when_stale
from ops.verbs.options import example, grain_option, model_option, now

if TYPE_CHECKING:
    from ops.settings import Settings


@click.command(epilog=example("driftnet report", "driftnet report --with evidently"))
@model_option
@version_option
@grain_option
@click.option("--with", "peer", type=click.Choice(["evidently"]), help="Also write a peer's page.")
@click.option(
    "--evidently-python",
    "python",
    type=click.Path(path_type=Path),
    help="Python of an environment with Evidently; default: that of `make evidently`.",
)
@click.pass_obj
def report(
    settings: "Settings",
    model: str | None,
    version: str | None,
    grain: str,
    peer: str | None,
    python: Path | None,
) -> None:
    """Write the page: what drifted, since when, by which bins.

    Evidently's page of the same two windows goes to reports/evidently_report_<window>.html.
    """
    from ops import evidently, judging
    from ops.target import choose

    target = choose(settings, model, version, grain)
    if peer is None:
        draw(settings, target)
        return
    python = evidently.python_of(settings, python)
    warn_when_stale(settings)
    verdict = judging.gate(settings, now, target)
    draw(settings, target, verdict)
    with show.doing(peer):
        page = evidently.write_page(settings, target, verdict, python)
    show.say(f"{peer}'s page: {nearby(page)}")
