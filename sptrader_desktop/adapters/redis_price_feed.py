"""Prices from the stream `prices:live` under asyncio, for those who trade on them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from redis.exceptions import RedisError, ResponseError

from sptrader_desktop.adapters.price_messages import STREAM, entry_order, prices_in
from sptrader_desktop.adapters.redis_link import RedisLink, pairs_of
from sptrader_desktop.adapters.redis_server import RedisServer
from sptrader_desktop.core.instruments import Instrument
from sptrader_desktop.ports import FeedStatus, LivePrice, PriceRead
from sptrader_desktop.runtime.live.clock import SystemClock

PAGE = 1_000
WAIT_MS = 250
LOOKED_BACK = 2_000  # entries: a symbol that had no price among these has none yet
BEGINNING = "0-0"


class RedisPriceFeed:
    """At first the newest of each symbol, then every one as it comes."""

    def __init__(self, server: RedisServer, symbols: Collection[str], instruments: Mapping[str, Instrument]) -> None:
        self._link, self._symbols, self._instruments = RedisLink(server), tuple(symbols), instruments
        self._last = ""

    @property
    def status(self) -> FeedStatus:
        return self._link.status

    async def read(self) -> Sequence[PriceRead]:
        try:
            return await self._following() if self._last else await self._newest()
        except RedisError as error:
            await self._link.rest(error)
            return []

    async def close(self) -> None:
        await self._link.close()

    async def _following(self) -> list[PriceRead]:
        answer = await self._link.one("XREAD", "COUNT", PAGE, "BLOCK", WAIT_MS, "STREAMS", STREAM, self._last)
        if not answer:
            await self._begin_again_with_the_stream()
            return []
        self._last = answer[0][1][-1][0].decode()
        return [read for entry in answer[0][1] if (read := self._read(entry)).prices]

    async def _newest(self) -> list[PriceRead]:
        entries = await self._link.one("XREVRANGE", STREAM, "+", "-", "COUNT", LOOKED_BACK)
        self._last = entries[0][0].decode() if entries else BEGINNING
        found: dict[str, PriceRead] = {}
        for entry in entries:
            read = self._read(entry)
            for price in read.prices:
                found.setdefault(price.symbol, PriceRead(read.stream_id, (price,)))
        return sorted(found.values(), key=lambda read: read.prices[0].stamp)

    async def _begin_again_with_the_stream(self) -> None:
        """A server that lost what it held counts from the beginning: what comes then would look old for ever."""
        (stream,) = await self._link.ask(("XINFO", "STREAM", STREAM))
        newest = BEGINNING if isinstance(stream, ResponseError) else pairs_of(stream)["last-generated-id"]
        if entry_order(newest) < entry_order(self._last):
            self._last = BEGINNING

    def _read(self, entry: Any) -> PriceRead:
        name, raw = entry
        fields = dict(zip(raw[::2], raw[1::2], strict=True))
        prices: list[LivePrice] = prices_in((name, fields), self._symbols, self._instruments, SystemClock().now())
        return PriceRead(name.decode(), tuple(prices))
