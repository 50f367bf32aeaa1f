"""A plain HTTP load: connections that each ask again as soon as they are answered."""

import asyncio
import time
from dataclasses import dataclass

import uvloop


@dataclass(frozen=True)
class Load:
    """What a load measured; times in seconds.

    Parameters
    ----------
    rate
        Answers a second.
    p50, p99
        Time of a request.
    """

    rate: float
    p50: float
    p99: float


def load(port: int, path: str, body: bytes, connections: int, seconds: float) -> Load:
    """Ask a server on loopback for a while; every answer must be of status 200."""
    return uvloop.run(_load(port, path, body, connections, seconds))


async def _load(port: int, path: str, body: bytes, connections: int, seconds: float) -> Load:
    head = (
        f"POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    times: list[float] = []
    began = time.perf_counter()
    asking = (_ask(port, head.encode() + body, began + seconds, times) for _ in range(connections))
    await asyncio.gather(*asking)
    took = time.perf_counter() - began
    times.sort()
    return Load(len(times) / took, times[len(times) // 2], times[len(times) * 99 // 100])


async def _ask(port: int, request: bytes, until: float, times: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (began := time.perf_counter()) < until:
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert head.startswith(b"http/1.1 200"), head
        await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
        times.append(time.perf_counter() - began)
    writer.close()
    await writer.wait_closed()
