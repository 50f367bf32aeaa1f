"""Folders of published copies: begun beside, finished by rename, pruned without taking a reader's.

published/.<stamp>.part/   while it is written; no one reads it
published/<stamp>/         a whole copy
published/current          a relative link to the newest whole copy, swapped by rename
"""

import json
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ingest.sealed import sync

#: So many copies stay, and those younger than this: a reader may be about to open one.
KEPT_COUNT = 3
KEPT_FOR = timedelta(minutes=10)

_NOTE = "published.json"
_STAMP = re.compile(r"\d{8}T\d{6}\.\d{6}Z")


def begin(published: Path, stamp: str) -> Path:
    """Make the folder that a copy is written to; parts that a killed run left are removed."""
    published.mkdir(parents=True, exist_ok=True)
    for part in published.glob(".*.part"):
        shutil.rmtree(part)
    folder = published / f".{stamp}.part"
    folder.mkdir()
    return folder


def finish(part: Path, current: Path, source: dict[str, int]) -> Path:
    """Bring a written copy to rest under its own name and point `current` to it.

    Parameters
    ----------
    part
        The folder of `begin`, with everything in it.
    current
        The link to move.
    source
        `state_of` the warehouse before it was copied.
    """
    (part / _NOTE).write_text(json.dumps({"warehouse": source}))
    for path in sorted(part.iterdir()):
        sync(path)
    sync(part)
    folder = part.with_name(part.name.removeprefix(".").removesuffix(".part"))
    part.rename(folder)
    link = current.with_name(".current.part")
    link.unlink(missing_ok=True)
    link.symlink_to(folder.name, target_is_directory=True)
    link.replace(current)
    sync(current.parent)
    return folder


def prune(published: Path, now: datetime) -> list[Path]:
    """Remove old copies, never the current one, the last `KEPT_COUNT` or a young one."""
    current = (published / "current").resolve()
    copies = sorted(path for path in published.iterdir() if _is_copy(path))
    old = [
        path
        for path in copies[:-KEPT_COUNT]
        if path != current and now - _begun_at(path) > KEPT_FOR
    ]
    for path in old:
        shutil.rmtree(path)
    return old


def state_of(warehouse: Path) -> dict[str, int]:
    """Return what tells one state of a warehouse file from another; empty when there is none."""
    state: dict[str, int] = {}
    for path in (warehouse, warehouse.with_name(warehouse.name + ".wal")):
        if path.is_file():
            status = path.stat()
            state[f"{path.suffix}_bytes"] = status.st_size
            state[f"{path.suffix}_written_ns"] = status.st_mtime_ns
    return state if warehouse.is_file() else {}


def published_state(current: Path) -> dict[str, int]:
    """Return the state of the warehouse that the current copy was made from."""
    try:
        return dict(json.loads((current / _NOTE).read_text())["warehouse"])
    except FileNotFoundError:
        return {}


def published_at(current: Path) -> datetime | None:
    """Return when the current copy was begun (UTC)."""
    return _begun_at(current.resolve()) if (current / _NOTE).is_file() else None


def written_at(warehouse: Path) -> datetime | None:
    """Return when the warehouse was last written (UTC)."""
    times = [value for name, value in state_of(warehouse).items() if name.endswith("_ns")]
    return datetime.fromtimestamp(max(times) / 1e9, UTC) if times else None


def _is_copy(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and _STAMP.fullmatch(path.name) is not None


def _begun_at(copy: Path) -> datetime:
    return datetime.strptime(copy.name, "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC)
