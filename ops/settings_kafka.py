"""What the surroundings say of Kafka, read from the mapping that `ops.settings` hands down."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.errors import InputError

if TYPE_CHECKING:
    from ingest.kafka.client import Kafka

#: name of the variable -> what it sets.
KNOWN: Mapping[str, str] = {
    "DRIFTNET_KAFKA_SERVERS": "host:port of Kafka, several with commas (default: no Kafka)",
    "DRIFTNET_KAFKA_GROUP": "consumer group of the landers (default: driftnet-land)",
    "DRIFTNET_KAFKA_PARTITIONS": "partitions of a topic that Driftnet makes (default: 4)",
    "DRIFTNET_KAFKA_REPLICATION": "copies of such a topic (default: as the broker says)",
    "DRIFTNET_KAFKA_SECURITY": "PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL (default: PLAINTEXT)",
    "DRIFTNET_KAFKA_CA_FILE": "PEM of the authorities to trust (default: the system's)",
    "DRIFTNET_KAFKA_CERT_FILE": "PEM of our certificate, if the broker asks for one",
    "DRIFTNET_KAFKA_KEY_FILE": "PEM of its key",
    "DRIFTNET_KAFKA_KEY_PASSWORD": "password of that key",
    "DRIFTNET_KAFKA_MECHANISM": "SCRAM-SHA-512, SCRAM-SHA-256 or PLAIN (default: SCRAM-SHA-512)",
    "DRIFTNET_KAFKA_USER": "user of SASL",
    "DRIFTNET_KAFKA_PASSWORD": "password of SASL",
}

#: Variables that no other program is handed.
SECRET = frozenset({"DRIFTNET_KAFKA_KEY_PASSWORD", "DRIFTNET_KAFKA_PASSWORD"})

SECURITIES = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")
MAX_PARTITIONS = 10_000


def kafka(values: Mapping[str, str]) -> "Kafka | None":
    """Return where Kafka is; None when no servers are named.

    Raises
    ------
    InputError
        A value cannot be used, or one is missing that another needs.
    """
    servers = values.get("DRIFTNET_KAFKA_SERVERS", "").strip()
    if not servers:
        return None
    return at(servers, values)


def at(servers: str, values: Mapping[str, str]) -> "Kafka":
    """Return the Kafka at some servers, everything else from the surroundings; see `kafka`."""
    try:
        from ingest.kafka.client import Kafka
    except ModuleNotFoundError as error:
        raise InputError(
            f"Kafka needs {error.name}: install it with `pip install -e .[kafka]`"
        ) from error

    for server in servers.split(","):
        host, _, port = server.strip().rpartition(":")
        if not host or not port.isascii() or not port.isdigit():
            raise InputError(f"DRIFTNET_KAFKA_SERVERS has {server!r}; give host:port")
    security = _one_of(values, "DRIFTNET_KAFKA_SECURITY", SECURITIES)
    user, password = (values.get(f"DRIFTNET_KAFKA_{name}") for name in ("USER", "PASSWORD"))
    if security.startswith("SASL") and not (user and password):
        raise InputError(
            f"DRIFTNET_KAFKA_SECURITY is {security}: set DRIFTNET_KAFKA_USER and"
            " DRIFTNET_KAFKA_PASSWORD"
        )
    replication = values.get("DRIFTNET_KAFKA_REPLICATION")
    return Kafka(
        servers=servers,
        security=security,
        ca_file=_file(values, "DRIFTNET_KAFKA_CA_FILE"),
        cert_file=_file(values, "DRIFTNET_KAFKA_CERT_FILE"),
        key_file=_file(values, "DRIFTNET_KAFKA_KEY_FILE"),
        key_password=values.get("DRIFTNET_KAFKA_KEY_PASSWORD"),
        mechanism=_one_of(values, "DRIFTNET_KAFKA_MECHANISM", MECHANISMS),
        user=user,
        password=password,
        group=values.get("DRIFTNET_KAFKA_GROUP") or "driftnet-land",
        partitions=_count(values, "DRIFTNET_KAFKA_PARTITIONS", 4),
        replication=_count(values, "DRIFTNET_KAFKA_REPLICATION", 1) if replication else -1,
    )


def _one_of(values: Mapping[str, str], name: str, known: tuple[str, ...]) -> str:
    value = (values.get(name) or known[0]).upper()
    if value not in known:
        raise InputError(f"{name} is {value!r}; give one of {', '.join(known)}")
    return value


def _count(values: Mapping[str, str], name: str, default: int) -> int:
    text = values.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MAX_PARTITIONS:
        raise InputError(f"{name} is {text!r}; give a whole number from 1 to {MAX_PARTITIONS}")
    return int(text)


def _file(values: Mapping[str, str], name: str) -> Path | None:
    text = values.get(name)
    if not text:
        return None
    path = Path(text)
    if not path.is_file():
        raise InputError(f"{name} is {text!r}: there is no such file")
    return path.absolute()
