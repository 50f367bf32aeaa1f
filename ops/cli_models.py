"""Verbs about models and about the whole: retrain, models, status."""

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ops import cli_show as show
from ops.cli_options import DAY, FILE, example, now, utc

if TYPE_CHECKING:
    from ops.settings import Settings


@click.command(
    epilog=example("driftnet retrain --initial --events events.parquet --until 2020-01-01")
)
@click.option("--initial", is_flag=True, help="Train the first champion of a name.")
@click.option("--events", type=FILE, required=True, help="Labelled events (Parquet or CSV).")
@click.option("--until", type=DAY, required=True, help="Only events before this day (UTC).")
@click.option("--model", "name", default="phishing", show_default=True, help="The model's name.")
@click.option("--seed", default=7, show_default=True, help="Seed of everything random.")
@click.pass_obj
def retrain(
    settings: "Settings", initial: bool, events: Path, until: datetime, name: str, seed: int
) -> None:
    """Train the first champion on labelled events before a day.

    The newest rows before that day are held out: they become the reference that later windows are
    compared with.
    """
    if not initial:
        raise click.UsageError("retraining a champion is not built yet: give --initial")
    train(settings, events, until, name, seed)


def train(settings: "Settings", events: Path, until: datetime, name: str, seed: int) -> None:
    """Train the first champion and say how good it is."""
    from retrain.train import train_initial

    limit = utc(until)
    assert limit is not None  # noqa: S101  (only a None gives None)
    with show.bar("retrain", "rows") as advance:
        card = train_initial(
            events, limit, settings.models, name=name, seed=seed, clock=now, advance=advance
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


@click.command(epilog=example("driftnet models"))
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
@click.pass_obj
def models(settings: "Settings", as_json: bool) -> None:
    """List the models of this home, with their champions."""
    from ops.status import model_rows

    rows = model_rows(settings)
    if as_json:
        show.say(json.dumps(rows, indent=2, default=str))
    elif rows:
        columns = list(rows[0])
        show.table("", [name.replace("_", " ") for name in columns], [[*r.values()] for r in rows])
    else:
        show.say("no model yet: `driftnet retrain --initial` or `driftnet import --reference`")


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
        lag = f"{topic['lag_bytes']:,} bytes behind" if topic["lag_bytes"] else "all landed"
        show.say(f"topic {topic['topic']}: {lag}, {topic['file_count']:,} landed files")
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
