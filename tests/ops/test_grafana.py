"""The dashboard is what Grafana's published schema says a dashboard is."""

import copy
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from ops.settings import CHECKOUT
from tests.ops.peers import node

FOLDER = CHECKOUT / "ops" / "grafana"
PACKAGES = ("@grafana/schema@13.2.3", "ts-json-schema-generator@2.4.0")
COMPILER = {"moduleResolution": "bundler", "module": "esnext", "target": "es2022", "strict": True}


@pytest.fixture
def dashboard() -> dict[str, Any]:
    return dict(json.loads((FOLDER / "dashboards" / "driftnet.json").read_text()))


@pytest.fixture(scope="module")
def shapes() -> dict[str, Any]:
    folder = node("grafana", *PACKAGES)
    shutil.copy(CHECKOUT / "tests" / "ops" / "grafana_shapes.ts", folder / "shapes.ts")
    told = {"compilerOptions": COMPILER | {"skipLibCheck": True}, "files": ["shapes.ts"]}
    (folder / "tsconfig.json").write_text(json.dumps(told))
    words = "--path shapes.ts --type Shapes --tsconfig tsconfig.json --no-type-check --expose none"
    done = subprocess.run(
        ["node_modules/.bin/ts-json-schema-generator", *words.split()],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout)["definitions"]["Shapes"]["properties"])


def faults(shapes: dict[str, Any], dashboard: dict[str, Any]) -> Iterator[str]:
    parts = [("dashboard", "dashboard", dashboard)]
    for panel in dashboard["panels"]:
        if panel["type"] != "row":
            parts.append((panel["title"], panel["type"], panel["options"]))
            if custom := panel["fieldConfig"]["defaults"].get("custom"):
                parts.append((panel["title"], f"{panel['type']}_custom", custom))
    for where, shape, part in parts:
        for error in jsonschema.Draft7Validator(shapes[shape]).iter_errors(part):
            yield f"{where}: {error.json_path} {error.message[:200]}"


@pytest.mark.slow
def test_the_dashboard_is_what_grafana_takes(
    shapes: dict[str, Any], dashboard: dict[str, Any]
) -> None:
    assert list(faults(shapes, dashboard)) == []
    for breaks in ({"schemaVersion": "42"}, {"no_such_field": 1}):
        assert list(faults(shapes, dashboard | breaks))
    broken = copy.deepcopy(dashboard)
    broken["panels"][1]["options"]["colorMode"] = "rainbow"
    assert len(list(faults(shapes, broken))) == 1


def test_no_two_panels_overlap_or_share_a_number(dashboard: dict[str, Any]) -> None:
    cells = [
        (x, y)
        for panel in dashboard["panels"]
        for at in [panel["gridPos"]]
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    numbers = [panel["id"] for panel in dashboard["panels"]]
    assert len(numbers) == len(set(numbers))


def test_every_query_asks_for_a_described_metric_and_every_panel_says_what_it_shows(
    dashboard: dict[str, Any],
) -> None:
    described = (CHECKOUT / "ops" / "METRICS.md").read_text()
    asked = set()
    for panel in dashboard["panels"]:
        if panel["type"] == "row":
            continue
        assert panel["description"].endswith(".")
        for target in panel["targets"]:
            asked |= set(re.findall(r"driftnet_[a-z_]+", target["expr"]))
    assert not [x for x in asked if not x.startswith("driftnet_api_") and f"`{x}`" not in described]


def test_the_datasource_of_the_panels_is_the_provisioned_one(dashboard: dict[str, Any]) -> None:
    folder = FOLDER / "provisioning"
    [source] = yaml.safe_load((folder / "datasources" / "prometheus.yml").read_text())[
        "datasources"
    ]
    used = {panel["datasource"]["uid"] for panel in dashboard["panels"] if "datasource" in panel}
    assert used == {source["uid"]}
    [provider] = yaml.safe_load((folder / "dashboards" / "driftnet.yml").read_text())["providers"]
    assert provider["options"]["path"] == "$DRIFTNET_DASHBOARDS"
