"""Retraining from the roof: rules from the dbt project, rows from the published marts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ingest import model as models
from ingest.card import Card
from ingest.errors import InputError
from ingest.progress import Advance, ignore
from ops import lock, warehouse
from ops.project import variables
from ops.settings import Settings

if TYPE_CHECKING:
    from retrain.learn import Job, Outcome

Clock = Callable[[], datetime]


def retrain(
    settings: Settings,
    clock: Clock,
    name: str | None = None,
    *,
    as_of: datetime | None = None,
    grain: str = "week",
    force: bool = False,
    dry_run: bool = False,
    advance: Advance = ignore,
) -> "Outcome":
    """Retrain a model when the policy asks for it.

    Parameters
    ----------
    name
        Of the model; None: the only one that can serve.
    as_of
        UTC without a zone: nothing later is looked at; None: the newest that is published.
    grain
        Length of the windows whose verdicts count.
    force, dry_run
        As `retrain.learn.retrain`.

    Raises
    ------
    InputError
        No champion, nothing published, or another retraining at work.
    """
    from retrain.learn import retrain as learn

    name = name or models.default_name(settings.models)
    with _alone(settings, clock), warehouse.reader(settings) as query:
        job = _job(settings, clock, name, query, as_of, grain, advance)
        return learn(job, force=force, dry_run=dry_run)


def roll_back(settings: Settings, clock: Clock, name: str, version: str | None) -> Card:
    """Make an earlier version the champion again and tell of it.

    Parameters
    ----------
    version
        None: the one that the champion took over from.

    Raises
    ------
    InputError
        No champion, no earlier version, or one that cannot serve.
    """
    from retrain.record import record

    with _alone(settings, clock):
        serving = models.champion(settings.models, name)
        if serving is None:
            raise InputError(f"model {name} has no champion: there is nothing to roll back")
        champion, _ = models.describe(settings.models, name, serving)
        before = version or champion.history.get("champion_version")
        if before is None:
            raise InputError(f"version {serving} of {name} took over from none: name one with --to")
        if before == serving:
            raise InputError(f"version {serving} of {name} serves already")
        models.promote(settings.models, name, before)
        card, _ = models.describe(settings.models, name, before)
        now = clock().astimezone(UTC).replace(tzinfo=None)
        reasons = [f"version {serving} gave way to version {before} by hand"]
        record(settings.landing, champion, "rolled_back", now, reasons, card)
        return card


@contextmanager
def _alone(settings: Settings, clock: Clock) -> Iterator[None]:
    with lock.hold(settings.home, "retrain", clock, "retrain"):
        yield


def _job(
    settings: Settings,
    clock: Clock,
    name: str,
    query: warehouse.Query,
    as_of: datetime | None,
    grain: str,
    advance: Advance,
) -> "Job":
    from retrain.learn import Job
    from retrain.policy import policy_from
    from retrain.train import RECIPE

    if as_of is None:
        newest = query(
            "select max(label_known_at) as at from fct_labelled_predictions where model_name = ?",
            [name],
        ).column(0)[0].as_py()  # fmt: skip
        as_of = newest or clock().replace(tzinfo=None)
    return Job(
        name,
        RECIPE,
        policy_from(variables(settings)),
        as_of,
        query,
        settings.landing,
        settings.predictions_topic,
        settings.models,
        clock,
        grain,
        memory_limit=settings.memory_limit,
        advance=advance,
    )
