"""A real Prometheus scrapes real services, and every panel of the dashboard has data."""

import json
import math
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from ops.settings import CHECKOUT
from tests.brokers import free_ports
from tests.ingest.api_home import ONE
from tests.ops.upped import PATIENCE, Up, post, up
from tests.ops.watched import needed

REMEDY = "install Debian's package prometheus"
FOLDER = CHECKOUT / "ops" / "prometheus"
DASHBOARD = json.loads((CHECKOUT / "ops" / "grafana" / "dashboards" / "driftnet.json").read_text())


def queries() -> list[tuple[str, str]]:
    """Every panel's title and expression, for all models."""
    return [
        (panel["title"], target["expr"].replace("$model", ".*"))
        for panel in DASHBOARD["panels"]
        for target in panel.get("targets", ())
    ]


@contextmanager
def scraping(folder: Path, services: Up) -> Iterator[str]:
    """Run a Prometheus with the shipped configuration, at these ports and each second."""
    port = free_ports(1)[0]
    text = (FOLDER / "prometheus.yml").read_text()
    for usual, address in (("9101", services.api_metrics), ("9102", services.metrics)):
        text = text.replace(f"127.0.0.1:{usual}", address.removeprefix("http://"))
    for name in ("scrape_interval", "scrape_timeout"):
        text = re.sub(rf"{name}: \d+s", f"{name}: 2s", text)
    (folder / "prometheus.yml").write_text(text)
    (folder / "rules.yml").write_text((FOLDER / "rules.yml").read_text())
    words = [needed("prometheus", REMEDY), f"--config.file={folder}/prometheus.yml"]
    words += [f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}"]
    with (folder / "prometheus.log").open("w") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}/api/v1"
    finally:
        process.terminate()
        process.wait(PATIENCE)


def ask(address: str, **parameters: Any) -> Any:
    """Return the data of an answer of Prometheus; None where it does not answer."""
    try:
        answer = httpx.get(address, params=parameters, timeout=30)
    except httpx.HTTPError:
        return None
    return answer.json().get("data") if answer.is_success else None


def has_data(api: str, expression: str) -> bool:
    found = ask(f"{api}/query", query=expression) or {"result": []}
    return any(math.isfinite(float(row["value"][1])) for row in found["result"])


def alerts(api: str) -> list[dict[str, Any]]:
    return [rule for group in ask(f"{api}/rules")["groups"] for rule in group["rules"]]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_panel_and_every_alert_has_data(watched: Path, tmp_path: Path) -> None:
    needed("prometheus", REMEDY)
    with (
        up(watched, DRIFTNET_SCHEDULE="land=* * * * *") as services,
        scraping(tmp_path, services) as api,
        asking(services),
    ):
        services.until(lambda: services.told("scheduler", "job_ended"))
        missing = dict(queries())
        deadline = time.monotonic() + PATIENCE
        while missing := {k: x for k, x in missing.items() if not has_data(api, x)}:
            assert time.monotonic() < deadline, missing
            time.sleep(1)
        assert all(has_data(api, expression) for _, expression in queries())
        names = {
            target["labels"]["job"]: target for target in ask(f"{api}/targets")["activeTargets"]
        }
        assert set(names) == {"driftnet-scheduler", "driftnet-api"}
        assert {target["health"] for target in names.values()} == {"up"}
        assert {target["lastError"] for target in names.values()} == {""}
        while "unknown" in {rule["health"] for rule in alerts(api)}:  # not evaluated yet
            assert time.monotonic() < deadline
            time.sleep(1)
        assert {rule["health"] for rule in alerts(api)} == {"ok"}
        for rule in alerts(api):
            names_of = set(re.findall(r"driftnet_[a-z_]+", rule["query"]))
            assert all(has_data(api, name) for name in names_of), rule["query"]


@contextmanager
def asking(services: Up) -> Iterator[None]:
    """Ask the API again and again."""
    over = threading.Event()

    def ask_on() -> None:
        while not over.wait(0.5):
            post(f"{services.api}/predict", ONE)

    services.until(services.is_ready)
    thread = threading.Thread(target=ask_on)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.slow
def test_the_shipped_configurations_are_sound() -> None:
    tool = needed("promtool", REMEDY)
    for path in (FOLDER / "prometheus.yml", CHECKOUT / "ops" / "compose" / "prometheus.yml"):
        done = subprocess.run([tool, "check", "config", path], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_it_scrapes_where_the_services_listen() -> None:
    from ops.settings_listen import Listen

    usual = Listen()
    jobs = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"]
    targets = {job["job_name"]: job["static_configs"][0]["targets"] for job in jobs}
    assert targets == {
        "driftnet-scheduler": [f"{usual.metrics.host}:{usual.metrics.port}"],
        "driftnet-api": [f"{usual.api_metrics.host}:{usual.api_metrics.port}"],
    }
