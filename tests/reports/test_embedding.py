"""The page's section of vectors: what the marts say of clouds and components, drawn to scale."""

import re
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from reports.axes import ValueAxis, time_axis
from reports.embedding import Embedding, embedding
from reports.gate import judge
from reports.page import render
from reports.rows import Scope, decisions

from .conftest import FIRST, WEEK, Marts, query_on

SCOPE = Scope("steady", "1", "week")
NOW = FIRST + 11 * WEEK
SHIFTS = {1: 0.9, 2: -1.2, 3: 0.1}  # of the last window; before it nothing moves
WEIGHTS = {1: 0.5, 2: 0.3, 3: 0.2}


@pytest.fixture(scope="module")
def with_vectors(marts: Marts, tmp_path_factory: pytest.TempPathFactory) -> Marts:
    """The small marts, with an embedding that moves in the newest week."""
    path = tmp_path_factory.mktemp("vectors") / "driftnet.duckdb"
    shutil.copy(marts.path, path)
    with duckdb.connect(str(path)) as connection:
        columns = [c[0] for c in connection.execute("describe fct_drift_metrics").fetchall()]
        connection.execute(
            """create table fct_embedding_components (model_name varchar, model_version varchar,
            window_grain varchar, window_start_at timestamp, reference_kind varchar,
            segment_name varchar, segment_value varchar, component_number integer,
            wasserstein double, mean_shift double, weight double, contribution double)"""
        )
        for week in range(12):
            start = FIRST + week * WEEK
            is_moved = start == NOW
            parts = {n: abs(SHIFTS[n]) if is_moved else 0.02 for n in SHIFTS}
            total = sum(WEIGHTS[n] * parts[n] for n in parts)
            for kind, name, metric, value in (
                ("embedding", "embedding", "mmd_squared", 0.08 if is_moved else -0.0004),
                ("embedding", "embedding", "pca_wasserstein", total),
                ("covariate", "all_features", "mmd_squared", 0.0007),
            ):
                over = value > 0.03
                row: dict[str, Any] = dict.fromkeys(columns) | {
                    "model_name": "steady",
                    "model_version": "1",
                    "window_grain": "week",
                    "window_start_at": start,
                    "window_end_at": start + WEEK,
                    "is_complete": True,
                    "reference_kind": "training",
                    "segment_name": "all",
                    "segment_value": "all",
                    "drift_kind": kind,
                    "feature_name": name,
                    "metric_name": metric,
                    "metric_value": value,
                    "expected_value": 0.0,
                    "p_value": 0.005 if over else 0.4,
                    "warn_bound": 0.03,
                    "fail_bound": 0.06,
                    "bound_kind": "learnt",
                    "is_significant": over,
                    "is_breach": over,
                    "is_decision": metric == "mmd_squared" and kind == "embedding",
                    "severity": 2 if over else 0,
                    "reference_count": 2000,
                    "current_count": 1500,
                    "reference_is_small": False,
                }
                marks = ", ".join("?" * len(columns))
                connection.execute(
                    f"insert into fct_drift_metrics values ({marks})", [row[c] for c in columns]
                )
            for number, weight in WEIGHTS.items():
                shift = SHIFTS[number] if is_moved else 0.01 * number
                connection.execute(
                    "insert into fct_embedding_components values"
                    " ('steady', '1', 'week', ?, 'training', 'all', 'all', ?, ?, ?, ?, ?)",
                    [start, number, parts[number], shift, weight, weight * parts[number]],
                )
    return Marts(path, query_on(path), marts.models)


def _section(marts: Marts, clock: Callable[[], datetime], docs: Path) -> str:
    scope: dict[str, Any] = {"model_name": "steady", "model_version": "1", "window_grain": "week"}
    verdict = judge(marts.query, docs, clock=clock, **scope)
    page = render(marts.query, now=clock(), verdict=verdict, **scope).text
    return page[page.index('<section id="embedding">') :].split("</section>")[0]


def _found(marts: Marts) -> Embedding:
    axis = time_axis(decisions(marts.query, SCOPE), [], "week", "UTC")
    found = embedding(marts.query, SCOPE, axis, NOW)
    assert found is not None
    return found


def test_the_clouds_are_the_marts_rows_the_embedding_first(with_vectors: Marts) -> None:
    rows = [cloud.row for cloud in _found(with_vectors).clouds]
    assert [(row.feature_name, row.metric_name) for row in rows] == [
        ("embedding", "mmd_squared"),
        ("embedding", "pca_wasserstein"),
        ("all_features", "mmd_squared"),
    ]
    assert [row.metric_value for row in rows] == [0.08, pytest.approx(0.83), 0.0007]
    assert [row.severity for row in rows] == [2, 2, 0]


def test_components_say_how_far_and_to_which_side_and_which_carry_half(
    with_vectors: Marts,
) -> None:
    found = _found(with_vectors)
    assert [c.row.mean_shift for c in found.components] == [0.9, -1.2, 0.1]
    assert sum(c.share for c in found.components) == pytest.approx(1.0)
    assert [c.row.component_number for c in found.carriers] == [1]
    assert found.top_shift == 1.2
    # a bar goes from the middle (500) to its side, the longest to the edge
    bars = [
        re.search(r'class="current" x="([\d.]+)".* width="([\d.]+)"', c.lean)
        for c in found.components
    ]
    assert [(float(b[1]), float(b[2])) for b in bars if b] == [(500, 375), (0, 500), (500, 41.7)]


def test_the_page_has_a_section_of_its_own_for_vectors(
    with_vectors: Marts, clock: Callable[[], datetime], tmp_path: Path
) -> None:
    section = _section(with_vectors, clock, tmp_path / "docs")
    text = re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", section))
    assert "Embedding, as one cloud fail mmd_squared 0.080 ; warns over 0.030" in text
    assert "p 0.005 ; 1,500 rows against 2,000." in text
    assert "All numeric features, as one cloud within informs, does not decide" in text
    assert "2 30.0% of variance 43.4% 1.20 -1.20" in text
    assert section.count("<svg") == 3 + 2 * len(SHIFTS)
    assert section.count('<tr class="carrier"') == 1


def test_without_vectors_there_is_no_section(marts: Marts) -> None:
    axis = time_axis(decisions(marts.query, SCOPE), [], "week", "UTC")
    assert embedding(marts.query, SCOPE, axis, NOW) is None
    assert embedding(marts.query, SCOPE, None, NOW) is None


def test_an_axis_of_small_values_has_round_ticks() -> None:
    assert [tick.label for tick in ValueAxis(0.084).ticks] == [
        "0.08",
        "0.04",
        "0.02",
        "0.01",
        "0.0025",
        "0",
    ]
    assert [tick.label for tick in ValueAxis(1.0).ticks] == ["1", "0.5", "0.25", "0.1", "0"]
