"""Retraining from the roof: rules from the dbt project, rows from the published marts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ingest import model as models
from ingest.card import Card
from ingest.errors import InputError
from ingest.progress import Advance, ignore
from ops import lock, warehouse
from ops.project import variables
from ops.settings import Settings

if TYPE_CHECKING:
    from retrain.learn import Outcome

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
    recipe: str | None = None,
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
    recipe
        What to train, as `retrain.recipes.named` takes it; None: what the champion was made by.

    Raises
    ------
    InputError
        No champion, nothing published, no such recipe, or another retraining at work.
    """
    from retrain.learn import Job
    from retrain.learn import retrain as learn
    from retrain.policy import policy_from
    from retrain.recipes import of_champion

    name = name or models.default_name(settings.models)
    rules = variables(settings)
    with _alone(settings, clock), warehouse.reader(settings) as query:
        job = Job(
            name,
            of_champion(settings.models, name, recipe),
            policy_from(rules),
            as_of or _newest(query, name) or _naive(clock),
            query,
            settings.landing,
            settings.predictions_topic,
            settings.models,
            clock,
            grain,
            timedelta(hours=rules["allowed_lateness_hours"]),
            memory_limit=settings.memory_limit,
            advance=advance,
        )
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
        as_of = _naive(clock)
        if warehouse.published_at(settings) is not None:  # of an archive its time, as of all else
            with warehouse.reader(settings) as query:
                as_of = _newest(query, name) or as_of
        models.promote(settings.models, name, before)
        card, _ = models.describe(settings.models, name, before)
        reasons = [f"version {serving} gave way to version {before} by hand"]
        record(settings.landing, champion, "rolled_back", as_of, reasons, card)
        return card


@contextmanager
def _alone(settings: Settings, clock: Clock) -> Iterator[None]:
    with lock.hold(settings.home, "retrain", clock, "retrain"):
        yield


def _newest(query: warehouse.Query, name: str) -> datetime | None:
    newest = "select max(label_known_at) from fct_labelled_predictions where model_name = ?"
    known: datetime | None = query(newest, [name]).column(0)[0].as_py()
    return known


def _naive(clock: Clock) -> datetime:
    return clock().astimezone(UTC).replace(tzinfo=None)
