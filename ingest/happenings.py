"""What other rooms have seen, said or done, at rest: alarms, verdicts, retrain runs.

The one writer of them. A run of a room leaves one file, ``landing/<room>/<run id>.parquet``, which
is there whole and durable or not at all; a run that is repeated after a kill finds its file and
adds nothing. A happening keeps its id wherever it is written, so the warehouse counts it once.
"""

import json
import os
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingest.durable import make_folder, sync
from ingest.engine import connect, write_parquet
from ingest.errors import InputError

SUFFIX = ".parquet"
COLUMNS = {
    "happening_id": "uuid",
    "happened_at": "timestamptz",
    "room": "varchar",
    "kind": "varchar",
    "model_name": "varchar",
    "model_version": "varchar",
    "subject_name": "varchar",
    "severity": "integer",
    "summary": "varchar",
    "detail": "varchar",
    "source_position": "varchar",
}

_NAMESPACE = uuid.UUID("6f1b0f0e-3a52-5c3e-9b8e-64726966746e")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_ROOM = re.compile(r"[a-z]{1,32}")


@dataclass(frozen=True)
class Happening:
    """One thing that a room saw, said or did.

    Parameters
    ----------
    happening_id
        Names it for ever; `identify` makes the same id of the same facts.
    happened_at
        When it happened in the world that is watched; aware.
    room
        Who tells it: stream, reports, retrain, ops.
    kind
        What it is: alarm, verdict, promotion, decision, ...
    model_name, model_version
        Whose it is.
    subject_name
        What it is about: a feature, an error stream, a version; empty for the whole model.
    severity
        0 note, 1 warn, 2 fail.
    summary
        One line for people.
    detail
        Facts beyond that; anything that JSON can hold.
    source_position
        Where in the log or the warehouse it was seen; None where it was not seen in one place.
    """

    happening_id: uuid.UUID
    happened_at: datetime
    room: str
    kind: str
    model_name: str
    model_version: str
    subject_name: str = ""
    severity: int = 0
    summary: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)
    source_position: str | None = None

    def __post_init__(self) -> None:
        """Refuse a time without a zone and a severity that is none."""
        if self.happened_at.tzinfo is None:
            raise InputError(f"a happening of {self.room} has a time without a zone: give UTC")
        if self.severity not in (0, 1, 2):
            raise InputError(f"severity {self.severity} of a happening: it is 0, 1 or 2")


def identify(*facts: object) -> uuid.UUID:
    """Return the id of a happening from the facts that tell it from every other.

    Examples
    --------
    >>> identify("stream", "alarm", 7) == identify("stream", "alarm", 7)
    True
    >>> identify("a", "bc") == identify("ab", "c")
    False
    """
    return uuid.uuid5(_NAMESPACE, json.dumps([str(fact) for fact in facts]))


def land_happenings(landing: Path, run_id: str, happenings: Sequence[Happening]) -> Path | None:
    """Bring the happenings of one run to rest, durably and once.

    Parameters
    ----------
    landing
        The landing zone.
    run_id
        Names the file, so a run that is repeated under its id adds nothing.
    happenings
        All of one room; none: nothing is written.

    Returns
    -------
    Path or None
        The new file; None where there was nothing to write or the run's file is there already.

    Raises
    ------
    InputError
        For a run id that is no file name, or happenings of two rooms.
    """
    rooms = {happening.room for happening in happenings}
    if not _NAME.fullmatch(run_id):
        raise InputError(f"run id {run_id!r}: use letters, digits, '.', '_' and '-'")
    if len(rooms) > 1 or not all(_ROOM.fullmatch(room) for room in rooms):
        raise InputError(f"a file holds one room's happenings, here are {sorted(rooms)}")
    if not happenings:
        return None
    folder = landing / rooms.pop()
    make_folder(folder)
    final = folder / f"{run_id}{SUFFIX}"
    temporary = folder / f".{run_id}-{uuid.uuid4().hex}.tmp"
    try:
        _write(happenings, temporary)
        sync(temporary)
        # A link fails where a rename would replace: a file that is there is never written over.
        os.link(temporary, final)
        sync(folder)
    except FileExistsError:
        return None
    finally:
        temporary.unlink(missing_ok=True)
    return final


def _write(happenings: Sequence[Happening], path: Path) -> None:
    # by the engine that is loaded anyway: Arrow would load pandas, 50 MB of a service's memory
    rows = [
        (
            happening.happening_id,
            happening.happened_at.astimezone(UTC),
            happening.room,
            happening.kind,
            happening.model_name,
            happening.model_version,
            happening.subject_name,
            happening.severity,
            happening.summary,
            json.dumps(happening.detail, sort_keys=True, default=str),
            happening.source_position,
        )
        for happening in happenings
    ]
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    marks = ", ".join("?" * len(COLUMNS))
    with connect(path.parent, threads=1) as connection:
        connection.execute(f"create table happenings ({columns})")
        connection.executemany(f"insert into happenings values ({marks})", rows)
        write_parquet(connection, "from happenings", path, {"room": rows[0][2]})
