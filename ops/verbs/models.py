"""Verbs about models and about the whole: models, status."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from ops.verbs import show
from ops.verbs.options import example, now

if TYPE_CHECKING:
    from ops.settings import Settings


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
