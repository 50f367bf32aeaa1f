"""The SQL that reads a file of events, as text; `ingest.event_file` runs it."""

from dataclasses import dataclass
from pathlib import Path

from ingest.errors import InputError
from ingest.fields import EARLIEST

TRUE, FALSE = "('1', 'true', '1.0')", "('0', 'false', '0.0')"
USED = frozenset({"ts_utc", "url", "label", "source", "label_known_at"})
BAD = (
    "ts_utc is empty or no time: use 2020-01-31T12:00:00Z",
    f"ts_utc lies before {EARLIEST} or in the future: correct it",
    "label is neither 1, 0 nor empty",
    "label_known_at is no time: use 2020-01-31T12:00:00Z",
)
"""What `check_sql` finds, in the order of its columns."""


@dataclass(frozen=True)
class Delay:
    """A lognormal delay of labels.

    Parameters
    ----------
    median_hours
        Half of the labels are known after this, hours.
    sigma
        Standard deviation of the logarithm; at 1.0 one label in twenty takes 5.2 medians or more.
    """

    median_hours: float = 24.0
    sigma: float = 1.0


def reader_sql(path: Path) -> str:
    """Return the rows of a file with their number, file_row_number, from 0."""
    quoted = "'" + str(path).replace("'", "''") + "'"
    if path.suffix == ".parquet":
        return f"read_parquet({quoted}, file_row_number = true)"
    if path.suffix == ".csv":
        options = "all_varchar = true, header = true, parallel = false"
        numbered = "select *, row_number() over () - 1 as file_row_number"
        return f"({numbered} from read_csv({quoted}, {options}))"
    raise InputError(f"{path.name}: use a file that ends in .parquet or .csv")


def _time(column: str) -> str:
    return f"cast(try_cast({column} as timestamptz) as timestamp)"


def _label(columns: frozenset[str]) -> str:
    if "label" not in columns:
        return "cast(null as boolean)"
    text = "lower(cast(label as varchar))"
    return f"case when {text} in {TRUE} then true when {text} in {FALSE} then false end"


def events_sql(path: Path, columns: frozenset[str]) -> str:
    """Return events: row, occurred_at, url, channel, label, label_known_at (NULL: not known)."""
    channel = "cast(source as varchar)" if "source" in columns else "cast(null as varchar)"
    known = _time("label_known_at") if "label_known_at" in columns else "null"
    return f"""
        select
            file_row_number as row,
            {_time("ts_utc")} as occurred_at,
            coalesce(cast(url as varchar), '') as url,
            {channel} as channel,
            {_label(columns)} as label,
            {known} as label_known_at
        from {reader_sql(path)}
    """


def known_sql(columns: frozenset[str], seed: int, delay: Delay) -> str:
    """Return the time at which a label became known, never before its event.

    From the file, or drawn: a lognormal delay, normal by Box and Muller from two halves of the md5
    of seed and row.
    """
    if "label_known_at" in columns:
        later = "greatest(label_known_at, occurred_at)"  # greatest() passes over NULL
        return f"case when label_known_at is not null then {later} end"
    text = f"'{int(seed)}:' || row"
    first, second = (
        f"((md5_number_{half}({text}) % 9007199254740992 + 0.5) / 9007199254740992.0)"
        for half in ("lower", "upper")
    )
    normal = f"sqrt(-2 * ln({first})) * cos(2 * pi() * {second})"
    seconds = f"{delay.median_hours * 3600} * exp({delay.sigma} * {normal})"
    return f"occurred_at + to_seconds(cast(round({seconds}) as bigint))"


def check_sql(path: Path, columns: frozenset[str]) -> str:
    """Return one row: count, first and newest time, then for each of `BAD` the first bad row.

    Its parameter is the time after which an event lies in the future.
    """
    moment = _time("ts_utc")
    bad_label = bad_known = "null"
    if "label" in columns:
        bad_label = f"case when {_label(columns)} is null and label is not null then row end"
    if "label_known_at" in columns:
        bad_known = (
            f"case when {_time('label_known_at')} is null and label_known_at is not null "
            "then row end"
        )
    outside = f"{moment} < timestamp '{EARLIEST}' or {moment} > cast($1 as timestamp)"
    return f"""
        select
            count(*), min({moment}), max({moment}),
            min(case when {moment} is null then row end),
            min(case when {outside} then row end),
            min({bad_label}), min({bad_known})
        from (select *, file_row_number as row from {reader_sql(path)})
    """
