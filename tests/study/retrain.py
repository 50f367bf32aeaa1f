"""The policy over the real years: who served what, and what the first champion would have said."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from ingest import model as models
from ingest.local.log import LocalLog
from ingest.model import Model
from ingest.replay import Topics, replay
from ingest.scorer import Scorer, positive_share
from ops import learning, pipeline, warehouse
from ops.settings import Settings, read
from retrain.comparison import Bools, Floats, auc_gain
from retrain.estimator import measure
from retrain.rows import Rows, known_labels, logged_rows
from retrain.train import train_initial
from tests.conftest import SHARED_DATA
from tests.measured import table

TITLE = "Retraining by policy on the real stream, 2020 to 2022"
NAME = "urls"
BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
EVENTS = SHARED_DATA / "url_stream_2019_2022.parquet"

SETTING = """The first champion knows 2019. From 2020 on each month is replayed through whoever
serves, landed and built; then `driftnet retrain` decides by the shipped policy. Served scores of
different versions are pooled as they were given."""
AFTER = """{} promotions were followed by a month. New against old champion on that month, which
neither training nor challenge had seen (interval clustered by registered domain):"""
FROZEN = "Against the first champion, frozen:"


def run(say: Callable[[str], None]) -> str:
    """Replay month by month; retrain when the policy asks; compare with the frozen first model."""
    with tempfile.TemporaryDirectory() as folder:
        settings = replace(read({}), home=Path(folder))
        train_initial(EVENTS, BEGIN, settings.models, NAME, 7, _now)
        first = models.load(settings.models, NAME)
        served, promotions = [], []
        before: Model | None = None
        for month in range(36):
            begin, end = _month(month), _month(month + 1)
            _play(settings, begin, end)
            rows = _rows(settings, first, begin, end)
            champion = models.load(settings.models, NAME)
            if before is not None:  # the month after a promotion, unseen by training and challenge
                promotions.append(_after(begin, champion, before, rows))
                before = None
            served.append((begin, champion.card.version, rows.truth, _score(champion, rows),
                           _score(first, rows)))  # fmt: skip
            outcome = learning.retrain(settings, _now, NAME, as_of=_naive(end))
            say(f"{begin:%Y-%m}: version {champion.card.version}, {len(rows):,} labelled rows;"
                f" {outcome.kind}: {'; '.join(outcome.reasons)[:150]}")  # fmt: skip
            if outcome.kind == "promoted":
                before = champion
    return _page(served, promotions)


def _play(settings: Settings, begin: datetime, end: datetime) -> None:
    log = LocalLog(settings.log, lambda text: None)
    topics = Topics(settings.predictions_topic, settings.labels_topic)
    scorer = Scorer.load(settings.models, NAME)
    replay(
        EVENTS, scorer, log, topics,
        from_=begin, until=end, seed=1, clock=_now, labels_from=BEGIN,
    )  # fmt: skip
    pipeline.land(settings, _now)
    pipeline.build(settings, _now)


def _rows(settings: Settings, first: Model, begin: datetime, end: datetime) -> Rows:
    with warehouse.reader(settings) as query:
        days = (end - begin).days
        known = known_labels(query, NAME, _naive(end), days, 10**9)
    return logged_rows(known, settings.landing / settings.predictions_topic, first.features)


def _score(model: Model, rows: Rows) -> Floats:
    return positive_share(
        model.estimator, rows.inputs(model.features, model.card.embedding_dimension)
    )


def _after(month: datetime, new: Model, old: Model, rows: Rows) -> tuple[object, ...]:
    gain = auc_gain(rows.truth, _score(new, rows), _score(old, rows), rows.cluster)
    interval = f"{gain.lower:+.4f} to {gain.upper:+.4f}"
    worse = "worse" if gain.upper < 0 else "not worse"
    return f"{month:%Y-%m}", new.card.version, len(rows), f"{gain.value:+.4f}", interval, worse


def _page(
    served: list[tuple[datetime, str, Bools, Floats, Floats]], promotions: list[tuple[object, ...]]
) -> str:
    later = [month for month in served if month[1] != "1"]
    years = []
    for name, months in [
        *((str(year), [m for m in later if m[0].year == year]) for year in (2020, 2021, 2022)),
        ("all later months", later),
    ]:
        if months:
            truth, own, frozen = (np.concatenate([m[part] for m in months]) for part in (2, 3, 4))
            auc = [measure(truth, score, 0.5)["roc_auc"] for score in (own, frozen)]
            kept = [_precision_at(truth, score, 0.8) for score in (own, frozen)]
            years.append((name, len(truth), *auc, *kept))
    columns = ("time", "rows", "ROC AUC served", "ROC AUC of the first model",
               "precision at recall 0.8, served", "of the first model")  # fmt: skip
    count = len(promotions)
    after = ("month", "version", "rows", "gain in ROC AUC", "95% interval", "")
    return "\n\n".join((SETTING, AFTER.format(count), table(after, promotions), FROZEN,
                        table(columns, years)))  # fmt: skip


def _precision_at(truth: Bools, score: Floats, recall: float) -> float:
    """Return the precision at the greatest threshold that reaches a recall."""
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(truth[order])
    place = int(np.searchsorted(hits, recall * truth.sum()))
    return float(hits[place] / (place + 1))


def _month(number: int) -> datetime:
    return datetime(2020 + number // 12, number % 12 + 1, 1, tzinfo=UTC)


def _naive(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None)


def _now() -> datetime:
    return datetime.now(UTC)
