"""The verb that runs all services on this machine, without containers."""

import signal
import socket
from types import FrameType
from typing import TYPE_CHECKING

import click

from ops.verbs import show
from ops.verbs.options import example

if TYPE_CHECKING:
    from ops.settings import Settings


@click.command(epilog=example("driftnet up", "DRIFTNET_HOME=data/demo driftnet up"))
@click.option(
    "--kafka", metavar="HOST:PORT", help="Use this Kafka if it answers, else the local log."
)
@click.pass_obj
def up(settings: "Settings", kafka: str | None) -> int:
    """Run the API, the lander, the scheduler and the watch until Ctrl-C.

    Each is a process of its own, started again when it ends; what they say stands here after their
    names. The home must hold a champion: `driftnet demo` or `driftnet retrain --initial` makes one.
    The same commands stand in ops/compose/compose.yml.
    """
    from ingest.model import default_name
    from ops.runner import driftnet
    from ops.services import SERVICES, environment
    from ops.supervisor import Program, Supervisor

    default_name(settings.models)  # refuses a home that cannot serve
    if kafka and settings.kafka is None and _answers(kafka):
        settings = settings.with_kafka(kafka)
    programs = [
        Program(service.name, driftnet(service.words), environment(settings, service))
        for service in SERVICES
    ]
    width = max(len(program.name) for program in programs)
    supervisor = Supervisor(
        programs, lambda name, line: show.note(f"{name:{width}} | {line}"), show.tell
    )

    def end(number: int, frame: FrameType | None) -> None:
        supervisor.stop()

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        log = f"Kafka at {settings.kafka.servers}" if settings.kafka else "local"
        show.tell("up", home=str(settings.home), log=log)
        code = supervisor.run()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    show.tell("down", exit_code=code)
    return code


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=1):
            return True
    except (OSError, ValueError):
        return False
