"""The page as a browser draws it: no sideways scroll, nothing torn, both schemes, and on paper."""

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from reports.gate import judge
from reports.page import render

from .conftest import HOSTILE_MODEL, Marts
from .screenshots import browser, take

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ["drifting", "steady", "silent", HOSTILE_MODEL])
def test_a_browser_draws_the_page_at_both_widths_in_both_schemes_and_on_paper(
    marts: Marts, tmp_path: Path, clock: Callable[[], datetime], name: str
) -> None:
    if browser() is None and not os.environ.get("CI"):
        pytest.skip("no Chromium: apt-get install -y chromium")
    scope: dict[str, Any] = {"model_name": name, "model_version": marts.models[name].version}
    verdict = judge(marts.query, tmp_path / "docs", window_grain="week", clock=clock, **scope)
    page = tmp_path / "page.html"
    made = render(marts.query, window_grain="week", now=clock(), verdict=verdict, **scope)
    page.write_text(made.text)
    *pictures, printed = take(page, tmp_path / "shots")
    sizes = {path.name: path.stat().st_size for path in pictures}
    assert len(sizes) == 4
    assert all(size > 5_000 for size in sizes.values()), sizes
    light, dark = (tmp_path / "shots" / f"page-1280-{scheme}.png" for scheme in ("light", "dark"))
    assert light.read_bytes() != dark.read_bytes()
    assert printed.read_bytes().startswith(b"%PDF")
