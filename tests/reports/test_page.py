"""The page: the numbers of the marts, six answers, and nothing that runs or links."""

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from reports import history
from reports.gate import judge
from reports.page import render
from reports.rows import Scope, decisions

from .conftest import FIRST, HOSTILE_LABELS, HOSTILE_MODEL, WEEK, Marts
from .reading import Reader

Clock = Callable[[], datetime]
Pages = Callable[[Marts, str], str]


@pytest.fixture(scope="module")
def page_of(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Pages:
    """Judge a model and render its page, once for each."""
    made: dict[tuple[Path, str], str] = {}

    def page(marts: Marts, name: str) -> str:
        if (marts.path, name) not in made:
            version = marts.models[name].version if name in marts.models else "1"
            scope: dict[str, Any] = {
                "model_name": name,
                "model_version": version,
                "window_grain": "week",
            }
            docs = tmp_path_factory.mktemp("docs") / "docs"
            verdict = judge(marts.query, docs, clock=clock, **scope)
            made[marts.path, name] = render(
                marts.query, now=clock(), verdict=verdict, docs_link="../docs/index.html", **scope
            ).text
        return made[marts.path, name]

    return page


def _text(page: str) -> str:
    return re.sub(r"\s+", " ", Reader(page).text)


def test_the_six_questions_are_answered_first(marts: Marts, page_of: Pages) -> None:
    text = _text(page_of(marts, "drifting"))
    top = text[: text.index("When did what move?")]
    for answer in (
        "In the week of 23 August 2021, 3 of 7 features and outputs are beyond",
        "What public_suffix (psi 0.967, fails over 0.255), score (psi 0.618",
        "public_suffix since the week of 16 August 2021 (2 in a row)",
        "public_suffix: bin new (not seen when the bins were made) went from 2.0% to 31.3%",
        "All traffic as one: 4,000 events against 20,000 of the reference.",
        "the largest q-value among them is <0.0001",
        "Ask what changed at the source of public_suffix about the week of 16 August 2021",
        "The model's output moved: check labelled events",
    ):
        assert answer in top


def test_the_numbers_on_the_page_are_the_numbers_of_the_marts(marts: Marts, page_of: Pages) -> None:
    numbers = Reader(page_of(marts, "drifting")).numbers
    rows = marts.query(
        "select metric_value, expected_value, min_detectable_value, warn_bound, fail_bound,"
        " p_value, q_value, design_effect from fct_drift_metrics"
        " where model_name = 'drifting' and window_start_at = ?",
        [FIRST + 11 * WEEK],
    ).to_pylist()
    parts = marts.query(
        "select psi_part from fct_drift_bins where model_name = 'drifting'"
        " and window_start_at = ? and feature_name = 'public_suffix'",
        [FIRST + 11 * WEEK],
    ).to_pylist()
    asked = {value for row in [*rows, *parts] for value in row.values() if value is not None}
    assert len(asked) > 70
    assert asked <= numbers


def test_the_parts_of_the_bins_sum_to_the_score(marts: Marts, page_of: Pages) -> None:
    page = page_of(marts, "drifting")
    for table in re.findall(r'<table class="bins">.*?</table>', page, re.DOTALL):
        *parts, total = (float(v) for v in re.findall(r'<data value="([^"]+)"', table))
        assert sum(parts) == pytest.approx(total, abs=1e-12)


def test_hostile_text_neither_runs_nor_links(marts: Marts, page_of: Pages) -> None:
    page = page_of(marts, HOSTILE_MODEL)
    reader = Reader(page)
    assert not {"script", "img", "iframe", "object", "link"} & set(reader.tags)
    assert not [name for name, _ in reader.attributes if name.startswith("on")]
    links = [value for name, value in reader.attributes if name in ("href", "src", "xlink:href")]
    assert all(link.startswith(("#", "../docs/")) for link in links)
    assert "javascript:" not in page
    assert "http:" not in page
    assert "evil.example" not in page
    for label in HOSTILE_LABELS:
        assert label not in page
    assert "<script>alert('bin')</script>" in reader.text
    assert "hxxp://paypal-login[.]evil[.]example/" in page
    assert "default-src 'none'" in page


def test_the_page_needs_nothing_from_elsewhere(marts: Marts, page_of: Pages) -> None:
    page = page_of(marts, "drifting")
    assert not re.search(r"https?:|@import|\burl\(|<script|<link", page)


def test_a_steady_week_says_so(marts: Marts, page_of: Pages) -> None:
    text = _text(page_of(marts, "steady"))
    assert "nothing drifted: all 7 features and outputs held." in text
    assert "Nearest to one:" in text
    assert "No input feature is out of bounds in this week." in text
    assert "Score and decision" in text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("unfinished", "no complete window yet: the week of 7 June 2021 has not ended"),
        ("blind", "The windows below were judged before."),
        ("silent", "judge a coarser grain"),
        ("nobody", "land events of this model"),
    ],
)
def test_a_page_without_a_window_says_why_and_what_to_do(
    marts: Marts, page_of: Pages, name: str, said: str
) -> None:
    text = _text(page_of(marts, name))
    assert said in text
    assert "Nothing could be judged" in text
    assert "Every number of" not in text


def test_an_empty_warehouse_has_a_page(empty_marts: Marts, page_of: Pages) -> None:
    assert "nothing has been watched" in _text(page_of(empty_marts, "nobody"))


def test_the_calendar_marks_each_breach_with_its_value(marts: Marts, page_of: Pages) -> None:
    page = page_of(marts, "drifting")
    calendar = page[page.index('id="calendar"') : page.index('id="drifted"')]
    [count] = marts.query(
        "select count(*) as breaches, count(*) filter (severity = 2) as fails from"
        " fct_drift_metrics where model_name = 'drifting' and is_decision and severity > 0",
        [],
    ).to_pylist()
    assert len(re.findall(r'<rect class="(?:warn|fail)', calendar)) == count["breaches"]
    assert len(re.findall(r'<rect class="fail', calendar)) == count["fails"]
    assert "the week of 16 August 2021: fail, psi" in calendar
    assert "(not complete yet)" in calendar


def test_models_side_by_side_keep_to_their_own_rows(marts: Marts, page_of: Pages) -> None:
    assert 'rect class="fail' in page_of(marts, "drifting")
    assert 'rect class="fail' not in page_of(marts, "steady")
    assert "drifting" not in page_of(marts, "steady")


def test_forty_features_and_ninety_weeks_stay_under_two_megabytes(
    large_marts: Marts, page_of: Pages
) -> None:
    page = page_of(large_marts, "large")
    assert len(page.encode()) < 2_000_000
    assert page.count("<article") == 10


def test_a_streak_counts_back_to_its_first_window(marts: Marts) -> None:
    rows = decisions(marts.query, Scope("drifting", "2", "week"))
    tracks = history.tracks(rows, FIRST + 11 * WEEK)
    host = next(track for track in tracks if track.feature_name == "host_length")
    found = history.streak(host.until(FIRST + 11 * WEEK))
    assert found == history.Streak(FIRST + 9 * WEEK, 3)
    assert history.streak(host.until(FIRST + 8 * WEEK)) is None
    assert tracks[0].feature_name == "host_length"
