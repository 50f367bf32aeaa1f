"""The whole path, as a person would run it: slow."""

import json
import math
import re
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from tests import cookbook
from tests.ops.demos import DBT, DRIFTNET, run

pytestmark = pytest.mark.slow

VOLATILE = {"computed_at", "measured_at", "invocation_id", "fold_id"}


def line(story: str, kind: str) -> str:
    (found,) = [line for line in story.splitlines() if re.match(rf" {kind}\s+2", line)]
    return found.strip()


def outcome(story: str, kind: str) -> str:
    return re.split(r"\s{2,}", line(story, kind))[3]


def test_the_story_tells_what_was_planted_and_what_was_seen(demo: tuple[Path, str]) -> None:
    home, story = demo
    truth = json.loads((home / "demo" / "truth.json").read_text())
    assert len(truth) == 6
    for drift in truth:
        kind = drift["kind"].replace("_", " ")
        assert outcome(story, kind) == "SEEN", kind
    concept, outage = (line(story, kind) for kind in ("concept", "outage"))
    assert "roc_auc" in concept or "accuracy" in concept
    [silent] = [drift["segment"]["channel"] for drift in truth if drift["kind"] == "outage"]
    assert outage.endswith(silent)
    assert re.search(r"false alarms by week: \d+ of \d+ weeks", story)
    assert re.search(r"verdict on phishing version 1, week of \d{4}-\d{2}-\d{2}: FAIL", story)


def test_every_query_of_the_cookbook_has_an_answer_in_the_demo(demo: tuple[Path, str]) -> None:
    home, _ = demo
    with duckdb.connect(str(home / "published" / "current" / "driftnet.duckdb"), True) as reader:
        for title, sql in cookbook.queries().items():
            assert reader.execute(sql).fetchall(), title


def test_the_places_of_the_story_exist_and_its_query_runs(demo: tuple[Path, str]) -> None:
    home, story = demo
    assert (home / "reports" / "phishing.html").stat().st_size > 10_000
    assert (home / "docs" / "phishing" / "index.html").is_file()
    (query,) = re.findall(r"\.sql\('(.*)'\)\)\"", story)
    with duckdb.connect(str(home / "published" / "current" / "driftnet.duckdb"), True) as reader:
        assert reader.execute(query).fetchall()


def test_a_verdict_of_fail_is_exit_code_3_and_status_remembers_it(demo: tuple[Path, str]) -> None:
    home, _ = demo
    done = run(home, DRIFTNET, "run")
    assert done.returncode == 3, done.stderr
    assert "landed phishing_logs: 0 rows" in done.stdout
    status = json.loads(run(home, DRIFTNET, "status", "--json").stdout)
    assert [verdict["status"] for verdict in status["verdicts"]] == ["fail"]
    assert not status["warehouse"]["is_newer"]
    assert [topic["lag_bytes"] for topic in status["topics"]] == [0, 0]


def test_the_demo_is_not_run_over_one_that_is_kept(demo: tuple[Path, str]) -> None:
    home, _ = demo
    assert run(home, DRIFTNET, "demo", "--home", str(home), "--keep").returncode == 2
    assert (home / "reports" / "phishing.html").is_file()


def test_the_watch_alarms_after_the_concept_drift_and_the_next_build_knows_it(
    demo: tuple[Path, str], tmp_path: Path
) -> None:
    home, _ = demo
    watched = tmp_path / "watched"
    shutil.copytree(home, watched, symlinks=True)
    truth = json.loads((home / "demo" / "truth.json").read_text())
    span = {
        drift["kind"]: tuple(drift[name][:10] for name in ("started_at", "ended_at"))
        for drift in truth
    }
    done = run(watched, DRIFTNET, "watch", "--once")
    assert done.returncode == 0, done.stderr
    log = (watched / "alerts" / "incident_log.json").read_text()
    alarms = [line for line in map(json.loads, log.splitlines()) if line["change"] == "alarm"]
    at = [line["known_at"][:10] for line in alarms if line["feature_name"] == "errors"]
    begun, ended = span["concept"]
    (first, *_) = [day for day in at if day >= begun]
    assert first <= f"{begun[:8]}{int(begun[8:]) + 2:02}", "within two days"
    assert all(begun <= day <= ended for day in at), "other drifts leave the error rate alone"

    built = run(watched, DRIFTNET, "build")
    assert built.returncode == 0, built.stderr
    file = watched / "published" / "current" / "driftnet.duckdb"
    with duckdb.connect(str(file), read_only=True) as reader:
        failed = reader.execute(
            """
            select window_start_at from fct_concept_checks
            where subject_name = 'errors' and check_name = 'alarms' and severity = 2
              and window_grain = 'week'
            """
        ).fetchall()
        told = reader.execute("select * from fct_timeline where kind = 'alarm'").fetchall()
        incidents = reader.execute(
            "select feature_name from fct_incidents where drift_kind = 'concept'"
        ).fetchall()
        errors = {
            kind: reader.execute(
                """
                select avg(cast(is_predicted_positive <> is_actual_positive as integer))
                from fct_labelled_predictions
                where occurred_at between cast(? as timestamp) and cast(? as timestamp)
                """,
                span[kind],
            ).fetchall()[0][0]
            for kind in span
        }
    assert datetime.fromisoformat(begun) in {start for (start,) in failed}
    assert len(told) >= len(alarms), "alarms of segments land too, told or not"
    assert ("errors",) in incidents
    judged = run(watched, DRIFTNET, "gate", "--suite", "concept", "--window", begun)
    assert judged.returncode == 3, judged.stderr
    assert re.search(r"^ concept +errors +alarms ", judged.stdout, re.MULTILINE)
    assert errors.pop("concept") > 0.2
    assert max(errors.values()) < 0.06, "the reference has 0.044"


