"""Retraining over the whole path: rows as they were logged, a challenge, a promotion: slow."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from ingest import model as models
from ingest.errors import DriftnetError, InputError
from ops import learning, lock
from ops.runner import Ended
from retrain.facts import last_try
from tests.retrain.year import NOW, Year, copied, naive

pytestmark = pytest.mark.slow


def test_a_scheduled_run_lets_a_better_version_take_over_as_the_policy_asks(
    scheduled: tuple[Year, Ended],
) -> None:
    year, ended = scheduled
    assert ended.outcome == "drift", ended.said  # the verdict; the retraining changes it not
    assert models.champion(year.settings.models, "urls") == "2"
    (told,) = year.told()
    assert (told["kind"], told["model_version"]) == ("promoted", "2")
    assert "windows of quality below its bound" in told["summary"]
    assert "the lower limit beats the margin" in told["summary"]
    facts = told["detail"]["facts"]
    assert facts["quality_breaches"] >= 1
    assert facts["new_labels"] > 1000
    log = (year.settings.schedule / "run.log").read_text()
    assert "champion urls version 2 from now on" in log


def test_after_a_change_of_concept_a_new_version_serves_within_six_weeks(
    turned: Year, tmp_path: Path
) -> None:
    year = copied(turned, tmp_path)
    kinds = []
    for week in range(14, 21):
        kinds.append(year.retrain(week).kind)
        if kinds[-1] == "promoted":
            break
    print(f"by policy, week by week from the change on: {kinds}")
    assert kinds[0] == "waiting"  # as known when the change began
    assert kinds[-1] == "promoted"
    assert models.champion(year.settings.models, "urls") == "2"


def test_the_same_rows_give_the_same_scores_and_the_card_says_which(
    turned: Year, tmp_path: Path
) -> None:
    scores = []
    for name in ("one", "other"):
        again = copied(turned, tmp_path / name)
        outcome = again.retrain(21, force=True)
        assert outcome.card is not None
        version = again.settings.models / "urls" / "2"
        scores.append(pq.read_table(version / "reference.parquet").column("score").to_numpy())
        assert_says_all(outcome.card.history, outcome.card.training_row_count)
        assert outcome.card.seed == 7
        assert {"python", "scikit-learn", "numpy"} <= set(outcome.card.libraries)
        assert outcome.card.recipe == "retrain.train:RECIPE"
        assert "the lower limit beats the margin" in (version / "card.md").read_text()
    np.testing.assert_allclose(scores[0], scores[1], rtol=0, atol=1e-9)


def assert_says_all(history: Mapping[str, Any], row_count: int | None) -> None:
    (held,) = history["positions"].values()
    assert held["row_count"] == row_count
    assert held["first"] < held["last"]
    assert history["champion_version"] == "1"


def test_what_would_be_done_is_said_and_nothing_is_written(turned: Year, tmp_path: Path) -> None:
    year = copied(turned, tmp_path)
    before = written(year)
    assert year.retrain(21, dry_run=True).kind == "promoted"
    assert written(year) == before


def written(year: Year) -> list[Path]:
    """Return all files of models and landing."""
    return sorted([*year.settings.models.rglob("*"), *year.settings.landing.rglob("*")])


def test_too_few_rows_are_refused_and_the_try_is_told(turned: Year, tmp_path: Path) -> None:
    calm = copied(turned, tmp_path)
    outcome = calm.retrain(14, force=True)  # two weeks of rows, all of them held out
    assert outcome.kind == "refused"
    assert "labels in the rows to train on" in outcome.reasons[-1]
    assert models.champion(calm.settings.models, "urls") == "1"
    (told,) = calm.told()
    assert (told["kind"], told["model_version"], told["severity"]) == ("refused", "1", 1)
    assert told["detail"]["reasons"] == list(outcome.reasons)
    assert last_try(calm.settings.landing, "urls", naive(14)) == naive(14)


def test_a_challenger_that_is_not_better_stays_outside(turned: Year, tmp_path: Path) -> None:
    again = copied(turned, tmp_path)
    assert again.retrain(21, force=True).kind == "promoted"
    outcome = again.retrain(21, force=True)  # the same rows once more
    assert outcome.kind == "lost"
    assert "does not beat the margin" in outcome.reasons[1]
    assert models.champion(again.settings.models, "urls") == "2"
    assert len(models.registered(again.settings.models)) == 2
    for _ in range(2):  # told once, however often the clock asks
        waiting = again.retrain(21)
        assert (waiting.kind, waiting.card) == ("waiting", None)
    told = {row["kind"]: row["detail"] for row in again.told()}
    assert sorted(row["kind"] for row in again.told()) == ["lost", "promoted", "waiting"]
    assert told["lost"]["challenge"]["auc"]["lower"] <= 0.002


def test_rolling_back_lets_the_former_champion_serve_and_rest(turned: Year, tmp_path: Path) -> None:
    back = copied(turned, tmp_path)
    assert back.retrain(21, force=True).kind == "promoted"
    assert learning.roll_back(back.settings, lambda: NOW, "urls", None).version == "1"
    assert models.champion(back.settings.models, "urls") == "1"
    assert {told["kind"] for told in back.told()} == {"promoted", "rolled_back"}
    waiting = learning.retrain(back.settings, lambda: NOW, "urls")
    assert waiting.kind == "waiting"
    assert "the last try was on" in waiting.reasons[-1]
    with pytest.raises(InputError, match="took over from none"):
        learning.roll_back(back.settings, lambda: NOW, "urls", None)


def test_a_tampered_champion_is_refused_by_name(turned: Year, tmp_path: Path) -> None:
    touched = copied(turned, tmp_path)
    with (touched.settings.models / "urls" / "1" / "model.skops").open("ab") as file:
        file.write(b"x")
    with pytest.raises(DriftnetError, match=r"urls/1 was changed: model\.skops"):
        touched.retrain(21, force=True)


def test_of_two_at_once_the_second_is_refused(turned: Year, tmp_path: Path) -> None:
    home = copied(turned, tmp_path)
    with (
        lock.hold(home.settings.home, "retrain", lambda: NOW, "retrain"),
        pytest.raises(InputError, match="is in use: retrain by process"),
    ):
        home.retrain(21, force=True)
