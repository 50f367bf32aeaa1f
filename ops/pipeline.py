"""The steps of the path as functions: land, build, gate, report. They join the rooms; none prints.

A failing dbt test means unsound data: nothing is published, nothing is judged (an error). A verdict
of fail means that the world moved: that is an answer, not an error.
"""

import dataclasses
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ingest import model as models
from ingest.errors import DriftnetError, InputError
from ingest.landing import Landed
from ingest.local_log import LocalLog
from ingest.progress import Advance, ignore
from ingest.sealed import replace_text
from ops import dbt, lock, warehouse
from ops.settings import Settings
from reports.verdict import Verdict

Clock = Callable[[], datetime]

#: Bytes of the log that become one landed file at most.
BATCH_BYTES = 64 << 20


def open_log(settings: Settings, on_repair: Callable[[str], object] = lambda text: None) -> LocalLog:
    """Return the event log of a home; `on_repair` is told of a torn tail that was cut."""
    return LocalLog(settings.log, on_repair)


def land(
    settings: Settings,
    clock: Clock,
    advance: Advance = ignore,
    on_repair: Callable[[str], object] = lambda text: None,
) -> dict[str, Landed]:
    """Bring everything that the log holds to rest as Parquet.

    Returns
    -------
    dict
        For each topic what was landed.
    """
    from ingest.landing import land as land_topic

    log = open_log(settings, on_repair)
    features = models.registered_features(settings.models)
    topics = {settings.predictions_topic: "prediction", settings.labels_topic: "label"}
    return {
        topic: land_topic(
            log, topic, kind, settings.landing, features, clock, BATCH_BYTES, advance=advance
        )
        for topic, kind in topics.items()
    }


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
        When dbt or one of its tests fails; nothing is published then.
    InputError
        When another process holds the home's lock.
    """
    with lock.hold(settings.home, "build", clock):
        dbt.run(settings, "build", watch, arguments)
        if warehouse.is_newer_than_published(settings):
            return warehouse.publish(settings, clock)
        return warehouse.published(settings)


def model_name(settings: Settings, asked: str | None) -> str:
    """Return the model that is meant: the asked one, else the only one that can be meant.

    Raises
    ------
    InputError
        When there is none of that name, none at all, or several.
    """
    names = sorted({card.name for card in models.registered(settings.models)})
    if asked is not None and asked not in names:
        raise InputError(f"there is no model {asked}; registered are: {', '.join(names) or 'none'}")
    if asked is not None:
        return asked
    return names[0] if len(names) == 1 else models.default_name(settings.models)


def gate(
    settings: Settings,
    clock: Clock,
    model: str,
    window: datetime | None = None,
    grain: str = "week",
) -> Verdict:
    """Judge a window of the published marts, by default the newest complete one."""
    from reports.gate import judge

    with warehouse.reader(settings) as query:
        verdict = judge(query, settings.docs, model=model, window=window, grain=grain, clock=clock)
    settings.reports.mkdir(parents=True, exist_ok=True)
    replace_text(_verdict_file(settings, model), json.dumps(_plain(verdict), indent=2) + "\n")
    return verdict


def report(settings: Settings, clock: Clock, model: str, grain: str = "week") -> Path:
    """Write the page of a model from the published marts and return its path."""
    from reports.page import render

    with warehouse.reader(settings) as query:
        text = render(query, model=model, grain=grain, clock=clock)
    settings.reports.mkdir(parents=True, exist_ok=True)
    page = settings.reports / f"{model}.html"
    replace_text(page, text)
    return page


def last_verdict(settings: Settings, model: str) -> dict[str, Any] | None:
    """Return the last verdict on a model as written by `gate`, None when there is none."""
    path = _verdict_file(settings, model)
    try:
        return dict(json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise DriftnetError(f"{path} cannot be read: remove it, `driftnet gate` makes it") from error


def _verdict_file(settings: Settings, model: str) -> Path:
    return settings.reports / f"{model}.verdict.json"


def _plain(verdict: Verdict) -> dict[str, Any]:
    def text(value: object) -> str:
        return value.isoformat() if isinstance(value, datetime) else str(value)

    return dict(json.loads(json.dumps(dataclasses.asdict(verdict), default=text)))
