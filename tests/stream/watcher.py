"""Watches in processes of their own, to be killed: `python -m tests.stream.watcher`.

For each line `HOME` or `HOME once` of its input it forks a watch, and writes its process id, then
`at work` with the first rows that the watch reads, then how it ended. (A fork is ready at once;
importing River and what it needs takes seconds.)
"""

import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from ops.settings import Settings
from ops.watching import watch
from stream.policy import shipped


def main(home: Path, once: bool) -> None:
    """Watch a home; follow until killed, or catch up."""
    told = False

    def advance(count: int) -> None:
        nonlocal told
        if count and not told:
            told = True
            print("at work", flush=True)

    def wait(seconds: float) -> None:
        time.sleep(seconds / 100)

    watch(
        Settings(home),
        shipped(),
        ["length"],
        "log",
        clock=lambda: datetime.now(UTC),
        tell=lambda alarm: None,
        say=print,
        wait=None if once else wait,
        advance=advance,
    )


def serve() -> None:
    """Fork a watch for each line of the input."""
    for line in sys.stdin:
        home, *words = line.split()
        child = os.fork()
        if not child:
            print(os.getpid(), flush=True)
            main(Path(home), "once" in words)
            os._exit(0)
        print(f"ended {os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}", flush=True)


if __name__ == "__main__":
    serve()
