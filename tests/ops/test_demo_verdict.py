"""The verdict on the demo and on the real stream: six answers, one set of numbers, every suite."""

import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ops import cli
from reports import figures, incidents, wording
from tests.reports.reading import Reader

pytestmark = pytest.mark.slow

Told = tuple[Path, str]
N = r"[\d.,%<]+"


def answers(home: Path) -> dict[str, str]:
    """Return the six answers of a page, as they stand above everything else."""
    page = (home / "reports" / "phishing.html").read_text()
    top = page[: page.index('<section id="calendar">')]
    found = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", top, re.DOTALL)
    return {question: Reader(text).text.strip() for question, text in found}


def begun(home: Path) -> dict[str, str]:
    """Return for each kind of planted drift the Monday on which it begins."""
    truth = json.loads((home / "demo" / "truth.json").read_text())
    return {drift["kind"]: drift["started_at"][:10] for drift in truth}


def asked(home: Path, sql: str, *values: object) -> list[dict[str, Any]]:
    file = home / "published" / "current" / "driftnet.duckdb"
    with duckdb.connect(str(file), read_only=True) as reader:
        rows: list[dict[str, Any]] = (
            reader.sql(sql, params=list(values) or None).to_arrow_table().to_pylist()
        )
        return rows


def test_six_answers_on_the_demo(demo: Told) -> None:
    home, _ = demo
    found = answers(home)
    for question, text in {
        "What": rf"scheme \(psi {N}, fails over {N}\), special_share \(psi {N}, warns",
        "Since when": r"scheme since the week of 21 July 2025 \(new\)",
        "Which bins": rf"scheme: bin new \(not seen when the bins were made\) went from 0% to {N}",
        "Which segment": rf"scheme: most in channel mail_gateway \(psi {N}, {N} events\)",
        "How sure": rf"the largest q-value among them is {N}, with every feature",
        "What next": "Ask what changed at the source of scheme about the week of 21 July 2025",
    }.items():
        assert re.search(text, found[question]), (question, found[question])


def test_six_answers_on_the_real_stream(real: Told) -> None:
    home, _ = real
    found = answers(home)
    for question, text in {
        "What": rf"score \(psi {N}, fails over {N}\), cost \(realised {N}, fails over",
        "Since when": r"score since the week of 26 July 2021 \(\d+ in a row\); cost since",
        "Which bins": rf"score: bin .* went from {N} to {N} of events, {N} of the psi",
        "Which segment": rf"score: most in \w+ [\w.]+ \(psi {N}, {N} events\)",
        "How sure": rf"The 95% limits of cost \(realised, {N} events\), {N} to {N}, leave",
        "What next": r"The model errs more \(cost, since the week of .*\): look at its worst",
    }.items():
        assert re.search(text, found[question]), (question, found[question])


@pytest.mark.parametrize(
    ("suite", "planted", "offender"),
    [
        ("covariate", "covariate", "path_depth"),
        ("embedding", "covariate", "embedding"),
        ("prediction", "prior", "score"),
        ("label", "prior", "label"),
        ("quality", "concept", "roc_auc"),
        ("pipeline", "outage", "partner_feed"),
    ],
)
def test_each_kind_of_offender_fails_the_week_in_which_it_was_planted(
    demo: Told,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    suite: str,
    planted: str,
    offender: str,
) -> None:
    home, _ = demo
    week = begun(home)[planted]
    monkeypatch.setenv("DRIFTNET_HOME", str(home))
    assert cli.call(["gate", "--suite", suite, "--window", week]) == 3
    assert re.search(rf"^ {suite} +{offender} ", capsys.readouterr().out, re.MULTILINE)
    kinds = asked(
        home,
        "select drift_kind from fct_incidents where feature_name = ? and worst_severity = 2"
        " and opened_window_start_at <= ? and last_window_start_at >= ?",
        offender,
        *[datetime.fromisoformat(week)] * 2,
    )
    assert kinds == [{"drift_kind": suite}]


def test_a_calm_week_passes_in_every_suite(
    demo: Told, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DRIFTNET_HOME", str(demo[0]))
    before = datetime.fromisoformat(begun(demo[0])["covariate"]) - timedelta(days=7)
    assert cli.call(["gate", "--window", f"{before:%Y-%m-%d}"]) == 0
    assert "PASS" in capsys.readouterr().out


def test_page_data_docs_alert_and_table_hold_the_same_numbers(
    demo: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, _ = demo
    monkeypatch.setenv("DRIFTNET_HOME", str(home))
    assert cli.call(["gate"]) == 3
    assert cli.call(["report"]) == 0
    assert cli.call(["alert"]) == 0
    rows = asked(
        home,
        "select drift_kind, feature_name, metric_name, metric_value, warn_bound, fail_bound,"
        " q_value, severity from fct_drift_metrics where window_grain = 'week' and is_decision"
        " and reference_kind = 'training' and segment_name = 'all' and severity > 0"
        " and window_start_at = '2025-07-21'",
    )
    assert len(rows) >= 2
    page = Reader((home / "reports" / "phishing.html").read_text())
    verdict = json.loads((home / "reports" / "phishing.verdict.json").read_text())
    docs = home / "docs" / "phishing"
    index = (docs / "index.html").read_text()
    newest = max((docs / "runs").iterdir())
    log = [
        json.loads(line)
        for line in (home / "alerts" / "incident_log.json").read_text().splitlines()
    ]
    for row in rows:
        value, bounds = row["metric_value"], (row["warn_bound"], row["fail_bound"])
        bound = bounds[row["severity"] > 1]
        said = [figures.figure(number) for number in (value, *bounds)]
        # To the last digit where machines read, as figures where people do.
        assert {value, *bounds, row["q_value"]} <= page.numbers
        [of_verdict] = [o for o in verdict["offenders"] if o["feature_name"] == row["feature_name"]]
        assert {name: of_verdict[name] for name in row if name in of_verdict} == {
            name: row[name] for name in row if name != "drift_kind"
        }
        [of_log] = [
            line
            for line in log
            if line["feature_name"] == row["feature_name"]
            and line["since"].startswith("2025-07-21")
        ]
        assert {name: of_log[name] for name in row} == row
        assert "".join(f'<td class="n">{number}</td>' for number in said) in index
        [details] = newest.glob(f"validations/{row['drift_kind']}/**/*.html")
        sentence = f"{row['feature_name']} {row['metric_name']} is {said[0]}; warns over {said[1]};"
        assert f"{sentence} fails over {said[2]}" in details.read_text()
        message = _message(home, row["feature_name"])
        assert f"{row['metric_name']} {said[0]} over its bound {figures.figure(bound)}" in message


def _message(home: Path, feature: str) -> str:
    file = home / "published" / "current" / "driftnet.duckdb"
    with duckdb.connect(str(file), read_only=True) as reader:

        def query(sql: str, values: Any = ()) -> Any:
            return reader.sql(sql, params=list(values) or None).to_arrow_table()

        found = incidents.newest(incidents.changes(incidents.incidents(query)))
        news = [c for c in found if c.incident.feature_name == feature and c.incident.is_open]
        return wording.message(query, news).body
