"""Each decision as a happening: what was decided about which model, why, with its numbers."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from ingest.card import Card
from ingest.happenings import Happening, identify, land_happenings
from retrain.facts import ROOM


def record(
    landing: Path,
    champion: Card,
    kind: str,
    as_of: datetime,
    reasons: Sequence[str],
    promoted: Card | None = None,
) -> None:
    """Land one decision; a promotion is told once, however often it is recorded.

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
    """
    card = promoted or champion
    name, when = card.name, as_of.replace(tzinfo=UTC)
    if promoted is None or kind == "rolled_back":
        run_id = f"{name}-{as_of:%Y%m%dT%H%M%S}-{kind}-{uuid.uuid4().hex[:8]}"
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
        | ({"history": dict(promoted.history)} if promoted else {}),
    )
    land_happenings(landing, run_id, [happening])


def record_missing(landing: Path, champion: Card) -> None:
    """Tell the promotion of a champion whose run was killed before it could tell."""
    if champion.history:
        as_of = datetime.fromisoformat(champion.history["as_of"])
        record(landing, champion, "promoted", as_of, champion.history["reasons"], champion)
