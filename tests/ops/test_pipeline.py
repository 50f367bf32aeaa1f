import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from ingest import model
from ingest.card import Card
from ingest.errors import DriftnetError, InputError
from ops import dbt, pipeline
from ops.settings import Settings
from ops.target import Target, choose

NOON = datetime(2021, 5, 1, 12, tzinfo=UTC)
WRITES = """
import duckdb, sys
with duckdb.connect(sys.argv[1]) as connection:
    name = sys.argv[2]
    connection.execute(f"create or replace table dim_models as select '{name}' as model_name")
sys.exit(int(sys.argv[3]))
"""


def dbt_that(writes: str, code: int) -> Callable[[Settings, str], list[str]]:
    return lambda settings, verb: [
        sys.executable, "-c", WRITES, str(settings.warehouse), writes, str(code)
    ]  # fmt: skip


def published(settings: Settings) -> str:
    with duckdb.connect(str(settings.current / "driftnet.duckdb"), read_only=True) as connection:
        return str(connection.execute("select model_name from dim_models").fetchall()[0][0])


def test_a_build_publishes_and_unsound_data_is_never_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path)
    monkeypatch.setattr(dbt, "command", dbt_that("sound", 0))
    pipeline.build(settings, lambda: NOON)
    assert published(settings) == "sound"
    monkeypatch.setattr(dbt, "command", dbt_that("unsound", 1))
    with pytest.raises(DriftnetError, match="nothing was published") as failure:
        pipeline.build(settings, lambda: NOON)
    assert failure.value.exit_code == 1
    assert published(settings) == "sound"


def test_what_a_plain_dbt_run_built_is_published_by_the_next_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path)
    monkeypatch.setattr(dbt, "command", dbt_that("first", 0))
    pipeline.build(settings, lambda: NOON)
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute("create or replace table dim_models as select 'plain' as model_name")
    monkeypatch.setattr(dbt, "command", lambda settings, verb: [sys.executable, "-c", ""])
    pipeline.build(settings, lambda: NOON.replace(hour=13))
    assert published(settings) == "plain"


def test_a_build_that_changes_nothing_publishes_nothing_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path)
    monkeypatch.setattr(dbt, "command", dbt_that("first", 0))
    first = pipeline.build(settings, lambda: NOON)
    monkeypatch.setattr(dbt, "command", lambda settings, verb: [sys.executable, "-c", ""])
    assert pipeline.build(settings, lambda: NOON.replace(hour=13)) == first


def card(name: str, version: str) -> Card:
    return Card(name, version, "trained", NOON, 0.5)


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def register(*cards: Card, champions: dict[str, str] | None = None) -> None:
        monkeypatch.setattr(model, "registered", lambda models: list(cards))
        monkeypatch.setattr(model, "champion", lambda models, name: (champions or {}).get(name))

    return register


def test_the_only_model_is_meant_and_of_it_the_champion(
    registered: Callable[..., None], tmp_path: Path
) -> None:
    registered(card("churn", "1"), card("churn", "2"), champions={"churn": "1"})
    assert choose(Settings(home=tmp_path)) == Target("churn", "1", "week")
    assert choose(Settings(home=tmp_path), None, "2", "day") == Target("churn", "2", "day")


def test_a_model_without_a_champion_is_looked_at_in_its_newest_version(
    registered: Callable[..., None], tmp_path: Path
) -> None:
    registered(card("churn", "1"), card("churn", "2"))
    assert choose(Settings(home=tmp_path)).model_version == "2"


def test_among_several_models_the_one_with_an_artefact_is_meant(
    registered: Callable[..., None], tmp_path: Path
) -> None:
    (tmp_path / "models" / "fraud").mkdir(parents=True)
    (tmp_path / "models" / "fraud" / "champion").write_text("1\n")
    registered(card("churn", "1"), card("fraud", "1"), champions={"fraud": "1"})
    assert choose(Settings(home=tmp_path)).model_name == "fraud"


def test_what_is_not_registered_is_refused_with_what_is(
    registered: Callable[..., None], tmp_path: Path
) -> None:
    registered(card("churn", "1"), card("fraud", "1"))
    with pytest.raises(InputError, match="churn, fraud"):
        choose(Settings(home=tmp_path), "nobody")
    with pytest.raises(InputError, match="no version 9; it has 1"):
        choose(Settings(home=tmp_path), "churn", "9")
