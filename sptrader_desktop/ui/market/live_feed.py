"""Live prices while somebody wants them: read beside the window on a thread of their own, and asked for again when they are lost."""

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

from PySide6.QtCore import QObject, Signal

from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.ports import LivePrice, LivePrices

LOG = logging.getLogger("sptrader.prices")
RETRY_S = 3.0
State = Literal["off", "connecting", "live", "lost"]
StartTask = Callable[[Coroutine[Any, Any, Any], str], "asyncio.Task[Any]"]


class LiveFeed(QObject):
    """`open_prices` is called on the feed's thread; `symbols` names what is wanted at the moment."""

    priced = Signal(object)  # Sequence[LivePrice]
    stateChanged = Signal(str, str)  # State, and what there is to say of it

    def __init__(
        self,
        open_prices: Callable[[], LivePrices],
        start_task: StartTask,
        symbols: Callable[[], Collection[str]],
        parent: QObject,
        retry_s: float = RETRY_S,
    ) -> None:
        super().__init__(parent)
        self._open_prices, self._start_task, self._symbols, self._retry_s = open_prices, start_task, symbols, retry_s
        self._task: asyncio.Task[Any] | None = None
        self.state: State = "off"
        self.words = ""

    @property
    def is_wanted(self) -> bool:
        return self._task is not None

    def start(self) -> None:
        if self._task is None:
            self._say("connecting", "")
            self._task = self._start_task(self._follow(), "live prices")

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
            self._say("off", "")

    async def _follow(self) -> None:
        opened = _Opened(self._open_prices)
        loop = asyncio.get_running_loop()
        thread = ThreadPoolExecutor(1, "prices")
        try:
            while True:
                try:
                    prices, where = await loop.run_in_executor(thread, opened.read, frozenset(self._symbols()))
                except SptraderError as error:
                    self._say("lost", str(error))
                    await asyncio.sleep(self._retry_s)
                    continue
                self._say("live", where)
                if prices:
                    self.priced.emit(prices)
        finally:
            thread.submit(opened.close)
            thread.shutdown(wait=False)
            if self._task is asyncio.current_task():  # by a defect, which the host tells: nobody is to believe that prices come
                self._task = None
                self._say("off", "they ended with an error")

    def _say(self, state: State, words: str) -> None:
        if (state, words) != (self.state, self.words):
            self.state, self.words = state, words
            LOG.log(logging.WARNING if state == "lost" else logging.INFO, "live prices: %s %s", state, words)
            self.stateChanged.emit(state, words)


class _Opened:
    """What only the feed's thread touches."""

    def __init__(self, open_prices: Callable[[], LivePrices]) -> None:
        self._open_prices = open_prices
        self._prices: LivePrices | None = None

    def read(self, symbols: Collection[str]) -> tuple[Sequence[LivePrice], str]:
        if self._prices is None:
            self._prices = self._open_prices()
        return self._prices.read(symbols), self._prices.shown

    def close(self) -> None:
        if self._prices is not None:
            self._prices.close()
