"""The incident log and what was delivered of it: JSON lines, appended durably, each change once."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ingest.durable import make_folder, sync

INCIDENTS = "incident_log.json"
DELIVERIES = "deliveries.json"


class IncidentLog:
    """The two files of a folder.

    `incident_log.json` has one line for each change, always; `deliveries.json` one for each message
    that reached a channel, with the changes in it. A torn last line (a kill, a full disk) is left
    out when it is read, and closed before the next one is written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the log alone: two runs at once do not tell the same change twice."""
        make_folder(self._folder)
        with (self._folder / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def known(self) -> set[str]:
        """Return the ids of the changes that are in the log."""
        return {line["change_id"] for line in self._lines(INCIDENTS) if "change_id" in line}

    def delivered(self, channel: str) -> set[str]:
        """Return the ids of the changes that a channel has been told."""
        return {
            change
            for line in self._lines(DELIVERIES)
            if line.get("channel") == channel and line.get("is_delivered")
            for change in line.get("change_ids", ())
        }

    def append(self, lines: Sequence[Mapping[str, Any]]) -> None:
        """Add lines to the incident log."""
        self._append(INCIDENTS, lines)

    def deliver(self, line: Mapping[str, Any]) -> None:
        """Add what became of one message."""
        self._append(DELIVERIES, [line])

    def _lines(self, name: str) -> list[dict[str, Any]]:
        path = self._folder / name
        found = []
        for text in path.read_text("utf-8").splitlines() if path.exists() else []:
            try:
                line = json.loads(text)
            except ValueError:
                continue
            if isinstance(line, dict):
                found.append(line)
        return found

    def _append(self, name: str, lines: Sequence[Mapping[str, Any]]) -> None:
        if not lines:
            return
        make_folder(self._folder)
        path = self._folder / name
        text = "".join(json.dumps(line, default=str) + "\n" for line in lines)
        with path.open("ab+") as file:
            end = file.seek(0, os.SEEK_END)
            if end:
                file.seek(end - 1)
                if file.read(1) != b"\n":
                    text = "\n" + text
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        sync(self._folder)
