"""The panel of one stream: its detectors, their vote, and what it remembers.

Values come in order. An alarm is a vote: `policy.votes` of the three voters have alarmed within
`policy.within` values. One detector alone is advice. After an alarm the panel learns its level anew
from the next `LEARNED` values and starts fresh detectors: what has become usual is no alarm again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from stream.detectors import (
    ADWIN_CLOCK,
    Detector,
    make_adwin,
    make_ddm,
    make_hddma,
    make_page_hinkley,
    numbers,
    restore,
)
from stream.policy import VOTERS, Kind, Level, Policy

LEARNED: Final = 500
RECENT: Final = 300  # values whose mean an alarm tells as the new level
TAIL: Final = 0.1  # share of the reference in each outer end of a value stream


@dataclass(frozen=True)
class Sign:
    """What the panel has to say of one value.

    Parameters
    ----------
    place
        Index of the value in what was fed.
    kind
        alarm or advice.
    detectors
        Who alarmed: the voters within reach, or the one that advises.
    epoch, count
        How often the panel had started before, and the values since it did, this one included.
    usual, recent
        Mean while nothing changed, and of the last `RECENT` values.
    """

    place: int
    kind: Literal["alarm", "advice"]
    detectors: tuple[str, ...]
    epoch: int
    count: int
    usual: float
    recent: float


class Panel:
    """The detectors of one stream.

    Parameters
    ----------
    kind
        error: 0 or 1, a rise alarms. value: in [0, 1], the place of a value among the reference's,
        any change alarms; DDM and its like then watch the share of values in the outer tenths.
    policy
        Settings and vote.
    level
        Of the reference; None: learnt from the first `LEARNED` values.
    """

    def __init__(self, kind: Kind, policy: Policy, level: Level | None = None) -> None:
        self.kind = kind
        self.epoch = 0
        self._policy = policy
        self._recent: list[float] = []
        self._learnt: list[float] = []
        self._begin(level)

    def _begin(self, level: Level | None) -> None:
        """Start afresh; without a level learn it first."""
        self._level = level
        self._count = 0
        self._before = 0.0
        self._voted: dict[str, int] = {}
        self._learnt = []
        self._detectors: dict[str, Detector] = {}
        if level is not None:
            is_error = self.kind == "error"
            settings = self._policy.settings(self.kind, level)
            self._advisers = settings.advisers
            self._detectors = {
                "adwin": make_adwin(settings),
                "ddm": make_ddm(settings),
                "page_hinkley": make_page_hinkley(settings, level.std, rises_only=is_error),
            }
            if is_error:
                self._detectors["hddma"] = make_hddma(settings)

    def feed(self, values: Sequence[float]) -> list[Sign]:
        """Take values in order; return what there is to say of them."""
        signs: list[Sign] = []
        marks = (
            values if self.kind == "error" else [float(not TAIL <= v <= 1 - TAIL) for v in values]
        )
        place = 0
        while place < len(values):
            if self._level is None:
                place = self._learn(values, place)
                continue
            hit = self._run(values, marks, place)
            if hit is None:
                break
            signs += self._weigh(values, hit)
            place = hit + 1
        self._recent = [*self._recent, *values[-RECENT:]][-RECENT:]
        return signs

    def _learn(self, values: Sequence[float], place: int) -> int:
        taken = values[place : place + LEARNED - len(self._learnt)]
        self._learnt.extend(taken)
        if len(self._learnt) == LEARNED:
            self._begin(Level.of_values(self.kind, self._learnt))
        return place + len(taken)

    def _run(self, values: Sequence[float], marks: Sequence[float], place: int) -> int | None:
        """Feed the detectors until one alarms; return at which value."""
        adwin, hinkley = self._detectors["adwin"], self._detectors["page_hinkley"]
        ddm, hddma = self._detectors["ddm"], self._detectors.get("hddma")
        count = self._count
        hit = None
        for at in range(place, len(values)):
            if not count % ADWIN_CLOCK:
                self._before = adwin.estimation  # type: ignore[attr-defined]
            count += 1
            value, mark = values[at], marks[at]
            adwin.update(value)
            hinkley.update(value)
            ddm.update(mark)
            found = adwin.drift_detected or hinkley.drift_detected or ddm.drift_detected
            if hddma is not None:
                hddma.update(mark)
                found = found or hddma.drift_detected
            if found:
                hit = at
                break
        self._count = count
        return hit

    def _weigh(self, values: Sequence[float], place: int) -> list[Sign]:
        """Count the votes at a value where a detector alarmed."""
        assert self._level is not None  # noqa: S101  (detectors run only at a level)
        spoke = [name for name, item in self._detectors.items() if item.drift_detected]
        if "adwin" in spoke and self.kind == "error" and not self._has_risen():
            spoke.remove("adwin")
        for name in spoke:
            if name in VOTERS:
                self._voted[name] = self._count
        voters = tuple(
            name
            for name in VOTERS
            if name in self._voted and self._count - self._voted[name] < self._policy.within
        )
        seen = [*self._recent, *values[max(0, place + 1 - RECENT) : place + 1]][-RECENT:]
        told = (self.epoch, self._count, self._level.mean, sum(seen) / len(seen))
        if set(voters) & set(spoke) and len(voters) >= self._policy.votes:
            self.epoch += 1
            self._begin(None)
            return [Sign(place, "alarm", voters, *told)]
        return [Sign(place, "advice", (name,), *told) for name in spoke if name in self._advisers]

    def _has_risen(self) -> bool:
        # Behind a cut ADWIN keeps the newer part alone: its mean against that of the whole before.
        return bool(self._detectors["adwin"].estimation > self._before)  # type: ignore[attr-defined]

    def export(self) -> dict[str, Any]:
        """Return everything that the panel remembers, fit for JSON."""
        return {
            "kind": self.kind,
            "epoch": self.epoch,
            "level": None if self._level is None else [self._level.mean, self._level.std],
            "count": self._count,
            "before": self._before,
            "voted": self._voted,
            "learnt": self._learnt,
            "recent": self._recent,
            "detectors": {name: numbers(item) for name, item in self._detectors.items()},
        }

    @classmethod
    def restored(cls, policy: Policy, found: Mapping[str, Any]) -> "Panel":
        """Return the panel that exported this; under its policy it goes on as that would."""
        level = found["level"]
        panel = cls(found["kind"], policy, None if level is None else Level(*level))
        panel.epoch, panel._count = found["epoch"], found["count"]
        panel._before, panel._voted = found["before"], dict(found["voted"])
        panel._learnt, panel._recent = list(found["learnt"]), list(found["recent"])
        for name, item in panel._detectors.items():
            restore(item, found["detectors"][name])
        return panel
