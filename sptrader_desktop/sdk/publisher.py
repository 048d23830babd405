"""Signals and prices of a script, published to live trading; a server that is away is told by False and a sentence, and tried again."""

import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sptrader_desktop.ports import Publisher

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SignalPublisher:
    """`redis_url` else REDIS_URL else the program's own server; symbol and timeframe else REALTIME_SYMBOL and REALTIME_TIMEFRAME.

    `problem` says why the last publishing failed. What is no signal at all raises an error: the script has to be mended.
    """

    def __init__(self, redis_url: str | None = None, *, symbol: str | None = None, timeframe: str | None = None) -> None:
        self._url = redis_url
        self._symbol = symbol or os.environ.get("REALTIME_SYMBOL") or None
        self._timeframe = timeframe or os.environ.get("REALTIME_TIMEFRAME") or None
        self._publisher: Publisher | None = None
        self._turn = threading.Lock()
        self.problem = ""

    def publish_signal(
        self,
        signal_name: str,
        signal_type: str,
        strength: float,
        metadata: Mapping[str, Any] | None = None,
        *,
        bar_time: datetime | str | None = None,
        valid_until: datetime | str | None = None,
    ) -> bool:
        """`bar_time` is the open of the bar it was computed from, the bar that closed last unless given; without a timeframe there is none.

        After `valid_until`, a minute after the bar's close unless given, it is not acted on any more.
        """
        from sptrader_desktop.core.signals import Said

        times = _stamp("bar_time", bar_time), _stamp("valid_until", valid_until)
        told = {name: _plain(value) for name, value in (metadata or {}).items()}
        said = Said(signal_name, signal_type, _plain(strength), told, self._symbol, self._timeframe, *times)
        return self._done(lambda publisher: publisher.signal(said))

    def publish_price_update(self, prices: Mapping[str, Any]) -> bool:
        """By symbol a number, or `{"bid": …, "ask": …}`, with a `time` if it is known."""
        return self._done(lambda publisher: publisher.prices(prices))

    def close(self) -> None:
        with self._turn:
            if self._publisher is not None:
                self._publisher.close()
                self._publisher = None

    def __enter__(self) -> "SignalPublisher":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _done(self, work: "Callable[[Publisher], object]") -> bool:
        from sptrader_desktop.adapters.redis_publisher import NotPublishedError

        with self._turn:
            try:
                if self._publisher is None:
                    self._publisher = _opened(self._url, self._symbol, self._timeframe)
                work(self._publisher)
            except NotPublishedError as error:
                self.problem = str(error)
                logging.getLogger(__name__).warning("not published: %s", error)
                return False
        self.problem = ""
        return True


def _opened(url: str | None, symbol: str | None, timeframe: str | None) -> "Publisher":
    """Named for the script and what it is about: its messages are numbered under this name, whenever it runs."""
    from sptrader_desktop.adapters.redis_publisher import NotPublishedError
    from sptrader_desktop.compose_servers import open_publisher
    from sptrader_desktop.core.errors import DataError
    from sptrader_desktop.settings import load_settings

    settings = load_settings()
    name = " ".join(part for part in (Path(sys.argv[0]).stem or "python", symbol, timeframe) if part)
    try:
        return open_publisher(replace(settings, redis_url=url) if url else settings, name)
    except DataError as error:
        raise NotPublishedError(str(error)) from None


def _stamp(name: str, at: datetime | str | None) -> int | None:
    from sptrader_desktop.core.signals import BadSignalError

    if at is None:
        return None
    try:
        moment = datetime.fromisoformat(at) if isinstance(at, str) else at
        return (moment - _EPOCH) // timedelta(microseconds=1)
    except (TypeError, ValueError):  # a time without a zone cannot be subtracted
        raise BadSignalError("time", f"{name} {at!r} cannot be used") from None


def _plain(value: Any) -> Any:
    """Numbers of numpy and pandas as those of Python."""
    return value.item() if hasattr(value, "item") else value
