"""A live session put together: journal, account, services, streams, guardian and paper broker, each chosen here."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sptrader_desktop import compose, compose_components, compose_servers
from sptrader_desktop.core.errors import RunError
from sptrader_desktop.runtime.recipe import Recipe
from sptrader_desktop.runtime.recipe_values import terms_of
from sptrader_desktop.settings import Settings

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from sptrader_desktop.adapters.core_watch import CoreWatch
    from sptrader_desktop.adapters.guardian_link import GuardianLink
    from sptrader_desktop.adapters.redis_events import RedisEventBus
    from sptrader_desktop.compose import StrategyRead
    from sptrader_desktop.core.candles import Candles
    from sptrader_desktop.core.instruments import Instrument
    from sptrader_desktop.core.tables import Plan
    from sptrader_desktop.core.terms import Terms
    from sptrader_desktop.ports import CandleSource
    from sptrader_desktop.present.live_feeds import LiveFeeds
    from sptrader_desktop.present.live_state import Session as Watched
    from sptrader_desktop.runtime.live.clock import Clock
    from sptrader_desktop.runtime.live.commands import Commands
    from sptrader_desktop.runtime.live.core import LiveCore
    from sptrader_desktop.runtime.live.engine import Engine
    from sptrader_desktop.runtime.live.session import Session

ACCOUNT = "paper"  # one to a live folder: one ledger, one guardian, one stop
JOURNAL, BROKER, PUBLISHER = "journal.sqlite3", "broker", "live"


@dataclass(frozen=True, slots=True)
class LiveAsked:
    """`recipe` names strategy, costs, capital and parameters. With `own` the program calculates the strategy's signals itself; `source`
    then gives the candles from before, and those of gaps."""

    recipe: Recipe
    symbols: tuple[str, ...]
    timeframe: str
    rates: tuple[str, ...] = ()
    own: bool = True
    source: str = ""
    quarantine_s: float = 10.0
    holds_stops: bool = True  # the paper broker, which can do without to be like one that holds none


@dataclass(frozen=True, slots=True)
class _Known:
    """What everything is made from."""

    asked: LiveAsked
    read: "StrategyRead"
    terms: "Terms"
    instruments: "tuple[Instrument, ...]"
    rates: "tuple[Instrument, ...]"
    plan: "Plan"
    folder: Path
    catalogue: "Mapping[str, Instrument]"

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(item.symbol for item in (*self.instruments, *self.rates))


@asynccontextmanager
async def open_live(settings: Settings, asked: LiveAsked, told: Callable[[str], None]) -> "AsyncIterator[LiveCore]":
    """What was written down is applied, and everything is connected; nothing trades before `run`."""
    from sptrader_desktop.adapters.core_watch import CoreWatch, GateSeen
    from sptrader_desktop.adapters.guarded_broker import GuardedBroker
    from sptrader_desktop.runtime.live.clock import SystemClock
    from sptrader_desktop.runtime.live.commands import Commands
    from sptrader_desktop.runtime.live.core import LiveCore
    from sptrader_desktop.runtime.live.feed_place import position_of
    from sptrader_desktop.runtime.live.ready_stages import ready_account

    known = _known(settings, asked)
    await asyncio.to_thread(ready_account)
    async with AsyncExitStack() as held:
        clock = SystemClock()
        engine, feeds = await _engine(known, clock, held)
        gate = GateSeen()
        link = await _guarded_paper(settings, known, held, _both(gate.lose, told))
        server = await asyncio.to_thread(compose_servers.open_live_redis, settings)
        held.callback(server.close)
        session = engine.session
        feed = compose_servers.signal_feed(settings, server, position_of(session.place), session.numbers, session.read_to)
        held.push_async_callback(feed.close)
        prices = compose_servers.price_feed(server, known.symbols, {item.symbol: item for item in (*known.instruments, *known.rates)})
        held.push_async_callback(prices.close)
        broker = GuardedBroker(
            link, _both(gate.hear, lambda is_open, why: told(f"the gate is {'open' if is_open else f'shut: {why}'}")), told
        )
        core = LiveCore(engine, feed, prices, broker, clock, int(asked.quarantine_s * 1_000_000))
        abroad = compose_servers.event_bus(server)
        held.push_async_callback(abroad.close)
        telling = asyncio.create_task(abroad.run())
        held.callback(telling.cancel)
        _assemble(settings, known, core, clock, abroad, held)
        watch = CoreWatch(_told_of(known), core, feeds, gate, clock)
        await _watched(known, watch, Commands(core, link, clock), held)
        telling_all = asyncio.create_task(watch.tell_abroad(abroad.publish))
        held.callback(telling_all.cancel)
        yield core


# Strategy, terms, plan


def _known(settings: Settings, asked: LiveAsked) -> _Known:
    from sptrader_desktop.adapters.instrument_files import load_financing, load_instruments
    from sptrader_desktop.core.instruments import CATALOGUE
    from sptrader_desktop.core.plan import make_plan

    catalogue: Mapping[str, Instrument] = CATALOGUE
    if asked.recipe.instruments:
        catalogue = load_instruments(Path(asked.recipe.instruments), catalogue)
    if asked.recipe.financing:
        catalogue = load_financing(Path(asked.recipe.financing), catalogue)
    read, terms = compose.strategy_of(asked.recipe, settings), terms_of(asked.recipe)
    traded, rates = (tuple(_instrument(catalogue, symbol) for symbol in names) for names in (asked.symbols, asked.rates))
    if len({*asked.symbols, *asked.rates}) < len(asked.symbols) + len(asked.rates):
        raise RunError("a symbol is named twice: each is traded once, or only gives its rate")
    series = [_unborn(item, asked.timeframe) for item in (*traded, *rates)]
    plan = make_plan(read.strategy, terms, series[: len(traded)], series[len(traded) :])
    return _Known(asked, read, terms, traded, rates, plan, settings.live, catalogue)


def _instrument(catalogue: "Mapping[str, Instrument]", symbol: str) -> "Instrument":
    if symbol not in catalogue:
        raise RunError(f"{symbol} is not a known instrument: correct it, or describe it in a file and give --instruments FILE")
    return catalogue[symbol]


def _unborn(item: "Instrument", timeframe: str) -> "Candles":
    """Candles of both sides that have not happened yet: live prices have a bid and an ask, or are given one."""
    import numpy as np

    from sptrader_desktop.core.candles import Candles, Prices
    from sptrader_desktop.core.timeframes import parse_timeframe

    none = np.zeros(0, np.int64)
    return Candles(item, timeframe, parse_timeframe(timeframe), none, Prices(*[none] * 4), ask=Prices(*[none] * 4))


def _inputs(known: _Known) -> str:
    """What an account's decisions and money rest on: with another of them its journal means something else."""
    asked = known.asked
    parts = [known.read.text, json.dumps(asked.recipe.as_json() | {"strategy": ""}, sort_keys=True), *known.symbols, asked.timeframe]
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()


