"""Do the probabilities keep their promise? Null alarms, false discoveries, power, real sources."""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
from scipy import optimize

from tests.measured import Say, table
from tests.sql.macros import statistics
from tests.sql.real_days import Month, months, shared_stream

TITLE = "Calibration of the statistics"
Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Sides = tuple[Counts, Counts]
SIZES = (200, 1_000, 10_000, 100_000, 1_000_000)
TRIALS = 4_000
CATEGORY_TRIALS = 1_000
CATEGORIES = 50


def run(say: Say) -> str:
    """Try everything and return the page's section."""
    intro = (
        "Seeded; by the package's own macros. An alarm is p <= 0.05 in a window that has not"
        f" drifted; {TRIALS:,} trials a cell ({CATEGORY_TRIALS:,} for categories), so a rate of"
        " 5% is known to 0.7 (1.4) points, two standard errors."
    )
    parts = [
        intro,
        _null_section(say),
        _correlation_section(say),
        _discovery_section(say),
        _power_section(say),
        _real_section(say),
    ]
    return "\n\n".join(parts)


def _alarms(p_value: Floats) -> float:
    return float(np.mean(p_value[~np.isnan(p_value)] <= 0.05))


def _percent(share: float) -> str:
    return f"{share:.1%}"


# Null cases: each gives both sides for given sizes.


