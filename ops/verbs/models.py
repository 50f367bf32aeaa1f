"""Verbs about models and about the whole: retrain, models, status."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

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


@click.group(
    invoke_without_command=True,
    epilog=example(
        "driftnet models", "driftnet models card phishing 2", "driftnet models rollback"
    ),
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
@click.pass_context
def models(context: click.Context, as_json: bool) -> None:
    """List the models of this home, with their champions."""
    if context.invoked_subcommand is not None:
        return
    from ops.status import model_rows

    rows = model_rows(context.obj)
    if as_json:
        show.say(json.dumps(rows, indent=2, default=str))
    elif rows:
        columns = list(rows[0])
        show.table("", [name.replace("_", " ") for name in columns], [[*r.values()] for r in rows])
    else:
        show.say("no model yet: `driftnet retrain --initial` or `driftnet import --reference`")


@models.command(epilog=example("driftnet models compare phishing 1 2"))
@click.argument("name")
@click.argument("one")
@click.argument("other")
@click.pass_obj
def compare(settings: "Settings", name: str, one: str, other: str) -> None:
    """Show two versions side by side, each on its own reference, and how one beat the other."""
    from ingest.model import describe
    from retrain.card_page import met

    cards = [describe(settings.models, name, version)[0] for version in (one, other)]
    facts = [
        ("estimator", *(card.estimator for card in cards)),
        ("trained until", *(str(card.trained_until or "-")[:10] for card in cards)),
        ("training rows", *(card.training_row_count for card in cards)),
        ("reference rows", *(card.reference_row_count for card in cards)),
        ("threshold", *(card.threshold for card in cards)),
    ]
    names = sorted({x for card in cards for x in card.metrics if not x.endswith("_count")})
    facts += [(key.replace("_", " "), *(card.metrics.get(key) for card in cards)) for key in names]
    show.table("", ("", f"version {one}", f"version {other}"), facts)
    for line in met(cards):
        show.say(line)


@models.command(epilog=example("driftnet models card phishing 2"))
@click.argument("name")
@click.argument("version")
@click.pass_obj
def card(settings: "Settings", name: str, version: str) -> None:
    """Show what is known of a version: why it was made, from what, how it won, what came then."""
    from ingest.model import describe
    from retrain.card_page import card_page
    from retrain.record import decisions

    found = describe(settings.models, name, version)[0]
    show.say(card_page(found, decisions(settings.landing, name, version)).rstrip())


@models.command(epilog=example("driftnet models rollback", "driftnet models rollback --to 1"))
@click.option("--model", "name", help="The model's name; default: the only one that can serve.")
@click.option("--to", "version", help="Which version; default: the one before the champion.")
@click.pass_obj
def rollback(settings: "Settings", name: str | None, version: str | None) -> None:
    """Let an earlier version serve again."""
    from ingest.model import default_name
    from ops.learning import roll_back

    back = roll_back(settings, now, name or default_name(settings.models), version)
    show.say(f"champion {back.name} version {back.version} from now on")


@click.command(epilog=example("driftnet status", "driftnet status --json"))
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of text.")
@click.pass_obj
def status(settings: "Settings", as_json: bool) -> None:
    """Say where everything stands: lag, publication, models, verdicts, incidents, jobs, disk."""
    from ops.status import status as look

    found = look(settings, now())
    if as_json:
        show.say(json.dumps(found, indent=2, default=str))
        return
    show.say(f"home: {found['home']}")
    for topic in found["topics"]:
        show.say(f"topic {topic['topic']}: {_lag(topic)}, {topic['file_count']:,} landed files")
    warehouse = found["warehouse"]
    show.say(f"warehouse: last written {warehouse['written_at'] or 'never'}")
    age = (
        "never" if warehouse["published_at"] is None else f"{warehouse['published_age_s']:,} s ago"
    )
    newer = " (the warehouse is newer: run `driftnet build`)" if warehouse["is_newer"] else ""
    show.say(f"published: {age}{newer}")
    for row in found["models"]:
        mark = " (champion)" if row["is_champion"] else ""
        show.say(f"model {row['name']} version {row['version']}, {row['kind']}{mark}")
    for verdict in found["verdicts"]:
        show.say(
            f"last verdict on {verdict['model_name']}: {verdict['status']},"
            f" {verdict['window_grain']} of {str(verdict['window_start_at'])[:10]},"
            f" judged {verdict['judged_at']}"
        )
    if not found["verdicts"]:
        show.say("last verdict: none yet")
    for row in found["incidents"]:
        open_ = f"{row['open_count']:,} open, {row['drift_kind']}"
        show.say(f"incidents of {row['model_name']}: {open_}")
    for row in found["jobs"]:
        last = f"{row['last_outcome']} at {row['last_at']}" if row.get("last_at") else "not run yet"
        show.say(f"job {row['name']} ({row['cron']}): {last}, next at {row['next_at'] or '-'}")
    megabytes = sum(found["disk"].values()) / 1e6
    show.say(f"disk used: {megabytes:,.1f} MB")


def _lag(topic: Mapping[str, Any]) -> str:
    if "trouble" in topic:
        return str(topic["trouble"])
    unit = "messages" if "lag_messages" in topic else "bytes"
    lag = topic[f"lag_{unit}"]
    return f"{lag:,} {unit} behind" if lag else "all landed"
