"""Keeps processes running until it is told to end: starts again what ends, hands on what they say.

One that says at its first start that it was wrongly used (exit code 2) would say so again: all are
ended then.
"""

import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic

BACK_OFF_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)
STEADY_SECONDS = 60.0  # one that ran so long begins anew with the shortest wait
GRACE_SECONDS = 75.0
USAGE = 2

Tell = Callable[..., object]


@dataclass(frozen=True)
class Program:
    """What to keep running: its name, its words, its environment."""

    name: str
    words: Sequence[str]
    environment: Mapping[str, str]


class Supervisor:
    """Keeps programs running.

    Parameters
    ----------
    programs
        What to run.
    hand_on
        Is given the name of a program and each line that it says.
    tell
        Is told of ``started`` and ``exited``.
    grace_seconds
        How long each may take to end before it is killed.
    back_off_seconds
        Waits before the first, second, ... start anew; the last one goes on.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        hand_on: Callable[[str, str], object],
        tell: Tell,
        grace_seconds: float = GRACE_SECONDS,
        back_off_seconds: Sequence[float] = BACK_OFF_SECONDS,
    ) -> None:
        self._programs = programs
        self._hand_on = hand_on
        self._tell = tell
        self._grace_seconds = grace_seconds
        self._back_off_seconds = back_off_seconds
        self._ending = threading.Event()
        self._misused = threading.Event()

    def stop(self) -> None:
        """Let all end; `run` returns when they have. To be called from anywhere."""
        self._ending.set()

    def run(self) -> int:
        """Keep all running until `stop`, or until one says that it was wrongly used.

        Returns
        -------
        int
            0, or 2 where one was wrongly used.
        """
        threads = [threading.Thread(target=self._keep, args=(each,)) for each in self._programs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return USAGE if self._misused.is_set() else 0

    def _keep(self, program: Program) -> None:
        tries, is_first = 0, True
        while not self._ending.is_set():
            began = monotonic()
            code = self._once(program)
            self._tell("exited", service=program.name, exit_code=code)
            if code == USAGE and is_first:
                self._misused.set()
                self._ending.set()
            is_first = False
            tries = 0 if monotonic() - began > STEADY_SECONDS else tries + 1
            waits = self._back_off_seconds
            self._ending.wait(waits[min(max(tries - 1, 0), len(waits) - 1)])

    def _once(self, program: Program) -> int:
        # A session of its own: Ctrl-C reaches this process alone, which ends them in order.
        process = subprocess.Popen(
            program.words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(program.environment),
            start_new_session=True,
            text=True,
            errors="replace",
        )
        self._tell("started", service=program.name, pid=process.pid)
        reader = threading.Thread(target=self._read, args=(program.name, process), daemon=True)
        reader.start()
        code = self._wait(process)
        reader.join(1.0)
        return code

    def _read(self, name: str, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None  # noqa: S101
        with process.stdout:
            for line in process.stdout:
                self._hand_on(name, line.rstrip("\n"))

    def _wait(self, process: "subprocess.Popen[str]") -> int:
        while not self._ending.wait(0.2):
            if (code := process.poll()) is not None:
                return code
        process.terminate()
        try:
            return process.wait(self._grace_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()
