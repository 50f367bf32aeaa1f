"""When a new model is trained, and when it takes over: the rules, as values and pure functions."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from ingest.errors import InputError
from retrain.comparison import Difference


@dataclass(frozen=True)
class Policy:
    """The rules; the numbers are vars ``retrain_*`` of the dbt project.

    Parameters
    ----------
    failing_windows
        So many windows at fail since the champion was made ask for a new model; 0: never.
    alarms
        So many alarms of the watch do; 0: never.
    quality_breaches
        So many windows of realised quality below their bound do; 0: never.
    quality_loss
        Where the reference is too short to have learnt such bounds: a window counts whose ROC AUC
        lies, with its upper 95% limit, so far below that of the reference.
    sign_days
        So long a sign asks: what tries of that time did not answer was luck, or will show again.
    new_labels
        No reason counts before so many labels came since the champion was made.
    cool_down_days
        After a try none before so many days have passed.
    window_days
        Rows no older than this are trained on and challenged with.
    half_life_days
        A row that is so many days older than the newest counts half in training; 0: all alike.
    held_out_days
        The newest days are not trained on: their first half sets the threshold, the second is the
        challenge; all of them become the reference.
    maximum_rows
        Of more rows a sample by event id.
    minimum_per_class
        Rows of each class in training and in the challenge.
    minimum_coverage
        Share of the window's events that must have a label.
    margin
        The lower 95% limit of the gain in ROC AUC must beat this; above 0.
    false_negative_cost, false_positive_cost
        Of a positive let through and of a negative stopped, in one unit.
    seed
        Of everything random.
    """

    failing_windows: int = 2
    alarms: int = 1
    quality_breaches: int = 1
    quality_loss: float = 0.02
    sign_days: int = 56
    new_labels: int = 1000
    cool_down_days: int = 7
    window_days: int = 400
    half_life_days: int = 30
    held_out_days: int = 28
    maximum_rows: int = 200_000
    minimum_per_class: int = 100
    minimum_coverage: float = 0.2
    margin: float = 0.002
    false_negative_cost: float = 5.0
    false_positive_cost: float = 1.0
    seed: int = 7

    def __post_init__(self) -> None:
        """Refuse numbers that make no policy."""
        if self.margin <= 0:
            raise InputError(f"retrain_margin is {self.margin}: a challenger needs one above 0")
        if self.held_out_days < 2 or self.window_days < 2 * self.held_out_days:
            raise InputError(
                f"retrain_window_days is {self.window_days}, retrain_held_out_days"
                f" {self.held_out_days}: hold out 2 days or more, and at most half of the window"
            )


def policy_from(values: Mapping[str, Any]) -> Policy:
    """Return the policy of the vars ``retrain_*`` and the costs; what is not named has its default.

    Raises
    ------
    InputError
        A name that no rule has, or a value that is no number.

    Examples
    --------
    >>> policy_from({"retrain_margin": 0.01, "bins": 10}).margin
    0.01
    """
    standard = Policy()
    rules = {_var(item.name): item.name for item in fields(Policy)}
    given = {n: value for n, value in values.items() if n in rules or n.startswith("retrain_")}
    if unknown := sorted(set(given) - set(rules)):
        raise InputError(f"unknown var {unknown[0]}; known are {', '.join(sorted(rules))}")
    for name, value in given.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise InputError(f"var {name} is {value!r}: give a number from 0 on")
    kinds = {rule: type(getattr(standard, rule)) for rule in rules.values()}
    return Policy(**{rules[n]: kinds[rules[n]](value) for n, value in given.items()})


def _var(rule: str) -> str:
    # The costs are those of the quality metrics, written once for both.
    return rule if rule.endswith("_cost") else f"retrain_{rule}"


@dataclass(frozen=True)
class Facts:
    """What is known at a time.

    Parameters
    ----------
    as_of
        That time, UTC, without a zone: nothing later is counted.
    since
        When the champion's knowledge ends: its newest training or reference row.
    signs_since
        The same, or `Policy.sign_days` ago if that is later.
    failing_windows, alarms, quality_breaches
        Since `signs_since`.
    new_labels
        Since `since`.
    last_try_at
        When a model was last trained or refused; None: never.
    """

    as_of: datetime
    since: datetime
    signs_since: datetime
    failing_windows: int
    alarms: int
    quality_breaches: int
    new_labels: int
    last_try_at: datetime | None


@dataclass(frozen=True)
class Decision:
    """Whether to train, and why or why not, in words."""

    is_due: bool
    reasons: tuple[str, ...]


def decide(policy: Policy, facts: Facts, force: bool = False) -> Decision:
    """Say whether a new model is due.

    Examples
    --------
    >>> day = datetime(2024, 3, 1)
    >>> new_year = datetime(2024, 1, 1)
    >>> decide(Policy(), Facts(day, new_year, new_year, 0, 0, 0, 9_000, None)).reasons
    ('no window failed, no alarm, no loss of quality since 2024-01-01',)
    """
    if force:
        return Decision(True, ("asked for by hand",))
    since = f"since {facts.signs_since:%Y-%m-%d}"
    reasons = [
        f"{count} {what} {since}"
        for count, limit, what in (
            (facts.failing_windows, policy.failing_windows, "windows at fail"),
            (facts.alarms, policy.alarms, "alarms of the watch"),
            (facts.quality_breaches, policy.quality_breaches, "windows of quality below its bound"),
        )
        if limit and count >= limit
    ]
    if not reasons:
        few = facts.failing_windows or facts.alarms or facts.quality_breaches
        nothing = "no window failed, no alarm, no loss of quality"
        return Decision(
            False, (f"{'fewer signs than the policy asks for' if few else nothing} {since}",)
        )
    if facts.new_labels < policy.new_labels:
        came = f"only {facts.new_labels:,} labels came since {facts.since:%Y-%m-%d}"
        missing = f"{came}: {policy.new_labels:,} are needed"
        return Decision(False, (*reasons, missing))
    rested = timedelta(days=policy.cool_down_days)
    if facts.last_try_at is not None and facts.as_of - facts.last_try_at < rested:
        tried = f"the last try was on {facts.last_try_at:%Y-%m-%d}"
        cool = f"{tried}: {policy.cool_down_days} days of rest"
        return Decision(False, (*reasons, cool))
    return Decision(True, tuple(reasons))


@dataclass(frozen=True)
class Challenge:
    """How challenger and champion did on the same later rows that neither was trained on."""

    auc: Difference
    cost: Difference
    new_auc: float
    old_auc: float


def wins(policy: Policy, challenge: Challenge) -> Decision:
    """Say whether the challenger takes over.

    It must rank better, surely (the lower 95% limit of the gain in ROC AUC beats the margin) and
    better than chance, and must not cost surely more at its threshold.
    """
    auc, cost = challenge.auc, challenge.cost
    gain = f"ROC AUC {challenge.old_auc:.4f} to {challenge.new_auc:.4f}, gain {_interval(auc)}"
    saving = f"cost saved per event {_interval(cost)}"
    better = auc.lower > policy.margin
    blind = challenge.new_auc <= 0.5
    dearer = cost.upper < 0
    verdict = (
        f"the lower limit {'beats' if better else 'does not beat'} the margin {policy.margin:g}"
    )
    if blind:
        verdict = "no better than chance"
    reasons = (f"{gain}: {verdict}", saving + (": surely dearer" if dearer else ""))
    return Decision(better and not blind and not dearer, reasons)


def _interval(difference: Difference) -> str:
    return f"{difference.value:+.4f} ({difference.lower:+.4f} to {difference.upper:+.4f})"
