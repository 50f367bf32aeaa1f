"""The watch against a bare loop over River's detectors; and its memory over ten million events."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from stream.batch import Batch
from stream.checkpoint import State
from stream.detectors import make_adwin, make_ddm, make_hddma, make_page_hinkley
from stream.labels import batch_of
from stream.policy import Level, shipped
from stream.scales import References
from stream.watch import Places, Watch
from tests.measured import Say, table
from tests.stream.places import label_rows, write_reference

TITLE = "The watch: events a second beside a bare River loop, and memory"
RATE = 0.05
COUNT, CHUNK, REPEATS = 500_000, 100_000, 3
LONG = 10_000_000
MARKS = (1_000_000, 2_000_000, 5_000_000, 10_000_000)


def run(say: Say) -> str:
    """Measure and return the section."""
    wrong = np.random.default_rng(51).random(COUNT) < RATE
    bare, whole = [], []
    for _ in range(REPEATS):  # by turns: what else the machine does then touches both
        bare.append(COUNT / _bare(wrong.astype(float).tolist()))
        say(f"bare River loop: {bare[-1]:,.0f} events/s")
        whole.append(COUNT / _watch(wrong))
        say(f"watch: {whole[-1]:,.0f} events/s")
    ratio = max(whole) / max(bare)
    say(f"ratio {ratio:.2f}")
    memory = _memory(say)
    peak = dict(memory)
    return "\n\n".join(
        [
            (
                f"{COUNT:,} labels at {RATE:.0%} error, one stream, one core, best of "
                f"{REPEATS} by turns. Bare: ADWIN, DDM, PageHinkley and HDDM_A of the same "
                "settings, `update` and `drift_detected` of each over a list of floats. The "
                f"watch: Arrow rows as the published copy gives them, {CHUNK:,} a batch, told "
                "apart by version and segment, errors made of them, the same detectors, the "
                "vote, recent values, and a checkpoint (written and synced) after each batch."
            ),
            table(
                ["", "events a second", "us an event"],
                [
                    ["bare River loop", f"{max(bare):,.0f}", 1e6 / max(bare)],
                    ["watch", f"{max(whole):,.0f}", 1e6 / max(whole)],
                    ["ratio (at least 0.7 is promised)", f"{ratio:.2f}", ""],
                ],
            ),
            f"Memory of a process that watches {LONG:,} labels, resident, after so many:",
            table(["events", "MB"], [[f"{count:,}", f"{size:.0f}"] for count, size in memory]),
            (
                f"From {MARKS[0]:,} to {MARKS[-1]:,} events it grew by "
                f"{peak[MARKS[-1]] - peak[MARKS[0]]:+.0f} MB."
            ),
        ]
    )


def _bare(values: list[float]) -> float:
    level = Level.of_rate(RATE)
    settings = shipped().settings("error", level)
    detectors = (
        make_adwin(settings),
        make_ddm(settings),
        make_page_hinkley(settings, level.std, rises_only=True),
        make_hddma(settings),
    )
    alarms = 0
    began = time.perf_counter()
    for value in values:
        for detector in detectors:
            detector.update(value)
            if detector.drift_detected:
                alarms += 1
    return time.perf_counter() - began


def _watch(wrong: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> float:
    # Rows without segments: the same values go into the same detectors as in the bare loop.
    tables = [
        label_rows(wrong[at : at + CHUNK].tolist(), first=at).drop_columns(["segment_channel"])
        for at in range(0, len(wrong), CHUNK)
    ]
    with tempfile.TemporaryDirectory() as folder:
        at_work = _at_work(Path(folder))
        began = time.perf_counter()
        for rows in tables:
            at_work.take(batch_of(rows))
            at_work.save()
        return time.perf_counter() - began


def _at_work(home: Path) -> Watch:
    write_reference(home / "models", error_rate=RATE)
    places = Places(home / "watch" / "checkpoint.json", home / "landing")
    references = References(home / "models")
    return Watch(places, shipped(), references, lambda alarm: None, lambda: datetime.now(UTC))


def _memory(say: Say) -> list[tuple[int, float]]:
    found = []
    command = [sys.executable, "-m", "tests.bench.watch"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            count, size = line.split()
            found.append((int(count), float(size)))
            say(f"{int(count):,} events: {float(size):.0f} MB")
    if process.returncode:
        raise RuntimeError(f"the long run ended with {process.returncode}")
    return found


def _long() -> Iterator[Batch]:
    """Make labels as they are needed, so that only the watch can grow."""
    for at in range(0, LONG, CHUNK):
        drawn = np.random.default_rng([52, at]).random(CHUNK)
        rate = 0.2 if at // 1_000_000 % 2 else RATE  # alarms too must not pile up
        yield batch_of(
            label_rows((drawn < rate).tolist(), first=at).drop_columns(["segment_channel"])
        )


def _resident() -> float:
    text = Path("/proc/self/status").read_text()
    (line,) = [line for line in text.splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


def _main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        at_work = _at_work(Path(folder))
        count = 0

        def read(state: State) -> Batch | None:
            return next(batches, None)

        batches = _long()
        while rows := at_work.step([read]):
            count += rows
            if count in MARKS:
                print(count, _resident(), flush=True)


if __name__ == "__main__":
    _main()
