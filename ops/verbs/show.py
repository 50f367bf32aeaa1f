"""How the command line speaks: results on stdout, progress and errors on stderr.

On a terminal long work has a bar; elsewhere a line when it is done.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from ingest.progress import Advance

if TYPE_CHECKING:
    from rich.console import Console

    from ops.dbt import Step

#: Width of a line where there is no terminal to ask.
PLAIN_WIDTH = 120


def console() -> "Console":
    """Return a console on stdout, wide enough where it is not a terminal."""
    from rich.console import Console

    return Console(
        highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else PLAIN_WIDTH
    )


def say(text: str) -> None:
    """Write one result to stdout."""
    click.echo(text)


def note(text: str) -> None:
    """Write one line about the work to stderr."""
    click.echo(text, err=True)


def tell(event: str, **fields: object) -> None:
    """Write one happening of a long-running verb to stderr: JSON where it is no terminal.

    No address of the data stays live in it.
    """
    from reports.defang import defang

    moment = datetime.now(UTC)
    fields = {
        name: defang(value) if isinstance(value, str) and "://" in value else value
        for name, value in fields.items()
    }
    if sys.stderr.isatty():
        words = " ".join(f"{name}={value}" for name, value in fields.items())
        note(f"{moment:%H:%M:%S} {event} {words}".rstrip())
        return
    at = moment.isoformat(timespec="milliseconds")
    note(json.dumps({"at": at, "event": event, **fields}, default=str))


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write a table to stdout; columns whose cells are all numbers stand to the right."""
    from rich.box import SIMPLE_HEAD
    from rich.markup import escape
    from rich.table import Table

    made = Table(title=title or None, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for position, column in enumerate(columns):
        cells = [row[position] for row in rows]
        numeric = bool(cells) and all(isinstance(cell, int | float) for cell in cells)
        made.add_column(column, justify="right" if numeric else "left")
    for row in rows:
        made.add_row(*(escape(shown(cell)) for cell in row))
    console().print(made)


def shown(cell: object) -> str:
    """Return a value as people read it.

    Examples
    --------
    >>> shown(1234567), shown(0.123456), shown(None), shown(True)
    ('1,234,567', '0.123', '-', 'yes')
    """
    if cell is None:
        return "-"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, int):
        return f"{cell:,}"
    return f"{cell:.3f}" if isinstance(cell, float) else str(cell)


@contextmanager
def bar(label: str, unit: str, total: int | None = None) -> Iterator[Advance]:
    """Show work that counts something.

    Yields
    ------
    Advance
        To be called with the number of items just done.
    """
    done, began = 0, time.monotonic()
    with _bar(label, total) as move:

        def advance(count: int) -> None:
            nonlocal done
            done += count
            move(done, total, f"{done:,} {unit}")

        yield advance
    note(f"{label}: {done:,} {unit} in {time.monotonic() - began:.1f} s")


@contextmanager
def nodes(label: str) -> Iterator["Callable[[Step], object]"]:
    """Show the nodes of a dbt run as it ends them."""
    done, began = 0, time.monotonic()
    with _bar(label, None) as move:

        def watch(step: "Step") -> None:
            nonlocal done
            done += 1
            move(done, step.total or None, f"{step.name} {step.status}")

        yield watch
    note(f"{label}: {done:,} nodes in {time.monotonic() - began:.1f} s")


@contextmanager
def doing(label: str) -> Iterator[None]:
    """Show work that counts nothing."""
    began = time.monotonic()
    with _bar(label, None):
        yield
    note(f"{label}: done in {time.monotonic() - began:.1f} s")


@contextmanager
def _bar(label: str, total: int | None) -> Iterator[Callable[[int, int | None, str], object]]:
    if not sys.stderr.isatty():
        yield lambda done, total, text: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[text]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=total, text="")

        def move(done: int, total: int | None, text: str) -> None:
            progress.update(task, completed=done, total=total, text=text)

        yield move
