"""One run of a scheduled verb: a process of its own, tried again with back-off when it fails.

Exit codes 0 and 3 are good runs (3: the world moved). 2 is wrong usage: trying again does not help.
"""

import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Literal

Outcome = Literal["done", "drift", "failed", "usage", "stopped"]
GOOD: tuple[Outcome, ...] = ("done", "drift")
OUTCOMES: dict[int, Outcome] = {0: "done", 3: "drift", 2: "usage"}
ATTEMPTS = 3
BACK_OFF_SECONDS = 10.0
GRACE_SECONDS = 60.0

Command = Callable[[Sequence[str]], Sequence[str]]


@dataclass(frozen=True)
class Ended:
    """How a run ended.

    Parameters
    ----------
    outcome
        Of the last attempt.
    code
        Its exit code; None when none was made.
    seconds
        Of all attempts and the waits between them.
    attempts
        How many were made.
    said
        The last line that it wrote.
    """

    outcome: Outcome
    code: int | None
    seconds: float
    attempts: int
    said: str


class Runner:
    """Runs verbs until it is told to stop.

    Parameters
    ----------
    output
        Folder of what the last run of each verb wrote.
    environment
        Of the processes.
    command
        Makes the words of a process from those of a verb.
    attempts, back_off_seconds
        Tries in all, and the first wait between two; it doubles.
    grace_seconds
        How long a run may go on after `stop`, before it is terminated.
    """

    def __init__(
        self,
        output: Path,
        environment: dict[str, str],
        command: Command | None = None,
        attempts: int = ATTEMPTS,
        back_off_seconds: float = BACK_OFF_SECONDS,
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        self._output = output
        self._environment = environment
        self._command = command or driftnet
        self._attempts = attempts
        self._back_off_seconds = back_off_seconds
        self._grace_seconds = grace_seconds
        self._stopped = threading.Event()
        self._deadline = 0.0

    def stop(self) -> None:
        """Make no new attempt; let what runs come to its end within the grace."""
        self._deadline = monotonic() + self._grace_seconds
        self._stopped.set()

    def run(self, name: str, options: Sequence[str]) -> Ended:
        """Run a verb to a good end, a hopeless one, or the last attempt."""
        began = monotonic()
        code, said, attempt = None, "", 0
        while attempt < self._attempts and not self._stopped.is_set():
            attempt += 1
            code, said = self._try(name, options)
            if code in OUTCOMES:
                break
            if attempt < self._attempts:
                self._stopped.wait(self._back_off_seconds * 2 ** (attempt - 1))
        outcome: Outcome = OUTCOMES.get(code, "failed") if code is not None else "stopped"
        if self._stopped.is_set() and outcome == "failed":
            outcome = "stopped"
        return Ended(outcome, code, monotonic() - began, attempt, said)

    def _try(self, name: str, options: Sequence[str]) -> tuple[int, str]:
        self._output.mkdir(parents=True, exist_ok=True)
        path = self._output / f"{name}.log"
        with path.open("wb") as file:
            # A session of its own: Ctrl-C reaches the scheduler alone, which lets this one end.
            process = subprocess.Popen(
                self._command([name, *options]),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=self._environment,
                start_new_session=True,
            )
            code = self._wait(process)
        lines = path.read_text(errors="replace").strip().splitlines()
        return code, lines[-1] if lines else ""

    def _wait(self, process: "subprocess.Popen[bytes]") -> int:
        while True:
            try:
                return process.wait(0.2)
            except subprocess.TimeoutExpired:
                if self._stopped.is_set() and monotonic() > self._deadline:
                    process.terminate()
                    try:
                        return process.wait(10)
                    except subprocess.TimeoutExpired:
                        process.kill()
                        return process.wait()


def driftnet(words: Sequence[str]) -> Sequence[str]:
    """Return the words of a process that runs a verb of this command line."""
    script = "import sys; from ops.cli import call; sys.exit(call(sys.argv[1:]))"
    return [sys.executable, "-c", script, *words]
