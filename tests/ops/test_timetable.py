from datetime import UTC, datetime, timedelta

import pytest

from ingest.errors import InputError
from ops.timetable import DEFAULT, LANES, read_timetable

MONDAY = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "first"),
    [
        ("*/5 * * * *", timedelta(0)),
        ("7 3 * * *", timedelta(hours=3, minutes=7)),
        ("0 0 * * 0", timedelta(days=6)),
        ("0 0 * * 7", timedelta(days=6)),
        ("0 0 * * 2-3", timedelta(days=1)),
        ("0 0 * * sat", timedelta(days=5)),
        ("0 0 2 * *", timedelta(days=1)),
    ],
)
def test_a_time_is_read_as_cron_reads_it(cron: str, first: timedelta) -> None:
    [job] = read_timetable(f"land={cron}")
    assert job.trigger().get_next_fire_time(None, MONDAY) == MONDAY + first


def test_jobs_have_options_and_lanes() -> None:
    run, watch = read_timetable(" run --model churn = 0 2 * * * ; watch=* * * * *; ")
    assert (run.options, run.lane, watch.lane) == (("--model", "churn"), "warehouse", "stream")


def test_the_default_can_be_read() -> None:
    assert [job.name for job in read_timetable(DEFAULT)] == ["land", "run"]
    assert set(LANES.values()) == {"warehouse", "stream"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("land", "write VERB=MINUTE"),
        ("demo=* * * * *", "write VERB=MINUTE"),
        ("land=* * * *", "land=* * * *"),
        ("land=61 * * * *", "land=61"),
        ("land=* * * * *; land --x=* * * * *", "names land twice"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, told: str) -> None:
    with pytest.raises(InputError) as refusal:
        read_timetable(text)
    assert told in str(refusal.value)
