"""The policy over the real years: who served what, and what the first champion would have said."""

import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

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
GROWN = datetime(2021, 8, 1, tzinfo=UTC)  # from here on a fifth of the URLs
EVENED = datetime(2022, 2, 1, tzinfo=UTC)  # from here on a fifth of the positives
KEPT_BUCKETS = 2_000  # of 10,000
#: Months, from January 2020 on, that are replayed and built at once.
BLOCKS = (*(range(month, month + 1) for month in range(11)), range(11, 14), range(14, 17),
          range(17, 19), *(range(month, month + 3) for month in range(19, 34, 3)),
          range(34, 36))  # fmt: skip

#: What the policy reads and what is trained on; the other marts are built once, in the first month.
ASKED = ("fct_drift_metrics", "fct_quality_metrics", "fct_labelled_predictions",
         "fct_histogram_bins")  # fmt: skip

SETTING = """The first champion knows 2019. Then 2020 to 2022 are replayed through whoever serves,
landed and built: month by month until November 2020, then about a quarter at once. From August 2021
on, when the stream grows fivefold by positives (92 to 95 of 100 rows), a fifth of its subjects is
replayed (by their hash); from February 2022 on all negatives and a fifth of the positives, because
a fifth of all had too few negatives to learn from, and was refused. As of the end of each month
`driftnet retrain` decides by the shipped policy: {}. A version that is promoted within a quarter
logs from the next one on; below each month is judged by who was champion in it, on the features as
they were logged. Scores of different versions are pooled as they were given."""
AFTER = """{} promotions were followed by a month. New against old champion on that month, which
neither training nor challenge had seen (interval clustered by registered domain):"""
WRONG = (
    "Of all pairs of a positive and a negative the first champion puts {:.1%} in the wrong order, "
    "the versions that the policy chose {:.1%}: {:.0%} fewer."
)
FROZEN = "Served / the first champion, frozen, over the months that a later version served:"


class Month(NamedTuple):
    """A month that was served: by which version, and what it and the first champion said."""

    begin: datetime
    version: str
    truth: Bools
    own: Floats
    first: Floats


def run(say: Callable[[str], None]) -> str:
    """Replay month by month; retrain when the policy asks; compare with the frozen first model."""
    with tempfile.TemporaryDirectory() as folder:
        settings = replace(read({}), home=Path(folder))
        thinned = _thinned(Path(folder) / "thinned.parquet", GROWN, 2)
        evened = _thinned(Path(folder) / "evened.parquet", EVENED, 0)
        train_initial(EVENTS, BEGIN, settings.models, NAME, 7, _now)
        first = models.load(settings.models, NAME)
        served, promotions, kinds = [], [], Counter[str]()
        before: Model | None = None
        for month, block in ((month, months) for months in BLOCKS for month in months):
            begin, end = _month(month), _month(month + 1)
            if month == block[0]:
                file = EVENTS if begin < GROWN else thinned if begin < EVENED else evened
                _play(settings, file, begin, _month(block[-1] + 1))
            rows = _rows(settings, first, begin, end)
            champion = models.load(settings.models, NAME)
            if before is not None:  # the month after a promotion, unseen by training and challenge
                promotions.append(_after(begin, champion, before, rows))
                before = None
            scores = _score(champion, rows), _score(first, rows)
            served.append(Month(begin, champion.card.version, rows.truth, *scores))
            outcome = learning.retrain(settings, _now, NAME, as_of=_naive(end))
            kinds[outcome.kind] += 1
            say(f"{begin:%Y-%m}: version {champion.card.version}, {len(rows):,} labelled rows;"
                f" {outcome.kind}: {'; '.join(outcome.reasons)[:330]}")  # fmt: skip
            if outcome.kind == "promoted":
                before = champion
    return _page(served, promotions, kinds)


def _thinned(path: Path, start: datetime, whole_label: int) -> Path:
    """Write the rows from a time on: a fifth of them, and all of one label (there is no 2)."""
    table = pq.read_table(EVENTS)
    is_late = pc.greater_equal(table.column("ts_utc"), pa.scalar(start))
    is_kept = pc.or_(
        pc.less(table.column("bucket"), KEPT_BUCKETS), pc.equal(table.column("label"), whole_label)
    )
    pq.write_table(table.filter(pc.and_(is_late, is_kept)), path)
    return path


def _play(settings: Settings, events: Path, begin: datetime, end: datetime) -> None:
    log = LocalLog(settings.log, lambda text: None)
    topics = Topics(settings.predictions_topic, settings.labels_topic)
    scorer = Scorer.load(settings.models, NAME)
    replay(
        events, scorer, log, topics,
        from_=begin, until=end, seed=1, clock=_now, labels_from=BEGIN,
    )  # fmt: skip
    pipeline.land(settings, _now)
    chosen = ("--select", *(f"+{name}" for name in ASKED)) if begin > BEGIN else ()
    pipeline.build(settings, _now, arguments=("--exclude-resource-type", "test", *chosen))


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


def _page(served: list[Month], promotions: list[tuple[object, ...]], kinds: Counter[str]) -> str:
    later = [month for month in served if month.version != "1"]
    years = [(str(y), [m for m in later if m.begin.year == y]) for y in (2020, 2021, 2022)]
    rows = [_compared(name, some) for name, some in (*years, ("all later months", later)) if some]
    columns = ("time", "rows", "positives", "ROC AUC", "mean ROC AUC of the months",
               "precision at recall 0.8", "precision at recall 0.95")  # fmt: skip
    after = ("month", "version", "rows", "gain in ROC AUC", "95% interval", "")
    decided = ", ".join(f"{count} times {kind}" for kind, count in kinds.most_common())
    truth, own, first = (
        np.concatenate([getattr(month, part) for month in later])
        for part in ("truth", "own", "first")
    )
    areas = [1 - _auc(truth, score) for score in (first, own)]
    wrong = WRONG.format(*areas, 1 - areas[1] / areas[0])
    return "\n\n".join((SETTING.format(decided), AFTER.format(len(promotions)),
                        table(after, promotions), FROZEN, table(columns, rows), wrong))  # fmt: skip


def _compared(name: str, months: list[Month]) -> tuple[object, ...]:
    truth, own, first = (
        np.concatenate([getattr(month, part) for month in months])
        for part in ("truth", "own", "first")
    )
    pairs = [
        [_auc(truth, score) for score in (own, first)],
        [
            float(np.mean([_auc(month.truth, getattr(month, part)) for month in months]))
            for part in ("own", "first")
        ],
        *(
            [_precision_at(truth, score, recall) for score in (own, first)]
            for recall in (0.8, 0.95)
        ),
    ]
    cells = (f"{served:.4f} / {frozen:.4f}" for served, frozen in pairs)
    return name, f"{len(truth):,}", f"{truth.mean():.0%}", *cells


def _auc(truth: Bools, score: Floats) -> float:
    found = measure(truth, score, 0.5)["roc_auc"]
    assert found is not None  # every month has both classes
    return found


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
