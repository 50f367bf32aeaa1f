"""River's detectors behind one small face: made from settings, their numbers written down and back.

River saves a detector by pickle alone, which executes what it reads. Here a detector's own numbers
are kept as JSON: those of DDM, PageHinkley and HDDMA by name, the buckets of ADWIN as the bytes
that its Rust part gives out for them. A detector read back goes on exactly as it would have.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from river.drift import ADWIN, PageHinkley
from river.drift.binary import DDM, HDDMA
from river.stats import Mean

ADWIN_CLOCK: Final = 32  # ADWIN looks for a cut once in so many values

Numbers = Mapping[str, Any]


class Detector(Protocol):
    """What the watch needs of a detector; River's are of this kind."""

    @property
    def drift_detected(self) -> bool:
        """Whether the last value raised an alarm; the next value then starts the detector anew."""
        ...

    def update(self, x: float) -> None:
        """Take one value."""
        ...


@dataclass(frozen=True)
class Settings:
    """How sensitive the detectors of one stream are.

    Parameters
    ----------
    adwin_delta
        ADWIN: confidence of a cut.
    ddm_warm_up, ddm_threshold
        DDM: labels before it may alarm; how many standard deviations over the best rate.
    ph_delta, ph_threshold
        PageHinkley: change that is put up with, and sum that alarms; in standard deviations of
        one value.
    hddma_confidence
        HDDM_A: confidence of an alarm; it advises and has no vote.
    advisers
        Detectors that speak alone, as advice: those that seldom do without a change.
    """

    adwin_delta: float
    ddm_warm_up: int
    ddm_threshold: float
    ph_delta: float
    ph_threshold: float
    hddma_confidence: float
    advisers: tuple[str, ...]


def make_adwin(settings: Settings) -> ADWIN:
    """Return a new ADWIN."""
    return ADWIN(delta=settings.adwin_delta, clock=ADWIN_CLOCK)


def make_ddm(settings: Settings) -> DDM:
    """Return a new DDM."""
    return DDM(warm_start=settings.ddm_warm_up, drift_threshold=settings.ddm_threshold)


def make_page_hinkley(settings: Settings, std: float, rises_only: bool) -> PageHinkley:
    """Return a new PageHinkley for values of a standard deviation."""
    return PageHinkley(
        delta=settings.ph_delta * std,
        threshold=settings.ph_threshold * std,
        mode="up" if rises_only else "both",
    )


def make_hddma(settings: Settings) -> HDDMA:
    """Return a new HDDM_A; it looks for rises."""
    return HDDMA(drift_confidence=settings.hddma_confidence)


def numbers(detector: Detector) -> dict[str, Any]:
    """Return the numbers of a detector, fit for JSON.

    Examples
    --------
    >>> ddm = DDM()
    >>> ddm.update(1.0)
    >>> numbers(ddm)["_p"], numbers(ddm)["_ps_min"]
    ([1.0, 1.0], 'inf')
    """
    found: dict[str, Any] = {}
    for name in _NAMES[type(detector)]:
        value = getattr(detector, name)
        found[name] = _WRITERS.get(type(value), lambda same: same)(value)
    if isinstance(detector, ADWIN):
        found["_helper"] = base64.b64encode(detector._helper.__getstate__()).decode("ascii")
    return found


def restore(detector: Detector, found: Numbers) -> None:
    """Give a new detector of the same settings the numbers of another.

    The numbers must come from the same version of River, unharmed: the file that holds them says
    both (`stream.checkpoint`).
    """
    for name in _NAMES[type(detector)]:
        value = found[name]
        if isinstance(value, list):
            value = Mean._from_state(*value)
        elif isinstance(value, str):
            value = float(value)
        setattr(detector, name, value)
    if isinstance(detector, ADWIN):
        detector._helper.__setstate__(base64.b64decode(found["_helper"], validate=True))


_FLAGS: Final = ("_drift_detected", "_warning_detected")
_NAMES: Final[Mapping[type, tuple[str, ...]]] = {
    ADWIN: ("_drift_detected",),
    DDM: (*_FLAGS, "_p", "_p_min", "_s_min", "_ps_min"),
    PageHinkley: (
        "_drift_detected",
        "_x_mean",
        "_sum_increase",
        "_sum_decrease",
        "_min_increase",
        "_max_decrease",
    ),
    HDDMA: (*_FLAGS, "_x_min", "_x_max", "_z"),
}
_WRITERS: Final[Mapping[type, Callable[[Any], Any]]] = {
    Mean: lambda mean: [mean.n, mean._mean],
    float: lambda number: number if abs(number) != float("inf") else str(number),
}
