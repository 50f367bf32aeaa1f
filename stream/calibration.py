"""Calibration: the settings whose false alarms on streams without a change are rare.

For each level many streams are drawn: `LABELS` values without a change, then values at a changed
level. Every candidate of every detector runs over the same streams; the table keeps the vote that
notices the change soonest among those that alarm on at most `VOTE_LIMIT` of the unchanged parts. A
detector may advise alone where at most `ALONE_LIMIT` do.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from statistics import mean, median
from typing import Any, Final

import numpy as np

from stream.detectors import (
    ADWIN_CLOCK,
    Detector,
    Settings,
    make_adwin,
    make_ddm,
    make_hddma,
    make_page_hinkley,
)
from stream.panel import TAIL
from stream.policy import UNIFORM_STD, VOTERS, Kind, Level

STREAMS, LABELS, AFTER, SEED = 200, 10_000, 6_000, 20_261_124
VOTES, WITHIN = 2, 2_000
VOTE_LIMIT, ALONE_LIMIT = 0.03, 0.05
RATES: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4)
PH_DELTA: Final = 0.1
ADWIN_GRID: Final = (0.002, 0.02, 0.1)
DDM_GRID: Final = ((1000, 3.0), (1000, 3.5), (2000, 4.0))
PH_GRID: Final = (40.0, 60.0, 90.0, 150.0)
HDDMA_GRID: Final = (0.001, 0.0002)

Runs = list[list[int]]


@dataclass(frozen=True)
class Trial:
    """What to draw: a kind of stream at a level, and streams that change."""

    kind: Kind
    mean: float

    @property
    def level(self) -> Level:
        """Return the level before the change."""
        return Level(self.mean, UNIFORM_STD) if self.kind == "value" else Level.of_rate(self.mean)


TRIALS: Final = (*(Trial("error", rate) for rate in RATES), Trial("value", 0.5))


def streams(trial: Trial, seed: int, count: int, length: int, after: int) -> Iterator[list[float]]:
    """Draw streams: `length` values without a change, then `after` values with it.

    The rate of errors doubles (or reaches the middle between it and 1); values, uniform before,
    move up by half a standard deviation (those that would pass 1 stay at 1).
    """
    for number in range(count):
        random = np.random.default_rng([seed, round(trial.mean * 1e6), number])
        drawn = random.random(length + after)
        if trial.kind == "error":
            rates = np.full(length + after, trial.mean)
            rates[length:] = min(2 * trial.mean, (1 + trial.mean) / 2)
            drawn = (drawn < rates).astype(float)
        else:
            drawn[length:] = np.minimum(drawn[length:] + UNIFORM_STD / 2, 1.0)
        yield drawn.tolist()


def calibrate(
    trials: Sequence[Trial] = TRIALS,
    *,
    seed: int = SEED,
    count: int = STREAMS,
    length: int = LABELS,
    after: int = AFTER,
    advance: Callable[[int], object] = lambda steps: None,
) -> dict[str, Any]:
    """Return the table of settings.

    Parameters
    ----------
    trials
        The levels; the table has one row for each.
    seed, count, length, after
        Of the streams.
    advance
        Is called with 1 after each level.

    Returns
    -------
    dict
        ``drawn`` (what was drawn) and ``rows``: kind, mean, the fields of `Settings`, shares of
        streams with a false alarm per detector and of the vote, median delay of the vote after
        the change, and the share of streams on which it missed the change.
    """
    rows = []
    for trial in trials:
        rows.append(_row(trial, list(streams(trial, seed, count, length, after)), length, after))
        advance(1)
    drawn = {"streams": count, "labels": length, "changed": after, "seed": seed}
    return {"drawn": drawn, "rows": rows}


def _row(trial: Trial, drawn: Sequence[list[float]], length: int, after: int) -> dict[str, Any]:
    is_error = trial.kind == "error"
    marks = drawn if is_error else [[float(not TAIL <= v <= 1 - TAIL) for v in s] for s in drawn]
    adwins = {
        d: _runs(lambda s: make_adwin(s), _settings(adwin_delta=d), drawn, is_error)
        for d in ADWIN_GRID
    }
    ddms = {
        pair: _runs(make_ddm, _settings(ddm_warm_up=pair[0], ddm_threshold=pair[1]), marks, False)
        for pair in DDM_GRID
    }
    hinkleys = {
        limit: _runs(
            lambda s: make_page_hinkley(s, trial.level.std, rises_only=is_error),
            _settings(ph_threshold=limit),
            drawn,
            False,
        )
        for limit in PH_GRID
    }
    chosen = []
    for (delta, adwin), (pair, ddm), (limit, hinkley) in product(
        adwins.items(), ddms.items(), hinkleys.items()
    ):
        firsts = [first_vote(runs) for runs in zip(adwin, ddm, hinkley, strict=True)]
        delays = [
            after if at is None else at - length for at in firsts if at is None or at >= length
        ]
        settings = _settings(
            adwin_delta=delta, ddm_warm_up=pair[0], ddm_threshold=pair[1], ph_threshold=limit
        )
        share = _share(firsts, length)
        chosen.append((share > VOTE_LIMIT, mean(delays), share, settings, firsts))
    _, _, share, settings, firsts = min(chosen, key=lambda choice: choice[:3])
    pair = (settings.ddm_warm_up, settings.ddm_threshold)
    voters = zip(
        VOTERS,
        (adwins[settings.adwin_delta], ddms[pair], hinkleys[settings.ph_threshold]),
        strict=True,
    )
    alone = {name: _share([_first(run) for run in runs], length) for name, runs in voters}
    behind = [at for at in firsts if at is None or at >= length]
    confidence = min(HDDMA_GRID)
    if is_error:
        nulls = [stream[:length] for stream in marks]
        for tried in HDDMA_GRID:
            runs = _runs(make_hddma, _settings(hddma_confidence=tried), nulls, False)
            confidence, alone["hddma"] = tried, _share([_first(run) for run in runs], length)
            if alone["hddma"] <= ALONE_LIMIT:
                break
    told = asdict(settings) | {
        "hddma_confidence": confidence,
        "advisers": [name for name, value in alone.items() if value <= ALONE_LIMIT],
    }
    return {
        "kind": trial.kind,
        "mean": trial.mean,
        **told,
        "alarm_share": {**alone, "vote": share},
        "median_delay": median(after if at is None else at - length for at in behind),
        "missed_share": round(behind.count(None) / len(behind), 4),
    }


def _settings(**given: Any) -> Settings:
    plain: dict[str, Any] = {
        "adwin_delta": ADWIN_GRID[0],
        "ddm_warm_up": DDM_GRID[0][0],
        "ddm_threshold": DDM_GRID[0][1],
        "ph_delta": PH_DELTA,
        "ph_threshold": PH_GRID[0],
        "hddma_confidence": HDDMA_GRID[0],
        "advisers": (),
    }
    return Settings(**{**plain, **given})


def _runs(
    make: Callable[[Settings], Detector],
    settings: Settings,
    drawn: Sequence[Sequence[float]],
    rises_only: bool,
) -> Runs:
    return [detections(make(settings), stream, rises_only) for stream in drawn]


def detections(detector: Detector, values: Sequence[float], rises_only: bool = False) -> list[int]:
    """Return the indices at which a detector alarms.

    Parameters
    ----------
    detector
        A new one.
    values
        The stream.
    rises_only
        Of ADWIN: leave out alarms at which its estimate fell.
    """
    found = []
    before = 0.0
    for place, value in enumerate(values):
        if rises_only and not place % ADWIN_CLOCK:
            before = detector.estimation  # type: ignore[attr-defined]
        detector.update(value)
        if detector.drift_detected and not (
            rises_only and detector.estimation <= before  # type: ignore[attr-defined]
        ):
            found.append(place)
    return found


def first_vote(
    runs: Sequence[Sequence[int]], votes: int = VOTES, within: int = WITHIN
) -> int | None:
    """Return where `votes` detectors first have alarmed within so many values.

    Examples
    --------
    >>> first_vote([[10, 5000], [4000], [5900]])
    5000
    """
    last: dict[int, int] = {}
    alarms = sorted((at, who) for who, run in enumerate(runs) for at in run)
    for at, who in alarms:
        last[who] = at
        if sum(at - past < within for past in last.values()) >= votes:
            return at
    return None


def _first(run: Sequence[int]) -> int | None:
    return run[0] if run else None


def _share(firsts: Sequence[int | None], length: int) -> float:
    return sum(at is not None and at < length for at in firsts) / len(firsts)
