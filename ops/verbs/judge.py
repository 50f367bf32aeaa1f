"""Verbs that build the warehouse and judge it: build, gate, run, alert."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ops.verbs import show
from ops.verbs.options import example, grain_option, model_option, now

if TYPE_CHECKING:
    from ops.settings import Settings
    from ops.target import Target
    from reports.verdict import Verdict

DRIFTED = 3

version_option = click.option(
    "--version", metavar="VERSION", help="Which version; default: the champion, else the newest."
)


@click.command(epilog=example("driftnet build"))
@click.option("--full-refresh", is_flag=True, help="Fold everything that is landed again.")
@click.option("--accept-loss", is_flag=True, help="Also where landing was pruned since.")
@click.pass_obj
def build(settings: "Settings", full_refresh: bool, accept_loss: bool) -> None:
    """Fold what has landed into the warehouse and publish the marts.

    This is `dbt build` on dbt_project, then a new published copy. When a test of dbt fails the
    data is unsound: nothing is published, exit code 1.
    """
    accepted = ["--vars", "{accept_lost_windows: true}"] if accept_loss else []
    fold(settings, ["--full-refresh", *accepted] if full_refresh else [])


@click.command(
    epilog=example(
        "driftnet gate",
        "driftnet gate --model phishing --window 2021-08-09",
        "driftnet gate --suite prediction --metric psi",
    )
)
@model_option
@version_option
@grain_option
@click.option(
    "--window",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
    help="When the window starts (UTC); default: the newest complete window.",
)
@click.option("--suite", "suites", multiple=True, help="Judge only this drift kind.")
@click.option("--metric", "metrics", multiple=True, help="Let this metric's rows decide.")
@click.pass_obj
def gate(
    settings: "Settings",
    model: str | None,
    version: str | None,
    grain: str,
    window: datetime | None,
    suites: tuple[str, ...],
    metrics: tuple[str, ...],
) -> int:
    """Judge a window: pass, warn or fail; exit code 3 on fail."""
    from ops.target import choose

    target = choose(settings, model, version, grain)
    verdict = judge(settings, target, window, suites or None, metrics or None)
    return DRIFTED if verdict.status == "fail" else 0


@click.command(epilog=example("driftnet run || test $? -eq 3"))
@model_option
@grain_option
@click.pass_obj
def run(settings: "Settings", model: str | None, grain: str) -> int:
    """Land, build, gate, report, alert, retrain by policy: what a scheduler calls.

    Exit code 3 on a verdict of fail.
    """
    from ingest.model import champion
    from ops.target import choose
    from ops.verbs.events import rest
    from ops.verbs.retrain import learn

    target = choose(settings, model, None, grain)
    rest(settings)
    fold(settings, [])
    verdict = judge(settings, target)
    draw(settings, target, verdict)
    tell(settings)
    if champion(settings.models, target.model_name):
        learn(settings, target.model_name, grain=grain)
    return DRIFTED if verdict.status == "fail" else 0


@click.command(epilog=example("driftnet alert", "driftnet alert --test"))
@click.option("--test", is_flag=True, help="Send a test message to every address.")
@click.pass_obj
def alert(settings: "Settings", test: bool) -> int:
    """Tell people what changed in the incidents, once, where SLACK_WEBHOOK_URL says.

    Addresses of other services go into DRIFTNET_ALERT_URLS, as apprise writes them. Every change
    is kept in alerts/incident_log.json, told or not. A dead address fails nothing but --test.
    """
    from ops import alerting

    if not test:
        tell(settings)
        return 0
    with show.doing("alert"):
        told = alerting.try_out(settings)
    for name in told.failed:
        show.note(f"alert: {name} did not answer")
    show.say(f"test: {told.channel_count - len(told.failed)} of {told.channel_count} arrived")
    return 1 if told.failed else 0


def tell(settings: "Settings") -> None:
    """Tell what changed in the incidents and say how many changes there were."""
    from ops import alerting

    with show.doing("alert"):
        told = alerting.tell(settings, now)
    for name in told.failed:
        show.note(f"alert: {name} did not answer; the next run tries again")
    where = (
        f"told {told.told_count} to {told.channel_count} addresses" if told.channel_count else ""
    )
    show.say(
        f"incidents: {told.logged_count} new changes logged"
        f"{', ' + where if where else '; no address is set to tell them to'}"
    )


def fold(settings: "Settings", arguments: list[str]) -> None:
    """Build, publish, and say what was published."""
    from ops import pipeline

    with show.nodes("build") as watch:
        publication = pipeline.build(settings, now, watch, arguments)
    show.say(f"published {len(publication.marts)} marts in {nearby(publication.folder)}")


def judge(
    settings: "Settings",
    target: "Target",
    window: datetime | None = None,
    suites: tuple[str, ...] | None = None,
    metrics: tuple[str, ...] | None = None,
) -> "Verdict":
    """Judge and say the verdict."""
    from ops import judging

    warn_when_stale(settings)
    with show.doing("gate"):
        verdict = judging.gate(settings, now, target, window, suites, metrics)
    say_verdict(verdict)
    return verdict


def draw(settings: "Settings", target: "Target", verdict: "Verdict | None" = None) -> Path:
    """Write the page and say where it is."""
    from ops import judging

    if verdict is None:
        warn_when_stale(settings)
    with show.doing("report"):
        page = judging.report(settings, now, target, verdict)
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
    if verdict.offenders or verdict.muted:
        show.table(
            "",
            ("suite", "feature", "metric", "value", "by chance", "fail bound", "severity", "muted"),
            [
                (
                    row.suite,
                    row.feature_name,
                    row.metric_name,
                    row.metric_value,
                    row.expected_value,
                    row.fail_bound,
                    row.severity,
                    row.mute or "",
                )
                for row in (*verdict.offenders, *verdict.muted)
            ],
        )
    show.say(f"data docs: {nearby(verdict.data_docs)}")


def nearby(path: Path) -> Path:
    """Return a path as seen from the folder that the command was called in."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_absolute() and path.is_relative_to(here) else path
