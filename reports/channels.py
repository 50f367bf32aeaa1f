"""Where messages go: apprise, with retries; an address is a secret and is never written down."""

import hashlib
import logging
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from ingest.errors import DriftnetError, InputError

WAITS = (1.0, 4.0)

Sleep = Callable[[float], object]


@dataclass(frozen=True)
class Channel:
    """One place that messages go to.

    Parameters
    ----------
    url
        For apprise; holds secrets, so it is in no repr.
    """

    url: str = field(repr=False)

    @property
    def name(self) -> str:
        """Tell channels apart without telling their secret: the service and a short hash."""
        scheme = self.url.split(":", 1)[0].lower()
        return f"{scheme}-{hashlib.sha256(self.url.encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class Message:
    """What is told: one line and the text under it."""

    title: str
    body: str


def channels(slack_webhook: str | None, urls: Sequence[str]) -> list[Channel]:
    """Return the channels of a Slack webhook and of apprise URLs, each once.

    Raises
    ------
    InputError
        For an address that no service of apprise knows; it is named by place, not by its text.
    DriftnetError
        Where apprise is not installed.
    """
    found = [] if not slack_webhook else [Channel(_slack(slack_webhook.strip()))]
    found += [Channel(url) for url in urls]
    if not found:
        return []
    apprise = _apprise()
    for place, channel in enumerate(found, 1):
        with _quiet(apprise):
            known = apprise.Apprise.instantiate(channel.url, suppress_exceptions=True)
        if known is None:
            raise InputError(
                f"alert address {place} of {len(found)} is none that apprise knows:"
                " see SLACK_WEBHOOK_URL and DRIFTNET_ALERT_URLS"
            )
    return list(dict.fromkeys(found))


def send(
    channel: Channel, message: Message, *, waits: Sequence[float] = WAITS, sleep: Sleep = time.sleep
) -> bool:
    """Send one message; try again after each of `waits` seconds; return whether it arrived.

    Nothing is raised: a dead webhook is no reason for a run to fail.
    """
    apprise = _apprise()
    for wait in (*waits, None):
        try:
            with _quiet(apprise):
                caller = apprise.Apprise()
                caller.add(channel.url)
                sent = caller.notify(
                    body=message.body, title=message.title, body_format=apprise.NotifyFormat.TEXT
                )
        except Exception:  # a library of a hundred services may raise anything
            sent = False
        if sent:
            return True
        if wait is not None:
            sleep(wait)
    return False


def _slack(url: str) -> str:
    """Return a webhook that speaks Slack's JSON as an address of apprise.

    Examples
    --------
    >>> _slack("https://hooks.slack.com/services/T1/B1/x")
    'https://hooks.slack.com/services/T1/B1/x'
    >>> _slack("http://127.0.0.1:9/hook").split("?")[0]
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


def _apprise() -> Any:
    # Imported here, not above: the import takes a while, which only an alert should pay.
    try:
        import apprise
    except ImportError as error:
        raise DriftnetError("alerts need apprise: pip install 'driftnet[alert]'") from error
    return apprise


@contextmanager
def _quiet(apprise: Any) -> Iterator[None]:
    """Keep the logs that write addresses still, and the library's deprecated imports to itself."""
    loggers = [apprise.logger, logging.getLogger("urllib3.connectionpool")]
    before = [logger.disabled for logger in loggers]
    try:
        for logger in loggers:
            logger.disabled = True
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, was in zip(loggers, before, strict=True):
            logger.disabled = was
