"""Evidently's page of the judged window: what goes in, and what a person without it is told."""

import os
import re
import sys
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from ingest.errors import DriftnetError, InputError
from ops import evidently
from ops.settings import CHECKOUT, Settings
from ops.target import Target
from reports.verdict import Verdict
from tests.warehouse.home import BEGIN, Home, draw

HOSTILE = "<script>alert(1)</script>"
STUB = """#!{python}
import pathlib, shutil, sys
*_, reference, current, page = sys.argv
folder = pathlib.Path({folder!r})
shutil.copy(reference, folder), shutil.copy(current, folder)
pathlib.Path(page).write_text("a page")
"""
SHARED = CHECKOUT / "build" / "evidently" / "bin" / "python"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = Home(tmp_path_factory.mktemp("home"))
    rows = draw(np.random.default_rng(1), 600, BEGIN - timedelta(days=20), 20)
    home.register("toy", rows)
    events = draw(np.random.default_rng(2), 700, BEGIN, 14)
    for event in events[:50]:
        event["features"]["kind"] = HOSTILE
    home.send("toy", [*events, *events[:30]])
    home.land()
    return Settings(home=home.path, surroundings=dict(os.environ))


START = BEGIN.replace(tzinfo=None)


def verdict(start: datetime) -> Verdict:
    ends = start + timedelta(days=7)
    return Verdict("toy", "1", "week", start, ends, "fail", "", BEGIN, Path("index.html"))


def write(settings: Settings, python: Path, start: datetime = START) -> Path:
    return evidently.write_page(settings, Target("toy", "1"), verdict(start), python)


def test_the_two_windows_go_in_each_event_once_and_harmless(
    settings: Settings, tmp_path: Path
) -> None:
    stub = tmp_path / "python"
    stub.write_text(STUB.format(python=sys.executable, folder=str(tmp_path)))
    stub.chmod(0o755)
    page = write(settings, stub)
    assert page == settings.reports / "evidently_report_2024-04-01.html"
    assert page.read_text() == "a page"
    reference, current = (
        pq.read_table(tmp_path / f"{side}.parquet") for side in ("reference", "current")
    )
    assert reference.column_names == ["score", "amount", "item_count", "is_new", "kind"]
    assert reference.num_rows == 600
    assert 250 < current.num_rows < 450
    kinds = current.column("kind").to_pylist()
    assert any("alert(1)" in kind for kind in kinds)
    assert not any("<" in kind for kind in kinds)


def test_without_an_environment_one_line_says_how_to_make_it(settings: Settings) -> None:
    with pytest.raises(InputError, match="`make evidently` makes it"):
        evidently.python_of(settings, Path("/no/such/python"))


def test_an_environment_without_evidently_is_an_error_of_one_line(settings: Settings) -> None:
    with pytest.raises(DriftnetError, match=r"Evidently failed .*: ModuleNotFoundError"):
        write(settings, Path(sys.executable))


def test_a_window_that_is_not_landed_any_more_is_refused(settings: Settings) -> None:
    with pytest.raises(DriftnetError, match="not landed any more"):
        write(settings, Path(sys.executable), datetime(2020, 1, 6))


@pytest.mark.slow
def test_evidently_draws_the_page(settings: Settings) -> None:
    if not SHARED.is_file():
        pytest.skip("no Evidently: `make evidently`")
    text = write(settings, SHARED).read_text()
    assert len(text) > 100_000
    assert "amount" in text
    assert HOSTILE not in text
    assert not re.search(r"<(?:script|link|img)[^>]+(?:src|href)=\"?https?:", text)
