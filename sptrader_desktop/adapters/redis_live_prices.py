"""Every price of some symbols as it comes into `prices:live`, for those who watch prices and not bars."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from redis.exceptions import ConnectionError as ConnectionLostError
from redis.exceptions import RedisError, ResponseError

from sptrader_desktop.adapters.price_messages import STREAM, entry_order, prices_in
from sptrader_desktop.adapters.redis_server import RedisServer
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import Instrument
from sptrader_desktop.ports import LivePrice
from sptrader_desktop.runtime.live.clock import SystemClock

PAGE = 2_000
WAIT_MS = 250
LOOKED_BACK = 2_000  # entries: a symbol that had no price among these has none yet

_Entry = tuple[bytes, Mapping[bytes, bytes]]


class StreamPrices:
    def __init__(self, server: RedisServer, instruments: Mapping[str, Instrument]) -> None:
        self._server, self._instruments = server, instruments
        self._client: Any = server.client
        self._last = b""  # id of the entry read last; none before the first reading
        self._asked: set[str] = set()

    @property
    def shown(self) -> str:
        return self._server.shown

    def close(self) -> None:
        self._server.close()

    def read(self, symbols: Collection[str]) -> Sequence[LivePrice]:
        try:
            return self._read(symbols)
        except ConnectionLostError as error:
            if self._server.in_use is None:
                raise self._lost(error) from None
            self._server.in_use.revive()
        except RedisError as error:
            raise self._lost(error) from None
        try:
            return self._read(symbols)
        except RedisError as error:
            raise self._lost(error) from None

    def _read(self, symbols: Collection[str]) -> list[LivePrice]:
        fresh = set(symbols) - self._asked
        if fresh or not self._last:
            found = self._newest(fresh)
            self._asked |= fresh
            return found
        pages = self._client.xread({STREAM: self._last}, count=PAGE, block=WAIT_MS)
        entries: list[_Entry] = pages[0][1] if pages else []
        if not entries:
            self._begin_again_with_the_stream()
            return []
        self._last = entries[-1][0]
        return [price for entry in entries for price in prices_in(entry, symbols, self._instruments, SystemClock().now())]

    def _newest(self, symbols: Collection[str]) -> list[LivePrice]:
        """What came later than what was read is left to be read in its turn."""
        entries: list[_Entry] = self._client.xrevrange(STREAM, max=self._last or "+", count=LOOKED_BACK)
        self._last = self._last or (entries[0][0] if entries else b"0-0")
        found: dict[str, LivePrice] = {}
        for entry in entries:
            for price in prices_in(entry, symbols, self._instruments, SystemClock().now()):
                found.setdefault(price.symbol, price)
        return sorted(found.values(), key=lambda price: price.stamp)

    def _begin_again_with_the_stream(self) -> None:
        """A server that lost what it held counts from the beginning: what comes then would look old for ever."""
        try:
            newest = self._client.xinfo_stream(STREAM)["last-generated-id"]
        except ResponseError:  # there is no stream
            newest = b"0-0"
        if entry_order(newest) < entry_order(self._last):
            self._last = b"0-0"

    def _lost(self, error: RedisError) -> DataError:
        return DataError(f"Redis at {self.shown} does not answer ({type(error).__name__}): start it again; prices go on where they were")