# The account


async def _engine(known: _Known, clock: "Clock", held: AsyncExitStack) -> "tuple[Engine, LiveFeeds]":
    from sptrader_desktop.adapters.sqlite_journal import SqliteJournal
    from sptrader_desktop.core.live_account import LiveAccount
    from sptrader_desktop.core.live_book import Book
    from sptrader_desktop.core.money import fixed
    from sptrader_desktop.core.plan import atr_periods, whole_ticks
    from sptrader_desktop.present.live_feeds import LiveFeeds
    from sptrader_desktop.runtime.live.engine import Engine
    from sptrader_desktop.runtime.live.session import Session

    known.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    journal = SqliteJournal(known.folder / JOURNAL)
    held.callback(journal.close)
    book = Book(known.plan, fixed(known.terms.capital), len(atr_periods(known.read.strategy)))
    account = LiveAccount(ACCOUNT, known.symbols, book, latches=True)
    feeds = LiveFeeds(account, (*known.instruments, *known.rates))
    session = Session(account, journal, feeds.hear)
    session.recover()
    _begin(session, known, clock.now())
    spreads = {item.symbol: whole_ticks(known.terms.spread_pips, item, "a spread") for item in known.instruments}
    halves = {symbol: (ticks // 2, ticks - ticks // 2) for symbol, ticks in spreads.items()}
    return Engine(session, known.read.strategy, clock, halves | {item.symbol: (0, 0) for item in known.rates}), feeds


def _begin(session: "Session", known: _Known, now: int) -> None:
    from sptrader_desktop.core.facts import SessionBegan

    inputs, asked = _inputs(known), known.asked
    if session.began is None:
        session.take(SessionBegan(now, ACCOUNT, inputs, known.read.strategy.name, known.symbols, asked.timeframe))
        session.commit()
    elif session.began.inputs != inputs:
        raise RunError(
            f"the account in {known.folder} was begun with {session.began.strategy} on {', '.join(session.began.symbols)} "
            f"{session.began.timeframe} and with other terms or another text than now: start it as it was, or name another folder "
            "by SPTRADER_LIVE"
        )


# The broker and its guardian


async def _guarded_paper(settings: Settings, known: _Known, held: AsyncExitStack, told: Callable[[str], None]) -> "GuardianLink":
    from sptrader_desktop.adapters.guardian_link import GuardianLink
    from sptrader_desktop.adapters.paper_broker_process import places_in, use_paper_broker
    from sptrader_desktop.runtime.live.paper_terms import PaperTerms, exits_of

    exits = exits_of(known.plan, known.symbols)
    terms = PaperTerms(ACCOUNT, known.terms, known.instruments, known.rates, exits, holds_stops=known.asked.holds_stops)
    places = places_in(known.folder / BROKER, settings)
    await asyncio.to_thread(use_paper_broker, places, terms)
    link = GuardianLink(settings.live, str(places.socket), "core", told)
    await link.open()
    held.push_async_callback(link.close)
    return link


# Who watches


async def _watched(known: _Known, watch: "CoreWatch", commands: "Commands", held: AsyncExitStack) -> None:
    from sptrader_desktop.adapters.core_control import CoreControl
    from sptrader_desktop.guardian.places import live_places

    control = CoreControl(live_places(known.folder), watch.state, watch.feeds, commands.obey, watch.bars)
    await control.open()
    held.push_async_callback(control.close)
    watch.tell(control.event)


def _told_of(known: _Known) -> "Watched":
    from sptrader_desktop.core.money import fixed
    from sptrader_desktop.present.live_state import Session as Watched

    strategy, terms = known.read.strategy, known.terms
    told = {"name": strategy.name, "version": strategy.version, "file": known.asked.recipe.strategy}
    return Watched(ACCOUNT, terms.currency, fixed(terms.capital), told, known.asked.timeframe)


def _both(first: Callable[..., object], second: Callable[..., object]) -> Callable[..., None]:
    def told(*what: object) -> None:
        first(*what)
        second(*what)

    return told


# Services


def _assemble(settings: Settings, known: _Known, core: "LiveCore", clock: "Clock", abroad: "RedisEventBus", held: AsyncExitStack) -> None:
    from sptrader_desktop.adapters.yaml_services import read_services
    from sptrader_desktop.runtime.live.assembly import Parts, Traded, live_symbol, own_components, regime_component
    from sptrader_desktop.runtime.live.beside_the_loop import OwnStream, SourceFeed
    from sptrader_desktop.runtime.live.multi_symbol_orchestrator import MultiSymbolTradingOrchestrator
    from sptrader_desktop.runtime.live.risk_config import limits_of
    from sptrader_desktop.runtime.live.surroundings import AccountLatch, Quotes, ToldAbroad

    workspace = compose_components.ready_workspace(settings)
    config, catalogue = read_services(workspace / "services.yaml"), known.read.catalogue
    core.limits = limits_of(config.risk, known.asked.symbols, known.catalogue)
    strategy = known.read.strategy
    own = own_components(catalogue, strategy.signals) if known.asked.own else ()
    regime = regime_component(catalogue, config.indicator_calculation)
    market, latch = Quotes(core.engine, known.instruments), AccountLatch(core.engine)
    runner = compose_components.component_runner(settings, catalogue)
    feed = SourceFeed(held.enter_context(_source(settings, known))) if known.asked.source else None
    stream = None
    if own:
        publisher = compose_servers.open_publisher(settings, PUBLISHER)
        held.callback(publisher.close)
        stream = OwnStream(publisher)
    parts = Parts(clock, market, latch, runner, core.decide, core.execute, feed, builds_bars=True, stream=stream)
    symbols = {
        item.symbol: live_symbol(Traded(item, known.asked.timeframe, strategy, own, regime), config, parts) for item in known.instruments
    }
    orchestrators = [live.orchestrator for live in symbols.values()]
    core.attach(symbols, MultiSymbolTradingOrchestrator(orchestrators, clock, latch, market, ToldAbroad(abroad), config.orchestrator))


def _source(settings: Settings, known: _Known) -> "AbstractContextManager[CandleSource]":
    from sptrader_desktop.compose_data import SOURCES

    return SOURCES[known.asked.source](settings, {item.symbol: item for item in known.instruments})
