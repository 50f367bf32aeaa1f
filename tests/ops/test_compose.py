"""The compose file is held to its promises as far as that goes without Docker."""

import re
from typing import Any

import pytest
import yaml

from ops import settings
from ops.cli import cli
from tests.brokers import ROOT

TEXT = (ROOT / "ops" / "compose" / "compose.yml").read_text()


@pytest.fixture
def services() -> dict[str, Any]:
    return dict(yaml.safe_load(TEXT)["services"])


def test_every_variable_fails_loudly_when_it_is_not_set() -> None:
    variables = re.findall(r"\$\{([^}]*)\}", TEXT)
    assert {variable.split(":?")[0] for variable in variables} == {
        "DRIFTNET_DATA", "DRIFTNET_API_KEYS", "KAFKA_CLUSTER_ID",
    }  # fmt: skip
    assert all(re.fullmatch(r"[A-Z_]+:\?set [A-Z_]+.+", variable) for variable in variables)


def test_every_service_has_a_health_check_and_waits_for_kafka(services: dict[str, Any]) -> None:
    assert set(services) == {"kafka", "api", "lander"}
    for name, service in services.items():
        assert service["healthcheck"]["test"][0] == "CMD"
        if name != "kafka":
            assert service["depends_on"]["kafka"]["condition"] == "service_healthy"


def test_the_verbs_and_the_settings_are_known(services: dict[str, Any]) -> None:
    for name in ("api", "lander"):
        verb, *words = services[name]["command"]
        options = {flag for option in cli.commands[verb].params for flag in option.opts}
        assert {word for word in words if word.startswith("--")} <= options
        found = settings.read(services[name]["environment"])
        assert found.kafka is not None
        assert found.kafka.servers == "kafka:9092"
