"""Retraining over the whole path: rows as they were logged, a challenge, a promotion: slow."""

import json
import shutil
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingest import model as models
from ingest.errors import DriftnetError, InputError
from ingest.replay import Topics, replay
from ingest.scorer import Scorer
from ingest.synthesize import START, synthesize
from ops import learning, lock, pipeline, warehouse
from ops.settings import Settings, read
from retrain.estimator import measure
from retrain.facts import last_try
from retrain.learn import Outcome
from retrain.record import record_missing
from retrain.train import train_initial

pytestmark = pytest.mark.slow

WEEK = timedelta(weeks=1)
NOW = datetime(2026, 6, 1, tzinfo=UTC)


@dataclass
class Year:
    """A home, and the invented traffic that is played into it."""

    settings: Settings
    events: Path

    def play(self, first: int, last: int) -> None:
        """Replay some weeks through the champion, with the labels known by then; land; build."""
        log = pipeline.open_log(self.settings)
        scorer = Scorer.load(self.settings.models, "urls")
        topics = Topics(self.settings.predictions_topic, self.settings.labels_topic)
        begin, end = START + first * WEEK, START + last * WEEK
        replay(
            self.events, scorer, log, topics,
            from_=begin, until=end, seed=1, clock=lambda: NOW, labels_from=START,
        )  # fmt: skip
        pipeline.land(self.settings, lambda: NOW)
        pipeline.build(self.settings, lambda: datetime.now(UTC))

    def auc(self, first: int, last: int) -> float:
        """Return the ROC AUC of what was served in some weeks."""
        with warehouse.reader(self.settings) as query:
            rows = query(
                "select score, is_actual_positive from fct_labelled_predictions"
                " where occurred_at >= ? and occurred_at < ?",
                [(START + week * WEEK).replace(tzinfo=None) for week in (first, last)],
            )
        truth = np.asarray(rows.column(1).to_numpy(), dtype=bool)
        found = measure(truth, np.asarray(rows.column(0).to_numpy()), 0.5)["roc_auc"]
        assert found is not None
        return found

    def retrain(self, week: int, force: bool = False, dry_run: bool = False) -> Outcome:
        """Retrain as of the end of a week."""
        as_of = (START + week * WEEK).replace(tzinfo=None)
        return learning.retrain(
            self.settings, lambda: NOW, "urls", as_of=as_of, force=force, dry_run=dry_run
        )


def begin(folder: Path, weeks: int) -> Year:
    settings = replace(read({}), home=folder / "home")
    made = synthesize(folder, 5, weeks=weeks, calm_weeks=12, events_per_week=1_000, drifts=())
    train_initial(made.events, START + 12 * WEEK, settings.models, "urls", 7, lambda: NOW)
    return Year(settings, made.events)


def turn(events: Path, week: int) -> None:
    """From a week on let long paths, and nothing else, be what makes a row positive.

    Inputs stay as they are; one label of ten is wrong, so that no feature tells all.
    """
    table = pq.read_table(events)
    rng = np.random.default_rng(8)
    lengths = np.array([len(url.partition("://")[2]) for url in table.column("url").to_pylist()])
    turned = (lengths > np.quantile(lengths, 0.7)) ^ (rng.random(len(lengths)) < 0.1)
    known = np.asarray(table.column("label").is_valid().to_numpy())
    late = np.asarray(table.column("ts_utc").cast("timestamp[us]").to_numpy()) >= np.datetime64(
        (START + week * WEEK).replace(tzinfo=None)
    )
    label = np.asarray(table.column("label").fill_null(0).to_numpy())
    label = np.where(late, turned, label)
    place = table.column_names.index("label")
    column = pa.array(label, pa.int8(), mask=~known)
    pq.write_table(table.set_column(place, "label", column), events)


@pytest.fixture(scope="module")
def turned(tmp_path_factory: pytest.TempPathFactory) -> Year:
    """A year in which something else makes a row positive from week 14 on."""
    year = begin(tmp_path_factory.mktemp("turned"), 26)
    turn(year.events, 14)
    year.play(12, 21)
    return year


def test_after_a_change_of_concept_the_new_champion_recovers(turned: Year) -> None:
    as_before, after = turned.auc(12, 14), turned.auc(15, 21)
    assert as_before > 0.9 > 0.7 > after
    first = (turned.settings.models / "urls" / "champion").read_text()
    tried = turned.retrain(21, force=True, dry_run=True)
    assert tried.kind == "promoted", tried.reasons
    assert (turned.settings.models / "urls" / "champion").read_text() == first
    assert not (turned.settings.landing / "retrain").exists()
    outcome = turned.retrain(21, force=True)
    assert outcome.kind == "promoted", outcome.reasons
    assert outcome.card is not None
    assert models.champion(turned.settings.models, "urls") == "2" == outcome.card.version
    turned.play(21, 25)
    recovered = turned.auc(21, 25)
    print(f"ROC AUC before {as_before:.3f}, drifted {after:.3f}, retrained {recovered:.3f}")
    assert recovered > 0.75


def test_the_same_rows_give_the_same_scores_and_the_card_says_which(
    turned: Year, tmp_path: Path
) -> None:
    scores = []
    for name in ("one", "other"):
        again = copied(turned, tmp_path / name)
        outcome = again.retrain(21, force=True)
        assert outcome.card is not None
        reference = again.settings.models / "urls" / "2" / "reference.parquet"
        scores.append(pq.read_table(reference).column("score").to_numpy())
        (held,) = outcome.card.history["positions"].values()
        assert held["row_count"] == outcome.card.training_row_count
        page = (again.settings.models / "urls" / "2" / "card.md").read_text()
        assert "the lower limit beats the margin" in page
    np.testing.assert_allclose(scores[0], scores[1], rtol=0, atol=1e-9)


