"""Another champion is taken up while requests go on; a bad one is not."""

import asyncio
from pathlib import Path

import httpx
import pytest

from ingest import model
from ingest.champions import Champions
from ingest.errors import InputError
from tests.ingest.api_home import NAME, NOW, ONE, Api, Told, add_broken_version, add_version


def look(api: Api) -> None:
    asyncio.run(api.champions.look())


def test_a_promoted_version_scores_from_then_on(served_home: Path) -> None:
    api = Api(served_home)
    add_version(served_home / "models", "2", 0.123)
    look(api)
    assert api.ask("POST", "/predict", json=ONE).json()["model_version"] == "1"
    model.promote(served_home / "models", NAME, "2")
    look(api)
    answer = api.ask("POST", "/predict", json=ONE).json()
    assert (answer["model_version"], answer["threshold"]) == ("2", 0.123)
    assert api.ask("GET", "/model").json()["version"] == "2"
    assert api.count("champion", model=NAME, version="2") == 1
    assert api.count("champion", model=NAME, version="1") == 0
    assert [event["model_version"] for event in api.events()] == ["1", "2"]
    assert api.told.names() == ["champion_loaded", "champion_loaded"]


def test_a_version_that_cannot_be_read_leaves_the_old_one_at_work_and_is_told(
    served_home: Path,
) -> None:
    api = Api(served_home)
    add_broken_version(served_home / "models", "2")
    look(api)
    assert api.ask("POST", "/predict", json=ONE).json()["model_version"] == "1"
    ready = api.ask("GET", "/readyz").json()
    assert ready["model_version"] == "1"
    assert "model.skops differs from its checksum" in ready["champion_refusal"]
    assert api.count("champion_is_refused") == 1
    assert api.count("champion_refusals_total") == 1
    assert api.told.events[-1][0] == "champion_refused"
    add_version(served_home / "models", "3", 0.5)
    model.promote(served_home / "models", NAME, "3")
    look(api)
    assert api.ask("GET", "/readyz").json()["champion_refusal"] is None
    assert api.ask("GET", "/readyz").json()["model_version"] == "3"
    assert api.count("champion_is_refused") == 0


def test_a_refused_version_is_not_read_at_every_look(served_home: Path) -> None:
    told = Told()
    champions = Champions(served_home / "models", NAME, lambda: NOW, told, again_seconds=60)
    add_broken_version(served_home / "models", "2")

    async def looks() -> None:
        for _ in range(5):
            await champions.look()

    asyncio.run(looks())
    assert told.names() == ["champion_loaded", "champion_refused"]
    assert champions.refusal is not None


def test_a_champion_that_is_gone_leaves_the_old_one_at_work(served_home: Path) -> None:
    api = Api(served_home)
    (served_home / "models" / NAME / "champion").unlink()
    look(api)
    assert api.ask("POST", "/predict", json=ONE).is_success
    assert "has no champion" in api.ask("GET", "/readyz").json()["champion_refusal"]


def test_without_a_champion_nothing_starts(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no champion: train one"):
        Champions(tmp_path, NAME, lambda: NOW, Told())


def test_a_request_keeps_the_scorer_that_it_began_with(served_home: Path) -> None:
    """The champion changes between two turns of one long list: one version answers it all."""
    api = Api(served_home)
    add_version(served_home / "models", "2", 0.2)
    model.promote(served_home / "models", NAME, "2")

    async def work(client: httpx.AsyncClient) -> set[str]:
        async def promote() -> None:
            await asyncio.sleep(0)
            await api.champions.look()

        items = [{"url": f"https://example.com/{n}"} for n in range(1000)]
        answer, _ = await asyncio.gather(client.post("/predict", json=items), promote())
        return {one["model_version"] for one in answer.json()}

    assert api.run(work) == {"1"}
    assert api.champions.version == "2"
