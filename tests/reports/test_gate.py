"""The gate: Great Expectations decides, by the bounds of the rows."""

import re
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from ingest.errors import DriftnetError, InputError
from reports import ruling
from reports.expectations import Checkpoints, Result, expected_failure, open_checkpoints
from reports.gate import judge
from reports.rows import MetricRow, Query
from reports.verdict import Verdict

from .conftest import FIRST, HOSTILE_MODEL, WEEK, Marts

Clock = Callable[[], datetime]


@pytest.fixture(scope="module")
def judged(
    marts: Marts, tmp_path_factory: pytest.TempPathFactory, clock: Clock
) -> dict[str, Verdict]:
    """The verdict of each model, with its data docs kept."""
    folder = tmp_path_factory.mktemp("docs")
    return {
        name: judge(
            marts.query,
            folder / str(number),
            model_name=name,
            model_version=model.version,
            window_grain="week",
            clock=clock,
        )
        for number, (name, model) in enumerate(marts.models.items())
    }


def _judge(marts: Marts, docs: Path, clock: Clock, name: str = "drifting", **more: Any) -> Verdict:
    version = marts.models[name].version
    return judge(
        marts.query,
        docs,
        model_name=name,
        model_version=version,
        window_grain="week",
        clock=clock,
        **more,
    )


def test_a_steady_week_passes(judged: dict[str, Verdict]) -> None:
    verdict = judged["steady"]
    assert (verdict.status, verdict.offenders) == ("pass", ())
    assert verdict.severities == {"covariate": 0, "prediction": 0}
    assert (verdict.evaluated_count, verdict.deciding_count) == (21, 7)


def test_drift_fails_and_names_its_offenders_worst_first(judged: dict[str, Verdict]) -> None:
    verdict = judged["drifting"]
    assert verdict.status == "fail"
    assert [(o.feature_name, o.severity) for o in verdict.offenders] == [
        ("public_suffix", 2),
        ("score", 2),
        ("host_length", 2),
        ("path_depth", 1),
    ]
    assert all(o.metric_name == "psi" for o in verdict.offenders)


def test_the_newest_complete_window_is_judged_and_not_the_open_one(
    judged: dict[str, Verdict],
) -> None:
    assert judged["drifting"].window_start_at == FIRST + 11 * WEEK
    assert judged["drifting"].window_end_at == FIRST + 12 * WEEK


def test_an_offender_holds_the_numbers_of_its_row(marts: Marts, judged: dict[str, Verdict]) -> None:
    for offender in judged["drifting"].offenders:
        [row] = marts.query(
            "select metric_value, warn_bound, fail_bound, q_value, severity from fct_drift_metrics"
            " where model_name = 'drifting' and feature_name = ? and metric_name = 'psi'"
            " and window_start_at = ?",
            [offender.feature_name, FIRST + 11 * WEEK],
        ).to_pylist()
        assert {name: getattr(offender, name) for name in row} == row


def test_a_warning_does_not_fail(marts: Marts, tmp_path: Path, clock: Clock) -> None:
    verdict = judge(
        _only(marts.query, "feature_name in ('path_depth', 'digit_share')"),
        tmp_path / "docs",
        model_name="drifting",
        model_version="2",
        window_grain="week",
        clock=clock,
    )
    assert (verdict.status, verdict.severities) == ("warn", {"covariate": 1})
    assert [o.bound for o in verdict.offenders] == [verdict.offenders[0].warn_bound]


def test_an_older_window_and_one_suite_can_be_judged(
    marts: Marts, tmp_path: Path, clock: Clock
) -> None:
    before = _judge(marts, tmp_path / "a", clock, window_start_at=FIRST + 3 * WEEK)
    assert before.status == "pass"
    outputs = _judge(marts, tmp_path / "b", clock, suites=["prediction"])
    assert outputs.severities == {"prediction": 2}
    assert [o.feature_name for o in outputs.offenders] == ["score"]


def test_with_metrics_the_rows_of_these_metrics_decide(
    marts: Marts, tmp_path: Path, clock: Clock
) -> None:
    verdict = _judge(marts, tmp_path / "docs", clock, metrics=["js_distance"])
    assert {o.metric_name for o in verdict.offenders} == {"js_distance"}
    assert verdict.deciding_count == 7


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"suites": ["weather"]}, "no suite 'weather'"),
        ({"metrics": ["weather"]}, "no metric 'weather'"),
        ({"metrics": ["chi_square"]}, "no bounds to judge by"),
    ],
)
def test_what_cannot_be_judged_by_is_refused(
    marts: Marts, tmp_path: Path, clock: Clock, asked: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        _judge(marts, tmp_path / "docs", clock, **asked)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("unfinished", "the week of 7 June 2021 has not ended"),
        ("blind", "the week of 28 June 2021 has 40 events: too few"),
        ("silent", "the fullest holds 40 events"),
    ],
)
def test_blindness_fails_and_says_why(judged: dict[str, Verdict], name: str, said: str) -> None:
    verdict = judged[name]
    assert (verdict.status, verdict.is_blind) == ("fail", True)
    assert said in verdict.reason
    assert said in verdict.data_docs.read_text()


def test_an_empty_warehouse_and_an_unknown_window_fail(
    marts: Marts, empty_marts: Marts, tmp_path: Path, clock: Clock
) -> None:
    empty = judge(
        empty_marts.query,
        tmp_path / "a",
        model_name="nobody",
        model_version="1",
        window_grain="week",
        clock=clock,
    )
    assert empty.status == "fail"
    assert "no events of model nobody" in empty.reason
    unknown = _judge(marts, tmp_path / "b", clock, window_start_at=FIRST - 50 * WEEK)
    assert unknown.status == "fail"
    assert "no events and was not judged" in unknown.reason
    still_open = _judge(marts, tmp_path / "c", clock, window_start_at=FIRST + 12 * WEEK)
    assert still_open.reason == "the week of 30 August 2021 is not complete yet"


