"""The card of a model version as a page that people read."""

from collections.abc import Mapping, Sequence
from typing import Any

from ingest.card import Card
from retrain.record import Told

SHOWN = 20  # decisions


def card_page(card: Card, decisions: Sequence[Told] = ()) -> str:
    """Return Markdown: what the model is, why it was made, how it won, what it was made from.

    Parameters
    ----------
    card
        Of a version of any kind; what it does not know is left out.
    decisions
        What was decided while it served, oldest first; the newest are shown.
    """
    history = card.history
    parts = [
        f"# {card.name}, version {card.version}",
        _made(card),
        *_section("Why", _why(card)),
        *_section("How it won", _won(history)),
        *_section("What it learnt from", _learnt(card)),
        *_section("How it does on its reference", _quality(card)),
        *_section("Where its rows stand in the log", _positions(history)),
        *_section("Environment", _table(("library", "version"), list(card.libraries.items()))),
        *_section("Policy", _table(("rule", "value"), sorted(history.get("policy", {}).items()))),
        *_section("Decisions while it served", _decisions(decisions)),
    ]
    return "\n\n".join(parts) + "\n"


def met(cards: Sequence[Card]) -> list[str]:
    """Return a sentence for each of some versions that took over from another one of them."""
    versions = {card.version for card in cards}
    found = []
    for card in cards:
        before, challenge = (card.history.get(key) for key in ("champion_version", "challenge"))
        if before in versions and challenge:
            gain, limits = _gain(challenge["auc"])
            found.append(
                f"version {card.version} took over from {before}: on the same"
                f" {challenge['auc']['row_count']:,} later rows ROC AUC {challenge['old_auc']:.4f}"
                f" to {challenge['new_auc']:.4f}, gain {gain} ({limits})"
            )
    return found


def _section(title: str, body: str) -> tuple[str, ...]:
    return (f"## {title}", body) if body else ()


def _made(card: Card) -> str:
    made = f"{card.created_at:%Y-%m-%d %H:%M} UTC"
    if card.kind == "external":
        return f"Imported on {made} for its reference; it is served elsewhere."
    recipe = f" (recipe {card.recipe})" if card.recipe else ""
    return f"{card.estimator}{recipe}, made on {made} with seed {card.seed}."


def _why(card: Card) -> str:
    reasons = card.history.get("reasons", [])
    if not reasons:
        return "The first champion of its name." if card.kind == "trained" else ""
    before = card.history.get("champion_version")
    taken = [f"it took over from version {before}, as of {card.history['as_of'][:16]}"]
    return "\n".join(f"- {reason}" for reason in (*reasons, *taken))


def _won(history: Mapping[str, Any]) -> str:
    challenge = history.get("challenge")
    if not challenge:
        return ""
    auc, cost = challenge["auc"], challenge["cost"]
    rows = [
        ("ROC AUC", *(f"{challenge[side]:.4f}" for side in ("old_auc", "new_auc")), *_gain(auc)),
        ("cost per event", "", "", *_gain(cost)),
    ]
    table = _table(("measure", "old champion", "this version", "better by", "95% interval"), rows)
    where = f"On {auc['row_count']:,} later rows of {auc['cluster_count']:,} clusters that neither"
    return f"{table}\n\n{where} was trained on; the interval is over clusters."


def _gain(difference: Mapping[str, float]) -> tuple[str, str]:
    return (
        f"{difference['value']:+.4f}",
        f"{difference['lower']:+.4f} to {difference['upper']:+.4f}",
    )


def _learnt(card: Card) -> str:
    history = card.history
    if "split" not in history:
        if card.trained_from is None or card.trained_until is None:
            return ""
        count = f"{card.training_row_count:,} labelled rows of a file"
        return f"{count}, {card.trained_from:%Y-%m-%d} to {card.trained_until:%Y-%m-%d}."
    columns = ("rows", "count", "share of positives", "from", "until")
    table = _table(columns, [(name, *_said(part)) for name, part in history["split"].items()])
    left_out = f"{history['known_cluster_count']:,} of the newest rows were left out of the"
    why = "challenge, because their cluster is among the training rows."
    return f"{table}\n\n{left_out} {why} {history['recency']}"


def _said(part: Mapping[str, Any]) -> tuple[str, str, str, str]:
    share = f"{part['positive_share']:.3f}"
    return f"{part['row_count']:,}", share, part["from"], part["until"]


def _quality(card: Card) -> str:
    rows = [
        (name.replace("_", " "), "-" if value is None else f"{value:,.4g}")
        for name, value in card.metrics.items()
    ]
    says = "" if card.threshold is None else f"\n\nIt says positive from {card.threshold} on."
    return _table(("measure", "value"), rows) + says if rows else says.strip()


def _positions(history: Mapping[str, Any]) -> str:
    rows = [
        (chain, f"{held['first']:,}", f"{held['last']:,}", f"{held['row_count']:,}")
        for chain, held in history.get("positions", {}).items()
    ]
    return _table(("chain", "first position", "last position", "rows"), rows)


def _decisions(decisions: Sequence[Told]) -> str:
    rows = [(f"{told.at:%Y-%m-%d %H:%M}", told.summary) for told in decisions[-SHOWN:]]
    return _table(("as of", "decision"), rows)


def _table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [columns, ("---",) * len(columns), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) if rows else ""
