"""Options and values that several verbs of the command line share."""

from datetime import UTC, datetime
from pathlib import Path

import click

GRAINS = ("day", "week", "month")

DAY = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

model_option = click.option(
    "--model", metavar="NAME", help="Which model; default: the only one that can be meant."
)

grain_option = click.option(
    "--grain", type=click.Choice(GRAINS), default="week", show_default=True, help="Window length."
)


def now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


def utc(moment: datetime | None) -> datetime | None:
    """Return a time without a zone as UTC."""
    return moment.replace(tzinfo=UTC) if moment else None


def example(*lines: str) -> str:
    """Return examples as a help text that click does not wrap."""
    return "\n".join(
        ["\b", "Examples:" if len(lines) > 1 else "Example:", *("  " + x for x in lines)]
    )
