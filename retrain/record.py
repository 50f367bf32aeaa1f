"""Each decision as a happening: what was decided about which model, why, with its numbers."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from ingest.card import Card
from ingest.happenings import Happening, identify, land_happenings
from retrain.facts import ROOM, is_waiting


@dataclass(frozen=True)
class Told:
    """A decision as it landed: as of when (UTC, without a zone), what, and why in words."""

    at: datetime
    kind: str
    summary: str


def decisions(landing: Path, name: str, version: str, waiting: int = 20) -> list[Told]:
    """Return what was decided while a version served, oldest first.

    Parameters
    ----------
    landing, name, version
        Where it landed, and of which model.
    waiting
        How many of the newest that say that nothing was due are looked at; most are such.
    """
    paths = sorted((landing / ROOM).glob(f"{name}-*.parquet"))
    idle = [path for path in paths if is_waiting(path)]
    found = []
    for path in [path for path in paths if not is_waiting(path)] + idle[-waiting:]:
        for row in pq.read_table(path).to_pylist():
            served = json.loads(row["detail"])["champion_version"]
            if (row["model_name"], served) == (name, version):
                at = row["happened_at"].replace(tzinfo=None)
                found.append(Told(at, row["kind"], row["summary"]))
    return sorted(found, key=lambda told: (told.at, told.kind))


def record(
    landing: Path,
    champion: Card,
    kind: str,
    as_of: datetime,
    reasons: Sequence[str],
    promoted: Card | None = None,
    numbers: Mapping[str, Any] | None = None,
) -> None:
    """Land one decision; a promotion is told once, however often it is recorded.

    That nothing was due is told once for each `as_of` and reason, so an idle clock adds no files.

    Parameters
    ----------
    landing
        The landing zone.
    champion
        Who served when it was decided.
    kind
        waiting, refused, lost, promoted or rolled_back.
    as_of
        UTC without a zone.
    reasons
        In words.
    promoted
        The new champion, if there is one.
    numbers
        What it rests on; anything that JSON can hold.
    """
    card = promoted or champion
    name, when = card.name, as_of.replace(tzinfo=UTC)
    if promoted is None or kind == "rolled_back":
        again = identify(*reasons) if kind == "waiting" else uuid.uuid4()
        run_id = f"{name}-{as_of:%Y%m%dT%H%M%S}-{kind}-{again.hex[:8]}"
    else:
        run_id = f"{name}-promoted-{promoted.version}"
    happening = Happening(
        identify(ROOM, run_id),
        when,
        ROOM,
        kind,
        name,
        card.version,
        subject_name="model",
        severity=1 if kind == "refused" else 0,
        summary=f"{kind.replace('_', ' ')}: {'; '.join(reasons)}",
        detail={"champion_version": champion.version, "reasons": list(reasons)}
        | dict(numbers or {})
        | ({"history": dict(promoted.history)} if promoted else {}),
    )
    land_happenings(landing, run_id, [happening])


def record_missing(landing: Path, champion: Card) -> None:
    """Tell the promotion of a champion whose run was killed before it could tell."""
    if champion.history:
        as_of = datetime.fromisoformat(champion.history["as_of"])
        record(landing, champion, "promoted", as_of, champion.history["reasons"], champion)
