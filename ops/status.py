"""Where everything stands: what waits to land, what is published, who serves, what was said."""

from datetime import datetime
from typing import Any

from ingest import chain
from ingest import model as models
from ops import pipeline, warehouse
from ops.settings import Settings


def status(settings: Settings, now: datetime) -> dict[str, Any]:
    """Return the state of a home; nothing is written.

    Returns
    -------
    dict
        home; topics: list of (topic, lag_bytes, file_count); warehouse: written_at, published_at
        (UTC), published_age_s (seconds), is_newer; models: `model_rows`; verdicts: one per model.
    """
    published_at = warehouse.published_at(settings)
    rows = model_rows(settings)
    verdicts = {name: pipeline.last_verdict(settings, name) for name in {r["name"] for r in rows}}
    return {
        "home": str(settings.home),
        "topics": [
            topic_row(settings, topic)
            for topic in (settings.predictions_topic, settings.labels_topic)
        ],
        "warehouse": {
            "written_at": warehouse.written_at(settings),
            "published_at": published_at,
            "published_age_s": int((now - published_at).total_seconds()) if published_at else None,
            "is_newer": warehouse.is_newer_than_published(settings),
        },
        "models": rows,
        "verdicts": [verdicts[name] for name in sorted(verdicts) if verdicts[name]],
    }


def topic_row(settings: Settings, topic: str) -> dict[str, Any]:
    """Return how far landing is behind the log of a topic, in bytes of the log."""
    landed = settings.landing / topic
    lag = 0
    if (settings.log / topic).is_dir():
        log = pipeline.open_log(settings)
        for partition in log.partitions(topic):
            folder = chain.partition_folder(
                settings.landing, topic, log.source_id(topic), partition
            )
            lag += log.end_offset(topic, partition) - chain.chain_end(folder)
    return {
        "topic": topic,
        "lag_bytes": lag,
        "file_count": sum(
            1 for form in ("*/p=*", "*/compacted/p=*") for _ in landed.glob(f"{form}/*.parquet")
        ),
    }


def model_rows(settings: Settings) -> list[dict[str, Any]]:
    """Return one row per model version."""
    champions: dict[str, str | None] = {}
    rows = []
    for card in models.registered(settings.models):
        if card.name not in champions:
            champions[card.name] = models.champion(settings.models, card.name)
        rows.append(
            {
                "name": card.name,
                "version": card.version,
                "kind": card.kind,
                "is_champion": champions[card.name] == card.version,
                "created_at": card.created_at.strftime("%Y-%m-%d %H:%M"),
                "trained_until": card.trained_until and card.trained_until.strftime("%Y-%m-%d"),
                "reference_rows": card.reference_row_count,
                "threshold": card.threshold,
            }
        )
    return rows
