from dataclasses import replace
from datetime import datetime

import pytest

from ingest.errors import InputError
from ops.project import variables
from ops.settings import read
from retrain.comparison import Difference
from retrain.policy import Challenge, Facts, Policy, decide, policy_from, wins

POLICY = Policy(failing_windows=2, alarms=1, quality_breaches=1, new_labels=500, cool_down_days=7)
NEW_YEAR = datetime(2024, 1, 1)
QUIET = Facts(datetime(2024, 3, 1), NEW_YEAR, NEW_YEAR, 0, 0, 0, 9_000, None)


@pytest.mark.parametrize(
    ("change", "is_due"),
    [
        ({}, False),
        ({"failing_windows": 1}, False),
        ({"failing_windows": 2}, True),
        ({"alarms": 1}, True),
        ({"quality_breaches": 1}, True),
        ({"alarms": 1, "new_labels": 499}, False),
        ({"alarms": 1, "last_try_at": datetime(2024, 2, 24)}, False),
        ({"alarms": 1, "last_try_at": datetime(2024, 2, 23)}, True),
    ],
)
def test_a_model_is_due_for_a_sign_with_enough_labels_after_a_rest(
    change: dict[str, object], is_due: bool
) -> None:
    assert decide(POLICY, replace(QUIET, **change)).is_due == is_due  # type: ignore[arg-type]


def test_a_sign_that_the_policy_switched_off_does_not_count() -> None:
    assert not decide(replace(POLICY, alarms=0), replace(QUIET, alarms=9)).is_due


def test_by_hand_it_is_always_due() -> None:
    assert decide(POLICY, QUIET, force=True).is_due


def challenge(auc: tuple[float, float], cost: tuple[float, float]) -> Challenge:
    both = [Difference((low + high) / 2, 0.0, low, high, 9, 9) for low, high in (auc, cost)]
    return Challenge(both[0], both[1], 0.9, 0.8)


@pytest.mark.parametrize(
    ("auc", "cost", "is_won"),
    [
        ((0.003, 0.02), (-0.1, 0.1), True),
        ((0.002, 0.02), (-0.1, 0.1), False),
        ((-0.01, 0.30), (0.1, 0.2), False),
        ((0.003, 0.02), (-0.2, -0.1), False),
    ],
    ids=["surely better", "at the margin", "perhaps better", "surely dearer"],
)
def test_a_challenger_takes_over_only_when_it_is_surely_better(
    auc: tuple[float, float], cost: tuple[float, float], is_won: bool
) -> None:
    assert wins(Policy(margin=0.002), challenge(auc, cost)).is_due == is_won


def test_the_shipped_vars_make_a_policy() -> None:
    policy = policy_from(variables(read({})))
    assert policy.margin > 0
    assert (policy.false_negative_cost, policy.false_positive_cost) == (5, 1)


@pytest.mark.parametrize(
    "values",
    [
        {"retrain_margin": 0},
        {"retrain_marjin": 1},
        {"retrain_alarms": "one"},
        {"retrain_window_days": 20, "retrain_held_out_days": 15},
    ],
)
def test_a_var_that_makes_no_policy_is_refused_by_name(values: dict[str, object]) -> None:
    with pytest.raises(InputError, match=next(iter(values))):
        policy_from(values)
