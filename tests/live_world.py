"""A live session in a world of its own: the real core, services, account, guardian and paper broker, with simulated time, disk, network
and Redis. A seed draws what happens; after every step the world looks whether all that must hold holds.
"""

import asyncio
import hashlib
import random
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np

from sptrader_desktop.adapters import redis_signals
from sptrader_desktop.adapters.price_messages import STREAM as PRICES
from sptrader_desktop.adapters.redis_signals import STREAM
from sptrader_desktop.adapters.yaml_strategy import parse_strategy
from sptrader_desktop.core.candles import Candles, Prices
from sptrader_desktop.core.errors import JournalBroken
from sptrader_desktop.core.facts import SessionBegan
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.core.live_account import LiveAccount
from sptrader_desktop.core.live_book import Book
from sptrader_desktop.core.money import fixed
from sptrader_desktop.core.order_lives import REMEMBERED
from sptrader_desktop.core.plan import atr_periods, make_plan
from sptrader_desktop.core.signals import NONE, Signal, write_signal
from sptrader_desktop.core.strategy import Strategy
from sptrader_desktop.core.tables import Plan
from sptrader_desktop.core.terms import Commission, Terms
from sptrader_desktop.core.timeframes import parse_timeframe
from sptrader_desktop.ports import LivePrice
from sptrader_desktop.runtime.live.assembly import Parts, Traded, live_symbol
from sptrader_desktop.runtime.live.clock import SECOND_US
from sptrader_desktop.runtime.live.core import LiveCore
from sptrader_desktop.runtime.live.engine import Engine, Market
from sptrader_desktop.runtime.live.multi_symbol_orchestrator import MultiSymbolTradingOrchestrator
from sptrader_desktop.runtime.live.paper_prices import Frictions
from sptrader_desktop.runtime.live.paper_terms import PaperTerms, exits_of
from sptrader_desktop.runtime.live.services_config import IndicatorCalculation, ServicesConfig, StrategyEvaluation
from sptrader_desktop.runtime.live.session import Session
from sptrader_desktop.runtime.live.stream_place import position_of
from sptrader_desktop.runtime.live.surroundings import AccountLatch, Quotes
from tests.forgetful import CrowdedBook
from tests.live_faults import BAD_PRICES, REST_S, Weather
from tests.live_invariants import Watch
from tests.live_mishaps import Mishaps
from tests.live_session import NOON, FakeTradeEvents
from tests.simulated_broker import ACCOUNT, SimulatedBroker, SimulatedGuardian, SimulatedSide
from tests.simulated_disk import Crashed, Fault, Moment, SimulatedDisk, SimulatedJournal
from tests.simulated_ledger import Ledger
from tests.simulated_redis import SimulatedFeed, SimulatedLink, SimulatedPriceFeed, SimulatedRedis
from tests.simulated_snapshots import SimulatedSnapshots
from tests.virtual_time import Process, VirtualLoop, WorldClock

SYMBOLS = ("EURUSD", "GBPUSD")
TIMEFRAME = "2s"
PUBLISHERS = ("p", "p", "q")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TERMS = Terms(capital=Decimal(100_000), commission=Commission(per_lot=Decimal("3.5")), slippage_pips=Decimal("0.2"))
QUARANTINE_US = 2_000_000
SNAPSHOTS_APART = 60  # entries
QUIET_S = 0.3  # what the last price brought about is told by the end
TEXT = """\
name: simulated
version: "1"
dependencies: {{signals: [signals.up, signals.down, signals.leave]}}
entry:
  - {{when: [{{signal: up}}], action: buy, size: {{mode: units, value: 10000}}{order}}}
  - {{when: [{{signal: down}}], action: sell, size: {{mode: units, value: 7000}}{reverse}}}
exit:
  signal_exit: [{{when: [{{signal: leave}}], action: {leave}}}]
  stop_loss: {{type: pips, value: 4}}
  take_profit: {{type: pips, value: 6}}
  partial_close_pct: 0.4
{more}
risk: {{max_positions: 4, daily_loss_limit: 0.05}}
"""
VARIANTS = (
    {"order": "", "reverse": "", "leave": "close_all", "more": ""},
    {"order": ", order: {type: limit, offset: {type: pips, value: 1}, expiry: 2}", "reverse": "", "leave": "close_all", "more": ""},
    {"order": "", "reverse": ", reverse: true", "leave": "close_partial", "more": "  scale_out: true\n  time_exit: {bars: 2}"},
    {
        "order": ", order: {type: stop, offset: {type: pips, value: 1}}",
        "reverse": "",
        "leave": "close_all",
        "more": "  trailing_stop: {activation_pct: 0, trail_pct: 0.0002}",
    },
)


