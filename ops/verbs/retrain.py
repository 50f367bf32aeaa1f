"""The verb retrain: the first champion, and a better one when the policy asks for it."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ops.verbs import show
from ops.verbs.options import DAY, FILE, example, grain_option, now, utc

if TYPE_CHECKING:
    from ops.settings import Settings


@click.command(
    epilog=example(
        "driftnet retrain --initial --events events.parquet --until 2020-01-01",
        "driftnet retrain --dry-run",
        "driftnet retrain --force",
    )
)
@click.option("--initial", is_flag=True, help="Train the first champion of a name, from a file.")
@click.option("--events", type=FILE, help="Labelled events (Parquet or CSV), with --initial.")
@click.option("--until", type=DAY, help="Only events before this day (UTC), with --initial.")
@click.option("--model", "name", help="The model's name; default: the only one that can serve.")
@click.option("--seed", default=7, show_default=True, help="Of all that is random, with --initial.")
@click.option("--force", is_flag=True, help="Train though the policy does not ask for it.")
@click.option("--dry-run", is_flag=True, help="Say what would be done; write nothing.")
@click.option("--as-of", type=DAY, help="Look at nothing later (UTC); default: all published.")
@click.option("--recipe", metavar="MODULE:NAME", help="What to train; default: as the champion.")
@grain_option
@click.pass_obj
def retrain(
    settings: "Settings",
    initial: bool,
    events: Path | None,
    until: datetime | None,
    name: str | None,
    seed: int,
    force: bool,
    dry_run: bool,
    as_of: datetime | None,
    recipe: str | None,
    grain: str,
) -> None:
    """Train a better version when the policy asks for one, and let it take over if it wins.

    The policy is in the vars `retrain_*` of dbt_project.yml. A challenger is trained on labelled
    rows as they were logged and judged beside the champion on later rows that neither was trained
    on; it takes over only when it is surely better. With --initial: train the first champion on
    labelled events of a file; the newest rows before that day become the reference. A recipe of
    your own is a few lines of Python: see retrain/README.md.
    """
    if initial:
        if events is None or until is None:
            raise click.UsageError("--initial needs --events and --until")
        train(settings, events, until, name or "phishing", seed, recipe)
        return
    if events is not None or until is not None:
        raise click.UsageError("--events and --until go with --initial")
    learn(settings, name, as_of, grain, force, dry_run, recipe)


def learn(
    settings: "Settings",
    name: str | None = None,
    as_of: datetime | None = None,
    grain: str = "week",
    force: bool = False,
    dry_run: bool = False,
    recipe: str | None = None,
) -> None:
    """Retrain as the policy says, and say what came of it."""
    from ops.learning import retrain as run

    with show.bar("retrain", "rows") as advance:
        outcome = run(
            settings,
            now,
            name,
            as_of=as_of,
            grain=grain,
            force=force,
            dry_run=dry_run,
            recipe=recipe,
            advance=advance,
        )
    would = "would be " if dry_run and outcome.kind != "waiting" else ""
    show.say(f"retrain, as of {outcome.facts.as_of:%Y-%m-%d %H:%M}: {would}{outcome.kind}")
    for reason in outcome.reasons:
        show.say(f"  {reason}")
    if outcome.card:
        show.say(f"champion {outcome.card.name} version {outcome.card.version} from now on")


def train(
    settings: "Settings",
    events: Path,
    until: datetime,
    name: str,
    seed: int,
    recipe: str | None = None,
) -> None:
    """Train the first champion and say how good it is."""
    from retrain.recipes import SHIPPED, named
    from retrain.train import train_initial

    limit = utc(until)
    assert limit is not None  # noqa: S101  (only a None gives None)
    with show.bar("retrain", "rows") as advance:
        card = train_initial(
            events,
            limit,
            settings.models,
            name=name,
            seed=seed,
            clock=now,
            advance=advance,
            recipe=named(recipe or SHIPPED),
        )
    figures = ", ".join(
        f"{key} {show.shown(value)}"
        for key, value in card.metrics.items()
        if not key.endswith("_count")
    )
    show.say(
        f"champion {card.name} version {card.version}: {card.training_row_count:,} rows trained on,"
        f" {card.reference_row_count:,} held out as reference; {figures}"
    )
