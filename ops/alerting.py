"""Alerts from the roof: which channels there are, and the one way that alarms and incidents go.

`sender` is what the watch is handed: it tells an alarm at once, before any build.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from ingest.errors import InputError
from ingest.happenings import Happening
from ops import warehouse
from ops.settings import Settings
from reports import alerts
from reports.alerts import Told
from reports.channels import Channel, channels

Clock = Callable[[], datetime]


def configured(settings: Settings) -> list[Channel]:
    """Return the channels of the settings; none where no address is set."""
    return channels(settings.slack_webhook, settings.alert_urls)


def tell(settings: Settings, clock: Clock) -> Told:
    """Log what changed in the published incidents and tell what is news."""

    def page_of(model: str) -> str:
        path = settings.reports / f"{model}.html"
        return str(path) if _is_file(path) else ""

    with warehouse.reader(settings) as query:
        return alerts.tell(
            query, settings.alerts, configured(settings), clock=clock, page_of=page_of
        )


def try_out(settings: Settings) -> Told:
    """Send a test to every channel.

    Raises
    ------
    InputError
        Where no address is set.
    """
    found = configured(settings)
    if not found:
        raise InputError("no address to send to: set SLACK_WEBHOOK_URL or DRIFTNET_ALERT_URLS")
    return alerts.try_out(found)


def sender(settings: Settings, clock: Clock) -> Callable[[Happening], Told]:
    """Return a function that tells an alarm of the watch at once, and once."""
    found = configured(settings)

    def send(happening: Happening) -> Told:
        return alerts.tell_alarm(happening, settings.alerts, found, clock=clock)

    return send


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        return False
