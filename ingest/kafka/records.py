"""What a consumer makes of fetched bytes: offsets and values, with a bound on what it unpacks.

kafka-python unpacks a compressed batch whole: a megabyte of gzip can become a gigabyte. Here a
batch that would unpack to more than `MAX_BATCH_BYTES` is not unpacked: each of its messages becomes
a refused one. So does a message longer than `MAX_MESSAGE_BYTES`. Codecs come from Arrow, so that a
producer's choice of zstd or snappy blocks no partition. And since nothing but offset and value is
wanted, nothing else of a record is read, which is faster than the client's own way.
"""

from typing import Any, Final

import pyarrow as pa
from kafka.consumer.fetcher import Fetcher
from kafka.consumer.group import KafkaConsumer
from kafka.errors import CorruptRecordError
from kafka.protocol.consumer import IsolationLevel
from kafka.record.util import decode_varint

from ingest.fields import MAX_MESSAGE_BYTES

MAX_BATCH_BYTES: Final = 1 << 26
"""The most that a compressed batch may unpack to."""

KEPT_BYTES: Final = 4_096
"""How much is kept of a message that is too long."""

Row = tuple[int, bytes | None, str | None]
"""Offset, value and why the value is not all there."""

_CODECS = {1: "gzip", 3: "lz4", 4: "zstd"}
_SNAPPY = 2
_XERIAL = b"\x82SNAPPY\x00"
_XERIAL_HEAD = 16


def bound(consumer: KafkaConsumer) -> KafkaConsumer:
    """Let a consumer's `poll` give lists of `Row`, bounded; the same consumer is returned."""
    consumer._fetcher.PartitionRecords = BoundedRecords
    return consumer


class BoundedRecords(Fetcher.PartitionRecords):  # type: ignore[misc]
    """The fetched batches of one partition; `take` gives rows, whole batches at a time."""

    def __init__(self, fetch_offset: int, tp: Any, records: Any, **options: Any) -> None:
        super().__init__(fetch_offset, tp, records, **options)
        self._records = records

    def take(self, n: int | None = None) -> list[Row]:
        """Return about `n` rows (a batch is never split); at the end of the batches drain."""
        self._maybe_raise_next_inline_exception()
        rows: list[Row] = []
        try:
            while n is None or len(rows) < n:
                batch = self._records.next_batch()
                if batch is None:
                    self.drain()
                    break
                self._read(batch, rows)
                self.next_fetch_offset = batch.next_offset
        except Exception as error:
            if not rows:
                raise
            self._next_inline_exception = error
        return rows

    def _read(self, batch: Any, rows: list[Row]) -> None:
        if self.check_crcs and not batch.validate_crc():
            raise CorruptRecordError(
                f"the batch of {self.topic_partition} at offset {batch.base_offset} is damaged"
            )
        if batch.magic != 2:
            raise CorruptRecordError(f"{self.topic_partition} has records of before Kafka 0.11")
        self.leader_epoch = batch.leader_epoch
        if self.isolation_level == IsolationLevel.READ_COMMITTED and batch.has_producer_id():
            self._consume_aborted_transactions_up_to(batch.last_offset)
            if self._contains_abort_marker(batch):
                self.aborted_producer_ids.discard(batch.producer_id)
            elif self._is_batch_aborted(batch):
                return
        if batch.is_control_batch:
            return
        data = memoryview(batch._buffer)[batch._pos :]
        self.bytes_read += len(data)
        self.records_read += batch.records_count
        data = unpacked(data, batch.compression_type)
        if data is None:
            reason = f"message is in a batch that unpacks to more than {MAX_BATCH_BYTES} bytes"
            last = batch.base_offset + batch.last_offset_delta
            for offset in range(max(batch.base_offset, self.fetch_offset), last + 1):
                rows.append((offset, None, reason))
            return
        try:
            read_rows(bytes(data), batch.records_count, batch.base_offset, self.fetch_offset, rows)
        except (IndexError, ValueError) as error:
            raise CorruptRecordError(
                f"the batch of {self.topic_partition} at offset {batch.base_offset} does not read"
            ) from error


def unpacked(data: memoryview, codec: int) -> Any:
    """Return the bytes of a batch, or None when they are more than `MAX_BATCH_BYTES`."""
    if not codec:
        return data
    if codec == _SNAPPY:
        return _unsnapped(bytes(data))
    stream = pa.CompressedInputStream(pa.BufferReader(pa.py_buffer(data)), _CODECS[codec])
    parts, left = [], MAX_BATCH_BYTES + 1
    try:
        while left > 0 and (part := stream.read(min(left, 1 << 22))):
            parts.append(part)
            left -= len(part)
    except OSError as error:
        raise CorruptRecordError(f"a batch cannot be unpacked: {error}") from error
    return b"".join(parts) if left > 0 else None


def _unsnapped(data: bytes) -> Any:
    """Unpack snappy: the framing of Java's clients, or one bare block."""
    blocks, at = [data], _XERIAL_HEAD
    if data.startswith(_XERIAL):
        blocks = []
        while at < len(data):
            length = int.from_bytes(data[at : at + 4], "big")
            blocks.append(data[at + 4 : at + 4 + length])
            at += 4 + length
    sizes = [_varint(block) for block in blocks]
    if sum(sizes) > MAX_BATCH_BYTES:
        return None
    codec = pa.Codec("snappy")
    try:
        return b"".join(
            codec.decompress(block, decompressed_size=size, asbytes=True)
            for block, size in zip(blocks, sizes, strict=True)
        )
    except OSError as error:
        raise CorruptRecordError(f"a batch cannot be unpacked: {error}") from error


def _varint(data: bytes) -> int:
    value = shift = 0
    for byte in data[:5]:
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            break
        shift += 7
    return value


def read_rows(data: bytes, count: int, base: int, first: int, rows: list[Row]) -> None:
    """Add the rows of an unpacked batch from offset `first` on.

    A record is: its length, attributes (one byte), the deltas of time and offset, key, value and
    headers; lengths and deltas are zigzag varints, most of them of one or two bytes.
    """
    at = 0
    for _ in range(count):
        length = data[at]
        at += 1
        if length > 127:
            length, at = decode_varint(data, at - 1)
        else:
            length >>= 1
        end = at + length
        at += 1
        while data[at] > 127:
            at += 1
        at += 1
        delta = data[at]
        at += 1
        if delta > 127:
            delta, at = decode_varint(data, at - 1)
        else:
            delta >>= 1
        size = data[at]
        at += 1
        if size != 1:  # -1, no key
            size, at = decode_varint(data, at - 1)
            at += max(size, 0)
        size = data[at]
        at += 1
        if size > 127:
            more = data[at]
            if more > 127:
                size, at = decode_varint(data, at - 1)
            else:
                size = ((size & 127) | (more << 7)) >> 1 if not size & 1 else -1
                at += 1
        else:
            size = -1 if size & 1 else size >> 1
        if base + delta >= first:
            if size < 0:
                rows.append((base + delta, None, None))
            elif size <= MAX_MESSAGE_BYTES:
                rows.append((base + delta, data[at : at + size], None))
            else:
                reason = f"message has {size} bytes: {MAX_MESSAGE_BYTES} at most"
                kept = data[at : at + KEPT_BYTES]
                rows.append((base + delta, kept, f"{reason} (its first {KEPT_BYTES} are kept)"))
        if end > len(data):
            raise ValueError("a record is longer than its batch")
        at = end
