"""The verb that runs the others by the clock."""

import signal
import threading
from types import FrameType
from typing import TYPE_CHECKING

import click

from ops.verbs import show
from ops.verbs.options import example, now

if TYPE_CHECKING:
    from ops.settings import Settings


@click.command(
    epilog=example(
        "driftnet schedule",
        "DRIFTNET_SCHEDULE='land=*/5 * * * *; run=15 2 * * *' driftnet schedule",
    )
)
@click.option("--metrics-port", type=int, help="For Prometheus; default: 9102, on loopback.")
@click.option(
    "--grace-seconds", default=60.0, show_default=True, help="How long a run may go on at the end."
)
@click.pass_obj
def schedule(settings: "Settings", metrics_port: int | None, grace_seconds: float) -> None:
    """Run land, run and other verbs by the clock (UTC), as DRIFTNET_SCHEDULE says.

    It lists VERB=TIME, parts by semicolons, a time being the five fields of cron. Verbs that write
    the warehouse wait for each other; watch runs beside them. A run that was missed is made up
    once. A run that fails is tried three times, then it is an incident of the pipeline; exit code 3
    (a verdict of fail) is no failure. SIGTERM or Ctrl-C: what runs may end, then this ends.
    """
    from ops.exporter import Exporter
    from ops.ports import showing
    from ops.runner import Runner
    from ops.schedule import Schedule
    from ops.timetable import DEFAULT, read_timetable

    at = settings.listen.metrics
    jobs = read_timetable(settings.timetable or DEFAULT)
    exporter = Exporter(settings, now, jobs)
    wanted = at.port if metrics_port is None else metrics_port
    runner = Runner(settings.schedule, settings.child_environment(), grace_seconds=grace_seconds)
    scheduler = Schedule(settings, jobs, runner, now, show.tell, exporter.ended)
    ending = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        ending.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with showing(exporter.registry, wanted, at.host) as port:
            scheduler.start()
            show.tell("scheduling", jobs=[job.name for job in jobs], metrics=f"{at.host}:{port}")
            ending.wait()
            show.tell("draining")
            scheduler.stop()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    show.tell("ended")
