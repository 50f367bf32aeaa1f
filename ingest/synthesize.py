"""Invented URL traffic from a seed, with drifts whose truth is known.

Rows of one day resemble each other, as real ones do: phishing comes in campaigns of a few days, and
some sites are hot for a day. Volume has a rhythm of hours and weekdays. Each day is drawn from the
seed and its own number, so a drift planted in one week leaves every other week as it is.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq

from ingest.drifts import PLAN, Drift, DriftKind, changed, check_drifts, truth
from ingest.errors import InputError
from ingest.progress import Advance, ignore
from ingest.sealed import replace_text, sync
from ingest.traffic import benign, campaigns, phishing, seeded, sites

START = datetime(2025, 1, 6, tzinfo=UTC)  # a Monday
WEEKS = 30
CALM_WEEKS = 14
EVENTS_PER_WEEK = 2_200


@dataclass(frozen=True)
class Channel:
    """Where rows come from: its share of all rows, and the share of positives among its own."""

    name: str
    volume_share: float
    positive_share: float


CHANNELS = (
    Channel("mail_gateway", 0.33, 0.36),
    Channel("web_proxy", 0.27, 0.20),
    Channel("abuse_inbox", 0.18, 0.42),
    Channel("partner_feed", 0.22, 0.31),
)
HOURS = tuple(accumulate((2, 1, 1, 1, 1, 2, 3, 5, 8, 9, 9, 8, 7, 8, 8, 8, 7, 6, 5, 4, 4, 4, 3, 3)))
WEEKDAYS = (1.12, 1.12, 1.12, 1.12, 1.08, 0.74, 0.70)
DELAY_HOURS, DELAY_SIGMA = 20.0, 0.8  # lognormal: median and sigma of label delays
AMBIGUOUS_SHARE = 0.06  # of the positives look like negatives at all times, and the other way
LABELLED_SHARE = 0.97  # the others never get a label

SCHEMA = pa.schema(
    [
        ("ts_utc", pa.timestamp("us", "UTC")),
        ("url", pa.string()),
        ("label", pa.int8()),
        ("source", pa.string()),
        ("label_known_at", pa.timestamp("us", "UTC")),
    ]
)
Row = tuple[datetime, str, int | None, str, datetime | None]


@dataclass(frozen=True)
class Synthesized:
    """What was written.

    Parameters
    ----------
    events, truth
        The two files: ``events.parquet`` and ``truth.json``.
    row_count
        Of events.
    start, end
        Of the traffic, aware, UTC.
    train_until
        The end of the quiet first weeks: train before, replay after.
    """

    events: Path
    truth: Path
    row_count: int
    start: datetime
    end: datetime
    train_until: datetime


def synthesize(
    folder: Path,
    seed: int,
    *,
    start: datetime = START,
    weeks: int = WEEKS,
    calm_weeks: int = CALM_WEEKS,
    events_per_week: int = EVENTS_PER_WEEK,
    drifts: Sequence[Drift] = PLAN,
    advance: Advance = ignore,
) -> Synthesized:
    """Write a file of invented events, and a file of the drifts planted in it.

    Parameters
    ----------
    folder
        Gets ``events.parquet`` and ``truth.json``; made when absent.
    seed
        Same arguments, same bytes.
    start
        A Monday, 00:00 UTC.
    weeks
        How long; drifts that begin later are left out.
    calm_weeks
        No drift may begin in these first weeks.
    events_per_week
        About how many.
    drifts
        What to plant.
    advance
        Is called with the number of events just made.

    Raises
    ------
    InputError
        `start` is no Monday, a number is too small, a drift does not fit.
    """
    begin = start.replace(tzinfo=start.tzinfo or UTC).astimezone(UTC)
    if begin.weekday() or begin != begin.replace(hour=0, minute=0, second=0, microsecond=0):
        raise InputError(f"start {begin:%Y-%m-%d %H:%M} is no Monday 00:00 UTC: choose one")
    if weeks < 1 or events_per_week < 7 or not 0 <= calm_weeks <= weeks:
        raise InputError("weeks is at least 1, events per week 7, calm weeks no more than weeks")
    planted = tuple(drift for drift in drifts if drift.week < weeks)
    check_drifts(planted, tuple(channel.name for channel in CHANNELS))
    if any(drift.week < calm_weeks for drift in planted):
        raise InputError(f"a drift begins in the first {calm_weeks} weeks, which shall be calm")
    popular = sites(seeded(seed, "sites"))
    folder.mkdir(parents=True, exist_ok=True)
    temporary, events = folder / ".events.parquet", folder / "events.parquet"
    count = 0
    with pq.ParquetWriter(temporary, SCHEMA, compression="zstd") as writer:
        for week in range(weeks):
            rows: list[Row] = []
            for day in range(week * 7, week * 7 + 7):
                rows += _day(seed, day, begin, events_per_week, planted, popular)
            columns = list(zip(*rows, strict=True))
            arrays = [pa.array(c, f.type) for c, f in zip(columns, SCHEMA, strict=True)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=SCHEMA))
            count += len(rows)
            advance(len(rows))
    sync(temporary)
    temporary.replace(events)
    replace_text(folder / "truth.json", json.dumps(truth(planted, begin), indent=2) + "\n")
    end, until = begin + timedelta(weeks=weeks), begin + timedelta(weeks=calm_weeks)
    return Synthesized(events, folder / "truth.json", count, begin, end, until)


def _day(
    seed: int,
    day: int,
    start: datetime,
    events_per_week: int,
    drifts: Sequence[Drift],
    popular: Sequence[str],
) -> list[Row]:
    """Return the rows of a day in order of time."""
    active = campaigns(seed, day)
    hot = seeded(seed, "hot", day).sample(popular, 8)
    midnight = start + timedelta(days=day)
    rows: list[Row] = []
    for channel in CHANNELS:
        on: dict[DriftKind, float] = {
            item.kind: item.size for item in drifts if item.is_on(day, channel.name)
        }
        random = seeded(seed, channel.name, day)
        noise = random.lognormvariate(0.0, 0.05)
        expected = events_per_week / 7 * WEEKDAYS[day % 7] * channel.volume_share * noise
        for _ in range(round(expected)):
            # A row has a generator of its own: a drift must not move the draws of the next row.
            row = seeded(random.getrandbits(64))
            moment = midnight + timedelta(
                hours=row.choices(range(24), cum_weights=HOURS)[0], seconds=row.randrange(3600)
            )
            positive, looks_positive = _classes(row, channel.positive_share, on)
            if looks_positive:
                url = phishing(row, active, popular)
            else:
                url = benign(row, hot if row.random() < 0.1 else popular)
            known = moment + timedelta(
                seconds=round(3600 * DELAY_HOURS * row.lognormvariate(0.0, DELAY_SIGMA))
            )
            is_labelled = row.random() < LABELLED_SHARE
            kept = changed(url, row, on)
            if kept is not None:
                label = int(positive) if is_labelled else None
                rows.append((moment, kept, label, channel.name, known if is_labelled else None))
    return sorted(rows, key=lambda item: item[0])


def _classes(random: Random, share: float, on: dict[DriftKind, float]) -> tuple[bool, bool]:
    """Draw whether a row is positive, and whether it looks so; concept drift parts the two.

    Some positives look like negatives at all times, or the task would be too easy, and some
    negatives like positives: so many that the share of looks is the share of positives. Prior
    drift leaves both rates as they are; concept drift raises both, so that looks do not move.
    Looks are drawn first, then the truth behind them.
    """
    hidden = AMBIGUOUS_SHARE + on.get("concept", 0.0) * (1 - AMBIGUOUS_SHARE)
    seeming = min(hidden * share / (1 - share), 1.0) if share < 1 else 0.0
    share = min(share + on.get("prior", 0.0), 1.0)
    looking = share * (1 - hidden) + (1 - share) * seeming
    looks = random.random() < looking
    parted = (1 - share) * seeming / looking if looks else share * hidden / (1 - looking)
    is_parted = random.random() < parted
    return looks != is_parted, looks
