"""The card of a model version as a page that people read."""

from collections.abc import Mapping
from typing import Any

from ingest.card import Card


def card_page(card: Card) -> str:
    """Return Markdown: what the model is, why it was made, how it won, what it was made from."""
    history = card.history
    split = history.get("split", {})
    parts = [
        f"# {card.name}, version {card.version}",
        f"{card.estimator}, made on {card.created_at:%Y-%m-%d %H:%M} UTC with seed {card.seed}.",
        "## Why",
        "\n".join(f"- {reason}" for reason in history.get("reasons", [])),
        "## What it learnt from",
        _table(
            ("rows", "count", "share of positives", "from", "until"),
            [(name, *_said(part)) for name, part in split.items()],
        ),
        _left_out(history),
        "## How it does on its reference",
        _table(
            ("measure", "value"),
            [(name, _number(value)) for name, value in card.metrics.items()],
        ),
        f"It says positive from {card.threshold} on.",
        "## Where the rows stand in the log",
        _table(
            ("chain", "first position", "last position", "rows"),
            [
                (chain, f"{held['first']:,}", f"{held['last']:,}", f"{held['row_count']:,}")
                for chain, held in history.get("positions", {}).items()
            ],
        ),
        "## Environment",
        _table(("library", "version"), list(card.libraries.items())),
        "## Policy",
        _table(("rule", "value"), list(_items(history.get("policy", {})))),
    ]
    return "\n\n".join(parts) + "\n"


def _said(part: Mapping[str, Any]) -> tuple[str, str, str, str]:
    share = f"{part['positive_share']:.3f}"
    return f"{part['row_count']:,}", share, part["from"], part["until"]


def _left_out(history: Mapping[str, Any]) -> str:
    count = history.get("known_cluster_count", 0)
    left_out = f"{count:,} of the newest rows were left out of the challenge, because their"
    return f"{left_out} cluster is among the training rows. {history.get('recency', '')}"


def _items(values: Mapping[str, Any]) -> list[tuple[str, object]]:
    return sorted(values.items())


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _table(columns: tuple[str, ...], rows: list[Any]) -> str:
    lines = [columns, ("---",) * len(columns), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