@cache
def traded(variant: int) -> tuple[Strategy, Plan]:
    strategy = parse_strategy(TEXT.format(**VARIANTS[variant]), "simulated.yaml")
    none = np.zeros(0, np.int64)
    empty = Prices(*[none] * 4)
    series = [Candles(CATALOGUE[name], TIMEFRAME, parse_timeframe(TIMEFRAME), none, empty, ask=empty) for name in SYMBOLS]
    return strategy, make_plan(strategy, TERMS, series, [])


class WatchedJournal(SimulatedJournal):
    """Of a process that may be dead by now. `kept` hears of each commit when it is on the disk."""

    def __init__(
        self,
        disk: SimulatedDisk,
        process: Process,
        kept: Callable[[Sequence[tuple[str, bytes]], bool], None],
        takes_time: Callable[[], object],
    ) -> None:
        super().__init__(disk)
        self._process, self._kept, self._takes_time = process, kept, takes_time

    def append(self, entries: Sequence[tuple[str, bytes]]) -> int:
        if not self._process.is_alive:
            raise Crashed
        was_full = not self._disk.reserve
        self._takes_time()
        last = super().append(entries)
        self._kept(entries, was_full)
        return last


class WatchedEngine(Engine):
    """`priced` hears of each price that was taken and not written down, while all else is."""

    priced: Callable[[LiveAccount, int, Market], None]

    def price(self, price: LivePrice) -> bool:
        before, is_all_kept = self.markets.get(price.symbol), not self.session._entries
        is_written = super().price(price)
        market = self.markets.get(price.symbol)
        if market is not None and market is not before and not market.is_seen and is_all_kept:
            self.priced(self.account, self.account.symbols.index(price.symbol), market)
        return is_written


class Life:
    """One life of the core, from its journal on."""

    def __init__(self, world: "World") -> None:
        self.world, self.process = world, Process(world.loop)
        strategy, _ = traded(world.weather.variant)
        self.journal = WatchedJournal(world.disk, self.process, world.kept, world.write_slowly)
        self.session = Session(new_account(world.weather.variant), self.journal, None, world.snapshots, apart=SNAPSHOTS_APART)
        self.session.recover()
        world.watch.began(self.session)
        if self.session.began is None:
            self.session.take(SessionBegan(world.clock.now(), ACCOUNT, "", strategy.name, SYMBOLS, TIMEFRAME))
            self.session.commit()
        session = self.session
        engine = WatchedEngine(session, strategy, world.clock, dict.fromkeys(SYMBOLS, (0, 0)))
        engine.priced = world.priced
        self.feed = SimulatedFeed(self._new_link, position_of(session.place), session.numbers, session.unjudged)
        side = SimulatedSide(world.guardian, self.process, world.tell)
        prices = SimulatedPriceFeed(self._new_link, SYMBOLS, CATALOGUE)
        self.core = LiveCore(engine, self.feed, prices, side, world.clock, QUARANTINE_US)
        self.core.alarms.heard = world.alarmed
        self.core.broken = lambda _: None  # the process ends by what is raised then, and not the whole test
        self._assemble(strategy)
        self.task = self.process.run(self.core.run())

    def _new_link(self) -> SimulatedLink:
        weather = self.world.weather
        return SimulatedLink(self.world.redis, lambda: self.process.is_alive, weather.lag, weather.loses_answer)

    def _assemble(self, strategy: Strategy) -> None:
        core, clock = self.core, self.world.clock
        config = ServicesConfig(
            indicator_calculation=IndicatorCalculation(enabled=False), strategy_evaluation=StrategyEvaluation(min_rows_required=1)
        )
        market, latch = Quotes(core.engine, [CATALOGUE[name] for name in SYMBOLS]), AccountLatch(core.engine)
        nobody: Any = None
        parts = Parts(clock, market, latch, nobody, core.decide, core.execute, builds_bars=True)
        symbols = {name: live_symbol(Traded(CATALOGUE[name], TIMEFRAME, strategy, ()), config, parts) for name in SYMBOLS}
        orchestrators = [live.orchestrator for live in symbols.values()]
        core.attach(symbols, MultiSymbolTradingOrchestrator(orchestrators, clock, latch, market, FakeTradeEvents(), config.orchestrator))


