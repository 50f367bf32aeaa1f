"""100,000 malformed messages among good ones: each a bad row, every good one landed."""

import random
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from ingest.errors import InputError
from ingest.events import parse_prediction
from ingest.landing import land
from ingest.local.log import LocalLog
from tests.landers import event_id, message, rows

COUNT = 100_000
PIECES = [
    b"null", b"NaN", b"Infinity", b"-1e400", b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":",
    b"\x00", b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\\ud800", b"true", b"1e309", b"-",
    b'"score"', b"{}" * 50, b"[" * 300, b"\xef\xbb\xbf", b"9" * 400, b'""', b"'", b"\n", b"/*x*/",
    b".5", b"0x1f", b"+1",
]  # fmt: skip


def broken(draw: random.Random, good: bytes) -> bytes:
    """Return a message with one to four changes: cut, put in, doubled, replaced."""
    data = good
    for _ in range(draw.randint(1, 4)):
        at = draw.randint(0, len(data))
        until = min(at + draw.randint(0, 40), len(data))
        data = draw.choice(
            [
                data[:at],
                data[:at] + draw.choice(PIECES) + data[at:],
                data[:at] + draw.choice(PIECES) + data[until:],
                data[:at] + data[until:],
                data[:until] + data[at:],
                data[:at] + draw.randbytes(draw.randint(1, 5)) + data[at:],
            ]
        )
    return data


@pytest.mark.slow
def test_every_malformed_message_is_a_bad_row_and_every_good_one_lands(tmp_path: Path) -> None:
    draw, now = random.Random(7), datetime.now(UTC)
    log = LocalLog(tmp_path / "log", pytest.fail)
    sent: list[tuple[bytes, str]] = []
    good_ids = []
    while len(sent) < COUNT:
        value = broken(draw, message(UUID(int=draw.getrandbits(128)), embedding=[0.5, 1.5]))
        try:
            parse_prediction(value, now)
        except InputError as error:
            sent.append((value, str(error)))
    values: list[bytes] = []
    fine: set[bytes] = set()
    for place, (value, _) in enumerate(sent):
        values.append(value)
        if place % 10 == 0:
            good_ids.append(UUID(int=draw.getrandbits(128)))
            values.append(message(good_ids[-1]))
            fine.add(values[-1])
    log.append("t", values)
    landed = land(log, "t", "prediction", tmp_path / "landing", [], lambda: datetime.now(UTC))
    assert landed.row_count == len(values)
    found = rows(tmp_path / "landing", "t")
    reasons = iter(sent)
    for value, row in zip(values, found, strict=True):
        assert row["_error"] == (None if value in fine else next(reasons)[1]), value
    assert [event_id(row) for row in found if row["_error"] is None] == good_ids
    assert landed.error_count == COUNT
