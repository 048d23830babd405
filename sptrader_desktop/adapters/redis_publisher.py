"""Puts signals and prices into the streams that live trading reads: numbered, signed, and named so that one sent twice is one signal."""

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal, DecimalException
from typing import Any

import numpy as np
import redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as ConnectionLostError
from redis.exceptions import OutOfMemoryError, RedisError
from redis.retry import Retry

from sptrader_desktop.adapters.price_messages import STREAM as PRICES
from sptrader_desktop.adapters.publisher_files import PublisherFiles
from sptrader_desktop.adapters.redis_server import RedisServer
from sptrader_desktop.adapters.redis_signals import STREAM as SIGNALS
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.resample import bar_closes, buckets
from sptrader_desktop.core.signals import LIFE_US, SIGNATURE, BadSignalError, Said, Signal, content_id, read_signal, sign, write_signal

SIGNALS_KEPT, PRICES_KEPT = 100_000, 1_000_000  # about so many entries are kept in the streams
ANSWER_S, RETRIES, LONGEST_PAUSE_S, FIRST_PAUSE_S = 1.0, 3, 0.5, 0.02


class NotPublishedError(DataError):
    """The server is away or full; the same may be published later."""


class RedisPublisher:
    """Used from one thread at a time."""

    def __init__(self, server: RedisServer, files: PublisherFiles) -> None:
        self._server, self._files = server, files
        retry = Retry(ExponentialBackoff(cap=LONGEST_PAUSE_S, base=FIRST_PAUSE_S), RETRIES)
        self._client: Any = redis.Redis.from_url(
            server.address, retry=retry, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S, client_name="sptrader-publisher"
        )

    @property
    def name(self) -> str:
        return self._files.name

    def signal(self, said: Said) -> Signal:
        """What was published. What is no signal raises BadSignalError and gets no number."""
        signal = self._believed(said)
        signal = replace(signal, seq=self._files.next_number())
        text = write_signal(signal)
        self._add(SIGNALS, {"data": text, SIGNATURE: sign(self._files.key, text)}, SIGNALS_KEPT)
        return signal

    def prices(self, prices: Mapping[str, Any]) -> None:
        """By symbol a number, or `{bid, ask}` with a `time` if it is known."""
        told = {symbol: _price(symbol, price) for symbol, price in prices.items()}
        if not told:
            raise DataError("there is no price to publish: give at least one, like {'EURUSD': 1.0860}")
        self._add(PRICES, {"data": json.dumps(told)}, PRICES_KEPT)

    def close(self) -> None:
        self._client.close()
        self._files.close()
        self._server.close()

    def _believed(self, said: Said) -> Signal:
        """As whoever reads it will."""
        now = time.time_ns() // 1_000
        bar_time, valid_until = said.bar_time, said.valid_until
        if said.timeframe is None:
            bar_time, valid_until = None, now + LIFE_US if valid_until is None else valid_until
        else:
            bar_time = last_closed(said.timeframe, now) if bar_time is None else bar_time
            valid_until = _over(said.timeframe, bar_time) + LIFE_US if valid_until is None else valid_until
        signal = Signal(
            "",
            said.name,
            said.type,
            said.strength,
            now,
            dict(said.metadata),
            said.symbol,
            said.timeframe,
            bar_time,
            None,
            self.name,
            valid_until,
        )
        try:
            signal = replace(signal, id=content_id(signal))
            return read_signal(write_signal(signal))
        except (TypeError, AttributeError) as error:
            raise BadSignalError("type", f"{said.name} cannot be published ({error})") from None
        except OverflowError:
            raise BadSignalError("time", f"{said.name} cannot be published") from None
        except ValueError:
            raise BadSignalError("number", f"{said.name} cannot be published") from None

    def _add(self, stream: str, fields: Mapping[Any, Any], kept: int) -> None:
        """A repetition after a lost answer does no harm: signals have an id, and equal prices are one."""
        try:
            try:
                self._client.xadd(stream, fields, maxlen=kept, approximate=True)
            except ConnectionLostError:
                if self._server.in_use is None:
                    raise
                self._server.in_use.revive()
                self._client.xadd(stream, fields, maxlen=kept, approximate=True)
        except OutOfMemoryError:
            raise NotPublishedError(f"Redis at {self._server.shown} is full and took nothing: make room or raise maxmemory") from None
        except RedisError as error:
            raise NotPublishedError(
                f"Redis at {self._server.shown} took nothing ({type(error).__name__}: {error}): start it, then publish again"
            ) from None


def last_closed(timeframe: str, now: int) -> int:
    """The open of the bar that closed last."""
    is_open_since = buckets(np.array([now], np.int64), timeframe).opens
    return int(buckets(is_open_since - 1, timeframe).opens[0])


def _over(timeframe: str, bar_time: int) -> int:
    return int(bar_closes(np.array([bar_time], np.int64), timeframe)[0])


def _price(symbol: str, price: Any) -> Any:
    if not isinstance(price, Mapping):
        return _number(symbol, price)
    if not {"bid", "ask"} <= price.keys():
        raise DataError(f"{symbol} = {dict(price)}: a price is a number, or has bid and ask")
    time_of = {"time": price["time"].isoformat() if hasattr(price["time"], "isoformat") else price["time"]} if "time" in price else {}
    return {side: _number(symbol, price[side]) for side in ("bid", "ask")} | time_of


def _number(symbol: str, price: Any) -> float | str:
    """A Decimal as its text, which is exact."""
    try:
        value = Decimal(str(price))
    except DecimalException:
        value = Decimal("NaN")
    if isinstance(price, bool) or not value.is_finite() or value <= 0:
        raise DataError(f"{symbol} = {price}: a price is a positive number")
    return str(price) if isinstance(price, Decimal | str) else float(price)
