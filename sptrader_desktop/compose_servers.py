"""Which servers the program uses, and what is opened on them; whoever opens something closes it."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.settings import Settings

if TYPE_CHECKING:
    from sptrader_desktop.adapters.postgres_candles import PostgresCandles
    from sptrader_desktop.adapters.redis_live_prices import StreamPrices
    from sptrader_desktop.adapters.redis_prices import RealtimePrices, RealtimeWindow
    from sptrader_desktop.core.instruments import Instrument
    from sptrader_desktop.present.database_address import ServerTold


def open_postgres(settings: Settings, instruments: "Mapping[str, Instrument] | None" = None) -> "PostgresCandles":
    """The program's own server runs until it is closed."""
    from sptrader_desktop.adapters.postgres_candles import PostgresCandles
    from sptrader_desktop.adapters.postgres_server import find_server
    from sptrader_desktop.core.instruments import CATALOGUE

    server = find_server(settings)
    try:
        return PostgresCandles(server, instruments or CATALOGUE)
    except SptraderError:
        server.close()
        raise


def postgres_answer(settings: Settings) -> "ServerTold":
    """Asks the server that would be used what it is; nothing in it is changed."""
    from sptrader_desktop.adapters.postgres_server import described, find_server

    with closing(find_server(settings)) as server:
        return described(server)


def open_realtime(settings: Settings, symbol: str, timeframe: str, window: int) -> "RealtimeWindow":
    """The program's own server runs until it is closed."""
    from sptrader_desktop.adapters.redis_prices import RealtimeWindow
    from sptrader_desktop.adapters.redis_server import open_redis

    server = open_redis(settings)
    try:
        return RealtimeWindow(server, symbol, timeframe, window, lambda: time.time_ns() // 1000)
    except SptraderError:
        server.close()
        raise


@contextmanager
def open_prices(settings: Settings, instruments: "Mapping[str, Instrument]", told: Callable[[str], object]) -> "Iterator[RealtimePrices]":
    """All that the stream of prices holds."""
    from sptrader_desktop.adapters.redis_prices import RealtimePrices
    from sptrader_desktop.adapters.redis_server import open_redis

    with closing(open_redis(settings)) as server:
        yield RealtimePrices(server, lambda: time.time_ns() // 1000, instruments, told)


def open_live_prices(settings: Settings, instruments: "Mapping[str, Instrument] | None" = None) -> "StreamPrices":
    """The program's own server runs until they are closed."""
    from sptrader_desktop.adapters.redis_live_prices import StreamPrices
    from sptrader_desktop.adapters.redis_server import open_redis
    from sptrader_desktop.core.instruments import CATALOGUE

    return StreamPrices(open_redis(settings), instruments or CATALOGUE)


def servers_told(settings: Settings) -> Mapping[str, tuple[str, bool]]:
    """Which servers would be used, why, and whether that is well; starts none."""
    from sptrader_desktop.adapters.postgres_server import postgres_told
    from sptrader_desktop.adapters.redis_server import redis_told

    return {"redis": redis_told(settings), "postgres": postgres_told(settings)}
