import itertools
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from ingest.drifts import EXTENSIONS, PLAN, Drift
from ingest.errors import InputError
from ingest.features import extract
from ingest.synthesize import CHANNELS, SCHEMA, START, Synthesized, synthesize
from ingest.urls import split

WEEK = timedelta(weeks=1)
Rows = list[dict[str, Any]]


def made(folder: Path, drifts: tuple[Drift, ...], seed: int = 1, weeks: int = 3) -> Rows:
    synthesize(folder, seed, weeks=weeks, calm_weeks=1, events_per_week=2000, drifts=drifts)
    return list(pq.read_table(folder / "events.parquet").to_pylist())


def of_week(rows: Rows, week: int) -> Rows:
    begun = START + week * WEEK
    return [row for row in rows if begun <= row["ts_utc"] < begun + WEEK]


def share(rows: Rows, test: Any) -> float:
    return sum(map(bool, map(test, rows))) / len(rows)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    return made(tmp_path_factory.mktemp("calm"), ())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    return synthesize(tmp_path_factory.mktemp("whole"), 42)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    files = {}
    for name, seed in (("one", 5), ("two", 5), ("three", 6)):
        synthesize(tmp_path / name, seed, weeks=2, calm_weeks=1, events_per_week=200, drifts=())
        files[name] = (tmp_path / name / "events.parquet").read_bytes()
    assert files["one"] == files["two"] != files["three"]


def test_the_file_has_the_columns_of_the_contract_in_order_of_time(calm: Rows) -> None:
    assert list(calm[0]) == SCHEMA.names
    moments = [row["ts_utc"] for row in calm]
    assert moments == sorted(moments)
    assert moments[0] >= START
    assert moments[-1] < START + 3 * WEEK


def test_a_label_is_known_after_its_event_and_a_few_never_come(calm: Rows) -> None:
    known = [row for row in calm if row["label"] is not None]
    assert all(row["label_known_at"] > row["ts_utc"] for row in known)
    assert all(row["label_known_at"] is None for row in calm if row["label"] is None)
    hours = [(row["label_known_at"] - row["ts_utc"]) / timedelta(hours=1) for row in known]
    assert 18 < np.median(hours) < 22
    assert 0.95 < len(known) / len(calm) < 0.99


def test_volume_has_a_rhythm_of_days_and_hours(calm: Rows) -> None:
    days = Counter(row["ts_utc"].weekday() for row in calm)
    hours = Counter(row["ts_utc"].hour for row in calm)
    assert days[6] < 0.8 * days[1]
    assert hours[3] < 0.4 * hours[10]


def test_phishing_rows_of_one_day_resemble_each_other(calm: Rows) -> None:
    table: dict[object, Counter[str]] = {}
    for row in calm:
        if row["label"] == 1:
            table.setdefault(row["ts_utc"].date(), Counter())[split(row["url"]).host.suffix] += 1
    names = sorted(set().union(*table.values()))
    counts = np.array([[day[name] for name in names] for day in table.values()], float)
    expected = np.outer(counts.sum(1), counts.sum(0)) / counts.sum()
    freedom = (len(counts) - 1) * (len(names) - 1)
    assert ((counts - expected) ** 2 / expected).sum() / freedom > 1.5  # 1 when days are alike


def test_every_channel_and_class_is_there_in_its_share(calm: Rows) -> None:
    for channel in CHANNELS:
        rows = [row for row in calm if row["source"] == channel.name]
        known = [row for row in rows if row["label"] is not None]
        assert len(rows) / len(calm) == pytest.approx(channel.volume_share, abs=0.02)
        positives = share(known, lambda row: row["label"])
        assert positives == pytest.approx(channel.positive_share, abs=0.05)


def test_a_drift_leaves_the_other_weeks_as_they_are(tmp_path: Path, calm: Rows) -> None:
    for drift in PLAN:
        moved = Drift(drift.kind, 1, 7, drift.size, drift.channel)
        rows = made(tmp_path / drift.kind, (moved,))
        assert of_week(rows, 0) == of_week(calm, 0)
        assert of_week(rows, 2) == of_week(calm, 2)
        assert of_week(rows, 1) != of_week(calm, 1)


def test_a_drift_leaves_the_rows_that_it_does_not_touch_as_they_are(
    tmp_path: Path, calm: Rows
) -> None:
    week = of_week(made(tmp_path, (Drift("covariate", 1, 7, 0.35),)), 1)
    untouched = [row for row in week if "/s/" not in row["url"]]
    before = [json.dumps(row, default=str) for row in of_week(calm, 1)]
    assert {json.dumps(row, default=str) for row in untouched} <= set(before)
    assert [{**row, "url": ""} for row in week] == [{**row, "url": ""} for row in of_week(calm, 1)]


