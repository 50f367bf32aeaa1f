"""The alert channel of the watch that is always there: a file of JSON lines, one for each alarm."""

import fcntl
import json
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from ingest.durable import make_folder
from ingest.errors import DriftnetError
from stream.alarm import Alarm


def is_noted(path: Path, alarm: Alarm) -> bool:
    """Return whether an alarm stands in the file."""
    return path.exists() and str(alarm.alarm_id).encode() in path.read_bytes()


def note_alarm(path: Path, alarm: Alarm, clock: Callable[[], datetime]) -> bool:
    """Write an alarm to the file, durably, once.

    Parameters
    ----------
    path
        The file; made when absent.
    alarm
        Its id tells whether it is there already.
    clock
        The time in UTC.

    Returns
    -------
    bool
        Whether it is new.

    Raises
    ------
    DriftnetError
        The disk refused.
    """
    line = json.dumps(
        {
            "alarm_id": str(alarm.alarm_id),
            "sent_at": clock().isoformat(),
            "happened_at": alarm.happened_at,
            "severity": alarm.severity,
            "model_name": alarm.stream.model_name,
            "model_version": alarm.stream.model_version,
            "subject_name": alarm.stream.subject_name,
            "summary": alarm.summary,
            "source_position": alarm.position,
        }
    )
    make_folder(path.parent)
    try:
        with path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            held = file.read()
            if str(alarm.alarm_id).encode() in held:
                return False
            # A kill may have left a part of a line: it ends here, and is told again whole.
            torn = b"\n" if held and not held.endswith(b"\n") else b""
            file.write(torn + line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise DriftnetError(f"{path}: cannot note an alarm ({error}): free the disk") from error
    return True
