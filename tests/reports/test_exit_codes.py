"""The exit code of the gate is Great Expectations' finding: there is no second way to it."""

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from shutil import copyfile
from typing import Any

import pyarrow as pa
import pytest

from ingest import model as models
from ingest.card import Card
from ops import cli
from reports import ruling
from tests.warehouse.home import FEATURES

from .conftest import FIRST, Marts

DISAGREE = "driftnet: Great Expectations and the"


@pytest.fixture
def gate(marts: Marts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], int]:
    """Call `driftnet gate` on the published marts and return its exit code."""
    home = tmp_path / "home"
    (home / "published" / "current").mkdir(parents=True)
    copyfile(marts.path, home / "published" / "current" / "driftnet.duckdb")
    reference: dict[str, list[Any]] = {
        "event_id": ["0" * 32],
        "occurred_at": [FIRST],
        "score": [0.1],
        **{f"feature_{feature.name}": [None] for feature in FEATURES},
    }
    for name in ("steady", "drifting"):
        card = Card(
            name=name,
            version=marts.models[name].version,
            kind="external",
            threshold=0.5,
            created_at=datetime(2021, 1, 1),
        )
        models.save(home / "models", card, FEATURES, pa.table(reference))
    monkeypatch.setenv("DRIFTNET_HOME", str(home))
    return lambda name: cli.call(["gate", "--model", name])


def test_pass_is_0_and_fail_is_3(gate: Callable[[str], int]) -> None:
    assert (gate("steady"), gate("drifting")) == (0, 3)


def test_without_great_expectations_neither_is_a_verdict(
    gate: Callable[[str], int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "great_expectations", None)
    assert (gate("steady"), gate("drifting")) == (1, 1)
    assert "needs Great Expectations" in capsys.readouterr().err


def _turn_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the checkpoint find the contrary of what it finds."""
    from great_expectations import Checkpoint

    run = Checkpoint.run

    def turned(self: Any, *words: Any, **more: Any) -> Any:
        answer = run(self, *words, **more)
        for found in answer.run_results.values():
            for result in found.results:
                result.success = not result.success
        return answer

    monkeypatch.setattr(Checkpoint, "run", turned)


def test_a_checkpoint_that_finds_the_contrary_of_the_rows_is_an_error(
    gate: Callable[[str], int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _turn_round(monkeypatch)
    assert (gate("steady"), gate("drifting")) == (1, 1)
    assert capsys.readouterr().err.count(DISAGREE) == 2


def test_the_exit_code_follows_the_checkpoint_whatever_the_rows_say(
    gate: Callable[[str], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    _turn_round(monkeypatch)
    monkeypatch.setattr(ruling, "refuse_disagreement", lambda result: None)
    assert gate("steady") == 3
    # Only the rows that fail are left to pass: the others fail now.
    whole = ruling.rule

    def of_the_failing(
        scope: Any, window: Any, reason: str, stale: str, results: Any, **more: Any
    ) -> Any:
        failing = [result for result in results if result.row.severity > 1]
        return whole(scope, window, reason, stale, failing, **more)

    monkeypatch.setattr(ruling, "rule", of_the_failing)
    assert gate("drifting") == 0
