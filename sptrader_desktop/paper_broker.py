"""A broker without a market behind it, as a process of its own: it outlives the program that trades with it, and its books are the truth.

`python -m sptrader_desktop.paper_broker FOLDER`: the folder holds its terms, its books and its socket.
"""

import argparse
import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from sptrader_desktop.runtime.kernel_cache import use_kernel_cache
from sptrader_desktop.settings import Settings, load_settings

if __name__ == "__main__":
    use_kernel_cache(load_settings().kernels)  # before anything below imports the rules

from sptrader_desktop.adapters.broker_lines import Price
from sptrader_desktop.adapters.json_paper_terms import read_terms
from sptrader_desktop.adapters.paper_broker_faults import Faults
from sptrader_desktop.adapters.paper_broker_process import TAKEN, BrokerPlaces, places_in
from sptrader_desktop.adapters.socket_paper_broker import BrokerServer, Peer
from sptrader_desktop.adapters.sqlite_paper_ledger import LedgerTakenError, PaperLedger
from sptrader_desktop.compose_servers import open_live_prices
from sptrader_desktop.core.broker_messages import Place
from sptrader_desktop.core.errors import DataError, SptraderError
from sptrader_desktop.guardian.precedence import TRADES, ask_for_precedence, settle, share_precedence
from sptrader_desktop.runtime.ending import Ending
from sptrader_desktop.runtime.live.paper_prices import PricedBroker
from sptrader_desktop.runtime.live.paper_state import put_back, state_of
from sptrader_desktop.runtime.live.paper_terms import PaperTerms, open_broker

FAILED = 1
PAUSE_S = 0.5
STOPS = (signal.SIGTERM, signal.SIGINT)

Tell = Callable[[Sequence[Price]], object]


class BrokerProcess:
    def __init__(self, places: BrokerPlaces, settings: Settings, *, from_redis: bool, faults: Faults | None) -> None:
        self._places, self._settings, self._from_redis, self._faults = places, settings, from_redis, faults
        self._terms, self._text = read_terms(places.terms)
        self._failure: SptraderError | None = None
        self._end = asyncio.Event()

    async def run(self) -> None:
        """Until it is told to end, or cannot go on."""
        broker = open_broker(self._terms)
        with closing(PaperLedger(self._places.ledger, self._terms.account, self._terms.terms.currency)) as ledger:
            _warm(self._terms)
            if ledger.kept is not None:
                put_back(broker, ledger.kept)
            await self._serve(broker, ledger)
        if self._failure is not None:
            raise self._failure

    async def _serve(self, broker: PricedBroker, ledger: PaperLedger) -> None:
        loop, account = asyncio.get_running_loop(), (self._terms.account, self._terms.terms.currency)
        server = BrokerServer(account, broker, ledger, self._fresh, self._failed, has_clock=self._from_redis, faults=self._faults)
        loop.set_exception_handler(self._broken)
        for number in STOPS:
            loop.add_signal_handler(number, self._end.set)
        self._places.socket.unlink(missing_ok=True)  # whoever left it is gone: the books are ours alone
        before = os.umask(0o177)
        listening = await loop.create_unix_server(lambda: Peer(server), os.fspath(self._places.socket))
        os.umask(before)
        settle()
        ask_for_precedence(TRADES)
        over = threading.Event()
        if self._from_redis:

            def tell(page: Sequence[Price]) -> None:
                loop.call_soon_threadsafe(server.prices, page)

            threading.Thread(target=self._follow, args=(tell, over), daemon=True).start()
        await self._end.wait()
        over.set()
        listening.close()
        if self._failure is None:
            server.write_down()

    def _failed(self, error: SptraderError) -> None:
        self._failure = error
        self._end.set()

    def _broken(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What was half done is not written down: the next start goes on from what was told."""
        loop.default_exception_handler(context)
        if isinstance(context.get("exception"), OSError):  # of one connection
            return
        self._failed(DataError(f"{self._places.folder}: the paper broker itself is at fault: start it again, and report its log"))

    def _fresh(self, broker: PricedBroker) -> PricedBroker:
        """By the terms as they are in the file now; an order that works goes on as it was."""
        terms, text = read_terms(self._places.terms)
        if text == self._text:
            return broker
        before = {item.symbol: item for item in (*self._terms.instruments, *self._terms.rates)}
        for item in (*terms.instruments, *terms.rates):
            if item.symbol in before and (item.tick, item.step) != (before[item.symbol].tick, before[item.symbol].step):
                raise DataError(f"{self._places.terms}: {item.symbol} has another tick or step than before: begin another account with it")
        if (terms.account, terms.terms.currency) != (self._terms.account, self._terms.terms.currency):
            raise DataError(f"{self._places.terms}: the books are of another account: begin a new one in a folder of its own")
        fresh = open_broker(terms)
        put_back(fresh, state_of(broker))
        self._terms, self._text = terms, text
        return fresh

    # Prices

    def _follow(self, tell: Tell, over: threading.Event) -> None:
        """In a thread of its own, for ever: without Redis there are no prices, and nothing is lost but those."""
        share_precedence()
        said = ""
        while not over.is_set():
            try:
                self._read(tell, over)
            except DataError as error:
                if str(error) != said:
                    said = str(error)
                    sys.stderr.write(f"{said}\n")
                over.wait(PAUSE_S)

    def _read(self, tell: Tell, over: threading.Event) -> None:
        instruments = {item.symbol: item for item in (*self._terms.instruments, *self._terms.rates)}
        with closing(open_live_prices(self._settings, instruments)) as prices:
            while not over.is_set() and instruments.keys() == set(self._terms.symbols):
                page = prices.read(instruments)
                if page:
                    tell([Price(item.symbol, item.stamp, item.price, item.ask) for item in page])


def _warm(terms: PaperTerms) -> None:
    """The rules are in memory before the first order comes."""
    broker = open_broker(terms)
    for symbol in broker.symbols:
        broker.price(symbol, 1, 1_000_000)
    symbol = terms.instruments[0].symbol
    broker.ask(Place("warm", symbol, 0, 1, "market", 1, -1, -1, 0, 0), 1)
    broker.price(symbol, 2 + terms.frictions.latency_us, 1_000_000)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m sptrader_desktop.paper_broker", description="A paper account, filled from live prices."
    )
    parser.add_argument("folder", type=Path, help="holds terms.json; books and socket are kept there")
    parser.add_argument("--prices", choices=("redis", "lines"), default="redis", help="`lines`: they come on a connection, with their time")
    parser.add_argument("--faults", action="store_true", help="let connections make things go wrong, for tests")
    asked = parser.parse_args(arguments)
    settings = load_settings()
    try:
        asyncio.run(_main(asked, settings))
    except SptraderError as error:
        sys.stderr.write(f"{error}\n")
        return TAKEN if isinstance(error, LedgerTakenError) else FAILED
    return 0


async def _main(asked: argparse.Namespace, settings: Settings) -> None:
    places = places_in(asked.folder.absolute(), settings)
    faults = Faults() if asked.faults else None
    await BrokerProcess(places, settings, from_redis=asked.prices == "redis", faults=faults).run()


if __name__ == "__main__":
    ending = Ending()
    ending.code = main(sys.argv[1:])
    sys.exit(ending.code)