def new_account(variant: int) -> LiveAccount:
    """Every other strategy's forgets as soon as it may."""
    strategy, plan = traded(variant)
    own = Plan(*(table.copy() for table in plan))
    kind, remembered = (CrowdedBook, variant // 2) if variant % 2 else (Book, REMEMBERED)
    return LiveAccount(ACCOUNT, SYMBOLS, kind(own, fixed(TERMS.capital), len(atr_periods(strategy))), latches=True, remembered=remembered)


class World:
    symbols = SYMBOLS

    def __init__(self, seed: int, without: Collection[str] = (), change: Callable[[Weather], None] = lambda _: None) -> None:
        self.seed, self.loop = seed, VirtualLoop()
        self.clock = WorldClock(self.loop, NOON)
        self.weather = Weather(seed, self.loop.time, without)
        change(self.weather)
        self.mishaps = Mishaps(self)
        self.story: list[str] = []
        self.life: Life | None = None
        self.disk = SimulatedDisk(self._disk_fault, room=self.weather.room, reserve=1 << 13)
        self.snapshots = SimulatedSnapshots()
        self.redis = SimulatedRedis(lambda: self.clock.now() // 1_000, self.loop)
        self.redis.acked = self._acked
        units = {name: CATALOGUE[name].unit_value for name in SYMBOLS}
        ledger = Ledger(fixed(TERMS.capital), units)
        self.watch = Watch(ledger, lambda: new_account(self.weather.variant), self.loop.time, QUARANTINE_US)
        self.broker = SimulatedBroker(self._terms(), self.watch.ledger, self.clock.now, self.watch.came)
        self.guardian = SimulatedGuardian(self.broker, self.loop, self.weather, self._left)
        self.lives = 0
        self._is_over = False
        self._mids = dict.fromkeys(SYMBOLS, 110_000)
        self._seq: dict[str, int] = {}
        self._held_back: tuple[str, bytes] | None = None

    def _terms(self) -> PaperTerms:
        _, plan = traded(self.weather.variant)
        frictions = replace(Frictions(), seed=self.seed, **self.weather.frictions)
        symbols, holds = tuple(CATALOGUE[name] for name in SYMBOLS), self.weather.holds_stops
        return PaperTerms(ACCOUNT, TERMS, symbols, exits=exits_of(plan, SYMBOLS), frictions=frictions, holds_stops=holds)

    @property
    def ends(self) -> float:
        """A slow disk holds up peace as well."""
        return max(self.weather.ends, self.mishaps.over_at) + REST_S

    # Its story

    def tell(self, text: str) -> None:
        self.story.append(f"{self.loop.time():9.4f} {text}")

    @property
    def digest(self) -> str:
        return hashlib.blake2b("\n".join([*self.story, *map(repr, self.broker.told)]).encode(), digest_size=16).hexdigest()

    def run(self) -> None:
        asyncio.set_event_loop(None)
        feed: Any = redis_signals
        real, feed.time = feed.time, SimpleNamespace(monotonic=self.loop.time)
        try:
            self.loop.run_until_complete(self._live())
        finally:
            self._is_over = True
            if self.life is not None:
                self.life.process.kill()
            self.loop.run_until_complete(asyncio.sleep(10))
            feed.time = real
            self.loop.close()

    async def _live(self) -> None:
        for at, fault in self.weather.schedule():
            self.loop.later(at, self.mishaps.happen, fault)
        for symbol in SYMBOLS:
            self.loop.later(0.01, self._price, symbol)
        self.loop.later(0.6, self._publish)
        self.loop.later(0.05, self._tick)
        self.loop.later(self.weather.ends, self.mishaps.clear)
        self._begin_core()
        while self.loop.time() < self.ends and self.watch.wrong is None:
            await asyncio.sleep(0.1)
        self.watch.raise_what_is_wrong()
        life = self.life
        assert life is not None, "the core does not come back"
        self.watch.settled(life, self.redis, self.broker.paper)
        gate = self.guardian.guard.gate
        assert gate.is_open or self.watch.is_stopped or life.session.account.halted, f"the gate stays shut: {gate.reasons()}"
        self.tell(f"journal {life.journal.head}")

    # The core

    def _begin_core(self) -> None:
        if self.life is None and not self._is_over:
            self.lives += 1
            self.tell(f"life {self.lives} of the core begins")
            with self._watched():
                try:
                    self.life = Life(self)
                except (JournalBroken, Crashed) as error:
                    self.tell(f"the core does not begin: {error!r}")
                    self.disk.crash(self.weather.survivors())
                    self.loop.later(self.weather.pause(), self._begin_core)
                    return
            self.life.task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        life = self.life
        if life is None or life.task is not task:
            return
        error = None if task.cancelled() else task.exception()
        if isinstance(error, AssertionError):
            self.watch.note(error)
        self.tell(f"the core ended: {error!r}")
        self.kill()

    def kill(self, pause: float | None = None) -> None:
        """At whichever await it stands. What it had written and not synced may survive or not."""
        life, self.life = self.life, None
        if life is None:
            return
        self.tell("the core is dead")
        for at, text in life.core.alarms.last[-3:]:
            self.tell(f"its alarm of {(at - NOON) / 1e6:.4f}: {text}")
        self.loop.thaw()
        life.process.kill()
        line = self.guardian.bridge
        if line is not None:
            line.end_of_core()
        self.disk.crash(self.weather.survivors())
        if self.disk.room is not None and self.weather.is_over:
            self.disk.room = None
        self.loop.later(self.weather.pause() if pause is None else pause, self._begin_core)

    def write_slowly(self) -> None:
        """Whoever waits for a disk waits for nothing else, and all others have to wait for the simulation."""
        self.loop.pass_time(self.weather.takes_time())

    def _disk_fault(self, moment: Moment) -> Fault | None:
        fault = self.weather.disk_fault(moment)
        if fault is Fault.CRASH and self.life is not None:
            self.life.process.is_alive = False
            self.loop.call_soon(self.kill)
            return fault
        return None if fault is Fault.CRASH else fault

    def kept(self, entries: Sequence[tuple[str, bytes]], was_full: bool) -> None:
        with self._watched():
            self.watch.kept(entries, None if self.life is None else self.life.session.account, was_full=was_full)

    def priced(self, account: LiveAccount, s: int, market: Market) -> None:
        with self._watched():
            self.watch.exits.priced(account, s, market)

    def alarmed(self, _at: int, text: str) -> None:
        with self._watched():
            self.watch.alarmed(text)

    def _acked(self, stream_id: str) -> None:
        with self._watched():
            self.watch.acked(stream_id)

    def _left(self, line: bytes, is_order: bool) -> None:
        with self._watched():
            self.watch.left(line, is_order=is_order, is_open=self.guardian.guard.gate.is_open)
        self.mishaps.left(is_order=is_order)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """What must not be is kept for the end: code under test may swallow what a check raises."""
        try:
            yield
        except AssertionError as error:
            self.watch.note(error)
            raise

    # What goes on by itself

    def _tick(self) -> None:
        if self._is_over:
            return
        if self.life is not None and not (self.weather.is_silent or self.loop.is_frozen(self.life.process)):
            self.guardian.control(do="heartbeat", **{"from": "core"})
        self.guardian.tick()
        self.loop.later(0.1, self._tick)

    def _price(self, symbol: str) -> None:
        if self._is_over or self.loop.time() > self.ends - QUIET_S:
            return
        dice = self.weather.dice("market")
        self._mids[symbol] += dice.choice((-1, 1)) * dice.randint(0, 14)
        bid = self._mids[symbol]
        ask = bid + dice.choice((2, 8))
        if not self.weather.has_no_prices:
            self._quote(symbol, self.clock.now(), bid, ask)
        if self.weather.happens("bad_prices"):
            self._quote_badly(symbol, bid, ask)
        self.loop.later(dice.uniform(0.1, 0.4), self._price, symbol)

    def _quote(self, symbol: str, stamp: int, bid: int, ask: int) -> None:
        """To the stream, if anybody is there, and to the broker, who has his prices from elsewhere."""
        at = (EPOCH + timedelta(microseconds=stamp)).isoformat()
        figures = f'"bid": {bid}e-5, "ask": {ask}e-5, "time": "{at}"'
        self._put_price(f'{{"{symbol}": {{{figures}}}}}')
        with self._watched():
            self.broker.price(symbol, stamp, bid, ask)

    def _put_price(self, text: str) -> None:
        if self.redis.is_up:
            self.redis.ask(("XADD", PRICES, "*", "data", text))

    def _quote_badly(self, symbol: str, bid: int, ask: int) -> None:
        """What no market has: it is not believed, or does no harm."""
        what = self.weather.dice("which price").choice(BAD_PRICES)
        self.tell(f"{symbol} has a price that is {what}")
        now = self.clock.now()
        match what:
            case "crossed":
                self._quote(symbol, now, ask, bid)
            case "nothing" | "negative":
                self._quote(symbol, now, 0 if what == "nothing" else -bid, ask)
            case "no number" | "no JSON":
                self._put_price(f'{{"{symbol}": {{"bid": NaN, "ask": "x"}}}}' if what == "no number" else "{")
            case "absurd":
                self._quote(symbol, now, bid * 3, ask * 3)
            case "old" | "from the future":
                self._quote(symbol, now + (-20 if what == "old" else 20) * SECOND_US, bid - 40, ask - 40)

    def _publish(self) -> None:
        dice = self.weather.dice("publisher")
        if self.loop.time() > self.weather.ends + 1:
            return
        if not self.watch.shadow.place:  # nobody is promised anything before that
            self.loop.later(0.05, self._publish)
            return
        symbol = dice.choice(SYMBOLS)
        number = self._seq[symbol] = self._seq.get(symbol, 0) + 1
        word = ("up", "leave", "down", "leave")[number % 4]
        self._say(symbol, word, number, dice)
        self.loop.later(dice.uniform(0.03, 0.4), self._publish)

    def _say(self, symbol: str, word: str, number: int, dice: random.Random) -> None:
        now, length = self.clock.now(), 2 * SECOND_US
        bar = (now // length - 1) * length if dice.random() < 0.4 and self.loop.time() < self.weather.ends - 3 else None
        words = [(word, "event")] if bar is None else [(each, "event" if each == word else NONE) for each in ("up", "down", "leave")]
        publisher = dice.choice(PUBLISHERS)
        for each, kind in words:
            seq = self._seq[publisher] = self._seq.get(publisher, 0) + 1
            frame = None if bar is None else TIMEFRAME
            life = (now if bar is None else bar + length) + 2_500_000
            name = f"{symbol}-{number}-{each}"
            text = write_signal(Signal(name, each, kind, 1.0, now, {}, symbol, frame, bar, seq, publisher, life))
            self.watch.numbered(name, publisher, seq)
            self._put(name, text)

    def _put(self, name: str, text: bytes) -> None:
        weather = self.weather
        if not self.redis.is_up:
            self.watch.has_lost = True
            return
        before, self._held_back = self._held_back, None
        if before is None and weather.happens("late_signals"):
            self._held_back = name, text
            self.watch.has_lost = True  # so it looks until it comes
        else:
            self._add(name, text)
        if before is not None:
            self._add(*before)
        if weather.happens("doubles"):
            self._add(name, text)
        if weather.happens("poison"):
            self._add("", b"\xff not a signal")

    def _add(self, name: str, text: bytes) -> None:
        stream_id = self.redis.ask(("XADD", STREAM, "*", "data", text)).decode()
        self.watch.published(stream_id, name)
