"""How much of what will be known is known: the reverse-time product limit and its weights."""

from pathlib import Path

import duckdb
import jinja2
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import yaml

Floats = npt.NDArray[np.float64]
CHECKOUT = Path(__file__).resolve().parents[2]
MACRO = CHECKOUT / "dbt_project/packages/driftnet/macros/quality/reverse_product_limit.sql"
DAY, HORIZON, FLOOR = 86_400.0, 30 * 86_400.0, 0.02
AGES = (1, 3, 7)


def known_shares(delay: Floats, room: Floats) -> tuple[Floats, Floats]:
    """Return the delays and their shares by the macro, in order of delay."""
    call = "{{ reverse_product_limit('delays', ['case_id'], 'delay', 'room') }}"
    text = MACRO.read_text() + call
    sql = jinja2.Environment(autoescape=False).from_string(text).render()  # noqa: S701
    delays = pa.table({"case_id": np.zeros(len(delay)), "delay": delay, "room": room})
    with duckdb.connect() as connection:
        connection.register("delays", delays)
        found = connection.execute(f"select delay, known_share from ({sql}) order by 1")
        columns = found.fetchnumpy()
    return columns["delay"], columns["known_share"]


def weights(steps: Floats, shares: Floats, age: Floats) -> Floats:
    """Return what a label of an event of that age counts."""
    place = np.searchsorted(steps, age, side="right") - 1
    share = np.where(place < 0, 0.0, shares[np.maximum(place, 0)])
    return 1 / np.maximum(share, FLOOR)


def test_with_room_for_all_it_is_the_share_of_delays_so_far() -> None:
    rng = np.random.default_rng(1)
    delay = np.round(rng.exponential(5, 400), 1)
    steps, shares = known_shares(delay, np.full(400, 1e9))
    expected = [(delay <= step).mean() for step in steps]
    np.testing.assert_allclose(shares, expected, atol=1e-12)


def test_delays_that_could_not_be_seen_yet_are_made_up_for() -> None:
    rng = np.random.default_rng(2)
    delay, room = rng.exponential(5, 40_000), rng.uniform(0, 30, 40_000)
    seen = delay <= room
    steps, shares = known_shares(delay[seen], room[seen])
    whole = 1 - np.exp(-30 / 5)
    for age in AGES:
        truth = (1 - np.exp(-age / 5)) / whole
        share = shares[np.searchsorted(steps, age, side="right") - 1]
        naive = (delay[seen] <= age).mean()
        assert abs(share - truth) < 0.02
        assert abs(naive - truth) > 0.025


def delays_of(shared_data: Path, year: int) -> tuple[Floats, Floats]:
    """Return submission and delay in seconds, of the labels that came within the horizon."""
    rows = duckdb.execute(
        "select epoch(submission_utc) as at, epoch(verification_utc - submission_utc) as delay"
        " from read_parquet(?) where verification_utc is not null"
        " and year(submission_utc at time zone 'UTC') = ?",
        [str(shared_data / "phishtank_2006_2020.parquet"), year],
    ).fetchnumpy()
    within = rows["delay"] <= HORIZON
    return rows["at"][within], rows["delay"][within]


def test_the_final_count_of_positives_is_foretold_at_one_three_and_seven_days(
    shared_data: Path,
) -> None:
    # What is foretold of odd days is learnt from even days, and the other way round. Only days that
    # have had 30 days by the end of the file have a final count.
    at, delay = delays_of(shared_data, 2020)
    day = np.floor(at / DAY)
    final = (day + 1) * DAY + HORIZON <= at.max() + DAY
    at, delay, day = at[final], delay[final], day[final]
    for age_days, naive_bias in zip(AGES, (-0.44, -0.32, -0.21), strict=True):
        now = (day + age_days) * DAY
        known = at + delay <= now
        expected = 0.0
        for parity in (0, 1):
            learnt = day % 2 != parity
            asked = known & (day % 2 == parity)
            limit = known_shares(delay[learnt], np.full(learnt.sum(), HORIZON))
            expected += weights(*limit, (now - at)[asked]).sum()
        assert abs(expected / len(at) - 1) < 0.10
        assert abs(known.sum() / len(at) - 1 - naive_bias) < 0.01


def test_weighted_precision_is_nearer_than_the_precision_of_what_is_known(
    shared_data: Path,
) -> None:
    # True positives with the delays of 2020, false positives with those of 2019: 200 days, each of
    # 200 events judged positive at a precision of its own, delays drawn with a seed.
    rng = np.random.default_rng(42)
    _, true_delays = delays_of(shared_data, 2020)
    _, false_delays = delays_of(shared_data, 2019)
    limits = {}
    for truth_value, delays in ((True, true_delays), (False, false_delays)):
        delay, room = rng.choice(delays, 5_000), rng.uniform(0, HORIZON, 5_000)
        limits[truth_value] = known_shares(delay[delay <= room], room[delay <= room])
    for age_days in AGES:
        naive, weighted = [], []
        for _ in range(200):
            truth = rng.random(200) < rng.uniform(0.6, 0.95)
            delay = np.where(truth, rng.choice(true_delays, 200), rng.choice(false_delays, 200))
            age = (age_days - rng.random(200)) * DAY
            known = delay <= age
            weight = np.zeros(200)
            for value, limit in limits.items():
                rows = known & (truth == value)
                weight[rows] = weights(*limit, age[rows])
            naive.append(abs(truth[known].mean() - truth.mean()))
            weighted.append(abs(weight[truth].sum() / weight.sum() - truth.mean()))
        print(age_days, np.mean(naive), np.mean(weighted))
        assert np.mean(weighted) < np.mean(naive), age_days


def test_ages_find_their_share_without_a_loop_however_few_they_are_taken_for() -> None:
    profile = yaml.safe_load((CHECKOUT / "profiles.yml").read_text())
    options = profile["driftnet"]["outputs"]["duckdb"]["config_options"]
    sql = "select * from young asof left join delays on young.age >= delays.delay"
    with duckdb.connect() as connection:
        connection.execute("create table young as select i as age from range(10) as t (i)")
        connection.execute("create table delays as select i as delay from range(1000) as t (i)")
        loop = connection.execute(f"explain {sql}").fetchall()[0][1]
        connection.execute(f"set asof_loop_join_threshold = {options['asof_loop_join_threshold']}")
        plan = connection.execute(f"explain {sql}").fetchall()[0][1]
    assert "asof" not in loop.lower()  # else the setting is needed no more
    assert "asof" in plan.lower()