def test_without_great_expectations_there_is_no_verdict(
    marts: Marts, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "great_expectations", None)
    with pytest.raises(DriftnetError, match="needs Great Expectations"):
        _judge(marts, tmp_path / "docs", clock)
    assert not (tmp_path / "docs").exists()


def test_the_failure_is_great_expectations_own(
    marts: Marts, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def everything_succeeds(
        self: Checkpoints, suite: str, rows: Sequence[MetricRow], deciding: Sequence[bool]
    ) -> list[Result]:
        pairs = zip(rows, deciding, strict=True)
        return [Result(row, decides, True, "critical") for row, decides in pairs]

    monkeypatch.setattr(Checkpoints, "run", everything_succeeds)
    with pytest.raises(DriftnetError, match="disagree on"):
        _judge(marts, tmp_path / "docs", clock)


def test_severities_that_bounds_do_not_bear_out_are_an_error(
    marts: Marts, tmp_path: Path, clock: Clock
) -> None:
    with pytest.raises(DriftnetError, match="disagree on digit_share"):
        judge(
            _only(marts.query, "feature_name = 'digit_share'", "* replace (2 as severity)"),
            tmp_path / "docs",
            model_name="drifting",
            model_version="2",
            window_grain="week",
            clock=clock,
        )


def test_great_expectations_agrees_with_the_severities_of_random_rows(
    tmp_path: Path, clock: Clock
) -> None:
    rng = np.random.default_rng(11)
    rows = [_random_row(rng, number) for number in range(300)]
    results = open_checkpoints(tmp_path, clock).run("covariate", rows, [True] * len(rows))
    assert [not result.is_success for result in results] == [expected_failure(row) for row in rows]
    given = [ruling.severity_of(result) for result in results]
    assert given == [row.severity for row in rows]
    assert set(given) == {0, 1, 2}


def test_data_docs_name_each_value_and_bound_and_load_nothing(judged: dict[str, Verdict]) -> None:
    docs = judged["drifting"].data_docs.parent
    [page] = docs.glob("runs/*/validations/covariate/**/*.html")
    text = page.read_text()
    assert "OUT OF BOUNDS: host_length psi is 0.601; warns over 0.103; fails over 0.255" in text
    assert "digit_share js_distance is" in text
    index = (docs / "index.html").read_text()
    assert page.relative_to(docs).as_posix() in index
    for offender in judged["drifting"].offenders:
        assert offender.feature_name in index
    for file in docs.rglob("*.html"):
        assert not re.search(r"<script|<link|<img|(src|href)=\"https?:", file.read_text())


def test_hostile_names_stay_text_in_the_data_docs(judged: dict[str, Verdict]) -> None:
    docs = judged[HOSTILE_MODEL].data_docs.parent
    assert judged[HOSTILE_MODEL].status == "fail"
    for file in docs.rglob("*.html"):
        assert "<img" not in file.read_text()


def test_each_judgement_adds_to_its_data_docs_and_to_no_other_folder(
    marts: Marts, tmp_path: Path, clock: Clock
) -> None:
    docs = tmp_path / "docs"
    _judge(marts, docs, clock, name="silent")
    _judge(marts, docs, clock, name="silent")
    assert len(list((docs / "runs").iterdir())) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["docs"]
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").touch()
    with pytest.raises(InputError, match="not data docs"):
        _judge(marts, mine, clock, name="silent")
    assert (mine / "thesis.txt").exists()


def _only(query: Query, where: str, columns: str = "*") -> Query:
    """Ask with only some of the metric rows there, or with some columns replaced."""
    some = f"from (select {columns} from fct_drift_metrics where {where})"

    def asked(sql: str, parameters: Sequence[object] = ()) -> pa.Table:
        return query(sql.replace("from fct_drift_metrics", some), parameters)

    return asked


def _random_row(rng: np.random.Generator, number: int) -> MetricRow:
    """Return a row whose severity is made by the rule of the marts, in DuckDB."""
    value = None if number % 17 == 0 else float(rng.choice([rng.random(), 0.2, 0.4]))
    warn = None if number % 13 == 0 else 0.2
    fail = None if warn is None or number % 7 == 0 else 0.4
    significant = None if value is None else bool(rng.random() < 0.7)
    [(severity,)] = duckdb.execute(
        """
        select case
            when not coalesce($significant, false) then 0
            when $value > $fail then 2
            when $value > $warn then 1
            else 0
        end
        """,
        {"value": value, "warn": warn, "fail": fail, "significant": significant},
    ).fetchall()
    return MetricRow(
        window_start_at=FIRST,
        window_end_at=FIRST + WEEK,
        is_complete=True,
        segment_name="all",
        segment_value="all",
        drift_kind="covariate",
        feature_name=f"feature_{number}",
        metric_name="psi",
        metric_value=value,
        expected_value=0.01,
        min_detectable_value=0.02,
        p_value=0.01,
        q_value=0.01,
        design_effect=1.0,
        has_design_effect=True,
        warn_bound=warn,
        fail_bound=fail,
        is_decision=True,
        is_significant=significant,
        is_breach=severity > 0,
        severity=severity,
        reference_count=1000,
        current_count=500,
        reference_is_small=False,
    )


def test_forty_features_and_three_metrics_are_judged_in_ten_seconds(
    large_marts: Marts, tmp_path: Path, clock: Clock
) -> None:
    begun = time.perf_counter()
    verdict = _judge(large_marts, tmp_path / "docs", clock, name="large")
    assert verdict.evaluated_count == 120
    assert time.perf_counter() - begun < 10
