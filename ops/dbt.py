"""dbt as a process of its own: in the same process it would keep DuckDB's lock after it returns.

dbt speaks JSON lines; here they become steps done, and on failure the first real errors.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from ingest.errors import DriftnetError
from ops.settings import Settings

#: Errors shown of a failed build; the rest is in the log.
SHOWN_ERRORS = 4

_RESULTS = {"LogModelResult", "LogTestResult", "LogSeedResult", "LogSnapshotResult"}
_RESULTS |= {"SkippingDetails", "LogSkipBecauseError", "LogNodeNoOpResult", "LogFunctionResult"}
_ERRORS = {"RunResultError", "RunResultFailure", "MainEncounteredError", "CatchableExceptionOnRun"}
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Step:
    """One node that dbt has finished: its place, the number of nodes, its name and its status."""

    index: int
    total: int
    name: str
    status: str


@dataclass
class Outcome:
    """What a dbt run left: how many nodes ended how, and the errors in order."""

    counts: dict[str, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


Watch = Callable[[Step], object]


def run(settings: Settings, verb: str, watch: Watch, arguments: Sequence[str] = ()) -> Outcome:
    """Run dbt on the project of the checkout.

    Parameters
    ----------
    verb
        dbt's own verb, such as `build`.
    watch
        Is told of every finished node.
    arguments
        More arguments of dbt.

    Raises
    ------
    DriftnetError
        When dbt fails; the message holds its first errors and the path of its log.
    """
    folder = settings.temporary / "dbt"
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"{verb}.log"
    outcome = Outcome()
    with (
        log.open("w") as written,
        subprocess.Popen(
            [*command(settings, verb), *arguments],
            cwd=settings.checkout,
            env=settings.dbt_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process,
    ):
        assert process.stdout is not None  # noqa: S101  (a PIPE was asked for)
        for event in _events(process.stdout, written):
            _take(event, outcome, watch)
        code = process.wait()
    if code != 0:
        raise DriftnetError(failure(outcome, log))
    return outcome


def command(settings: Settings, verb: str) -> list[str]:
    """Return the command line of dbt for this home."""
    folder = settings.temporary / "dbt"
    return [
        str(Path(sys.executable).with_name("dbt")),
        *("--no-use-colors", "--log-format", "json", "--log-format-file", "text"),
        *("--log-path", str(folder / "logs")),
        verb,
        *("--project-dir", str(settings.project_dir)),
        *("--profiles-dir", str(settings.checkout)),
        *("--target-path", str(folder / "target")),
    ]


def failure(outcome: Outcome, log: Path) -> str:
    """Return what a person must know of a failed run: the first errors, then where the rest is."""
    errors = outcome.errors or _last_lines(log)
    lines = ["dbt failed, nothing was published", *errors[:SHOWN_ERRORS]]
    if len(errors) > SHOWN_ERRORS:
        lines.append(f"and {len(errors) - SHOWN_ERRORS} more")
    return "\n  ".join([*lines, f"log: {log}"])


def _events(lines: IO[str], written: IO[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            event = json.loads(line)
            message = str(event["info"]["msg"])
        except (ValueError, KeyError, TypeError):
            written.write(line)
            continue
        written.write(_COLOUR.sub("", message) + "\n")
        yield event


def _take(event: dict[str, Any], outcome: Outcome, watch: Watch) -> None:
    info, data = event["info"], event.get("data", {})
    if info["name"] in _RESULTS:
        status = str(data.get("status") or "skip").split()[0].lower()
        outcome.counts[status] = outcome.counts.get(status, 0) + 1
        total = data.get("total") or data.get("num_models") or 0
        name = (data.get("node_info") or {}).get("node_name") or data.get("name") or ""
        watch(Step(int(data.get("index") or 0), int(total), str(name), status))
    elif info["name"] in _ERRORS:
        outcome.errors.append(_one_line(info["msg"]))
    elif info["level"] == "warn":
        outcome.warnings.append(_one_line(info["msg"]))


def _one_line(message: str) -> str:
    return " ".join(_COLOUR.sub("", message).split())


def _last_lines(log: Path) -> list[str]:
    lines = [line.strip() for line in log.read_text().splitlines() if line.strip()]
    return lines[-SHOWN_ERRORS:]
