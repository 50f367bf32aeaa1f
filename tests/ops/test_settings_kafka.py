import socket
from pathlib import Path

import pytest

from ingest.errors import InputError
from ingest.kafka.client import Kafka
from ingest.kafka.log import KafkaLog
from ingest.local.log import LocalLog
from ingest.log import Unavailable
from ops import pipeline, settings

SERVERS = {"DRIFTNET_KAFKA_SERVERS": "broker-1:9092, broker-2:9093"}


def read(**values: str) -> Kafka:
    named = {f"DRIFTNET_KAFKA_{name}": value for name, value in values.items()}
    found = settings.read({**SERVERS, **named}).kafka
    assert found is not None
    return found


def test_without_servers_there_is_no_kafka_and_the_log_is_the_local_one(tmp_path: Path) -> None:
    found = settings.read({"DRIFTNET_HOME": str(tmp_path)})
    assert found.kafka is None
    assert isinstance(pipeline.open_log(found), LocalLog)


def test_what_is_set_reaches_the_client(tmp_path: Path) -> None:
    pem = tmp_path / "ca.pem"
    pem.write_text("x")
    values = {"SECURITY": "sasl_ssl", "MECHANISM": "SCRAM-SHA-256", "USER": "u", "PASSWORD": "p"}
    options = read(CA_FILE=str(pem), **values).options()
    assert options["bootstrap_servers"] == ["broker-1:9092", "broker-2:9093"]
    assert options["security_protocol"] == "SASL_SSL"
    assert options["ssl_cafile"] == str(pem)
    assert options["sasl_mechanism"] == "SCRAM-SHA-256"
    assert (options["sasl_plain_username"], options["sasl_plain_password"]) == ("u", "p")
    assert (read().partitions, read().replication, read(PARTITIONS="12").partitions) == (4, -1, 12)
    assert (read().group, read(GROUP="mine").group) == ("driftnet-land", "mine")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"SERVERS": "broker"}, "give host:port"),
        ({"SECURITY": "TLS"}, "give one of PLAINTEXT, SSL"),
        ({"SECURITY": "SASL_SSL", "USER": "u"}, "set DRIFTNET_KAFKA_USER and DRIFTNET_KAFKA_PASS"),
        ({"MECHANISM": "GSSAPI"}, "give one of SCRAM-SHA-512"),
        ({"PARTITIONS": "0"}, "whole number from 1"),
        ({"REPLICATION": "-1"}, "whole number from 1"),
        ({"CA_FILE": "no/such.pem"}, "there is no such file"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(values: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        read(**values)
    assert "DRIFTNET_KAFKA_" in str(caught.value)


def test_no_secret_is_shown_or_handed_to_other_programs() -> None:
    secret = {"DRIFTNET_KAFKA_PASSWORD": "hush", "DRIFTNET_KAFKA_KEY_PASSWORD": "hush"}
    found = settings.read({**SERVERS, **secret})
    assert "hush" not in repr(found)
    assert "hush" not in repr(found.kafka)
    assert "hush" not in str(found.dbt_environment())


@pytest.mark.usefixtures("lost_sockets")
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_a_closed_port_is_named_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.kafka.client.CONNECT_MS", 500)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        with pytest.raises(Unavailable, match=f"127.0.0.1:{port}: .*ECONNREFUSED.*is it running"):
            KafkaLog(Kafka(f"127.0.0.1:{port}"))