def test_a_covariate_drift_has_its_size_in_both_classes(tmp_path: Path) -> None:
    week = of_week(made(tmp_path, (Drift("covariate", 1, 7, 0.35),)), 1)
    for truth in (0, 1):
        rows = [row for row in week if row["label"] == truth]
        assert share(rows, lambda row: "/s/" in row["url"]) == pytest.approx(0.35, abs=0.05)
    new = {extract(row["url"])["file_extension"] for row in week} & set(EXTENSIONS.values())
    assert new == set(EXTENSIONS.values())


def test_a_prior_drift_moves_the_share_of_positives(tmp_path: Path, calm: Rows) -> None:
    week = of_week(made(tmp_path, (Drift("prior", 1, 7, 0.3),)), 1)
    before, after = (
        np.mean([row["label"] for row in rows if row["label"] is not None])
        for rows in (of_week(calm, 1), week)
    )
    assert after - before == pytest.approx(0.3, abs=0.04)


def test_a_concept_drift_moves_truth_and_leaves_inputs_and_prior(
    tmp_path: Path, calm: Rows
) -> None:
    week = of_week(made(tmp_path, (Drift("concept", 1, 7, 0.4),)), 1)
    calm_week = of_week(calm, 1)
    assert [row["url"] for row in week] == [row["url"] for row in calm_week]
    turned = [
        (old["label"], new["label"])
        for old, new in zip(calm_week, week, strict=True)
        if old["label"] is not None
    ]
    positives = [new for old, new in turned if old == 1]
    assert 1 - np.mean(positives) == pytest.approx(0.4, abs=0.06)
    shift = np.mean([new for _, new in turned]) - np.mean([old for old, _ in turned])
    assert shift == pytest.approx(0.0, abs=0.04)


@pytest.mark.parametrize(
    ("kind", "sign"),
    [("segment", lambda url: "utm_source=" in url), ("broken_field", lambda url: "://" not in url)],
)
def test_a_drift_of_one_channel_touches_no_other(tmp_path: Path, kind: Any, sign: Any) -> None:
    week = of_week(made(tmp_path, (Drift(kind, 1, 7, 0.8, "web_proxy"),)), 1)
    inside = [row for row in week if row["source"] == "web_proxy"]
    outside = [row for row in week if row["source"] != "web_proxy"]
    assert share(inside, lambda row: sign(row["url"])) == pytest.approx(0.8, abs=0.05)
    assert not any(sign(row["url"]) for row in outside)


def test_an_outage_silences_its_channel_alone(tmp_path: Path, calm: Rows) -> None:
    week = of_week(made(tmp_path, (Drift("outage", 1, 7, 1.0, "partner_feed"),)), 1)
    assert week == [row for row in of_week(calm, 1) if row["source"] != "partner_feed"]


def test_the_truth_is_a_file_that_names_kind_time_place_and_size(whole: Synthesized) -> None:
    found = json.loads(whole.truth.read_text())
    assert [item["kind"] for item in found] == [
        "covariate",
        "concept",
        "prior",
        "segment",
        "outage",
        "broken_field",
    ]
    assert found[3] == {
        "drift_id": "d4",
        "kind": "segment",
        "feature_names": ["query_length", "parameter_count", "url_length"],
        "segment": {"channel": "web_proxy"},
        "started_at": "2025-06-23T00:00:00Z",
        "ended_at": "2025-06-30T00:00:00Z",
        "size": 0.8,
        "description": "one channel adds tracking parameters to its URLs",
        "visible_in": "covariate",
    }
    known = {"covariate", "prediction", "label", "quality", "pipeline"}
    assert {item["visible_in"] for item in found} <= known


def test_the_default_plan_has_quiet_weeks_between_its_drifts(whole: Synthesized) -> None:
    found = json.loads(whole.truth.read_text())
    times = [
        tuple(datetime.fromisoformat(item[name]) for name in ("started_at", "ended_at"))
        for item in found
    ]
    assert times[0][0] >= whole.train_until + WEEK
    for (_, before), (after, _) in itertools.pairwise(times):
        assert after - before >= WEEK
    assert times[-1][1] <= whole.end - WEEK
    assert 60_000 < whole.row_count < 70_000


def test_every_invented_host_lies_under_a_public_suffix_or_is_a_test_address(calm: Rows) -> None:
    for row in calm[:2000]:
        host = split(row["url"]).host
        assert host.suffix or host.text.startswith("192.0.2.")
        assert host.label not in {"paypal", "amazon", "google", "microsoft"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start": datetime(2025, 1, 7, tzinfo=UTC)}, "no Monday"),
        ({"weeks": 0}, "weeks is at least 1"),
        ({"drifts": (Drift("covariate", 3, 7, 0.5),)}, "shall be calm"),
        ({"drifts": (Drift("outage", 20, 7, 1.0),)}, "give it a channel"),
        ({"drifts": (Drift("outage", 20, 7, 1.0, "nowhere"),)}, "give it a channel"),
        ({"drifts": (Drift("prior", 20, 7, 1.5),)}, "size is in"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(
    tmp_path: Path, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        synthesize(tmp_path, 1, **arguments)
    assert not (tmp_path / "events.parquet").exists()
