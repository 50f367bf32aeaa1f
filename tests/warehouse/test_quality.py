"""Realised quality is what scikit-learn says; estimated quality is what NannyML published."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pytest
from sklearn import metrics as sk

from tests.study.quality import import_stream, real
from tests.warehouse.home import BEGIN, Home, draw

Rows = list[dict[str, Any]]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
THRESHOLD, BINS, COSTS = 0.5, 10, (1.0, 5.0)
SETTINGS = {"segment_columns": ["is_new"]}


def oracle(score: Floats, decision: Bools, truth: Bools) -> dict[str, float | None]:
    """Return each metric as scikit-learn has it, None where it is not defined."""
    both = truth.any() and not truth.all()
    false_positive, false_negative = (decision & ~truth).sum(), (~decision & truth).sum()
    place = np.searchsorted(np.linspace(0, 1, BINS + 1)[1:-1], score)
    gaps = [abs((truth[place == b] - score[place == b]).sum()) for b in range(BINS)]
    return {
        "accuracy": sk.accuracy_score(truth, decision),
        "precision": sk.precision_score(truth, decision) if decision.any() else None,
        "recall": sk.recall_score(truth, decision) if truth.any() else None,
        "f1": sk.f1_score(truth, decision) if (truth | decision).any() else None,
        "roc_auc": sk.roc_auc_score(truth, score) if both else None,
        "pr_auc": sk.average_precision_score(truth, score) if both else None,
        "brier": sk.brier_score_loss(truth, score),
        "log_loss": sk.log_loss(truth, score, labels=[False, True]),
        "calibration_error": sum(gaps) / len(score),
        "cost": (COSTS[0] * false_positive + COSTS[1] * false_negative) / len(score),
    }


def assert_same(found: dict[str, float | None], expected: dict[str, float | None]) -> None:
    assert set(found) == set(expected)
    for name, value in expected.items():
        if value is None:
            assert found[name] is None, name
        else:
            assert found[name] == pytest.approx(value, abs=1e-9), name


def realised(home: Home, grain: str, start: datetime, segment: str = "all") -> dict[str, Any]:
    return dict(
        home.query(
            "select metric_name, metric_value from fct_quality_metrics where basis = 'realised'"
            f" and window_grain = '{grain}' and window_start_at = '{start:%Y-%m-%d}'"
            f" and segment_value = '{segment}'"
        )
    )


def cases(rng: np.random.Generator) -> dict[str, tuple[Floats, Bools]]:
    """Return scores and truths of a day each."""
    score = rng.beta(1, 2, 3_000)
    tied = rng.integers(0, 11, 500) / 10
    few = rng.random(40)
    return {
        "random": (score, rng.random(3_000) < score),
        "tied": (tied, rng.random(500) < 0.3),
        "one score": (np.full(60, 0.5), rng.random(60) < 0.5),
        "perfect": (few, few > 0.6),
        "upside down": (few, few < 0.4),
        "all positive": (few, np.ones(40, dtype=bool)),
        "all negative": (few, np.zeros(40, dtype=bool)),
        "certain": (np.repeat([0.0, 1.0], 20), rng.random(40) < 0.5),
        "two": (np.array([0.4, 0.6]), np.array([True, False])),
        "one": (np.array([0.7]), np.array([True])),
        "nothing judged positive": (few / 3, few < 0.1),
    }


@pytest.fixture(scope="module")
def drawn() -> dict[str, tuple[Floats, Bools]]:
    return cases(np.random.default_rng(11))


@pytest.fixture(scope="module")
def home(make_home: Callable[[], Home], drawn: dict[str, tuple[Floats, Bools]]) -> Home:
    made = make_home()
    rng = np.random.default_rng(1)
    reference = draw(rng, 4_000, BEGIN - timedelta(days=100), 100)
    truths = [bool(rng.random() < row["score"] ** 2) for row in reference]
    made.register("toy", reference, truths=truths)
    for day, (score, truth) in enumerate(drawn.values()):
        rows = draw(rng, len(score), BEGIN + timedelta(days=day), 1)
        for row, value in zip(rows, score, strict=True):
            row["score"] = float(value)
        made.send("toy", rows)
        for value in (True, False):
            made.label("toy", [r for r, t in zip(rows, truth, strict=True) if t == value], value)
    unlabelled = draw(rng, 300, BEGIN + timedelta(days=len(drawn)), 1)
    made.send("toy", unlabelled)
    made.label("toy", unlabelled[:100], True)
    made.send("toy", draw(rng, 50, BEGIN + timedelta(days=len(drawn) + 1), 1))
    made.land()
    made.build("--vars", json.dumps(SETTINGS))
    return made


def test_each_day_is_what_scikit_learn_says(
    home: Home, drawn: dict[str, tuple[Floats, Bools]]
) -> None:
    for day, (score, truth) in enumerate(drawn.values()):
        found = realised(home, "day", BEGIN + timedelta(days=day))
        assert_same(found, oracle(score, score >= THRESHOLD, truth))


def test_the_week_is_all_of_its_days_together(
    home: Home, drawn: dict[str, tuple[Floats, Bools]]
) -> None:
    week = list(drawn.values())[:7]  # BEGIN is a Monday
    score, truth = (np.concatenate(part) for part in zip(*week, strict=True))
    assert_same(realised(home, "week", BEGIN), oracle(score, score >= THRESHOLD, truth))


def test_what_is_not_defined_is_null_and_says_why(
    home: Home, drawn: dict[str, tuple[Floats, Bools]]
) -> None:
    day = {name: BEGIN + timedelta(days=place) for place, name in enumerate(drawn)}

    def notes(name: str, metric: str) -> list[tuple[Any, ...]]:
        return home.query(
            "select metric_value, note from fct_quality_metrics where basis = 'realised' and"
            f" window_grain = 'day' and segment_name = 'all' and metric_name = '{metric}'"
            f" and window_start_at = '{day[name]:%Y-%m-%d}'"
        )

    assert notes("all positive", "roc_auc") == [(None, "all labels are of one class")]
    assert notes("all negative", "pr_auc") == [(None, "all labels are of one class")]
    assert notes("all negative", "recall") == [(None, "no label is positive")]
    nothing = "nothing judged positive"
    assert notes(nothing, "precision") == [(None, "no labelled event was judged positive")]
    assert notes("random", "roc_auc")[0][1] is None


def test_windows_with_few_labels_are_shown_and_not_judged(
    home: Home, drawn: dict[str, tuple[Floats, Bools]]
) -> None:
    third, none = (BEGIN + timedelta(days=len(drawn) + more) for more in (0, 1))
    rows = home.query(
        "select window_start_at, metric_value is null, label_coverage, is_mature, severity, note"
        " from fct_quality_metrics where basis = 'realised' and metric_name = 'accuracy'"
        " and window_grain = 'day' and segment_name = 'all'"
        f" and window_start_at >= '{third:%Y-%m-%d}' order by 1"
    )
    assert [row[1:] for row in rows] == [
        (False, pytest.approx(1 / 3), False, 0, "too few labels are known yet: shown, not judged"),
        (True, 0, False, 0, "no label is known yet"),
    ]
    assert [row[0].date() for row in rows] == [third.date(), none.date()]


def test_segments_are_told_apart(home: Home, drawn: dict[str, tuple[Floats, Bools]]) -> None:
    counts = home.query(
        "select segment_value, labelled_count from fct_quality_metrics where basis = 'realised'"
        " and window_grain = 'day' and metric_name = 'accuracy' and segment_name = 'is_new'"
        f" and window_start_at = '{BEGIN:%Y-%m-%d}' order by 1"
    )
    assert [value for value, _ in counts] == ["false", "true"]
    assert sum(count for _, count in counts) == len(drawn["random"][0])


def test_limits_hold_the_value_and_shrink_with_the_rows(home: Home) -> None:
    rows = home.query(
        "select basis, metric_name, window_grain, metric_value, lower_limit, upper_limit"
        " from fct_quality_metrics where segment_name = 'all'"
        f" and window_start_at = '{BEGIN:%Y-%m-%d}' and window_grain in ('day', 'month')"
    )
    assert len(rows) == 40
    for basis, name, _, value, lower, upper in rows:
        assert 0 <= lower < upper, (basis, name)
        assert lower - 0.02 <= value <= upper + 0.02, (basis, name)


@pytest.mark.parametrize("table", ["int_realised_quality", "int_estimated_quality"])
def test_small_batches_tell_what_one_tells(home: Home, table: str) -> None:
    def rows() -> list[tuple[Any, ...]]:
        return home.query(
            f"select * from {table}"
            " order by window_grain, window_start_at, segment_name, segment_value"
        )

    at_once = rows()
    batched = json.dumps({**SETTINGS, "batch_rows": 100})
    home.build("--full-refresh", "--select", table, "--vars", batched)
    in_batches = rows()
    assert len(at_once) == len(in_batches) > 0
    for ours, theirs in zip(in_batches, at_once, strict=True):
        assert ours == tuple(
            pytest.approx(value, rel=1e-9, abs=1e-12) if isinstance(value, float) else value
            for value in theirs
        )


@pytest.mark.slow
def test_california_housing_comes_out_as_published(tmp_path: Path, shared_data: Path) -> None:
    published = json.loads((shared_data / "published_numbers.json").read_text())
    expected = published["california_housing"]
    home = import_houses(tmp_path, shared_data)
    estimated = {
        f"{start:%Y-%m}": (value, error, bound)
        for start, value, error, bound in home.query(
            "select window_start_at, metric_value, standard_error, warn_bound"
            " from fct_quality_metrics where basis = 'estimated' and metric_name = 'roc_auc'"
            " and window_grain = 'month' and segment_name = 'all'"
        )
    }
    for month, numbers in expected["cbpe_roc_auc"].items():
        value, error, bound = estimated[month]
        assert value == pytest.approx(numbers["value"], abs=1e-6)
        assert error == pytest.approx(numbers["sampling_error"], rel=0.01)
        assert bound == pytest.approx(expected["cbpe_lower_threshold"], abs=1e-6)
    table = duckdb.execute(
        "select date_trunc('month', timestamp at time zone 'UTC') as month, y_pred_proba,"
        " y_pred = 1 as decision, clf_target = 1 as truth from read_parquet(?)"
        " where period = 'analysis'",
        [str(shared_data / "nannyml_california_housing.parquet")],
    ).fetchnumpy()
    for month in np.unique(table["month"]):
        rows = table["month"] == month
        one = oracle(table["y_pred_proba"][rows], table["decision"][rows], table["truth"][rows])
        assert_same(realised(home, "month", month.astype(datetime)), one)


def import_houses(path: Path, shared_data: Path) -> Home:
    """Import NannyML's example as a user would, and build."""
    home = Home(path)
    file = str(shared_data / "nannyml_california_housing.parquet")
    mapping = "score=y_pred_proba,occurred_at=timestamp,label=clf_target,decision=y_pred"
    done = home.driftnet(
        *("import", file, "--model", "houses", "--map", mapping, "--ignore", "id,period"),
        *("--where", "period = 'analysis'"),
        *("--reference", file, "--reference-where", "period = 'reference'"),
    )
    assert done.returncode == 0, done.stderr
    home.build()
    return home


