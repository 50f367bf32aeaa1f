"""TLS with SCRAM against a real broker: who may in gets in, and who may not is told why."""

import subprocess
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.kafka.client import Kafka
from ingest.kafka.log import KafkaLog
from ingest.log import Refused
from tests.brokers import answer, free_ports, running
from tests.landers import catch_up, message, rows

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("lost_sockets"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]


def certificate(folder: Path) -> None:
    """Make a key and a certificate of 127.0.0.1 that vouches for itself."""
    folder.mkdir()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
         str(folder / "key.pem"), "-out", str(folder / "ca.pem")],
        check=True, capture_output=True,
    )  # fmt: skip
    both = (folder / "key.pem").read_text() + (folder / "ca.pem").read_text()
    (folder / "both.pem").write_text(both)


def test_tls_with_scram_lands_and_every_refusal_says_why(tmp_path: Path) -> None:
    certificate(tmp_path / "pem")
    certificate(tmp_path / "other")
    port, controller = free_ports(2)
    scram = "org.apache.kafka.common.security.scram.ScramLoginModule required"
    properties = {
        "listeners": f"SASL_SSL://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"SASL_SSL://127.0.0.1:{port}",
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "listener.security.protocol.map": "SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "SASL_SSL",
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": (
            f'{scram} username="driftnet" password="right";'
        ),
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(tmp_path / "pem" / "both.pem"),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(tmp_path / "pem" / "ca.pem"),
    }
    user = "SCRAM-SHA-512=[name=driftnet,password=right]"
    with running(tmp_path / "broker", properties, [user], ports=(port, controller)) as broker:
        kafka = Kafka(
            broker.servers,
            security="SASL_SSL",
            ca_file=tmp_path / "pem" / "ca.pem",
            mechanism="SCRAM-SHA-512",
            user="driftnet",
            password="right",  # noqa: S106
        )
        answer(kafka)
        topic = f"t-{uuid.uuid4().hex[:8]}"
        log = KafkaLog(kafka)
        log.append(topic, [message(uuid.uuid4()) for _ in range(100)])
        log.close()
        assert catch_up(kafka, tmp_path / "landing", topic).row_count == 100
        assert len(rows(tmp_path / "landing", topic)) == 100
        for wrong, said in (
            ({"password": "wrong"}, "Authentication"),
            ({"mechanism": "PLAIN"}, "[Mm]echanism"),
            ({"ca_file": tmp_path / "other" / "ca.pem"}, "certificate verify failed"),
        ):
            with pytest.raises(Refused, match=said):
                KafkaLog(replace(kafka, **wrong))
