"""The processes of a home: which there are, what memory they hold, how it grows."""

import os
import signal
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

WARM_UP_SECONDS = 60.0  # of a process; what it loads then is not a leak


@dataclass(frozen=True)
class Sample:
    """What a process held at a time."""

    name: str
    pid: int
    at: float  # seconds since the beginning
    resident: int  # bytes


def of_home(home: Path) -> dict[int, str]:
    """Return the processes whose home this is: pid -> the verb that each runs (or dbt)."""
    wanted = f"DRIFTNET_HOME={home}".encode()
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        pid = int(place.name)
        try:
            if wanted in (place / "environ").read_bytes().split(b"\0") and pid != os.getpid():
                found[pid] = _name((place / "cmdline").read_bytes().split(b"\0"))
        except (OSError, ValueError):
            continue
    return {pid: name for pid, name in found.items() if name}


def _name(words: Sequence[bytes]) -> str:
    if any(Path(word.decode(errors="replace")).name == "dbt" for word in words[:2]):
        return "dbt"
    return words[3].decode() if len(words) > 3 and words[1] == b"-c" else ""


def resident(pid: int) -> int | None:
    """Return the bytes of memory that a process holds; None when it is gone."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") or None


def kill(pid: int) -> bool:
    """Kill a process; False when it had gone."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


@dataclass(frozen=True)
class Growth:
    """How the memory of a service grows, in MB a minute.

    Parameters
    ----------
    squares
        By least squares: what is loaded once, late, counts as growth.
    median
        The median of the slopes between any two samples of one process: a leak counts, one step
        does not.
    lives, longest
        How many processes that is of, and the minutes of the one measured longest.
    """

    squares: float
    median: float
    lives: int
    longest: float


def growth(samples: Iterable[Sample], since: float) -> Mapping[str, Growth]:
    """Return by name how memory grows.

    A process that was killed begins anew: what one and the same process gains counts, after its
    warm-up, over all processes of a name together (one slope, an intercept for each).
    """
    lives: dict[str, dict[int, list[Sample]]] = defaultdict(lambda: defaultdict(list))
    for sample in samples:
        lives[sample.name][sample.pid].append(sample)
    found = {}
    for name, processes in lives.items():
        up, down, slopes, minutes = 0.0, 0.0, [], []
        for held in processes.values():
            warm = [x for x in held if x.at >= max(since, held[0].at + WARM_UP_SECONDS)]
            if len(warm) < 3:
                continue
            at = np.array([x.at for x in warm]) / 60
            size = np.array([x.resident for x in warm]) / 1e6
            up += float(((at - at.mean()) * (size - size.mean())).sum())
            down += float(((at - at.mean()) ** 2).sum())
            minutes.append(float(at[-1] - at[0]))
            first, second = np.triu_indices(len(warm), 1)
            slopes.append((size[second] - size[first]) / (at[second] - at[first]))
        if slopes:
            median = float(np.median(np.concatenate(slopes)))
            found[name] = Growth(up / down, median, len(minutes), max(minutes))
    return found
