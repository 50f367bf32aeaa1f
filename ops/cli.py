"""The command line `driftnet`: verbs are the steps of the path, errors are one line on stderr.

Exit codes: 0 done (also verdicts pass and warn), 1 an error, 2 bad input or usage, 3 a verdict of
fail: the run was fine, the world moved.
"""

import sys
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from ingest.errors import DriftnetError
from ops import settings
from ops.verbs import (
    demo,
    drift,
    events,
    importing,
    judge,
    models,
    report,
    retrain,
    schedule,
    serve,
    up,
    upkeep,
    watch,
)

INTERRUPTED = 130


class InOrder(click.Group):
    """A group that lists its verbs in the order of the path."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs as they were added."""
        return list(self.commands)


EXIT_CODES = """\b
Exit codes:
  0  done (a verdict of pass or warn too)
  1  an error
  2  bad input or usage
  3  a drift verdict of fail: the run was fine, the world moved
"""


@click.group(
    cls=InOrder, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(package_name="driftnet", prog_name="driftnet")
@click.pass_context
def cli(context: click.Context) -> None:
    """Watch a deployed binary classifier from inside the warehouse.

    Begin with `driftnet demo`. Everything is kept in the folder DRIFTNET_HOME (default: data).
    """
    context.obj = settings.read()


for verb in (
    demo.demo,
    retrain.retrain,
    models.models,
    serve.serve,
    events.replay,
    importing.import_,
    events.land,
    judge.build,
    judge.gate,
    report.report,
    judge.alert,
    watch.watch,
    drift.drift,
    drift.baseline,
    judge.run,
    upkeep.compact,
    upkeep.prune,
    schedule.schedule,
    up.up,
    models.status,
):
    cli.add_command(verb)


def main() -> None:
    """Run the command line of this process and end it with the exit code."""
    sys.exit(call(sys.argv[1:]))


def call(arguments: Sequence[str]) -> int:
    """Run one command line.

    Returns
    -------
    int
        The exit code; nothing is raised.
    """
    try:
        answer: Any = cli.main(args=list(arguments), prog_name="driftnet", standalone_mode=False)
    except click.ClickException as error:
        usage = isinstance(error, click.UsageError) and error.ctx is not None
        remedy = f" (see `{error.ctx.command_path} --help`)" if usage else ""  # type: ignore[attr-defined]
        return _fail(error.format_message() + remedy, error.exit_code)
    except DriftnetError as error:
        return _fail(str(error), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        return _fail("interrupted; what was done so far is kept", INTERRUPTED)
    except BrokenPipeError:
        return _quiet()
    except Exception as error:
        return _fail(_unexpected(error), 1)
    return answer if isinstance(answer, int) else 0


def _fail(message: str, code: int) -> int:
    click.echo(f"driftnet: {message}", err=True)
    return code


def _quiet() -> int:
    # The reader of our pipe has left; nobody is there to be told.
    sys.stderr.close()
    return 1


def _unexpected(error: Exception) -> str:
    first = (str(error).strip().splitlines() or [""])[0]
    what = f"unexpected {type(error).__name__}: {first}"
    try:
        folder = settings.read().temporary
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"error-{datetime.now(UTC):%Y%m%dT%H%M%S}.txt"
        path.write_text("".join(traceback.format_exception(error)))
    except (OSError, DriftnetError):
        return f"{what} (the traceback could not be written)"
    return f"{what} (traceback: {_short(path)})"


def _short(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