def test_too_few_rows_are_refused_and_the_try_is_told(turned: Year, tmp_path: Path) -> None:
    calm = copied(turned, tmp_path)
    outcome = calm.retrain(14, force=True)  # two weeks of rows, all of them held out
    assert outcome.kind == "refused"
    assert "labels in the rows to train on" in outcome.reasons[-1]
    assert models.champion(calm.settings.models, "urls") == "1"
    (told,) = happenings(calm)
    assert (told["kind"], told["model_version"], told["severity"]) == ("refused", "1", 1)
    assert told["detail"]["reasons"] == list(outcome.reasons)
    as_of = (START + 14 * WEEK).replace(tzinfo=None)
    assert last_try(calm.settings.landing, "urls", as_of) == as_of


def test_a_challenger_that_is_not_better_stays_outside(turned: Year, tmp_path: Path) -> None:
    again = copied(turned, tmp_path)
    assert again.retrain(21, force=True).kind == "promoted"
    outcome = again.retrain(21, force=True)  # the same rows once more
    assert outcome.kind == "lost"
    assert "does not beat the margin" in outcome.reasons[1]
    assert models.champion(again.settings.models, "urls") == "2"
    assert len(models.registered(again.settings.models)) == 2
    waiting = again.retrain(21)
    assert (waiting.kind, waiting.card) == ("waiting", None)


def test_rolling_back_lets_the_former_champion_serve_and_is_told(
    turned: Year, tmp_path: Path
) -> None:
    back = copied(turned, tmp_path)
    assert back.retrain(21, force=True).kind == "promoted"
    assert learning.roll_back(back.settings, lambda: NOW, "urls", None).version == "1"
    assert models.champion(back.settings.models, "urls") == "1"
    assert {told["kind"] for told in happenings(back)} == {"promoted", "rolled_back"}
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


@pytest.mark.parametrize("stage", ["training", "saving"])
def test_a_kill_leaves_the_champion_whole_and_tells_a_promotion_once(
    turned: Year, tmp_path: Path, stage: str
) -> None:
    rng = np.random.default_rng(9)
    home = copied(turned, tmp_path / "home")
    pristine = tmp_path / "models"
    shutil.copytree(home.settings.models, pristine)
    ends = Counter[str]()
    for _ in range(25):
        shutil.rmtree(home.settings.models)
        shutil.copytree(pristine, home.settings.models)
        shutil.rmtree(home.settings.landing / "retrain", ignore_errors=True)
        delay = float(rng.uniform(0, 1.5 if stage == "training" else 0.15))
        ends[killed(home, stage, delay)] += 1
        served = models.champion(home.settings.models, "urls")
        assert served in {"1", "2"}
        assert models.load(home.settings.models, "urls").card.version == served
        told = [item for item in happenings(home) if item["kind"] == "promoted"]
        assert len(told) <= (served == "2")
        if served == "2":  # the next run tells what the killed one could not
            record_missing(home.settings.landing, models.load(home.settings.models, "urls").card)
            record_missing(home.settings.landing, models.load(home.settings.models, "urls").card)
            assert [item["kind"] for item in happenings(home)].count("promoted") == 1
    print(f"killed while {stage}: {dict(ends)}")
    if (home.settings.landing / "retrain").exists():
        shutil.rmtree(home.settings.landing / "retrain")
    shutil.rmtree(home.settings.models)
    shutil.copytree(pristine, home.settings.models)
    assert home.retrain(21, force=True).kind == "promoted"


def killed(home: Year, stage: str, delay: float) -> str:
    """Run a retraining in a process of its own, kill it so long after a stage; say where it was."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.retrain.child", str(home.settings.home)],
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        for line in iter(child.stdout.readline, f"{stage}\n"):
            assert line, "the process ended before the stage"
        time.sleep(delay)
        child.kill()
        return [stage, *child.stdout.read().split()][-1]


def copied(year: Year, folder: Path) -> Year:
    """Return a home of its own with the same rows; landing is linked, not copied."""
    home = folder / "year"
    home.mkdir(parents=True)
    shutil.copytree(year.settings.models, home / "models", ignore=shutil.ignore_patterns("2"))
    (home / "models" / "urls" / "champion").write_text("1\n")
    for topic in year.settings.landing.glob("phishing_*"):
        (home / "landing").mkdir(exist_ok=True)
        (home / "landing" / topic.name).symlink_to(topic)
    shutil.copytree(year.settings.published, home / "published", symlinks=True)
    return replace(year, settings=replace(year.settings, home=home))


def happenings(year: Year) -> list[dict[str, Any]]:
    """Return what the room told."""
    files = sorted((year.settings.landing / "retrain").glob("*.parquet"))
    rows = [row for file in files for row in pq.read_table(file).to_pylist()]
    return [row | {"detail": json.loads(row["detail"])} for row in rows]


def test_a_year_without_drift_promotes_nobody(tmp_path: Path) -> None:
    year = begin(tmp_path, 52)
    year.play(12, 52)
    kinds = Counter(year.retrain(week, dry_run=True).kind for week in range(14, 53))
    forced = Counter(year.retrain(w, force=True, dry_run=True).kind for w in range(20, 53, 4))
    print(f"by the policy, week by week: {dict(kinds)}; by force, every fourth: {dict(forced)}")
    assert "promoted" not in kinds
    assert "promoted" not in forced