def test_a_plain_dbt_build_gives_the_tables_of_driftnet_build(
    demo: tuple[Path, str], tmp_path: Path
) -> None:
    home, _ = demo
    (tmp_path / "landing").symlink_to(home / "landing")
    (tmp_path / "models").symlink_to(home / "models")
    places = ["--target-path", str(tmp_path / "target"), "--log-path", str(tmp_path / "logs")]
    words = [DBT, "build", "--project-dir", "dbt_project", "--profiles-dir", "."]
    plain = run(tmp_path, *words, *places)
    assert plain.returncode == 0, plain.stdout
    published = home / "published" / "current" / "driftnet.duckdb"
    with duckdb.connect() as connection:
        connection.execute(f"attach '{tmp_path}/warehouse/driftnet.duckdb' as driftnet (read_only)")
        connection.execute(f"attach '{published}' as published (read_only)")
        marts = connection.execute(
            "select table_name from duckdb_tables() where database_name = 'published'"
        ).fetchall()
        assert len(marts) >= 7
        for (mart,) in marts:
            kinds = connection.execute(f"describe published.{mart}").fetchall()
            columns = [(name, kind) for name, kind, *_ in kinds if name not in VOLATILE]
            told = ""
            if mart == "fct_timeline":  # other rooms told more since; detail holds numbers as text
                told = " where room = 'warehouse'"
                columns = [column for column in columns if column[0] != "detail"]
            floats = [name for name, kind in columns if kind in ("DOUBLE", "DOUBLE[]")]
            exact = [name for name, _ in columns if name not in floats]
            rows = [
                connection.execute(
                    f"select {', '.join(exact + floats)} from {place}.{mart}{told} order by all"
                ).fetchall()
                for place in ("driftnet", "published")
            ]
            assert len(rows[0]) == len(rows[1]), mart
            for one, other in zip(*rows, strict=True):
                assert one[: len(exact)] == other[: len(exact)], mart
                for left, right in zip(one[len(exact) :], other[len(exact) :], strict=True):
                    assert _is_near(left, right), (mart, one)


def _is_near(left: Any, right: Any) -> bool:
    if isinstance(left, list):
        return np.shape(left) == np.shape(right) and np.allclose(left, right, rtol=1e-9, atol=1e-9)
    return left == right or math.isclose(left, right, rel_tol=1e-9)


def test_every_event_of_the_real_stream_is_in_the_warehouse(
    shared_data: Path, real: tuple[Path, str]
) -> None:
    events = shared_data / "url_stream_2019_2022.parquet"
    home, story = real
    with duckdb.connect() as connection:
        held = connection.execute(
            f"""
            select date_trunc('month', ts_utc at time zone 'UTC') as month, count(*) as event_count
            from (select cast(ts_utc as timestamptz) as ts_utc from '{events}')
            where ts_utc >= timestamptz '2020-01-01 00:00:00+00'
            group by month order by month
            """
        ).fetchall()
    file = home / "published" / "current" / "driftnet.duckdb"
    with duckdb.connect(str(file), read_only=True) as reader:
        counted = reader.execute(
            """
            select window_start_at, sum(event_count) from fct_histogram_bins
            where window_grain = 'month' and segment_name = 'all' and feature_name = 'score'
            group by 1 order by 1
            """
        ).fetchall()
    assert [(month, count) for month, count in counted] == [tuple(row) for row in held]
    assert f"equals the file in all {len(held)} months" in story
