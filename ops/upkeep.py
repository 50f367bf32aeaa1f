"""Upkeep of landing: compact and prune, under the build's lock."""

from collections.abc import Callable
from datetime import datetime, timedelta

from ingest.errors import InputError
from ingest.landed import compaction, pruning
from ingest.landed.compaction import Compacted
from ingest.landed.pruning import Pruned
from ingest.progress import Advance, ignore
from ops import lock, warehouse
from ops.settings import Settings

Clock = Callable[[], datetime]


def compact(
    settings: Settings,
    clock: Clock,
    target_bytes: int = compaction.TARGET_BYTES,
    advance: Advance = ignore,
) -> Compacted:
    """Merge small landed files into large ones of about `target_bytes`.

    Raises
    ------
    InputError
        Another process holds the home's lock.
    DriftnetError
        A plain `dbt build` is at work.
    """
    topics = (settings.predictions_topic, settings.labels_topic)
    with lock.hold(settings.home, "compact", clock), warehouse.shut_to_builds(settings):
        return compaction.compact(settings.landing, topics, target_bytes, advance)


def prune(settings: Settings, clock: Clock, age: timedelta) -> Pruned:
    """Remove landed files whose rows all landed longer ago than `age` and are folded.

    Raises
    ------
    InputError
        Another process holds the home's lock, or the last build is not whole: a killed build has
        pinned what its tables have not all read yet.
    DriftnetError
        A plain `dbt build` is at work.
    """
    with lock.hold(settings.home, "prune", clock), warehouse.shut_to_builds(settings) as folded:
        if not settings.warehouse.is_file() or warehouse.is_newer_than_published(settings):
            raise InputError(
                "not all that has landed is folded and published: run `driftnet build` first"
            )
        state = folded()
        topic = settings.predictions_topic
        held = {(topic, *place): positions for place, positions in state.held.items()}
        topics = (topic, settings.labels_topic)
        return pruning.prune(settings.landing, topics, clock() - age, state.ends, held)
