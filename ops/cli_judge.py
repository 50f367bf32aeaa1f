"""Verbs that build the warehouse and judge it: build, gate, report, run."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ops import cli_show as show
from ops.cli_options import GRAINS, model_option, now

if TYPE_CHECKING:
    from ops.settings import Settings
    from reports.verdict import Verdict

DRIFTED = 3

grain_option = click.option(
    "--grain", type=click.Choice(GRAINS), default="week", show_default=True, help="Window length."
)


@click.command()
@click.option("--full-refresh", is_flag=True, help="Fold everything that is landed again.")
@click.pass_obj
def build(settings: "Settings", full_refresh: bool) -> None:
    r"""Fold what has landed into the warehouse and publish the marts.

    This is `dbt build` on dbt_project, then a new published copy. When a test of dbt fails the
    data is unsound: nothing is published, exit code 1.

    \b
    Example:
      driftnet build
    """
    fold(settings, ["--full-refresh"] if full_refresh else [])


@click.command()
@model_option
@grain_option
@click.option(
    "--window",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Day the window starts on (UTC); default: the newest complete window.",
)
@click.pass_obj
def gate(settings: "Settings", model: str | None, grain: str, window: datetime | None) -> int:
    r"""Judge a window: pass, warn or fail; exit code 3 on fail.

    \b
    Examples:
      driftnet gate
      driftnet gate --model phishing --window 2021-08-09
    """
    from ops import pipeline

    name = pipeline.model_name(settings, model)
    return judge(settings, name, grain, window.replace(tzinfo=UTC) if window else None)


@click.command()
@model_option
@grain_option
@click.pass_obj
def report(settings: "Settings", model: str | None, grain: str) -> None:
    r"""Write the page: what drifted, since when, by which bins.

    \b
    Example:
      driftnet report
    """
    from ops import pipeline

    draw(settings, pipeline.model_name(settings, model), grain)


@click.command()
@model_option
@grain_option
@click.pass_obj
def run(settings: "Settings", model: str | None, grain: str) -> int:
    r"""Land, build, gate and report: what a scheduler calls; exit code 3 on a verdict of fail.

    \b
    Example:
      driftnet run || test $? -eq 3
    """
    from ops import pipeline
    from ops.cli_events import rest

    name = pipeline.model_name(settings, model)
    rest(settings)
    fold(settings, [])
    code = judge(settings, name, grain, None)
    draw(settings, name, grain)
    return code


def fold(settings: "Settings", arguments: list[str]) -> None:
    """Build, publish, and say what was published."""
    from ops import pipeline

    with show.nodes("build") as watch:
        publication = pipeline.build(settings, now, watch, arguments)
    show.say(f"published {len(publication.marts)} marts in {nearby(publication.folder)}")


def judge(settings: "Settings", model: str, grain: str, window: datetime | None) -> int:
    """Judge, say the verdict, and return the exit code."""
    from ops import pipeline

    warn_when_stale(settings)
    with show.doing("gate"):
        verdict = pipeline.gate(settings, now, model, window, grain)
    say_verdict(verdict)
    return DRIFTED if verdict.status == "fail" else 0


def draw(settings: "Settings", model: str, grain: str) -> Path:
    """Write the page and say where it is."""
    from ops import pipeline

    warn_when_stale(settings)
    with show.doing("report"):
        page = pipeline.report(settings, now, model, grain)
    show.say(f"page: {nearby(page)}")
    return page


def warn_when_stale(settings: "Settings") -> None:
    """Say so when the warehouse holds more than what is published."""
    from ops import warehouse

    if warehouse.is_newer_than_published(settings):
        show.note("the warehouse is newer than what is published: `driftnet build` publishes it")


def say_verdict(verdict: "Verdict") -> None:
    """Say a verdict: one line, then the rows that are out of bounds."""
    window = verdict.window_start_at
    when = f"{verdict.window_grain} of {window:%Y-%m-%d}" if window else "no window"
    show.say(
        f"verdict on {verdict.model_name} version {verdict.model_version}, {when}:"
        f" {verdict.status.upper()} ({verdict.reason})"
    )
    if verdict.offenders:
        show.table(
            "",
            ("suite", "feature", "metric", "value", "by chance", "fail bound", "severity"),
            [
                (
                    row.suite,
                    row.feature_name,
                    row.metric_name,
                    row.metric_value,
                    row.expected_value,
                    row.fail_bound,
                    row.severity,
                )
                for row in verdict.offenders
            ],
        )
    show.say(f"data docs: {nearby(verdict.data_docs)}")


def nearby(path: Path) -> Path:
    """Return a path as seen from the folder that the command was called in."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_absolute() and path.is_relative_to(here) else path
