"""Verbs that keep landing small: compact, prune."""

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from ops.verbs import show
from ops.verbs.options import example, now

if TYPE_CHECKING:
    from ops.settings import Settings

MEGABYTE = 1 << 20


@click.command(epilog=example("driftnet compact"))
@click.option(
    "--target-mb",
    type=click.IntRange(1),
    default=128,
    show_default=True,
    help="About how large a compacted file becomes, in MB.",
)
@click.pass_obj
def compact(settings: "Settings", target_mb: int) -> None:
    """Merge small landed files into large ones, row for row.

    Landing may go on meanwhile; a build may not. A kill at any point loses nothing.
    """
    from ops import upkeep

    with show.bar("compact", "files") as advance:
        done = upkeep.compact(settings, now, target_mb * MEGABYTE, advance)
    show.say(f"landing: {done.file_count_before:,} files are now {done.file_count:,}")


@click.command(epilog=example("driftnet prune --older-than 90"))
@click.option(
    "--older-than",
    "days",
    type=click.IntRange(0),
    required=True,
    help="Days since a file's last row landed.",
)
@click.pass_obj
def prune(settings: "Settings", days: int) -> None:
    """Remove landed files that are old and folded; the warehouse keeps what it counted of them.

    Events whose model has no reference yet stay. Afterwards a build with --full-refresh is refused,
    because it would lose the windows of what is gone.
    """
    from ops import upkeep

    with show.doing("prune"):
        done = upkeep.prune(settings, now, timedelta(days=days))
    kept = f"; {done.held_count:,} rows stay, their events are held" if done.held_count else ""
    show.say(f"removed {done.row_count:,} rows, {done.byte_count / MEGABYTE:,.1f} MB{kept}")
