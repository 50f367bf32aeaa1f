"""Frames: how messages stand in a file of the local log.

A frame is the length of its message (4 bytes, little end first), a crc32 over length and message
(4 bytes), then the message. The length is under the crc, so that a run of zeros is no frame.
"""

import struct
import zlib
from collections.abc import Iterator

from ingest.fields import MAX_MESSAGE_BYTES

HEAD = struct.Struct("<II")
_LENGTH = struct.Struct("<I")


def pack(message: bytes) -> bytes:
    """Return the frame of a message.

    Examples
    --------
    >>> [(start, stop, bytes(found)) for start, stop, found in scan(pack(b"one") + pack(b"two"))]
    [(0, 11, b'one'), (11, 22, b'two')]
    """
    length = len(message)
    return HEAD.pack(length, zlib.crc32(message, zlib.crc32(_LENGTH.pack(length)))) + message


def scan(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Walk the whole frames from the start of `data`; stop at the first that is not whole.

    Yields
    ------
    start, stop, message
        Byte positions in `data`, and the message.
    """
    start, size = 0, len(data)
    while start + HEAD.size <= size:
        length, crc = HEAD.unpack_from(data, start)
        body = start + HEAD.size
        stop = body + length
        if length > MAX_MESSAGE_BYTES or stop > size:
            return
        message = data[body:stop]
        if zlib.crc32(message, zlib.crc32(data[start : start + 4])) != crc:
            return
        yield start, stop, message
        start = stop
