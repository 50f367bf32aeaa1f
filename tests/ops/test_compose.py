"""The compose file is held to its promises as far as that goes without Docker."""

import json
import re
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from ops import settings
from ops.cli import cli
from ops.services import SERVICES, TIMETABLE
from tests.brokers import ROOT
from tests.ops.peers import wheel

TEXT = (ROOT / "ops" / "compose" / "compose.yml").read_text()


@pytest.fixture
def services() -> dict[str, Any]:
    return dict(yaml.safe_load(TEXT)["services"])


def test_every_variable_fails_loudly_when_it_is_not_set() -> None:
    variables = re.findall(r"\$\{([^}]*)\}", TEXT)
    assert {variable.split(":?")[0] for variable in variables} == {
        "DRIFTNET_DATA", "DRIFTNET_API_KEYS", "KAFKA_CLUSTER_ID", "GRAFANA_PASSWORD",
    }  # fmt: skip
    assert all(re.fullmatch(r"[A-Z_]+:\?set [A-Z_]+.+", variable) for variable in variables)


OTHERS = {"kafka", "prometheus", "grafana"}


def test_every_service_has_a_health_check_and_ours_wait_for_kafka(services: dict[str, Any]) -> None:
    assert set(services) == {service.name for service in SERVICES} | OTHERS
    for name, service in services.items():
        assert service["healthcheck"]["test"][0] == "CMD"
        if name not in OTHERS:
            assert service["depends_on"]["kafka"]["condition"] == "service_healthy"


def test_the_commands_are_those_of_make_up(services: dict[str, Any]) -> None:
    for service in SERVICES:
        assert tuple(services[service.name]["command"]) == service.words
    assert services["scheduler"]["environment"]["DRIFTNET_SCHEDULE"] == TIMETABLE


def test_the_verbs_and_the_settings_are_known(services: dict[str, Any]) -> None:
    for name in (service.name for service in SERVICES):
        verb, *words = services[name]["command"]
        options = {
            flag
            for option in cli.commands[verb].params
            for flag in (*option.opts, *option.secondary_opts)
        }
        assert {word for word in words if word.startswith("--")} <= options
        found = settings.read(services[name]["environment"])
        assert found.kafka is not None
        assert found.kafka.servers == "kafka:9092"


def test_prometheus_scrapes_where_the_services_listen(services: dict[str, Any]) -> None:
    listens = {
        "scheduler:9102": services["scheduler"]["environment"]["DRIFTNET_METRICS_LISTEN"],
        "api:9101": services["api"]["environment"]["DRIFTNET_API_METRICS_LISTEN"],
    }
    text = (ROOT / "ops" / "compose" / "prometheus.yml").read_text()
    targets = [
        target
        for job in yaml.safe_load(text)["scrape_configs"]
        for target in job["static_configs"][0]["targets"]
    ]
    assert set(targets) == set(listens)
    assert all(at == f"0.0.0.0:{target.split(':')[1]}" for target, at in listens.items())


def test_every_mounted_file_exists_and_every_port_is_on_loopback(services: dict[str, Any]) -> None:
    for service in services.values():
        for mount in service.get("volumes", ()):
            if mount.startswith("."):
                assert (ROOT / "ops" / "compose" / mount.split(":")[0]).exists()
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


@pytest.mark.slow
def test_the_file_is_what_the_published_schema_of_compose_says() -> None:
    text = wheel(
        "compose-schema",
        "check-jsonschema==0.39.0",
        "check_jsonschema/builtin_schemas/vendor/compose-spec.json",
    )
    schema = json.loads(text)
    found = yaml.safe_load(TEXT)
    validator = jsonschema.validators.validator_for(schema)(schema)
    assert [error.message for error in validator.iter_errors(found)] == []
    found["services"]["api"]["no_such_field"] = 1
    assert len(list(validator.iter_errors(found))) == 1


def test_the_image_runs_as_nobody_special_and_begins_with_the_command_line() -> None:
    text = (ROOT / "ops" / "compose" / "Dockerfile").read_text()
    lines = [line.split(" ", 1) for line in text.splitlines() if line and line[0].isupper()]
    last = dict(lines)
    assert last["USER"] == "driftnet"
    assert last["ENTRYPOINT"] == '["driftnet"]'
    assert last["FROM"].startswith("python:3.11")
