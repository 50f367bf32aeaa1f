from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from ingest.errors import InputError
from retrain.comparison import Bools, Floats, auc_gain, cost_saving

Draw = tuple[Bools, Floats, Floats, list[str]]


def by_host(rng: np.random.Generator, hosts: int, size: int, gain: float = 0.0) -> Draw:
    """Draw rows of hosts; class and errors of both models are mostly the host's."""
    host = np.repeat(np.arange(hosts), size)
    truth = np.repeat(rng.random(hosts) < 0.5, size)
    noise = [
        np.repeat(rng.normal(size=hosts), size) + 0.3 * rng.normal(size=len(host)) for _ in "ab"
    ]
    new, old = truth * (1 + gain) + noise[0], truth + noise[1]
    return truth, new, old, [f"h{name}" for name in host]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(5, 60))
def test_the_gain_is_the_difference_of_the_aucs_of_scikit_learn(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.random(count) < 0.5
    truth[:2] = True, False
    new, old = rng.integers(0, 8, (2, count)) / 8  # ties
    found = auc_gain(truth, new, old, [str(place) for place in range(count)])
    assert found.value == pytest.approx(
        roc_auc_score(truth, new) - roc_auc_score(truth, old), abs=1e-12
    )
    back = auc_gain(truth, old, new, [str(place) for place in range(count)])
    assert (back.value, back.error) == pytest.approx((-found.value, found.error), abs=1e-12)


def test_the_error_is_that_of_a_bootstrap_of_hosts() -> None:
    truth, new, old, host = by_host(np.random.default_rng(3), 150, 8)
    found = auc_gain(truth, new, old, host)
    rng = np.random.default_rng(4)
    rows = np.arange(len(truth)).reshape(150, 8)
    gains = []
    for _ in range(1_500):
        again = rows[rng.integers(0, 150, 150)].ravel()
        gains.append(
            roc_auc_score(truth[again], new[again]) - roc_auc_score(truth[again], old[again])
        )
    assert found.error == pytest.approx(np.std(gains), rel=0.1)


def test_with_a_cluster_for_each_row_the_error_is_delongs() -> None:
    rng = np.random.default_rng(5)
    truth = rng.random(400) < 0.4
    new, old = truth + rng.normal(size=400), truth + rng.normal(size=400)
    positive, negative = [(s[truth][:, None], s[~truth][None, :]) for s in (new, old)], None
    assert negative is None
    wins = [(p > n) + 0.5 * (p == n) for p, n in positive]
    parts = [np.asarray(wins[0].mean(axis=a) - wins[1].mean(axis=a)) for a in (1, 0)]
    variance = sum(part.var(ddof=1) / len(part) for part in parts)
    found = auc_gain(truth, new, old, [str(place) for place in range(400)])
    assert found.error == pytest.approx(np.sqrt(variance), rel=0.01)


@pytest.mark.slow
def test_rows_that_come_by_host_alarm_in_one_of_twenty_not_in_half() -> None:
    rng = np.random.default_rng(6)
    alarms = {"clustered": 0, "plain": 0}
    for _ in range(1_000):
        truth, new, old, host = by_host(rng, 80, 12)
        rows = [str(place) for place in range(len(host))]
        for name, cluster in (("clustered", host), ("plain", rows)):
            found = auc_gain(truth, new, old, cluster)
            alarms[name] += abs(found.value) > 1.96 * found.error
    print(f"null alarms of 1,000: {alarms}")
    assert 30 <= alarms["clustered"] <= 85
    assert alarms["plain"] > 300


def test_the_saving_is_what_the_costs_say() -> None:
    truth = np.array([True, True, False, False])
    old = np.array([False, True, True, False])
    new = np.array([True, True, True, False])
    found = cost_saving(truth, new, old, list("abcd"), miss=5, false_alarm=1)
    assert found.value == 5 / 4
    assert found.error == pytest.approx(np.std([5, 0, 0, 0], ddof=1) / 2)


@pytest.mark.parametrize(
    "compare",
    [
        lambda: auc_gain(np.array([True, True]), np.ones(2), np.ones(2), ["a", "b"]),
        lambda: auc_gain(np.array([True, False]), np.ones(2), np.ones(2), ["a", "a"]),
        lambda: cost_saving(np.zeros(0, bool), np.zeros(0, bool), np.zeros(0, bool), [], 1, 1),
    ],
    ids=["one class", "one cluster", "no row"],
)
def test_what_cannot_be_compared_is_refused(compare: Callable[[], object]) -> None:
    with pytest.raises(InputError):
        compare()
