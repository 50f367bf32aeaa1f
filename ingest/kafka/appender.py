"""Acknowledged appends to Kafka from an event loop; satisfies `ingest.log.AsyncAppender`."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from kafka.errors import KafkaError

from ingest.kafka.client import Kafka, explained
from ingest.kafka.producer import Producer, not_acknowledged
from ingest.local.appender import MAX_WAITING_BYTES
from ingest.log import Position, Unavailable, require_fit


class KafkaAppender:
    """Appends to Kafka: no linger, answered when all replicas hold the messages.

    Parameters
    ----------
    kafka
        Where to; the connection is made here (Unavailable, Refused).
    max_waiting_bytes
        How much may wait for its acknowledgement before more is refused.
    delivery_ms
        How long Kafka may take, milliseconds.
    """

    def __init__(
        self,
        kafka: Kafka,
        max_waiting_bytes: int = MAX_WAITING_BYTES // 4,  # less than the producer's own buffer
        delivery_ms: int = 10_000,
    ) -> None:
        self._kafka = kafka
        self._producer = Producer(kafka, linger_ms=0, delivery_ms=max(delivery_ms, 10_000))
        self._max_waiting_bytes = max_waiting_bytes
        self._waiting_bytes = 0
        self._is_closed = False
        self._thread = ThreadPoolExecutor(1, "kafka")

    async def append(self, topic: str, values: Sequence[bytes]) -> list[Position]:
        """Add messages in order to one partition; see `ingest.log.AsyncAppender`."""
        require_fit(values)
        if not values:
            return []
        if self._is_closed:
            raise Unavailable("the event log was closed: this process is ending")
        size = sum(map(len, values))
        if self._waiting_bytes + size > self._max_waiting_bytes:
            raise Unavailable("the event log does not keep up: try again later")
        self._waiting_bytes += size
        try:
            return await self._send(topic, values)
        finally:
            self._waiting_bytes -= size

    async def close(self) -> None:
        """Wait for what is under way, then end."""
        self._is_closed = True
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, self._producer.close, 10)
        self._thread.shutdown()

    async def _send(self, topic: str, values: Sequence[bytes]) -> list[Position]:
        loop = asyncio.get_running_loop()
        if not self._producer.knows(topic):  # asking would block the loop
            await loop.run_in_executor(self._thread, self._producer.learn, topic)
        done: asyncio.Future[list[int]] = loop.create_future()
        offsets = [-1] * len(values)
        left = len(values)

        def settle(place: int, result: Any) -> None:
            nonlocal left
            if isinstance(result, BaseException):
                if not done.done():
                    done.set_exception(not_acknowledged(result))
                return
            offsets[place] = result.offset
            left -= 1
            if not left and not done.done():
                done.set_result(offsets)

        def tell(place: int, result: Any) -> None:
            # called in the producer's thread; a loop that has ended waits for nothing
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, place, result)

        with explained(self._kafka):
            source, partition, sent = self._producer.send(topic, values)
        for place, future in enumerate(sent):
            future.add_callback(tell, place)
            future.add_errback(tell, place)
        try:
            found = await done
        except Unavailable as error:
            if isinstance(error.__cause__, KafkaError):
                self._producer.forget(topic)
            raise
        return [Position(source, topic, partition, offset) for offset in found]