def told(home: Home) -> list[tuple[Any, ...]]:
    """Return what is told of quality, floats to 9 digits, without by which fold it came."""
    return home.query(
        "select window_grain, window_start_at, segment_name, segment_value, metric_name, basis,"
        " round(metric_value, 9), round(lower_limit, 9), round(upper_limit, 9),"
        " round(warn_bound, 9),"
        " event_count, labelled_count, positive_count, is_mature, severity, note"
        " from fct_quality_metrics order by all"
    )


@pytest.mark.slow
def test_late_labels_and_kills_between_end_in_the_same_tables(
    make_home: Callable[[], Home],
) -> None:
    rng = np.random.default_rng(5)
    reference = draw(rng, 2_000, BEGIN - timedelta(days=60), 60)
    truths = [bool(rng.random() < row["score"]) for row in reference]
    rows = draw(rng, 1_500, BEGIN, 40)
    positive = [row for row in rows if rng.random() < row["score"]]
    negative = [row for row in rows if row not in positive]
    whole, parts = make_home(), make_home()
    batched = ("--vars", "{batch_rows: 200}")
    for home in (whole, parts):
        home.register("toy", reference, truths=truths)
    whole.send("toy", rows)
    whole.label("toy", negative, is_positive=False)
    whole.label("toy", positive, is_positive=True)
    whole.land()
    whole.build()
    parts.label("toy", positive[:200], is_positive=True)
    parts.send("toy", rows[700:])
    parts.land()
    parts.build(*batched)
    parts.send("toy", rows[:700])
    parts.label("toy", negative, is_positive=False)
    parts.land()
    # a build that is killed leaves some tables folded and others not
    parts.build(*batched, "--select", "int_folds int_predictions int_labels int_event_labels")
    parts.label("toy", positive[200:], is_positive=True)
    parts.land()
    parts.build(*batched, "--select", "int_folds int_labels int_event_labels int_realised_quality")
    parts.build(*batched)
    assert told(parts) == told(whole)


@pytest.mark.slow
def test_the_real_stream_is_what_scikit_learn_says(tmp_path: Path, shared_data: Path) -> None:
    real(tmp_path, shared_data, per_week=150)
    home = import_stream(tmp_path / "home")
    rows = duckdb.execute(
        "select date_trunc('week', moment) as week, score, truth from read_parquet(?)",
        [str(tmp_path / "now.parquet")],
    ).fetchnumpy()
    weeks = np.unique(rows["week"])
    assert len(weeks) > 90
    for week in weeks:
        taken = rows["week"] == week
        score, truth = rows["score"][taken], rows["truth"][taken].astype(bool)
        start = week.astype("datetime64[us]").astype(datetime)
        assert_same(realised(home, "week", start), oracle(score, score >= THRESHOLD, truth))
