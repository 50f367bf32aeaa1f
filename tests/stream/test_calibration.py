import json

import pytest

from stream.calibration import VOTE_LIMIT, VOTER_LIMIT, calibrate, detections, first_vote
from stream.detectors import make_adwin, make_ddm, make_page_hinkley
from stream.drawn import TRIALS, Trial, streams
from stream.panel import Panel
from stream.policy import TABLE, Level, shipped


def test_the_shipped_table_keeps_what_the_calibration_promises() -> None:
    table = json.loads(TABLE.read_text())
    assert [(row["kind"], row["mean"]) for row in table["rows"]] == [
        (t.kind, t.mean) for t in TRIALS
    ]
    assert table["drawn"] == {
        "streams": 200,
        "labels": 10_000,
        "changed": 6_000,
        "seed": 20_261_124,
    }
    for row in table["rows"]:
        shares = dict(row["alarm_share"])
        assert shares.pop("vote") <= VOTE_LIMIT
        assert all(share <= 0.05 for name, share in shares.items() if name in row["advisers"])
        assert all(share <= VOTER_LIMIT for share in shares.values())


@pytest.mark.slow
def test_the_calibration_makes_the_shipped_table_anew() -> None:
    # One row: all of them take minutes, `driftnet watch --calibrate` makes them.
    (made,) = calibrate([Trial("value", 0.5)])["rows"]
    shipped_rows = json.loads(TABLE.read_text())["rows"]
    assert json.loads(json.dumps(made)) in shipped_rows


def test_the_calibration_tells_where_the_panel_votes() -> None:
    # Detectors by themselves and the panel of the watch agree on the first alarm.
    rate = 0.1
    level = Level.of_rate(rate)
    settings = shipped().settings("error", level)
    for drawn in streams(Trial("error", rate), 77, 5, 3000, 3000):
        runs = [
            detections(make_adwin(settings), drawn, rises_only=True),
            detections(make_ddm(settings), drawn),
            detections(make_page_hinkley(settings, level.std, rises_only=True), drawn),
        ]
        signs = Panel("error", shipped(), level).feed(drawn)
        alarms = [sign.place for sign in signs if sign.kind == "alarm"]
        assert alarms[0] == first_vote(runs)


def test_votes_that_lie_apart_do_not_count_together() -> None:
    assert first_vote([[100], [2099], []]) == 2099
    assert first_vote([[100], [2100], []]) is None
    assert first_vote([[100, 2000], [2100], []]) == 2100
    assert first_vote([[100, 200, 300], [], []]) is None
