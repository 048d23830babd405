"""Publishes signals and prices to live trading: for scripts that import `SignalPublisher` from here, and run alone as it is told.

python signal_publisher.py --symbol EURUSD --signal ma_crossover --type golden_cross --strength 0.8
python signal_publisher.py --prices EURUSD=1.0850/1.0852,USDJPY=148.5 --every 1
"""

import argparse
import itertools
import json
import sys
import time

from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.sdk import SignalPublisher

__all__ = ["SignalPublisher"]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Publishes a test signal, prices, or both.")
    parser.add_argument("--symbol", help="what the signal is about, else REALTIME_SYMBOL")
    parser.add_argument("--timeframe", help="of its bars, else REALTIME_TIMEFRAME; without one the signal acts when it arrives")
    parser.add_argument("--signal", help="its name, such as ma_crossover")
    parser.add_argument("--type", help="its type, such as golden_cross; none: it was computed and does not hold")
    parser.add_argument("--strength", type=float, default=1.0)
    parser.add_argument("--metadata", type=metadata, default={}, help='more of it as JSON, such as {"current_price": 1.0860}')
    parser.add_argument("--bar-time", help="the open of its bar, such as 2024-01-29T12:00:00Z; the bar that closed last unless given")
    parser.add_argument("--valid-until", help="when it expires")
    parser.add_argument("--prices", type=prices, help="such as EURUSD=1.0850/1.0852,USDJPY=148.5: bid and ask, or a number")
    parser.add_argument("--every", type=seconds, help="again after so many seconds, until it is interrupted")
    parser.add_argument("--count", type=int, help="with --every: at most so often")
    parser.add_argument("--redis-url", help="the server, else REDIS_URL, else the program's own")
    chosen = parser.parse_args(arguments)
    if (chosen.signal is None) != (chosen.type is None) or (chosen.signal is None and chosen.prices is None):
        parser.error("give --signal and --type, --prices, or both")
    try:
        return publish(chosen)
    except SptraderError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def publish(chosen: argparse.Namespace) -> int:
    times = itertools.count(1) if chosen.every and chosen.count is None else range(1, (chosen.count or 1) + 1)
    with SignalPublisher(chosen.redis_url, symbol=chosen.symbol, timeframe=chosen.timeframe) as publisher:
        for number in times:
            if number > 1:
                time.sleep(chosen.every or 0)
            done = chosen.prices is None or publisher.publish_price_update(chosen.prices)
            if done and chosen.signal:
                given = chosen.signal, chosen.type, chosen.strength, chosen.metadata
                done = publisher.publish_signal(*given, bar_time=chosen.bar_time, valid_until=chosen.valid_until)
            if not done and not chosen.every:
                return 1
            if done:
                print(f"published {chosen.signal or ''} {chosen.type or ''} {chosen.prices or ''}".rstrip(), flush=True)
    return 0


def seconds(text: str) -> float:
    found = float(text)
    if not 0 < found <= 86_400:
        raise ValueError(text)
    return found


def metadata(text: str) -> dict[str, object]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError(text)
    return found


def prices(text: str) -> dict[str, object]:
    found: dict[str, object] = {}
    for part in text.split(","):
        symbol, _, price = part.partition("=")
        bid, slash, ask = price.partition("/")
        found[symbol] = {"bid": float(bid), "ask": float(ask)} if slash else float(bid)
    return found


if __name__ == "__main__":
    sys.exit(main())
