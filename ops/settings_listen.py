"""Where the services listen, read from the mapping that `ops.settings` hands down."""

from collections.abc import Mapping
from dataclasses import dataclass

from ingest.errors import InputError

#: name of the variable -> what it sets.
KNOWN: Mapping[str, str] = {
    "DRIFTNET_API_LISTEN": "host:port of the scoring API (default: 127.0.0.1:8000)",
    "DRIFTNET_API_METRICS_LISTEN": "host:port of the API's metrics (default: 127.0.0.1:9101)",
    "DRIFTNET_METRICS_LISTEN": "host:port of the scheduler's metrics (default: 127.0.0.1:9102)",
}


@dataclass(frozen=True)
class Address:
    """A place to listen on; port 0 is any that is free."""

    host: str
    port: int


@dataclass(frozen=True)
class Listen:
    """Where each service listens."""

    api: Address = Address("127.0.0.1", 8000)
    api_metrics: Address = Address("127.0.0.1", 9101)
    metrics: Address = Address("127.0.0.1", 9102)


def listen(values: Mapping[str, str]) -> Listen:
    """Return where each service listens.

    Raises
    ------
    InputError
        An address is not host:port.

    Examples
    --------
    >>> listen({"DRIFTNET_API_LISTEN": "0.0.0.0:80"}).api
    Address(host='0.0.0.0', port=80)
    """
    usual = Listen()
    return Listen(
        _address(values, "DRIFTNET_API_LISTEN", usual.api),
        _address(values, "DRIFTNET_API_METRICS_LISTEN", usual.api_metrics),
        _address(values, "DRIFTNET_METRICS_LISTEN", usual.metrics),
    )


def _address(values: Mapping[str, str], name: str, usual: Address) -> Address:
    text = values.get(name, "").strip()
    if not text:
        return usual
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise InputError(f"{name} is {text!r}; give host:port, such as {usual.host}:{usual.port}")
    return Address(host.strip("[]"), int(port))
