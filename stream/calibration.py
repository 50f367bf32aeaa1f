"""Calibration: the settings whose false alarms on streams without a change are rare.

For each level many streams are drawn: `LABELS` values without a change, then values at a changed
level. Every candidate of every detector runs over the same streams. The table keeps the vote that
notices the change soonest among those that alarm on at most `VOTE_LIMIT` of the unchanged parts
and whose voters alone do so on at most `VOTER_LIMIT`. A detector may advise where at most
`ALONE_LIMIT` do.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from functools import partial
from itertools import product
from statistics import mean, median
from typing import Any, Final

from stream.detectors import (
    ADWIN_CLOCK,
    Detector,
    Settings,
    make_adwin,
    make_ddm,
    make_hddma,
    make_page_hinkley,
)
from stream.drawn import TRIALS, Trial, streams
from stream.panel import TAIL
from stream.policy import VOTERS

STREAMS, LABELS, AFTER, SEED = 200, 10_000, 6_000, 20_261_124
VOTES, WITHIN = 2, 2_000
VOTE_LIMIT, ALONE_LIMIT, VOTER_LIMIT = 0.03, 0.05, 0.2
PH_DELTA: Final = 0.1
ADWIN_GRID: Final = (0.002, 0.02, 0.1)
DDM_GRID: Final = ((1000, 3.0), (1000, 3.5), (2000, 4.0))
PH_GRID: Final = (40.0, 60.0, 90.0, 150.0)
HDDMA_GRID: Final = (0.001, 0.0002)
RUNS: Final = len(ADWIN_GRID) + len(DDM_GRID) + len(PH_GRID)

Runs = list[list[int]]


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
        Is called with 1 after each detector and setting of each level: `RUNS` times a level.

    Returns
    -------
    dict
        ``drawn`` (what was drawn) and ``rows``: kind, mean, the fields of `Settings`, shares of
        streams with a false alarm per detector and of the vote, median delay of the vote after
        the change, and the share of streams on which it missed the change.
    """
    rows = []
    for trial in trials:
        drawn_here = list(streams(trial, seed, count, length, after))
        rows.append(_row(trial, drawn_here, length, after, advance))
    drawn = {"streams": count, "labels": length, "changed": after, "seed": seed}
    return {"drawn": drawn, "rows": rows}


def _row(
    trial: Trial,
    drawn: Sequence[list[float]],
    length: int,
    after: int,
    advance: Callable[[int], object],
) -> dict[str, Any]:
    def tried(*words: Any) -> Runs:
        found = _runs(*words)
        advance(1)
        return found

    is_error = trial.kind == "error"
    marks = drawn if is_error else [[float(not TAIL <= v <= 1 - TAIL) for v in s] for s in drawn]
    std = trial.level.std
    runs: dict[str, dict[Any, Runs]] = {
        "adwin": {
            delta: tried(make_adwin, _settings(adwin_delta=delta), drawn, is_error)
            for delta in ADWIN_GRID
        },
        "ddm": {
            (warm_up, limit): tried(
                make_ddm, _settings(ddm_warm_up=warm_up, ddm_threshold=limit), marks
            )
            for warm_up, limit in DDM_GRID
        },
        "page_hinkley": {
            limit: tried(
                partial(make_page_hinkley, std=std, rises_only=is_error),
                _settings(ph_threshold=limit),
                drawn,
            )
            for limit in PH_GRID
        },
    }
    single = {
        name: {choice: _share(map(_first, found), length) for choice, found in tried.items()}
        for name, tried in runs.items()
    }
    candidates = []
    for choices in product(*(runs[name] for name in VOTERS)):
        picked = dict(zip(VOTERS, choices, strict=True))
        firsts = [
            first_vote(found)
            for found in zip(*(runs[name][picked[name]] for name in VOTERS), strict=True)
        ]
        share = _share(firsts, length)
        alone = {name: single[name][choice] for name, choice in picked.items()}
        is_bad = share > VOTE_LIMIT or max(alone.values()) > VOTER_LIMIT
        delay = mean(_delays(firsts, length, after))
        candidates.append(((is_bad, delay, share), picked, firsts, alone))
    (_, _, share), picked, firsts, alone = min(candidates, key=lambda item: item[0])
    confidence = min(HDDMA_GRID)
    if is_error:
        confidence, alone["hddma"] = _confidence([stream[:length] for stream in drawn])
    delays = _delays(firsts, length, after)
    settings = _settings(
        adwin_delta=picked["adwin"],
        ddm_warm_up=picked["ddm"][0],
        ddm_threshold=picked["ddm"][1],
        ph_threshold=picked["page_hinkley"],
        hddma_confidence=confidence,
        advisers=[name for name, value in alone.items() if value <= ALONE_LIMIT],
    )
    return {
        "kind": trial.kind,
        "mean": trial.mean,
        **asdict(settings),
        "alarm_share": {**alone, "vote": share},
        "median_delay": median(delays),
        "missed_share": round(delays.count(after) / len(delays), 4),
    }


def _confidence(nulls: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Return the loosest confidence of HDDM_A that may advise, or the strictest; and its share."""
    length = len(nulls[0])
    for tried in HDDMA_GRID:
        found = _runs(make_hddma, _settings(hddma_confidence=tried), nulls)
        share = _share(map(_first, found), length)
        if share <= ALONE_LIMIT:
            break
    return tried, share


def _delays(firsts: Sequence[int | None], length: int, after: int) -> list[int]:
    """Return the delays on the streams without a false alarm; a missed change counts as `after`."""
    return [after if at is None else at - length for at in firsts if at is None or at >= length]


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
    rises_only: bool = False,
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


def _share(firsts: Iterable[int | None], length: int) -> float:
    return mean(float(at is not None and at < length) for at in firsts)
