"""The build's lock: one process at a time folds, publishes, compacts or prunes a home.

The operating system holds the lock, so a killed holder frees it; who holds it stands in a file
beside, which is read only by someone who was refused.
"""

import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from ingest.errors import InputError
from ingest.sealed import replace_text


@contextmanager
def hold(
    home: Path, doing: str, clock: Callable[[], datetime], name: str = "build"
) -> Iterator[None]:
    """Hold a lock of a home for a while.

    Parameters
    ----------
    home
        The home whose warehouse is written.
    doing
        One word for what is done under the lock; a refused process reads it.
    clock
        The time in UTC.
    name
        Which lock: build (who writes the warehouse) or retrain (who makes models).

    Raises
    ------
    InputError
        When another process holds it; the message names the holder.
    """
    folder = home / "warehouse"
    folder.mkdir(parents=True, exist_ok=True)
    holder = folder / f"{name}.holder"
    lock = FileLock(folder / f"{name}.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise InputError(f"{home} is in use: {_holder(holder)}; wait for it to end") from None
    try:
        _tell(holder, doing, clock())
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _tell(holder: Path, doing: str, now: datetime) -> None:
    told = {
        "doing": doing,
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": now.isoformat(timespec="seconds"),
    }
    replace_text(holder, json.dumps(told))


def _holder(holder: Path) -> str:
    try:
        told = json.loads(holder.read_text())
        return f"{told['doing']} by process {told['pid']} on {told['host']} since {told['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return (
            f"another process holds {holder.with_suffix('.lock').name} and has not said who it is"
        )
