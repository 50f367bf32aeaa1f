"""The verb watch: concept drift as it happens."""

import json
import signal
import time
from datetime import datetime
from typing import TYPE_CHECKING

import click

from ops.verbs import show
from ops.verbs.options import DAY, example, now, utc

if TYPE_CHECKING:
    from ops.settings import Settings
    from stream.alarm import Alarm
    from stream.policy import Policy


@click.command(
    epilog=example(
        "driftnet watch --once",
        "driftnet watch --feature path_length",
        "driftnet watch --replay 2025-04-14 2025-08-04 --change 2025-05-19 --set votes=3",
    )
)
@click.option("--once", is_flag=True, help="Catch up and end; else it follows until Ctrl-C.")
@click.option(
    "--replay", nargs=2, type=DAY, help="Try the policy on the time FROM TO; writes nothing."
)
@click.option(
    "--change", "changes", type=DAY, multiple=True, help="With --replay: a day of a true change."
)
@click.option("--calibrate", is_flag=True, help="Make the table of settings anew (some minutes).")
@click.option(
    "--feature", "features", multiple=True, help="A feature to watch beside errors and score."
)
@click.option(
    "--from",
    "source",
    type=click.Choice(["log", "landing"]),
    default="log",
    show_default=True,
    help="Where predictions are read: the event log (at once) or the landing zone.",
)
@click.option(
    "--set",
    "sets",
    metavar="NAME=NUMBER",
    multiple=True,
    help="Change the policy: votes, within, adwin_delta, ddm_warm_up, ddm_threshold, ph_delta, "
    "ph_threshold, hddma_confidence.",
)
@click.pass_obj
def watch(
    settings: "Settings",
    once: bool,
    replay: tuple[datetime, datetime] | None,
    changes: tuple[datetime, ...],
    calibrate: bool,
    features: tuple[str, ...],
    source: str,
    sets: tuple[str, ...],
) -> int:
    """Watch errors, scores and features as they come, and alarm when they change.

    Errors come from the labelled predictions of the published warehouse, scores and features from
    the event log. An alarm needs two of three detectors (ADWIN, DDM, PageHinkley), calibrated so
    that a stream without a change seldom alarms; one alone is noted as advice. An alarm is told at
    once, and lands for the next build. What was seen is remembered: ended or killed, the watch
    goes on where it was.
    """
    if sum(map(bool, (once, replay, calibrate))) > 1:
        raise click.UsageError("give one of --once, --replay and --calibrate")
    if changes and not replay:
        raise click.UsageError("--change goes with --replay")
    if calibrate:
        return _calibrate()
    from stream.policy import shipped

    policy = shipped(sets)
    names = tuple(dict.fromkeys(name.lower() for name in features))
    if replay:
        return _try(settings, policy, names, replay, changes)
    return _watch(settings, policy, names, source, once)


def _watch(
    settings: "Settings", policy: "Policy", names: tuple[str, ...], source: str, once: bool
) -> int:
    from ops import watching
    from reports.incident_log import INCIDENTS

    told = 0

    def tell(alarm: "Alarm") -> None:
        nonlocal told
        told += 1
        if once:
            show.say(f"ALARM {alarm.happened_at[:16]} {alarm.summary}")
        else:
            show.tell("alarm", happened_at=alarm.happened_at, summary=alarm.summary)

    def say(text: str) -> None:
        if once:
            show.note(text)
        else:
            show.tell("watch", what=text)

    if not once:
        signal.signal(signal.SIGTERM, _end)
    with show.bar("watch", "rows") as advance:
        unsent = watching.watch(
            settings,
            policy,
            names,
            "log" if source == "log" else "landing",
            clock=now,
            tell=tell,
            say=say,
            wait=None if once else time.sleep,
            advance=advance,
        )
    show.say(f"{told} alarms; all of them are in {settings.alerts / INCIDENTS}")
    return 1 if unsent else 0


def _end(number: int, frame: object) -> None:
    # At any point: what was seen is remembered up to the last checkpoint, as after a kill.
    raise SystemExit(0)


def _try(
    settings: "Settings",
    policy: "Policy",
    names: tuple[str, ...],
    between: tuple[datetime, datetime],
    changes: tuple[datetime, ...],
) -> int:
    from ops import watching

    aware = [utc(moment) for moment in sorted(changes)]
    begun, ended = utc(between[0]), utc(between[1])
    assert begun is not None and ended is not None  # noqa: S101, PT018  (only a None gives None)
    tried = watching.replay(settings, policy, names, (begun, ended), [m for m in aware if m])
    if not tried:
        show.say("nothing is published or landed of that time")
    columns = ["stream", "values", "alarms", "false", "delay in values", "advice"]
    rows = []
    for name, found in sorted(tried.items()):
        delays = ", ".join("missed" if delay is None else f"{delay:,}" for delay in found.delays)
        rows.append(
            [
                name,
                found.value_count,
                len(found.alarms),
                found.false_count,
                delays or None,
                found.advice_count,
            ]
        )
    if rows:
        show.table("", columns, rows)
    alarms = [alarm for found in tried.values() for alarm in found.alarms]
    for alarm in sorted(alarms, key=lambda alarm: alarm.happened_at):
        show.say(f"{alarm.happened_at[:16]} {alarm.summary}")
    if rows and not changes:
        show.say("false alarms and delay are known when --change names the days of true changes")
    return 0


def _calibrate() -> int:
    from stream.calibration import RUNS, calibrate
    from stream.drawn import TRIALS
    from stream.policy import TABLE

    with show.bar("calibrate", "runs", RUNS * len(TRIALS)) as advance:
        table = calibrate(advance=advance)
    columns = [
        "kind", "mean", "ADWIN", "DDM", "PageHinkley", "HDDM_A", "advise alone", "false", "delay",
    ]  # fmt: skip
    rows = [
        [
            row["kind"],
            row["mean"],
            f"{row['adwin_delta']:g}",
            f"{row['ddm_warm_up']} / {row['ddm_threshold']:g}",
            f"{row['ph_delta']:g} / {row['ph_threshold']:g} std",
            f"{row['hddma_confidence']:g}",
            ", ".join(row["advisers"]),
            row["alarm_share"]["vote"],
            f"{row['median_delay']:,.0f}",
        ]
        for row in table["rows"]
    ]
    show.table("", columns, rows)
    made = json.dumps(table, indent=2) + "\n"
    is_same = TABLE.is_file() and made == TABLE.read_text(encoding="ascii")
    show.say(
        "equal to the shipped table"
        if is_same
        else f"DIFFERENT from the shipped table {TABLE.name}: is River or numpy another?"
    )
    return 0 if is_same else 1
