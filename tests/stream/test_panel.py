import json
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from ingest.errors import InputError
from stream.panel import LEARNED, Panel, Sign
from stream.policy import UNIFORM_STD, Level, Policy, shipped

Values = npt.NDArray[np.float64]
UNIFORM = Level(0.5, UNIFORM_STD)


def bits(seed: int, *parts: tuple[int, float]) -> list[float]:
    random = np.random.default_rng(seed)
    rates = np.concatenate([np.full(count, rate) for count, rate in parts])
    return [float(item) for item in random.random(len(rates)) < rates]


def alarms(signs: list[Sign]) -> list[Sign]:
    return [sign for sign in signs if sign.kind == "alarm"]


def test_a_doubled_rate_alarms_soon_after_the_change_and_not_before() -> None:
    values = bits(1, (6000, 0.05), (4000, 0.10))
    (first, *_) = alarms(Panel("error", shipped(), Level.of_rate(0.05)).feed(values))
    assert 6000 < first.place < 7500
    assert len(first.detectors) >= 2
    assert first.usual == 0.05
    assert first.recent > 0.07


@pytest.mark.parametrize("sizes", [[1], [7, 31, 32, 33], [5000]])
def test_what_a_panel_says_does_not_depend_on_how_the_values_are_cut(sizes: list[int]) -> None:
    values = bits(2, (3000, 0.05), (3000, 0.2), (3000, 0.03), (3000, 0.3))
    whole = Panel("error", shipped(), Level.of_rate(0.05))
    expected = whole.feed(values)
    assert len(alarms(expected)) >= 2
    panel = Panel("error", shipped(), Level.of_rate(0.05))
    found, place, number = [], 0, 0
    while place < len(values):
        size = sizes[number % len(sizes)]
        for sign in panel.feed(values[place : place + size]):
            found.append((place + sign.place, sign.kind, sign.detectors, sign.recent, sign.count))
        # Written down and read back at every cut.
        panel = Panel.restored(shipped(), json.loads(json.dumps(panel.export())))
        place, number = place + size, number + 1
    assert found == [(s.place, s.kind, s.detectors, s.recent, s.count) for s in expected]
    assert panel.export() == whole.export()


def test_a_fall_of_the_error_rate_is_no_alarm() -> None:
    values = bits(3, (5000, 0.2), (5000, 0.02))
    panel = Panel("error", shipped(), Level.of_rate(0.2))
    assert not alarms(panel.feed(values))


def test_adwin_does_vote_when_the_rate_rises() -> None:
    values = bits(3, (5000, 0.05), (5000, 0.2))
    policy = shipped(["votes=3"])
    (first, *_) = alarms(Panel("error", policy, Level.of_rate(0.05)).feed(values))
    assert set(first.detectors) == {"adwin", "ddm", "page_hinkley"}


def test_votes_that_lie_too_far_apart_make_no_alarm() -> None:
    values = bits(4, (5000, 0.05), (5000, 0.1))
    apart = Panel("error", shipped(["within=1"]), Level.of_rate(0.05)).feed(values)
    assert not alarms(apart)
    assert alarms(Panel("error", shipped(), Level.of_rate(0.05)).feed(values))


def test_after_an_alarm_the_new_rate_is_usual() -> None:
    values = bits(5, (4000, 0.05), (20_000, 0.3))
    panel = Panel("error", shipped(), Level.of_rate(0.05))
    found = alarms(panel.feed(values))
    assert len(found) == 1
    assert panel.export()["level"][0] == pytest.approx(0.3, abs=0.06)
    (again,) = alarms(panel.feed(bits(6, (6000, 0.6))))
    assert (found[0].epoch, again.epoch) == (0, 1)


def test_without_a_reference_the_level_is_learnt_from_the_first_values() -> None:
    panel = Panel("error", shipped())
    panel.feed(bits(7, (LEARNED - 1, 0.1)))
    assert panel.export()["level"] is None
    panel.feed([0.0])
    assert panel.export()["level"][0] == pytest.approx(0.1, abs=0.04)


def drawn_then(change: Callable[[Values], Values]) -> list[float]:
    values = np.random.default_rng(8).random(8000)
    return [*values[:5000].tolist(), *change(values[5000:]).tolist()]


def test_values_alarm_when_they_move_up_or_down() -> None:
    for move in (lambda old: np.minimum(old + 0.2, 1.0), lambda old: np.maximum(old - 0.2, 0.0)):
        found = alarms(Panel("value", shipped(), UNIFORM).feed(drawn_then(move)))
        assert found
        assert all(5000 <= sign.place < 7000 for sign in found)


def test_values_that_only_spread_get_the_vote_of_ddm_which_counts_the_outer_tenths() -> None:
    values = drawn_then(lambda old: np.where(old < 0.5, old * old, 1 - (1 - old) ** 2))
    panel = Panel("value", shipped(["ddm_threshold=4"]), UNIFORM)
    panel.feed(values[:6000])
    assert panel.export()["voted"].keys() == {"ddm"}
    assert panel.export()["voted"]["ddm"] > 5000


def test_a_policy_says_which_of_its_settings_it_does_not_know() -> None:
    with pytest.raises(InputError, match=r"adwin_dleta=0\.1: no such setting; known: votes"):
        shipped(["adwin_dleta=0.1"])
    for wrong in ("votes=4", "votes=1.5", "within=0", "adwin_delta=2", "ph_delta=", "ph_delta=nan"):
        with pytest.raises(InputError, match=wrong.partition("=")[0]):
            shipped([wrong])


def test_a_stream_gets_the_settings_of_the_nearest_level() -> None:
    policy = shipped()
    by_rate = dict(policy.rows["error"])
    assert policy.settings("error", Level.of_rate(0.055)) == by_rate[0.05]
    assert policy.settings("error", Level.of_rate(0.0)) == by_rate[min(by_rate)]


def test_policies_are_told_apart_by_their_mark() -> None:
    marks = {
        policy.mark() for policy in (shipped(), shipped(["votes=3"]), shipped(["ph_delta=0.2"]))
    }
    assert len(marks) == 3
    assert shipped().mark() == shipped().mark()
    assert isinstance(shipped(), Policy)
