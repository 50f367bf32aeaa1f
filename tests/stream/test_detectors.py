import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from stream.detectors import (
    Detector,
    Settings,
    make_adwin,
    make_ddm,
    make_hddma,
    make_page_hinkley,
    numbers,
    restore,
)

SETTINGS = Settings(0.002, 300, 3.5, 0.1, 20.0, 0.001, ())
MAKERS: dict[str, Callable[[], Detector]] = {
    "adwin": lambda: make_adwin(SETTINGS),
    "ddm": lambda: make_ddm(SETTINGS),
    "page_hinkley": lambda: make_page_hinkley(SETTINGS, 0.3, rises_only=True),
    "page_hinkley both ways": lambda: make_page_hinkley(SETTINGS, 0.3, rises_only=False),
    "hddma": lambda: make_hddma(SETTINGS),
}


def stream_with_changes(seed: int) -> list[float]:
    random = np.random.default_rng(seed)
    rates = np.repeat([0.05, 0.25, 0.05, 0.4], 1500)
    return [float(item) for item in random.random(len(rates)) < rates]


def alarms(detector: Detector, values: list[float]) -> list[int]:
    found = []
    for place, value in enumerate(values):
        detector.update(value)
        if detector.drift_detected:
            found.append(place)
    return found


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_detector_read_back_at_any_point_goes_on_as_it_would_have(name: str, seed: int) -> None:
    values = stream_with_changes(seed)
    whole = alarms(MAKERS[name](), values)
    assert whole, "the stream must be one that this detector alarms on"
    for cut in (0, 1, 31, 32, 1600, whole[0], whole[0] + 1, len(values) - 1):
        first = MAKERS[name]()
        before = alarms(first, values[:cut])
        second = MAKERS[name]()
        restore(second, json.loads(json.dumps(numbers(first), allow_nan=False)))
        after = [cut + place for place in alarms(second, values[cut:])]
        assert before + after == whole, f"cut at {cut}"
        assert numbers(second) == numbers(_fed(MAKERS[name](), values))


def _fed(detector: Detector, values: list[float]) -> Detector:
    alarms(detector, values)
    return detector


def test_the_numbers_of_a_detector_stay_small_however_many_values_it_has_seen() -> None:
    values = (np.random.default_rng(3).random(200_000) < 0.1).astype(float).tolist()
    for name, make in MAKERS.items():
        assert len(json.dumps(numbers(_fed(make(), values)))) < 5_000, name


def test_page_hinkley_in_standard_deviations_does_not_depend_on_the_unit() -> None:
    values = np.random.default_rng(4).normal(0.0, 1.0, 4000)
    values[2000:] += 0.7
    settings = replace(SETTINGS, ph_threshold=60.0)
    places = [
        alarms(make_page_hinkley(settings, unit, rises_only=True), (values * unit).tolist())
        for unit in (1.0, 8.0, 0.125)
    ]
    assert places[0] == places[1] == places[2]
    assert 2000 <= places[0][0] < 2200
