"""The checkpoint: all that the watch remembers, in one file that is replaced at once.

It holds the position of each lane, the panels of all streams and the outbox: alarms that were seen
but not yet landed or sent. All of them are of one moment, so a kill loses nothing and repeats
nothing: what came after the checkpoint is read again, and was told to nobody.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout

from ingest.durable import make_folder
from ingest.errors import DriftnetError, InputError
from ingest.sealed import replace_text
from stream.alarm import Alarm, Stream
from stream.panel import Panel
from stream.policy import Policy

FORMAT: Final = 1


@dataclass
class State:
    """What the watch remembers.

    Parameters
    ----------
    positions
        By lane; a lane that was never read is absent.
    panels
        By stream.
    outbox
        What waits to be landed and, where it is told, sent: (what, whether it has landed).
    told
        For the signal of a whole version, when it last alarmed (RFC 3339).
    """

    positions: dict[str, Any] = field(default_factory=dict)
    panels: dict[Stream, Panel] = field(default_factory=dict)
    outbox: list[tuple[Alarm, bool]] = field(default_factory=list)
    told: dict[Stream, str] = field(default_factory=dict)


def save(path: Path, state: State, policy: Policy) -> None:
    """Write the state, durably, in place of the one before."""
    body = {
        "format": FORMAT,
        "river": version("river"),
        "policy": policy.mark(),
        "positions": state.positions,
        "panels": [[list(stream), panel.export()] for stream, panel in state.panels.items()],
        "outbox": [[alarm.to_json(), has_landed] for alarm, has_landed in state.outbox],
        "told": [[list(stream), moment] for stream, moment in state.told.items()],
    }
    text = json.dumps(body, separators=(",", ":"), allow_nan=False)
    digest = hashlib.sha256(text.encode()).hexdigest()
    make_folder(path.parent)
    replace_text(path, f"{digest}\n{text}\n")


def load(path: Path, policy: Policy) -> tuple[State, str | None]:
    """Read the state; a new one where there is no file.

    Returns
    -------
    State
        As it was saved.
    str or None
        Why all detectors start anew (positions and outbox stay): another policy, another River.

    Raises
    ------
    DriftnetError
        The file was harmed, or a later Driftnet wrote it.
    """
    try:
        digest, _, text = path.read_text(encoding="utf-8").partition("\n")
    except FileNotFoundError:
        return State(), None
    text = text.removesuffix("\n")
    if hashlib.sha256(text.encode()).hexdigest() != digest:
        raise DriftnetError(
            f"{path} was harmed: restore it from a copy, or remove it (then all is watched anew)"
        )
    body = json.loads(text)
    if body["format"] != FORMAT:
        raise DriftnetError(f"{path} has format {body['format']}, this Driftnet reads {FORMAT}")
    state = State(
        body["positions"],
        outbox=[(Alarm.from_json(alarm), has_landed) for alarm, has_landed in body["outbox"]],
        told={Stream(*stream): moment for stream, moment in body["told"]},
    )
    if body["river"] != version("river"):
        return state, f"River is {version('river')} now, the detectors were of {body['river']}"
    if body["policy"] != policy.mark():
        return state, "the policy is another now"
    state.panels = {
        Stream(*stream): Panel.restored(policy, panel) for stream, panel in body["panels"]
    }
    return state, None


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the checkpoint of a home: one watch at a time; a killed one lets go.

    Raises
    ------
    InputError
        When another watch holds it.
    """
    make_folder(path.parent)
    lock = FileLock(path.with_suffix(".lock"), timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise InputError(f"{path.parent} is watched already: end the other watch first") from None
    try:
        yield
    finally:
        lock.release()
