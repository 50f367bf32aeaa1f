"""Beside drift the page says what errs and what is broken, and folds what is in order."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from reports.gate import judge
from reports.page import render

from .conftest import Marts
from .more_marts import alarms, check, quality, with_tables
from .reading import Reader

Clock = Callable[[], datetime]
Tables = Mapping[str, Sequence[Mapping[str, Any]]]

ERRS = quality(metric_value=0.80, lower_limit=0.78, upper_limit=0.83, severity=2, is_breach=True)
OF_DRIFTING = {"model_name": "drifting", "model_version": "2"}
PART = ERRS | {"segment_name": "channel", "segment_value": "mail", "metric_value": 0.71}
SILENT = check(
    check_name="channel_volume",
    subject_name="mail",
    check_value=0.0,
    is_low_bad=True,
    warn_bound=0.5,
    fail_bound=0.1,
    severity=2,
    note="0 events, usually 480",
)


def page(marts: Marts, folder: Path, clock: Clock, tables: Tables, name: str = "drifting") -> str:
    query = with_tables(marts, folder, tables).query
    scope: dict[str, Any] = {
        "model_name": name,
        "model_version": marts.models[name].version,
        "window_grain": "week",
    }
    verdict = judge(query, folder / "docs", clock=clock, **scope)
    text = render(query, now=clock(), verdict=verdict, **scope).text
    return re.sub(r"\s+", " ", Reader(text).text)


def test_that_the_model_errs_is_named_however_many_features_drifted(
    marts: Marts, tmp_path: Path, clock: Clock
) -> None:
    text = page(
        marts, tmp_path, clock, {"fct_quality_metrics": [row | OF_DRIFTING for row in (ERRS, PART)]}
    )
    for answer in (
        "public_suffix (psi 0.967, fails over 0.255), roc_auc (realised 0.800, fails under 0.840)",
        "roc_auc since the week of 23 August 2021 (new)",
        "roc_auc: most in channel mail (realised 0.710, 3,600 events)",
        "The 95% limits of roc_auc (realised, 3,600 events), 0.780 to 0.830, leave out what",
        "The model errs more (roc_auc, since the week of 23 August 2021): look at its worst",
    ):
        assert answer in text, answer


def test_a_silent_channel_on_a_calm_week_answers_all_six_questions(
    marts: Marts, tmp_path: Path, clock: Clock
) -> None:
    text = page(marts, tmp_path, clock, {"fct_window_checks": [SILENT]}, "steady")
    for answer in (
        "1 of 8 checks is beyond its fail bound",
        "mail (channel_volume 0, fails under 0.100)",
        "mail since the week of 23 August 2021 (new)",
        "None to name: mail is judged as one number, without bins.",
        "mail: the channel itself.",
        "What the pipeline lost is counted, not estimated.",
        "Mend the pipeline first (mail, since the week of 23 August 2021)",
        "0 events, usually 480",
    ):
        assert answer in text, answer


def test_an_alarm_of_the_watch_on_a_calm_week_is_named_and_says_how_sure(
    marts: Marts, tmp_path: Path, clock: Clock
) -> None:
    rows = [alarms(check_value=2.0, severity=2)]
    text = page(marts, tmp_path, clock, {"fct_concept_checks": rows}, "steady")
    assert "errors (alarms 2.00, fails over 0)" in text
    assert "An alarm needs a vote of detectors that are calibrated on calm streams." in text
    assert "Errors changed about the week of 23 August 2021" in text


def test_a_check_that_is_in_order_for_many_features_is_one_line(
    marts: Marts, tmp_path: Path, clock: Clock
) -> None:
    calm = [
        check(check_name="missing_features", subject_name=f"f{i}", check_value=i / 1000)
        for i in range(9)
    ]
    bad = check(check_name="missing_features", subject_name="lost", check_value=0.9, severity=2)
    text = page(marts, tmp_path, clock, {"fct_window_checks": [*calm, bad]}, "steady")
    assert "missing_features lost" in text
    assert "9 in order" in text
    assert "the nearest to its bounds: f8" in text
    assert " f3 " not in text[text.index("Pipeline and watch") :]
