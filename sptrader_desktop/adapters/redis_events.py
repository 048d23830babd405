"""Trade events for others to hear, as JSON on the channel `events:trade`: never our audit, and never a reason for anybody to wait."""

import asyncio
import json
from collections import deque
from collections.abc import Mapping
from typing import Any

from redis.exceptions import RedisError

from sptrader_desktop.adapters.redis_link import RedisLink
from sptrader_desktop.adapters.redis_server import RedisServer
from sptrader_desktop.ports import FeedStatus

CHANNEL = "events:trade"
LONGEST_QUEUE = 10_000
PAGE = 200


class RedisEventBus:
    """`published` and `dropped` count events; the oldest are dropped where the server is away for too long."""

    def __init__(self, server: RedisServer) -> None:
        self._link = RedisLink(server)
        self._waiting: deque[bytes] = deque()
        self._is_waiting = asyncio.Event()
        self.published = self.dropped = 0

    @property
    def status(self) -> FeedStatus:
        return self._link.status

    def publish(self, event: Mapping[str, Any]) -> None:
        """At once. What JSON cannot say is said as text."""
        self._waiting.append(json.dumps(event, default=str, separators=(",", ":")).encode())
        self._drop_excess()
        self._is_waiting.set()

    async def run(self) -> None:
        """Until it is cancelled. An event whose answer was lost is said again."""
        while True:
            await self._is_waiting.wait()
            page = [self._waiting.popleft() for _ in range(min(PAGE, len(self._waiting)))]
            if not self._waiting:
                self._is_waiting.clear()
            try:
                await self._link.ask(*(("PUBLISH", CHANNEL, event) for event in page))
                self.published += len(page)
            except RedisError as error:
                self._waiting.extendleft(reversed(page))
                self._drop_excess()
                self._is_waiting.set()
                await self._link.rest(error)

    def _drop_excess(self) -> None:
        while len(self._waiting) > LONGEST_QUEUE:
            self._waiting.popleft()
            self.dropped += 1

    async def close(self) -> None:
        await self._link.close()
