"""Which servers the program uses, and what is opened on them; whoever opens something closes it."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING

from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.settings import Settings

if TYPE_CHECKING:
    from sptrader_desktop.adapters.postgres_candles import PostgresCandles
    from sptrader_desktop.adapters.redis_events import RedisEventBus
    from sptrader_desktop.adapters.redis_live_prices import StreamPrices
    from sptrader_desktop.adapters.redis_prices import RealtimePrices, RealtimeWindow
    from sptrader_desktop.adapters.redis_server import RedisServer
    from sptrader_desktop.adapters.redis_sessions import SessionClaim
    from sptrader_desktop.core.instruments import Instrument
    from sptrader_desktop.core.sequences import Unjudged
    from sptrader_desktop.ports import FeedPosition, PriceFeed, Publisher, SignalFeed
    from sptrader_desktop.present.database_address import ServerTold

PUBLISHERS = "publishers"  # beside the servers: the numbers and keys of those who publish on this computer


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


def open_publisher(settings: Settings, name: str) -> "Publisher":
    """The program's own server runs until it is closed."""
    from sptrader_desktop.adapters.publisher_files import PublisherFiles
    from sptrader_desktop.adapters.redis_publisher import RedisPublisher
    from sptrader_desktop.adapters.redis_server import open_redis

    files = PublisherFiles(settings.servers / PUBLISHERS, name)
    try:
        return RedisPublisher(open_redis(settings), files)
    except SptraderError:
        files.close()
        raise


def open_live_redis(settings: Settings) -> "RedisServer":
    """One that keeps what it has taken; any other is refused. Feeds and the event bus are made of it, and it is closed after them."""
    from sptrader_desktop.adapters.redis_safety import refuse_unsafe
    from sptrader_desktop.adapters.redis_server import open_redis

    server = open_redis(settings)
    try:
        refuse_unsafe(server)
    except SptraderError:
        server.close()
        raise
    return server


def claim_redis(settings: Settings, server: "RedisServer", told: Callable[[str], object]) -> "SessionClaim":
    """For the session in the live folder, until it is closed: DataError where another session has it."""
    from sptrader_desktop.adapters.redis_sessions import SessionClaim

    return SessionClaim(server, settings.live, told)


def signal_feed(
    settings: Settings,
    server: "RedisServer",
    since: "FeedPosition | None",
    sequences: Mapping[str, int],
    unjudged: "Unjudged | None" = None,
    *,
    only_signed: bool = False,
) -> "SignalFeed":
    """To be made where the loop runs that reads it."""
    from sptrader_desktop.adapters.publisher_files import known_key
    from sptrader_desktop.adapters.redis_sessions import session_name
    from sptrader_desktop.adapters.redis_signals import RedisSignalFeed

    keys, name = partial(known_key, settings.servers / PUBLISHERS), session_name(settings.live)
    return RedisSignalFeed(server, since=since, sequences=sequences, unjudged=unjudged, key_of=keys, only_signed=only_signed, name=name)


def price_feed(server: "RedisServer", symbols: Collection[str], instruments: "Mapping[str, Instrument]") -> "PriceFeed":
    from sptrader_desktop.adapters.redis_price_feed import RedisPriceFeed

    return RedisPriceFeed(server, symbols, instruments)


def event_bus(server: "RedisServer") -> "RedisEventBus":
    from sptrader_desktop.adapters.redis_events import RedisEventBus

    return RedisEventBus(server)


def servers_told(settings: Settings) -> Mapping[str, tuple[str, bool]]:
    """Which servers would be used, why, and whether that is well; starts none."""
    from sptrader_desktop.adapters.postgres_server import postgres_told
    from sptrader_desktop.adapters.redis_server import redis_told

    return {"redis": redis_told(settings), "postgres": postgres_told(settings)}
