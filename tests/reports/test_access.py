"""The page without a mouse and without eyes: links, focus, names of pictures, order of headings."""

import re
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from reports.gate import judge
from reports.page import render
from reports.template import style

from .conftest import Marts
from .more_marts import check, quality, with_tables
from .reading import Reader


@pytest.fixture(scope="module")
def page(marts: Marts, clock: Callable[[], datetime], tmp_path_factory: Any) -> Reader:
    """A page with every section that these marts can fill."""
    folder: Path = tmp_path_factory.mktemp("access")
    tables = {"fct_quality_metrics": [quality()], "fct_window_checks": [check()]}
    query = with_tables(marts, folder, tables).query
    scope: dict[str, Any] = {"model_name": "drifting", "model_version": "2", "window_grain": "week"}
    verdict = judge(query, folder / "docs", clock=clock, **scope)
    made = render(query, now=clock(), verdict=verdict, docs_link="../docs/index.html", **scope)
    return Reader(made.text)


def of(page: Reader, *tags: str) -> list[dict[str, str]]:
    return [attributes for tag, attributes in page.elements if tag in tags]


def test_every_link_can_be_reached_and_leads_somewhere(page: Reader) -> None:
    places = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    links = of(page, "a")
    assert len(links) > 8
    for link in links:
        target = link["href"]
        assert target == "../docs/index.html" or target.removeprefix("#") in places, target
        assert "tabindex" not in link


def test_what_scrolls_can_be_scrolled_by_keys_and_has_a_name(page: Reader) -> None:
    scrolling = [one for one in of(page, "div") if "scroll" in one.get("class", "").split()]
    assert len(scrolling) > 3
    for region in scrolling:
        assert (region["tabindex"], region["role"]) == ("0", "region")
        assert region["aria-label"]


def test_focus_is_seen(page: Reader) -> None:
    rule = re.search(r"a:focus-visible[^{]*\{([^}]*)\}", str(style("page.css")))
    assert rule is not None
    assert "[tabindex]:focus-visible" in rule.group(0)
    assert re.search(r"outline: 2px solid", rule.group(1))
    assert not re.search(r"outline: *(?:0|none)", str(style("page.css")))


def test_every_picture_has_a_name_or_is_beside_its_numbers(page: Reader) -> None:
    pictures = of(page, "svg")
    assert len(pictures) > 20
    for picture in pictures:
        is_named = picture.get("role") == "img" and bool(picture.get("aria-label"))
        assert is_named or picture.get("aria-hidden") == "true", picture
    named = [one for one in pictures if one.get("role") == "img"]
    assert page.tags.count("title") > len(named)


def test_headings_go_down_one_step_at_a_time_and_tables_have_captions(page: Reader) -> None:
    levels = [int(tag[1]) for tag in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert page.tags.count("caption") == page.tags.count("table")
    assert all("scope" in head for head in of(page, "th"))
    assert dict(of(page, "html")[0])["lang"] == "en"
