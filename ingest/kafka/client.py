"""How to reach Kafka, and why it could not be reached.

kafka-python says "Unable to bootstrap" for a wrong password, an unknown authority and a closed port
alike; the reason is only in its log. `explained` listens to that log and puts it into our message.
"""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from kafka.errors import KafkaError
from kafka.net.compat import KafkaNetClient

from ingest.log import Refused, Unavailable

CONNECT_MS: Final = 10_000
_FAILED = re.compile(r"connection to \S+ failed: (.*?)( \(backoff|$)", re.DOTALL)
_FINAL = ("Authentication", "Mechanism", "SSLError", "SSLCert", "CERTIFICATE", "certificate")


Client = TypeVar("Client")


@dataclass(frozen=True)
class Kafka:
    """Where Kafka is and how it is spoken to.

    Parameters
    ----------
    servers
        ``host:port``, several with commas.
    security
        PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.
    ca_file
        PEM of the authorities that are trusted; None: those of the system.
    cert_file, key_file, key_password
        Who we are, for a broker that asks for certificates.
    mechanism, user, password
        Of SASL: SCRAM-SHA-512, SCRAM-SHA-256 or PLAIN.
    group
        The consumer group of landers.
    partitions, replication
        Of topics that we make; replication -1 is the broker's default.
    session_ms
        After so long without a sign a member of the group is taken for dead, milliseconds.
    connect_ms
        How long a first connection may take, milliseconds.
    """

    servers: str
    security: str = "PLAINTEXT"
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    key_password: str | None = None
    mechanism: str | None = None
    user: str | None = None
    password: str | None = None
    group: str = "driftnet-land"
    partitions: int = 4
    replication: int = -1
    session_ms: int = 30_000
    connect_ms: int = CONNECT_MS

    def __repr__(self) -> str:
        """Return where it is; no secret."""
        return f"Kafka({self.servers!r}, {self.security})"

    def options(self) -> dict[str, Any]:
        """Return what every client of kafka-python is given."""
        options: dict[str, Any] = {
            "bootstrap_servers": [server.strip() for server in self.servers.split(",")],
            "client_id": "driftnet",
            "security_protocol": self.security,
            "ssl_cafile": self.ca_file and str(self.ca_file),
            "ssl_certfile": self.cert_file and str(self.cert_file),
            "ssl_keyfile": self.key_file and str(self.key_file),
            "ssl_password": self.key_password,
            "bootstrap_timeout_ms": self.connect_ms,
            "request_timeout_ms": 10_000,
            "reconnect_backoff_max_ms": 1_000,
            "metadata_max_age_ms": 30_000,
        }
        if self.security.startswith("SASL"):
            options |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.user,
                "sasl_plain_password": self.password,
            }
        return options


def opened(kafka: Kafka, make: Callable[..., Client], **options: Any) -> Client:
    """Return a client that is connected; one that cannot be leaves no thread and no socket behind.

    Parameters
    ----------
    kafka
        Where to; a value for the options that all clients share.
    make
        KafkaConsumer, KafkaProducer or KafkaAdminClient.
    options
        What else it is given.

    Raises
    ------
    Refused, Unavailable
        See `explained`.
    """
    begun: list[KafkaNetClient] = []

    def begin(**config: Any) -> KafkaNetClient:
        begun.append(KafkaNetClient(**config))
        return begun[-1]

    with explained(kafka):
        try:
            return make(**kafka.options(), kafka_client=begin, **options)
        except BaseException:
            for client in begun:
                client.close()
            raise


@contextmanager
def explained(kafka: Kafka) -> Iterator[None]:
    """Give the errors of a block the reason that the client only logs.

    Raises
    ------
    Refused
        Kafka said no: a wrong password, an unknown authority.
    Unavailable
        Kafka could not be reached, or did not answer in time.
    """
    heard = _Heard()
    logger = logging.getLogger("kafka.net")
    logger.addHandler(heard)
    try:
        yield
    except (KafkaError, OSError, ValueError) as error:
        reason = heard.reason or str(error) or type(error).__name__
        if any(word in f"{reason} {error}" for word in _FINAL):
            raise Refused(
                f"Kafka at {kafka.servers} refused us: {reason}: check DRIFTNET_KAFKA_*"
            ) from error
        raise Unavailable(
            f"no answer from Kafka at {kafka.servers}: {reason}: is it running there?"
        ) from error
    finally:
        logger.removeHandler(heard)


class _Heard(logging.Handler):
    """Keeps the last thing that was complained of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.reason = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line, unless it says less than the one before."""
        failed = _FAILED.search(record.getMessage())
        if failed and not any(word in self.reason for word in _FINAL):
            self.reason = failed.group(1)
