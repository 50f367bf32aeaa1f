"""The services that run Driftnet for real: `driftnet up` runs them, compose.yml runs the same."""

from collections.abc import Mapping
from dataclasses import dataclass

from ops.settings import Settings

#: When the lander follows the log, the clock need not land.
TIMETABLE = "run=15 * * * *; compact=40 3 * * *"


@dataclass(frozen=True)
class Service:
    """A verb that runs on, and its options."""

    name: str
    words: tuple[str, ...]


SERVICES = (
    Service("api", ("serve", "--drain-seconds", "2")),
    Service("lander", ("land", "--follow")),
    Service("scheduler", ("schedule",)),
    Service("watch", ("watch",)),
)


def environment(settings: Settings, service: Service) -> Mapping[str, str]:
    """Return the environment of a service; only the API is handed its keys."""
    given = dict(settings.child_environment())
    given["DRIFTNET_SCHEDULE"] = settings.timetable or TIMETABLE
    if settings.kafka is not None:
        given["DRIFTNET_KAFKA_SERVERS"] = settings.kafka.servers
    if service.name == "api" and settings.api_keys:
        given["DRIFTNET_API_KEYS"] = ",".join(settings.api_keys)
    return given