def quantile_bins(rng: np.random.Generator, n: int, m: int, atoms: Floats) -> Sides:
    """Bins by the rule: atoms of their own, the rest cut at the reference's own quantiles.

    Between two order statistics of a continuous variable the true mass is Dirichlet.
    """
    rest = 1 - atoms.sum()
    bins = int(max(2, min(10, n * rest // 100)))
    x_atoms = rng.multinomial(n, [*atoms, rest], size=TRIALS)
    reference, current = [], []
    for row in x_atoms:
        edges = np.floor(np.arange(bins + 1) * row[-1] / bins).astype(np.int64)
        x_rest = np.diff(edges)
        mass = rng.dirichlet(np.r_[x_rest[:-1], x_rest[-1] + 1].astype(np.float64)) * rest
        shares = np.r_[atoms, mass]
        reference.append(np.r_[row[:-1], x_rest])
        current.append(rng.multinomial(m, shares / shares.sum()))
    return np.array(reference), np.array(current)


def plain(rng: np.random.Generator, n: int, m: int) -> Sides:
    """Fifty bins of equal shares that nobody chose by the data."""
    shares = np.full(50, 0.02)
    return rng.multinomial(n, shares, size=TRIALS), rng.multinomial(m, shares, size=TRIALS)


def categories(rng: np.random.Generator, n: int, m: int, campaign_share: float) -> Sides:
    """Zipf's categories, chosen on one half of the reference's days and counted on the other.

    With campaigns a share of the rows of each day has a value that no other day has.
    """
    values = 2_000
    shares = 1 / np.arange(1, values + 1)
    shares = shares / shares.sum()
    days = 30
    reference, current = [], []
    for _ in range(CATEGORY_TRIALS):
        campaigns = [int(rng.binomial(size, campaign_share)) for size in (n, n, m)]
        chosen = rng.multinomial(n - campaigns[0], shares)
        # the campaigns of the choosing days are candidates, one value a day
        sizes = rng.multinomial(campaigns[0], np.full(days, 1 / days))
        candidates = np.r_[chosen, sizes]
        order = np.lexsort((np.arange(len(candidates)), -candidates))
        top = [index for index in order[:CATEGORIES] if candidates[index] > 0]
        seen = candidates > 0
        sides = []
        for total, campaign in ((n, campaigns[1]), (m, campaigns[2])):
            counted = np.r_[rng.multinomial(total - campaign, shares), np.zeros(days, np.int64)]
            kept = np.zeros(CATEGORIES, dtype=np.int64)
            kept[: len(top)] = counted[top]
            other = int(counted[seen].sum() - kept.sum())
            new = int(counted[~seen].sum()) + campaign
            sides.append(np.r_[kept, other, new])
        reference.append(sides[0])
        current.append(sides[1])
    return np.array(reference), np.array(current)


NULLS: dict[str, Callable[[np.random.Generator, int, int], Sides]] = {
    "bins by the rule": lambda rng, n, m: quantile_bins(rng, n, m, np.array([])),
    "two atoms (40%, 15%) and the rest by the rule": lambda rng, n, m: quantile_bins(
        rng, n, m, np.array([0.4, 0.15])
    ),
    "50 plain bins": plain,
    "Zipf categories with unseen values": lambda rng, n, m: categories(rng, n, m, 0.0),
    "the same with campaigns (10% of rows)": lambda rng, n, m: categories(rng, n, m, 0.1),
}


def _null_section(say: Say) -> str:
    lines, rates = [], []
    for name, make in NULLS.items():
        for n in SIZES:
            row: list[object] = [name if n == SIZES[0] else "", f"{n:,}"]
            for m in SIZES:
                rng = np.random.default_rng([n, m])
                rate = _alarms(statistics(*make(rng, n, m))["p_value"])
                rates.append(rate)
                row.append(_percent(rate))
            say(" ".join(map(str, row)))
            lines.append(row)
    inside = np.mean([0.03 <= rate <= 0.07 for rate in rates])
    return (
        "### Null alarms, by rows of the reference (down) and of the window (across)\n\n"
        + table(["case", "reference", *(f"{m:,}" for m in SIZES)], lines)
        + f"\n\n{inside:.0%} of the {len(rates)} cells lie in [3%, 7%]; least {min(rates):.1%},"
        f" greatest {max(rates):.1%}. Categories: the reference has as many rows on its choosing"
        " days as on those that count."
    )


def _correlation_section(say: Say) -> str:
    rng = np.random.default_rng(12)
    trials, bins, rows_a_day = 1_500, 10, 100
    lines = []
    for correlation in (0.01, 0.05):
        weight = (1 - correlation) / correlation
        for volume in (0.1, 1, 10):

            def days(count: int, rows: int, weight: float = weight) -> Counts:
                shares = rng.dirichlet(np.full(bins, weight / bins), size=(trials, count))
                return rng.multinomial(rows, shares)

            reference, current = days(90, rows_a_day), days(7, int(rows_a_day * volume))
            x, y = reference.sum(axis=1), current.sum(axis=1)
            rho = correlations(reference)
            effect = design_effects(rho, reference.sum(axis=2), current.sum(axis=2))
            with_effect = _alarms(statistics(x, y, effect)["p_value"])
            naive = _alarms(statistics(x, y)["p_value"])
            lines.append([correlation, volume, _percent(with_effect), _percent(naive)])
            say(f"correlation {correlation}, {volume} x: {with_effect:.1%}, naive {naive:.1%}")
    return (
        "### Rows that resemble each other within a day (90 days of 100; a window of 7 days)\n\n"
        + table(
            ["correlation", "volume of the window's days", "alarms", "without design effect"], lines
        )
    )


def correlations(days: Counts) -> Floats:
    """Return rho of (cases, days, bins) counts by the macro block_correlation."""
    import pyarrow as pa

    from tests.sql.macros import connect
    from tests.sql.rendered import package

    cells = np.nonzero(days)
    connection = connect()
    connection.register(
        "cells",
        pa.table(
            {
                "case_id": cells[0],
                "day": cells[1],
                "bin_index": cells[2],
                "event_count": days[cells],
            }
        ),
    )
    sql = package().block_correlation("cells", ["case_id"], "day")
    found = connection.execute(f"select case_id, rho from ({sql})").fetchnumpy()
    rho = np.zeros(len(days))
    rho[found["case_id"]] = np.nan_to_num(np.ma.filled(found["rho"], 0.0))
    return rho


def design_effects(rho: Floats, reference_sizes: Counts, current_sizes: Counts) -> Floats:
    """Return a / c of (cases, days) sizes of either side."""
    n, m = reference_sizes.sum(axis=1), current_sizes.sum(axis=1)
    phi = [
        1 + rho * np.maximum((sizes.astype(np.float64) ** 2).sum(axis=1) / total - 1, 0)
        for sizes, total in ((reference_sizes, n), (current_sizes, m))
    ]
    effect: Floats = (phi[0] / n + phi[1] / m) / (1 / n + 1 / m)
    return effect


def _discovery_section(say: Say) -> str:
    rng = np.random.default_rng(21)
    windows, features, drifting, bins = 1_000, 40, 4, 10
    shares = np.full((windows, features, bins), 1 / bins)
    lines = []
    for shift in (0.0, 0.1, 0.2, 0.4):
        moved = shares.copy()
        moved[:, :drifting, 0] *= 1 + shift
        moved[:, :drifting, 1] *= 1 - shift
        x = rng.multinomial(20_000, shares).reshape(-1, bins)
        y = rng.multinomial(2_000, moved).reshape(-1, bins)
        families = np.repeat(np.arange(windows), features)
        q = statistics(x, y, families=families)["q_value"].reshape(windows, features)
        found = q <= 0.05
        false, all_found = found[:, drifting:].sum(axis=1), found.sum(axis=1)
        if shift == 0:
            false = all_found
        rate = float(np.mean(false / np.maximum(all_found, 1)))
        power = float(found[:, :drifting].mean()) if shift else float("nan")
        lines.append([f"{shift:.0%}", _percent(rate), "" if shift == 0 else _percent(power)])
        say(f"shift {shift:.0%}: false discoveries {rate:.1%}, found {power:.1%}")
    return (
        "### False discoveries among 40 features of a window, 4 of them drifting"
        f" ({windows:,} windows, q <= 0.05)\n\n"
        + table(
            ["two of ten bins move by", "false discovery rate", "drifting features found"], lines
        )
        + "\n\nWithout any shift the rate is the share of windows with any alarm at all."
    )


def _shifted(share: Floats, direction: Floats, size: float, metric: str) -> Floats:
    """Return shares at a population distance of `size` from `share` along a direction."""

    def distance(step: float) -> float:
        other = share * np.exp(step * direction)
        other = other / other.sum()
        if metric == "psi":
            return float(((other - share) * np.log(other / share)).sum())
        middle = (share + other) / 2
        js = (share * np.log2(share / middle) + other * np.log2(other / middle)).sum() / 2
        return float(np.sqrt(js))

    step = optimize.brentq(lambda s: distance(s) - size, 0, 20)
    shares = share * np.exp(step * direction)
    moved: Floats = shares / shares.sum()
    return moved


def _power_section(say: Say) -> str:
    lines, powers = [], []
    for bins in (2, 5, 10, 20, 50):
        for n, m in ((10_000, 1_000), (20_000, 5_000), (100_000, 100_000)):
            row: list[object] = [bins, f"{n:,}", f"{m:,}"]
            for metric in ("psi", "js_distance"):
                rng = np.random.default_rng([bins, n, m])
                share = np.full(bins, 1 / bins)
                probe = statistics(np.full((1, bins), n // bins), np.full((1, bins), m // bins))
                size = float(probe[f"detectable_{metric}"][0])
                reference, current = [], []
                for _ in range(1_500):
                    direction = rng.normal(size=bins)
                    direction = (direction - direction.mean()) / direction.std()
                    moved = _shifted(share, direction, size, metric)
                    reference.append(rng.multinomial(n, share))
                    current.append(rng.multinomial(m, moved))
                power = _alarms(statistics(np.array(reference), np.array(current))["p_value"])
                powers.append(power)
                row += [size, _percent(power)]
            say(" ".join(map(str, row)))
            lines.append(row)
    return (
        "### Power at min_detectable_value (promised: 90%)\n\n"
        + table(["bins", "reference", "window", "psi", "power", "js_distance", "power"], lines)
        + f"\n\nBetween {min(powers):.1%} and {max(powers):.1%}; 1,500 trials a cell, each with a"
        " direction of its own."
    )


def _real_section(say: Say) -> str:
    stream = shared_stream()
    if stream is None:
        return "### Real days\n\nThe shared data is absent: not measured."
    by_source: dict[str, list[Month]] = {}
    for month in months(stream):
        by_source.setdefault(month.source, []).append(month)
    lines = []
    everything: list[Month] = []
    for source, found in [*sorted(by_source.items()), ("all", everything)]:
        everything.extend(found if source != "all" else [])
        rates = real_rates(found if source != "all" else everything)
        lines.append([source.split("_")[0], rates[2], _percent(rates[0]), _percent(rates[1])])
        say(" ".join(map(str, lines[-1])))
    return (
        "### Odd against even days of one month of a real source: nothing has drifted\n\n"
        + table(["source", "feature-months", "alarms", "without design effect"], lines)
        + "\n\nThe correlation within days is learnt on the 90 days before the month."
    )


def real_rates(found: list[Month]) -> tuple[float, float, int]:
    """Return alarms with and without the design effect, and of how many feature-months."""
    width = max(month.odd.shape[1] for month in found)

    def padded(tables: Iterator[Counts]) -> Counts:
        return np.array([np.pad(t.sum(axis=0), (0, width - t.shape[1])) for t in tables])

    odd, even = padded(m.odd for m in found), padded(m.even for m in found)
    effects = []
    for month in found:
        rho = correlations(month.learnt[None, :, :])
        effects.append(
            design_effects(rho, month.odd.sum(axis=1)[None, :], month.even.sum(axis=1)[None, :])[0]
        )
    with_effect = statistics(odd, even, np.array(effects))["p_value"]
    return (
        _alarms(with_effect),
        _alarms(statistics(odd, even)["p_value"]),
        int((~np.isnan(with_effect)).sum()),
    )
