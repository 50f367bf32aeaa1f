"""Compaction, pruning and settings: state goes on over what changed on disk, or says why not."""

import os
from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest

from ingest.landed import chain
from tests.warehouse.home import BEGIN, Home, draw


@pytest.mark.slow
def test_state_goes_on_over_compacted_and_pruned_files(make_home: Callable[[], Home]) -> None:
    reference = draw(np.random.default_rng(1), 3_000, BEGIN - timedelta(days=60), 60)
    events = draw(np.random.default_rng(2), 900, BEGIN, 9)
    strangers = draw(np.random.default_rng(3), 20, BEGIN, 9)
    home = make_home()
    home.register("toy", reference)
    home.send("late", strangers)
    for part in (events[:200], events[200:400]):
        home.send("toy", part)
        home.label("toy", part, is_positive=True)
        home.land()
    assert home.driftnet("build").returncode == 0

    # files that are folded become one with files that are not
    for part in (events[400:600], events[600:800]):
        home.send("toy", part)
        home.land()
    compacted = home.driftnet("compact")
    assert compacted.stdout.startswith("landing: 6 files are now 2"), compacted
    (folder,) = (home.path / "landing" / "phishing_logs").glob("*/p=*")
    assert chain.listing(folder) == {}
    home.send("toy", events[800:])
    home.land()
    home.build()
    statuses = "select event_status, count(*) from int_predictions group by 1 order by 1"
    assert home.query(statuses) == [("counted", 900), ("held", 20)]
    assert home.query("select count(distinct position) from int_predictions") == [(920,)]

    # a plain build has not been published: nothing is pruned
    refused = home.driftnet("prune", "--older-than", "0")
    assert refused.returncode == 2
    assert "run `driftnet build` first" in refused.stderr
    assert home.driftnet("build").returncode == 0
    pruned = home.driftnet("prune", "--older-than", "0")
    assert "20 rows stay, their events are held" in pruned.stdout, pruned
    cube = home.rows("fct_histogram_bins")

    # what was pruned is not landed again, and a full refresh would lose it
    home.land()
    said = home.refusal("--full-refresh")
    assert "a full refresh would lose windows" in said
    assert "--accept-loss" in said
    assert home.query(statuses) == [("counted", 900), ("held", 20)]

    # held events are read again from what was kept of them
    home.register("late", reference)
    home.build()
    assert home.query(statuses) == [("counted", 920)]
    assert [row for row in home.rows("fct_histogram_bins") if row[0] == "toy"] == cube

    # other settings do not mix with what is there
    said = home.refusal("--vars", "{bins: 20}")
    assert "bins was 10 and is now 20" in said
    assert "driftnet build --full-refresh" in said
    said = home.refusal("--vars", "{window_timezone: {toy: Asia/Tokyo}}")
    assert "window_timezone of toy was UTC and is now Asia/Tokyo" in said
    home.build("--vars", "{window_timezone: {unheard_of: Asia/Tokyo}}")
    home.build("--full-refresh", "--vars", "{bins: 20, accept_lost_windows: true}")
    assert home.query("select count(*) from int_predictions") == [(20,)]


@pytest.mark.slow
def test_a_build_opens_only_the_files_that_are_new(make_home: Callable[[], Home]) -> None:
    home = make_home()
    home.register("toy", draw(np.random.default_rng(1), 3_000, BEGIN - timedelta(days=60), 60))
    events = draw(np.random.default_rng(2), 600, BEGIN, 6)
    home.send("toy", events[:300])
    home.label("toy", events[:300], is_positive=True)
    home.land()
    home.build()
    for path in (home.path / "landing").rglob("*.parquet"):
        path.chmod(0)
        if os.access(path, os.R_OK):  # root may read all: what is no Parquet cannot be read either
            path.rename(path.with_name("kept"))
            path.write_bytes(b"opened")
    home.build()
    home.send("toy", events[300:])
    for path in (home.path / "landing").rglob("*.parquet"):
        path.chmod(0o644)
    for kept in (home.path / "landing").rglob("kept"):  # the writer reads metadata, a build may not
        (kept.parent / chain.file_name(0)).rename(kept.parent / "closed")
        kept.rename(kept.parent / chain.file_name(0))
    home.land()
    for path in (home.path / "landing").rglob(chain.file_name(0)):
        path.chmod(0)
    for closed in (home.path / "landing").rglob("closed"):
        (closed.parent / chain.file_name(0)).unlink()
        closed.rename(closed.parent / chain.file_name(0))
    home.build()
    assert home.query("select event_status, count(*) from int_predictions group by 1") == [
        ("counted", 600)
    ]
