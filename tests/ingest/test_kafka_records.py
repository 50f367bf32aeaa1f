"""What a consumer makes of fetched bytes, held to the client's own way of reading them."""

import gzip
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import lz4.frame
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kafka.consumer.fetcher import Fetcher
from kafka.errors import CorruptRecordError
from kafka.record import MemoryRecords
from kafka.record.default_records import DefaultRecordBatchBuilder
from kafka.structs import TopicPartition

from ingest.fields import MAX_MESSAGE_BYTES
from ingest.kafka import records as kafka_records
from ingest.kafka.records import BoundedRecords, Row, unpacked

Item = tuple[int, bytes | None, bytes | None, list[tuple[str, bytes]]]


def batch(items: Sequence[Item], codec: int = 0) -> bytes:
    builder = DefaultRecordBatchBuilder(2, codec, False, -1, -1, -1, 1 << 30)
    for offset, key, value, headers in items:
        assert builder.append(offset, 1_700_000_000_000 + offset, key, value, headers) is not None
    return bytes(builder.build())


def plain(values: Sequence[bytes | None], codec: int = 0) -> bytes:
    return batch(
        [(place, b"k" if v is None else None, v, []) for place, v in enumerate(values)], codec
    )


def take(data: bytes, first: int = 0, kind: Any = BoundedRecords) -> list[Any]:
    records = kind(first, TopicPartition("t", 0), MemoryRecords(data))
    found = []
    while records:
        found += records.take(10)
    return found


items = st.lists(
    st.tuples(
        st.one_of(st.none(), st.binary(max_size=200)),
        st.one_of(st.none(), st.binary(max_size=20_000), st.binary(max_size=80)),
        st.lists(st.tuples(st.text(max_size=5), st.binary(max_size=70)), max_size=2),
        st.integers(1, 300),
    ),
    min_size=1,
    max_size=20,
)


@settings(max_examples=60, deadline=None)
@given(items, st.sampled_from([0, 1, 3]), st.integers(0, 500))
def test_rows_are_what_the_client_itself_would_give(
    given_items: list[Any], codec: int, first: int
) -> None:
    offset, made = 0, []
    for key, value, headers, step in given_items:
        made.append((offset, key if value is not None else key or b"k", value, headers))
        offset += step
    data = batch(made, codec) + b""
    own = take(data, first, Fetcher.PartitionRecords)
    assert take(data, first) == [(record.offset, record.value, None) for record in own]


@pytest.mark.parametrize("codec", ["gzip", "lz4", "zstd", "snappy", "xerial"])
def test_each_codec_of_a_producer_unpacks(codec: str) -> None:
    data = bytes(range(256)) * 1_000
    snappy = pa.compress(data, codec="snappy", asbytes=True)
    packed = {
        "gzip": lambda: (gzip.compress(data), 1),
        "lz4": lambda: (lz4.frame.compress(data, block_linked=False), 3),
        "zstd": lambda: (pa.compress(data, codec="zstd", asbytes=True), 4),
        "snappy": lambda: (snappy, 2),
        "xerial": lambda: (
            b"\x82SNAPPY\x00" + bytes(8) + (len(snappy).to_bytes(4, "big") + snappy) * 2, 2,
        ),
    }[codec]()  # type: ignore[no-untyped-call]  # fmt: skip
    expected = data * 2 if codec == "xerial" else data
    assert bytes(unpacked(memoryview(packed[0]), packed[1])) == expected


@pytest.mark.parametrize("codec", [1, 2, 3, 4])
def test_a_batch_that_unpacks_to_too_much_is_not_unpacked(
    codec: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_records, "MAX_BATCH_BYTES", 100_000)
    for size, fits in ((100_000, True), (100_001, False), (50_000_000, False)):
        data = bytes(size)
        packed = {
            1: lambda: gzip.compress(data),  # noqa: B023
            2: lambda: pa.compress(data, codec="snappy", asbytes=True),  # noqa: B023
            3: lambda: lz4.frame.compress(data),  # noqa: B023
            4: lambda: pa.compress(data, codec="zstd", asbytes=True),  # noqa: B023
        }[codec]()  # type: ignore[no-untyped-call]
        assert (unpacked(memoryview(packed), codec) is not None) == fits


def test_each_message_of_such_a_batch_is_a_refused_row_and_the_next_batch_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kafka_records, "MAX_BATCH_BYTES", 10_000)
    bomb = plain([bytes(9_000), bytes(9_000)], codec=1)
    after = (2).to_bytes(8, "big") + batch([(0, None, b"fine", [])])[8:]
    found: list[Row] = take(bomb + after)
    reason = "message is in a batch that unpacks to more than 10000 bytes"
    assert found == [(0, None, reason), (1, None, reason), (2, b"fine", None)]


def test_a_message_that_is_too_long_is_refused_and_its_beginning_kept() -> None:
    longest, longer = b"x" * MAX_MESSAGE_BYTES, b"y" * (MAX_MESSAGE_BYTES + 1)
    found = take(plain([longest, longer, None], codec=1))
    assert found[0] == (0, longest, None)
    assert found[1][1] == b"y" * 4_096
    assert "message has 1048577 bytes: 1048576 at most" in found[1][2]
    assert found[2] == (2, None, None)


def test_a_damaged_batch_is_an_error_told_after_the_good_ones_before_it() -> None:
    good = plain([b"good"])
    bad = bytearray((1).to_bytes(8, "big") + plain([b"bad"])[8:])
    bad[-3] ^= 1
    records = BoundedRecords(0, TopicPartition("t", 0), MemoryRecords(good + bytes(bad)))
    assert records.take(10) == [(0, b"good", None)]
    with pytest.raises(CorruptRecordError, match="at offset 1 is damaged"):
        records.take(10)


def test_a_batch_that_does_not_read_is_an_error() -> None:
    fake = SimpleNamespace(
        magic=2, leader_epoch=0, base_offset=5, last_offset_delta=0, records_count=3,
        compression_type=0, is_control_batch=False, _buffer=b"\x10abc", _pos=0,
        validate_crc=lambda: True, has_producer_id=lambda: False,
    )  # fmt: skip
    records = BoundedRecords(0, TopicPartition("t", 0), SimpleNamespace(next_batch=lambda: fake))
    with pytest.raises(CorruptRecordError, match="at offset 5 does not read"):
        records.take(1)
