"""What would hold the loop up, on threads beside it: a source of candles, and publishing own signals."""

import asyncio
from collections.abc import Sequence

from sptrader_desktop.core.candles import Candles
from sptrader_desktop.ports import CandleRequest, CandleSource, Publisher
from sptrader_desktop.runtime.live.parts import Signal
from sptrader_desktop.runtime.live.stream_signals import said


class SourceFeed:
    def __init__(self, source: CandleSource) -> None:
        self._source, self._turn = source, asyncio.Lock()

    async def candles(self, asked: CandleRequest) -> Candles:
        async with self._turn:
            return await asyncio.to_thread(self._source.candles, asked)


class OwnStream:
    """All of a bar, or an error: what was published of it comes back and is a duplicate when it is published again."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher, self._turn = publisher, asyncio.Lock()

    async def publish(self, signals: Sequence[Signal]) -> None:
        async with self._turn:
            await asyncio.to_thread(self._publish, signals)

    def _publish(self, signals: Sequence[Signal]) -> None:
        for signal in signals:
            self._publisher.signal(said(signal))
