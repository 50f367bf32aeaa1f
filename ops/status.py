"""Where everything stands: what waits to land, what is published, who serves, what was said."""

import json
import stat
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ingest import model as models
from ingest.landed import chain
from ingest.landed.tails import Tails
from ingest.log import Unavailable
from ops import judging, pipeline, warehouse
from ops.settings import Settings

SCHEDULE_STATE = "state.json"
PATIENCE_MS = 3_000  # for Kafka to answer


def status(settings: Settings, now: datetime) -> dict[str, Any]:
    """Return the state of a home; nothing is written.

    Returns
    -------
    dict
        home; topics: `topic_rows`; warehouse: written_at, published_at (UTC), published_age_s
        (seconds), is_newer; models: `model_rows`; verdicts: one per model; incidents:
        `incident_rows`; jobs: `job_rows`; disk: `disk_bytes`.
    """
    published_at = warehouse.published_at(settings)
    rows = model_rows(settings)
    verdicts = {name: judging.last_verdict(settings, name) for name in {r["name"] for r in rows}}
    return {
        "home": str(settings.home),
        "topics": topic_rows(settings),
        "warehouse": {
            "written_at": warehouse.written_at(settings),
            "published_at": published_at,
            "published_age_s": int((now - published_at).total_seconds()) if published_at else None,
            "is_newer": warehouse.is_newer_than_published(settings),
        },
        "models": rows,
        "verdicts": [verdicts[name] for name in sorted(verdicts) if verdicts[name]],
        "incidents": incident_rows(settings),
        "jobs": job_rows(settings.schedule),
        "disk": disk_bytes(settings.home),
    }


def topic_rows(settings: Settings, tails: Tails | None = None) -> list[dict[str, Any]]:
    """Return how far landing is behind the log of each topic.

    Parameters
    ----------
    tails
        Of one who asks again and again: the same each time.

    Returns
    -------
    list of dict
        topic, file_count, and of the local log lag_bytes, of Kafka lag_messages (None while it does
        not answer; then trouble says why).
    """
    tails = tails or Tails()
    topics = (settings.predictions_topic, settings.labels_topic)
    rows: list[dict[str, Any]] = [
        {"topic": topic, "file_count": _file_count(settings.landing / topic)} for topic in topics
    ]
    if settings.kafka is None:
        return [{**row, "lag_bytes": _lag_bytes(settings, row["topic"], tails)} for row in rows]
    from ingest.kafka.lag import lags

    try:
        found = lags(
            replace(settings.kafka, connect_ms=PATIENCE_MS), topics, settings.landing, tails
        )
    except Unavailable as error:
        return [{**row, "lag_messages": None, "trouble": str(error)} for row in rows]
    return [{**row, "lag_messages": found[row["topic"]]} for row in rows]


def _lag_bytes(settings: Settings, topic: str, tails: Tails) -> int:
    lag = 0
    if (settings.log / topic).is_dir():
        log = pipeline.open_log(settings)
        for partition in log.partitions(topic):
            folder = chain.partition_folder(
                settings.landing, topic, log.source_id(topic), partition
            )
            lag += log.end_offset(topic, partition) - tails.end(folder)
    return lag


def _file_count(landed: Path) -> int:
    forms = ("*/p=*", "*/compacted/p=*")
    return sum(1 for form in forms for _ in landed.glob(f"{form}/*.parquet"))


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


def incident_rows(settings: Settings) -> list[dict[str, Any]]:
    """Return how many published incidents are open, by model and drift kind; none without marts."""
    if warehouse.published_at(settings) is None:
        return []
    with warehouse.reader(settings) as query:
        if not query("from duckdb_tables() where table_name = 'fct_incidents'", ()).num_rows:
            return []
        rows: list[dict[str, Any]] = query(_OPEN, ()).to_pylist()
    return rows


def job_rows(folder: Path) -> list[dict[str, Any]]:
    """Return what the scheduler knows of each job; empty when none ran in this home.

    Returns
    -------
    list of dict
        name, lane, cron, next_at, and once it ran: last_at, last_outcome, last_seconds,
        last_good_at, is_failing. Times are RFC 3339.
    """
    try:
        return list(json.loads((folder / SCHEDULE_STATE).read_text())["jobs"])
    except (FileNotFoundError, ValueError, KeyError):
        return []


def disk_bytes(home: Path) -> dict[str, int]:
    """Return the bytes that each folder of a home takes (links are not followed)."""
    return {
        folder.name: sum(map(_size, folder.rglob("*")))
        for folder in sorted(home.glob("*"))
        if folder.is_dir()
    }


def _size(path: Path) -> int:
    try:
        found = path.stat(follow_symlinks=False)
    except FileNotFoundError:  # it went while we looked
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


_OPEN = """
select model_name, drift_kind, cast(count(*) as bigint) as open_count
from fct_incidents
where status <> 'resolved'
group by all
order by all"""
