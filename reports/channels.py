"""Where messages go: apprise, with retries; an address is a secret and is never written down."""

import hashlib
import logging
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ingest.errors import DriftnetError, InputError

WAITS = (1.0, 4.0)

Sleep = Callable[[float], object]


@dataclass(frozen=True)
class Channel:
    """One place that messages go to.

    Parameters
    ----------
    address
        For apprise; holds secrets, so it is in no repr.
    """

    address: str = field(repr=False)

    @property
    def name(self) -> str:
        """Tell channels apart without telling their secret: the service and a short hash."""
        scheme = self.address.split(":", 1)[0].lower()
        return f"{scheme}-{hashlib.sha256(self.address.encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class Message:
    """What is told: one line and the text under it."""

    title: str
    body: str


def channels(addresses: Sequence[str]) -> list[Channel]:
    """Return the channels of addresses as apprise writes them, each once.

    Raises
    ------
    InputError
        For an address that no service of apprise knows; it is named by place, not by its text.
    DriftnetError
        Where apprise is not installed.
    """
    found = [Channel(address) for address in addresses]
    if not found:
        return []
    apprise = _apprise()
    for place, channel in enumerate(found, 1):
        with _quiet():
            known = apprise.Apprise.instantiate(channel.address, suppress_exceptions=True)
        if known is None:
            raise InputError(
                f"alert address {place} of {len(found)} is none that apprise knows: mend it"
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
            with _quiet():
                caller = apprise.Apprise()
                caller.add(channel.address)
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


def _apprise() -> Any:
    # Imported here, not above: the import takes a while, which only an alert should pay.
    try:
        import apprise
    except ImportError as error:
        raise DriftnetError("alerts need apprise: pip install 'driftnet[alert]'") from error
    return apprise


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the logs that write addresses still, and the library's deprecated imports to itself."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
