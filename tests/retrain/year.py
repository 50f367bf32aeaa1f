"""A home that invented traffic is played into, week by week."""

import json
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ingest.replay import Topics, replay
from ingest.scorer import Scorer
from ingest.synthesize import START, synthesize
from ops import learning, pipeline, warehouse
from ops.settings import Settings, read
from retrain.estimator import measure
from retrain.learn import Outcome
from retrain.train import train_initial

WEEK = timedelta(weeks=1)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
CALM_WEEKS = 12  # the first champion knows these


def naive(week: float) -> datetime:
    """Return when a week begins."""
    return (START + week * WEEK).replace(tzinfo=None)


@dataclass
class Year:
    """A home, and the traffic that is played into it."""

    settings: Settings
    events: Path

    def replay(self, first: int, last: int) -> None:
        """Send some weeks through the champion into the log, with the labels known by then."""
        log = pipeline.open_log(self.settings)
        scorer = Scorer.load(self.settings.models, "urls")
        topics = Topics(self.settings.predictions_topic, self.settings.labels_topic)
        begin, end = START + first * WEEK, START + last * WEEK
        replay(
            self.events, scorer, log, topics,
            from_=begin, until=end, seed=1, clock=lambda: NOW, labels_from=START,
        )  # fmt: skip

    def play(self, first: int, last: int) -> None:
        """Replay, land and build."""
        self.replay(first, last)
        pipeline.land(self.settings, lambda: NOW)
        pipeline.build(self.settings, lambda: datetime.now(UTC))

    def ask(self, sql: str, *values: object) -> list[dict[str, Any]]:
        """Return rows of the published marts."""
        with warehouse.reader(self.settings) as query:
            rows: list[dict[str, Any]] = query(sql, values).to_pylist()
        return rows

    def auc(self, first: int, last: int) -> float:
        """Return the ROC AUC of what was served in some weeks."""
        rows = self.ask(
            "select score, is_actual_positive from fct_labelled_predictions"
            " where occurred_at >= ? and occurred_at < ?",
            naive(first),
            naive(last),
        )
        truth = np.array([row["is_actual_positive"] for row in rows], dtype=bool)
        found = measure(truth, np.array([row["score"] for row in rows]), 0.5)["roc_auc"]
        assert found is not None
        return found

    def retrain(
        self, week: int, force: bool = False, dry_run: bool = False, recipe: str | None = None
    ) -> Outcome:
        """Retrain as of the end of a week."""
        return learning.retrain(
            self.settings,
            lambda: NOW,
            "urls",
            as_of=naive(week),
            force=force,
            dry_run=dry_run,
            recipe=recipe,
        )

    def told(self) -> list[dict[str, Any]]:
        """Return the happenings of the room."""
        files = sorted((self.settings.landing / "retrain").glob("*.parquet"))
        rows = [row for file in files for row in pq.read_table(file).to_pylist()]
        return [row | {"detail": json.loads(row["detail"])} for row in rows]


def begin(
    folder: Path, weeks: int, events_per_week: int = 700, calm_weeks: int = CALM_WEEKS
) -> Year:
    """Return a home whose first champion knows the calm weeks of some traffic without drift."""
    settings = replace(read(), home=folder / "home")
    made = synthesize(
        folder, 5, weeks=weeks, calm_weeks=calm_weeks, events_per_week=events_per_week, drifts=()
    )
    until = START + calm_weeks * WEEK
    train_initial(made.events, until, settings.models, "urls", 7, lambda: NOW)
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
    moments = np.asarray(table.column("ts_utc").cast("timestamp[us]").to_numpy())
    label = np.asarray(table.column("label").fill_null(0).to_numpy())
    label = np.where(moments >= np.datetime64(naive(week)), turned, label)
    place = table.column_names.index("label")
    column = pa.array(label, pa.int8(), mask=~known)
    pq.write_table(table.set_column(place, "label", column), events)


def copied(year: Year, folder: Path) -> Year:
    """Return a home with the same rows and the first champion; landing is linked, not copied."""
    home = folder / "year"
    home.mkdir(parents=True)
    shutil.copytree(year.settings.models, home / "models", ignore=shutil.ignore_patterns("2"))
    (home / "models" / "urls" / "champion").write_text("1\n")
    for topic in year.settings.landing.glob("phishing_*"):
        (home / "landing").mkdir(exist_ok=True)
        (home / "landing" / topic.name).symlink_to(topic)
    shutil.copytree(year.settings.published, home / "published", symlinks=True)
    return replace(year, settings=year.settings.at(home))
