"""The policy: which settings a stream gets, and how many detectors make an alarm.

Settings come from the calibrated table (`calibration.json` beside this module, made by
`stream.calibration`): the row whose level is nearest. `driftnet watch --set` overrides them.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final, Literal

from ingest.errors import InputError
from stream.detectors import Settings

Kind = Literal["error", "value"]
TABLE: Final = Path(__file__).with_name("calibration.json")
VOTERS: Final = ("adwin", "ddm", "page_hinkley")
UNIFORM_STD: Final = 1 / math.sqrt(12)


@dataclass(frozen=True)
class Level:
    """What a stream is like while nothing changes: mean and standard deviation of a value."""

    mean: float
    std: float

    @classmethod
    def of_rate(cls, rate: float) -> "Level":
        """Return the level of a stream of errors.

        Examples
        --------
        >>> Level.of_rate(0.2).std
        0.4
        """
        return cls(rate, math.sqrt(rate * (1 - rate)))

    @classmethod
    def of_values(cls, kind: Kind, values: Sequence[float]) -> "Level":
        """Return the level that some values show; half a count keeps a rate away from 0 and 1."""
        count = len(values)
        if kind == "error":
            return cls.of_rate((sum(values) + 0.5) / (count + 1))
        mean = sum(values) / count
        spread = math.sqrt(sum((value - mean) ** 2 for value in values) / count)
        return cls(mean, max(spread, UNIFORM_STD / 10))


@dataclass(frozen=True)
class Policy:
    """When the watch alarms.

    Parameters
    ----------
    rows
        Calibrated settings: of a kind of stream by mean level.
    votes, within
        So many of the three voters must have alarmed within so many values.
    overrides
        Settings that replace the calibrated ones.
    """

    rows: Mapping[Kind, Sequence[tuple[float, Settings]]]
    votes: int = 2
    within: int = 2000
    overrides: Mapping[str, float] = field(default_factory=dict)

    def settings(self, kind: Kind, level: Level) -> Settings:
        """Return the settings for a stream: those of the nearest calibrated level (log odds)."""
        rows = self.rows[kind]
        _, found = min(rows, key=lambda row: abs(_log_odds(row[0]) - _log_odds(level.mean)))
        return replace(found, **self.overrides) if self.overrides else found  # type: ignore[arg-type]

    def mark(self) -> str:
        """Return what tells one policy from another: detectors of another policy start anew."""
        rows = {kind: [[at, asdict(row)] for at, row in rows] for kind, rows in self.rows.items()}
        told = [rows, self.votes, self.within, dict(sorted(self.overrides.items()))]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def _log_odds(share: float) -> float:
    share = min(max(share, 1e-6), 1 - 1e-6)
    return math.log(share / (1 - share))


def shipped(changes: Sequence[str] = ()) -> Policy:
    """Return the shipped policy, with some changes.

    Parameters
    ----------
    changes
        Texts ``name=number``; names are votes, within and those of `Settings` that are numbers.

    Raises
    ------
    InputError
        For an unknown name, or a number that cannot be used.

    Examples
    --------
    >>> shipped(["votes=3", "ddm_warm_up=300"]).votes
    3
    """
    return changed(from_table(json.loads(TABLE.read_text(encoding="ascii"))), changes)


def from_table(table: Mapping[str, Any]) -> Policy:
    """Return the policy of a calibrated table (see `stream.calibration`)."""
    names = [item.name for item in fields(Settings)]
    rows: dict[Kind, list[tuple[float, Settings]]] = {"error": [], "value": []}
    for row in table["rows"]:
        picked = {name: row[name] for name in names}
        picked["advisers"] = tuple(picked["advisers"])
        rows[row["kind"]].append((row["mean"], Settings(**picked)))
    return Policy(rows)


def changed(policy: Policy, changes: Sequence[str]) -> Policy:
    """Return a policy with some changes, written ``name=number``; see `shipped`."""
    known = [item.name for item in fields(Settings) if item.name != "advisers"]
    for change in changes:
        name, _, text = change.partition("=")
        number = _number(change, text)
        if name in ("votes", "within"):
            if number != int(number) or not 1 <= number <= (3 if name == "votes" else 1e9):
                raise InputError(f"{change}: votes is 1 to 3, within a whole number from 1 on")
            policy = replace(policy, **{name: int(number)})  # type: ignore[arg-type]
        elif name in known:
            if name in ("adwin_delta", "hddma_confidence") and number >= 1:
                raise InputError(f"{change}: a confidence lies between 0 and 1")
            value = int(number) if name == "ddm_warm_up" else number
            policy = replace(policy, overrides={**policy.overrides, name: value})
        else:
            raise InputError(
                f"{change}: no such setting; known: {', '.join(['votes', 'within', *known])}"
            )
    return policy


def _number(change: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise InputError(f"{change}: write name=number, the number above 0")
    return number
