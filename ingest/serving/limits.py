"""How much one request may bring, and how its body is read within that."""

import asyncio
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request

from ingest.serving.problems import Problem


@dataclass(frozen=True)
class Limits:
    """What is refused, so that no caller can fill the memory or hold the line.

    Parameters
    ----------
    body_bytes
        Of one body.
    batch
        Items of one list.
    text_length
        Characters of what is scored.
    body_seconds
        Until a body must have arrived.
    acknowledge_seconds
        Until the event log must have acknowledged.
    """

    body_bytes: int = 1 << 22
    batch: int = 1_000
    text_length: int = 65_536
    body_seconds: float = 30.0
    acknowledge_seconds: float = 5.0


async def read_json_body(request: Request, limits: Limits) -> bytes:
    """Return the body of a request that says it is JSON.

    Raises
    ------
    Problem
        408 too slow, 413 too large (also when only the header says so), 415 of another kind.
    """
    headers = request.headers
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" or headers.get("content-encoding", "identity") != "identity":
        raise Problem(415, "send JSON, not compressed, with Content-Type: application/json")
    length = headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length[:20]) > limits.body_bytes:
        raise _too_large(limits)
    try:
        async with asyncio.timeout(limits.body_seconds):
            return await _read(request, limits)
    except TimeoutError:
        raise Problem(408, f"send the body within {limits.body_seconds:g} s") from None
    except ClientDisconnect:
        raise Problem(400, "the body ended early") from None


async def _read(request: Request, limits: Limits) -> bytes:
    pieces: list[bytes] = []
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > limits.body_bytes:
            raise _too_large(limits)
        pieces.append(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _too_large(limits: Limits) -> Problem:
    return Problem(413, f"a body has {limits.body_bytes} bytes at most: send fewer items at once")
