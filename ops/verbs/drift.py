"""Verbs that compare stretches of time: drift (any two) and baseline (pin one)."""

from datetime import datetime
from typing import TYPE_CHECKING

import click

from ops.verbs import show
from ops.verbs.options import DAY, example, model_option, now

if TYPE_CHECKING:
    from ops.settings import Settings

STRETCH = {"nargs": 2, "type": DAY, "required": True, "metavar": "FROM UNTIL"}


@click.command(
    epilog=example(
        "driftnet drift --reference 2021-01-01 2021-02-01 --current 2021-02-01 2021-03-01",
        "driftnet drift --reference 2021-01-01 2021-02-01 --current 2021-02-01 2021-03-01"
        " --segment channel --metric js_distance",
    )
)
@click.option("--reference", **STRETCH, help="First day, and the day after the last.")  # type: ignore[arg-type]
@click.option("--current", **STRETCH, help="The same of what is compared with it.")  # type: ignore[arg-type]
@model_option
@click.option("--version", help="Which version; default: the champion, else the newest.")
@click.option("--segment", metavar="NAME", help="Compare each value of this segment.")
@click.option("--metric", default="psi", show_default=True, help="Which metric to show.")
@click.pass_obj
def drift(
    settings: "Settings",
    reference: tuple[datetime, datetime],
    current: tuple[datetime, datetime],
    model: str | None,
    version: str | None,
    segment: str | None,
    metric: str,
) -> None:
    """Compare any two stretches of days of the published cube, features that moved most first.

    The same as `from drift_between(...)` in the published file. Probabilities are approximate.
    """
    from ops import warehouse
    from ops.stretches import compare, of_days
    from ops.target import choose

    target = choose(settings, model, version)
    with warehouse.reader(settings) as query:
        rows = compare(
            query,
            target,
            reference=of_days(query, target.model_name, *reference),
            current=of_days(query, target.model_name, *current),
            metric=metric,
            segment=segment,
        )
    if not rows:
        show.say("nothing to compare: one of the two stretches has no events")
        return
    show.table(
        f"{metric} of {target.model_name} version {target.model_version}",
        (
            *("kind", "feature", "segment", "value", "by chance", "detectable", "p"),
            *("design effect", "reference", "current"),
        ),
        rows,
    )


@click.command(
    epilog=example(
        "driftnet baseline --from 2021-01-01 --to 2021-04-01",
        "driftnet baseline --clear",
    )
)
@click.option("--from", "from_", type=DAY, help="First day of the stretch.")
@click.option("--to", "until", type=DAY, help="The day after its last.")
@click.option("--clear", is_flag=True, help="Compare with no pinned stretch any more.")
@model_option
@click.pass_obj
def baseline(
    settings: "Settings",
    from_: datetime | None,
    until: datetime | None,
    clear: bool,
    model: str | None,
) -> None:
    """Pin a stretch of a model's own traffic: windows are compared with it too.

    Its rows in the marts have the reference kind `pinned`. A model has one such stretch; windows
    that overlap it are not compared with it.
    """
    from ops import stretches
    from ops.target import choose

    name = choose(settings, model).model_name
    if clear:
        was = stretches.clear(settings, name)
        show.say(f"{name} has no pinned stretch" + (" any more" if was else ""))
    elif from_ is None or until is None:
        raise click.UsageError("give --from and --to, or --clear", click.get_current_context())
    else:
        first, end = stretches.pin(settings, name, from_, until, now)
        show.say(f"pinned {first:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} (UTC) for {name}")
    show.note("`driftnet build` judges all windows of the model again")
