"""Alerts from the roof: which channels there are, and the one way that alarms and incidents go.

`sender` is what the watch is handed: it tells an alarm at once, before any build.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from urllib.parse import quote, urlsplit

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
    return channels([*_slack(settings.slack_webhook), *settings.alert_urls])


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


def slack_address(url: str) -> str:
    """Return a webhook that speaks Slack's JSON as an address of apprise.

    Examples
    --------
    >>> slack_address("https://hooks.slack.com/services/T1/B1/x")
    'https://hooks.slack.com/services/T1/B1/x'
    >>> slack_address("http://127.0.0.1:9/hook").split("?")[0]
    'json://127.0.0.1:9/hook'
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise InputError("SLACK_WEBHOOK_URL is no http or https address")
    if (parts.hostname or "").endswith(("slack.com", "slack-gov.com")):
        return url
    # Mattermost, Rocket.Chat and others take the same JSON: {"text": ...}.
    scheme = "jsons" if parts.scheme == "https" else "json"
    drop = "&".join(f":{name}=" for name in ("version", "title", "type", "attachments"))
    path = quote(parts.path, safe="/%")
    return f"{scheme}://{parts.netloc}{path}?:message=text&{drop}&overflow=split"


def _slack(url: str) -> list[str]:
    return [slack_address(url)] if url else []
