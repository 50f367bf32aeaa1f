"""The steps of the path as functions: land, build. They join the rooms; none prints.

A failing dbt test means unsound data: nothing is published, nothing is judged (an error). A verdict
of fail means that the world moved: that is an answer, not an error.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime

from ingest import landing
from ingest import model as models
from ingest.landed.tails import Tails
from ingest.landing import EventKind, Landed
from ingest.local.appender import LocalAppender
from ingest.local.log import LocalLog
from ingest.log import AsyncAppender, EventLog
from ingest.progress import Advance, ignore
from ops import dbt, lock, warehouse
from ops.settings import Settings

Clock = Callable[[], datetime]


def open_log(
    settings: Settings, on_repair: Callable[[str], object] = lambda text: None
) -> EventLog:
    """Return the event log: Kafka where the settings name it, else the local one of the home.

    Parameters
    ----------
    on_repair
        Is told of a torn tail of the local log that was cut.
    """
    if settings.kafka is not None:
        from ingest.kafka.log import KafkaLog

        return KafkaLog(settings.kafka)
    return LocalLog(settings.log, on_repair)


def open_appender(
    settings: Settings, on_repair: Callable[[str], object] = lambda text: None
) -> AsyncAppender:
    """Return the producing side of the event log for an event loop; as `open_log`."""
    if settings.kafka is not None:
        from ingest.kafka.appender import KafkaAppender

        return KafkaAppender(settings.kafka)
    return LocalAppender(LocalLog(settings.log, on_repair))


def land(
    settings: Settings,
    clock: Clock,
    advance: Advance = ignore,
    on_repair: Callable[[str], object] = lambda text: None,
    tails: Tails | None = None,
) -> dict[str, Landed]:
    """Bring everything that the log holds now to rest as Parquet; `tails` as in `landing.land`.

    Returns
    -------
    dict
        For each topic what was landed.
    """
    if settings.kafka is not None:
        return follow(settings, clock, once=True, advance=advance, tell=on_repair)
    log = open_log(settings, on_repair)
    features = models.registered_features(settings.models)
    kinds = _kinds(settings)
    return {
        topic: landing.land(
            log,
            topic,
            kind,
            settings.landing,
            features,
            clock,
            advance=advance,
            tails=tails,
            storage=settings.subject_storage,
        )
        for topic, kind in kinds.items()
    }


def follow(
    settings: Settings,
    clock: Clock,
    *,
    once: bool = False,
    max_age: float = 10.0,
    is_ending: Callable[[], bool] = lambda: False,
    advance: Advance = ignore,
    tell: Callable[[str], object] = lambda line: None,
) -> dict[str, Landed]:
    """Land what comes until asked to end; from Kafka as a member of the group of landers.

    Parameters
    ----------
    once
        Of Kafka, without the group: catch up with what there is now, then end.
    max_age
        Seconds until what was read is landed, however little it is.
    is_ending
        Tells that it is time to end; what was read is landed first.
    tell
        Is given lines for people: rate and lag, gaps, waiting.
    """
    if settings.kafka is None:
        return _follow_local(settings, clock, max_age, is_ending, advance, tell)
    from ingest.kafka.lander import KafkaLander
    from ingest.kafka.share import Landing

    what = Landing(
        _kinds(settings),
        settings.landing,
        lambda: models.registered_features(settings.models),
        clock,
        max_age,
        settings.subject_storage,
    )
    lander = KafkaLander(
        settings.kafka, what, once=once, is_ending=is_ending, tell=tell, advance=advance
    )
    return lander.run()


def _follow_local(
    settings: Settings,
    clock: Clock,
    max_age: float,
    is_ending: Callable[[], bool],
    advance: Advance,
    tell: Callable[[str], object],
) -> dict[str, Landed]:
    total = {topic: Landed() for topic in _kinds(settings)}
    tails = Tails()
    while True:
        is_last = is_ending()  # asked before the look: what came until then is landed
        for topic, landed in land(settings, clock, advance, tell, tails).items():
            total[topic] += landed
            if landed.row_count:
                tell(f"{topic}: {landed.row_count:,} rows landed")
        due = time.monotonic() + max_age
        while not is_last and not is_ending() and time.monotonic() < due:
            time.sleep(min(0.2, max_age))
        if is_last:
            return total


def _kinds(settings: Settings) -> dict[str, EventKind]:
    return {settings.predictions_topic: "prediction", settings.labels_topic: "label"}


def build(
    settings: Settings,
    clock: Clock,
    watch: dbt.Watch = lambda step: None,
    arguments: Sequence[str] = (),
) -> warehouse.Publication:
    """Let dbt fold what has landed and judge it, then publish the marts.

    Raises
    ------
    DriftnetError
        When the folder of a model is not whole or was changed, or when dbt or one of its tests
        fails; nothing is published then.
    InputError
        When another process holds the home's lock.
    """
    with lock.hold(settings.home, "build", clock):
        for card in models.registered(settings.models):
            models.verify(settings.models, card.name, card.version)
        dbt.run(settings, "build", watch, ("--exclude-resource-type", "unit_test", *arguments))
        if warehouse.is_newer_than_published(settings):
            return warehouse.publish(settings, clock)
        return warehouse.published(settings)
