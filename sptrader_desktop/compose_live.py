"""A live session put together: journal, account, services, streams, guardian and paper broker, each chosen here."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sptrader_desktop import compose, compose_components, compose_servers
from sptrader_desktop.core.errors import RunError
from sptrader_desktop.runtime.recipe import Recipe
from sptrader_desktop.runtime.recipe_values import terms_of
from sptrader_desktop.settings import Settings

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from sptrader_desktop.adapters.core_watch import CoreWatch
    from sptrader_desktop.adapters.guardian_link import GuardianLink
    from sptrader_desktop.adapters.paper_broker_process import KeptPaperBroker
    from sptrader_desktop.adapters.redis_events import RedisEventBus
    from sptrader_desktop.adapters.sqlite_journal import SqliteJournal
    from sptrader_desktop.compose import StrategyRead
    from sptrader_desktop.core.candles import Candles
    from sptrader_desktop.core.instruments import Instrument
    from sptrader_desktop.core.live_account import LiveAccount
    from sptrader_desktop.core.risk_tree import NodeLimits
    from sptrader_desktop.core.tables import Plan
    from sptrader_desktop.core.terms import Terms
    from sptrader_desktop.ports import CandleSource, Journal
    from sptrader_desktop.present.live_feeds import LiveFeeds
    from sptrader_desktop.present.live_state import Session as Watched
    from sptrader_desktop.runtime.live.clock import Clock
    from sptrader_desktop.runtime.live.commands import Commands
    from sptrader_desktop.runtime.live.core import LiveCore
    from sptrader_desktop.runtime.live.engine import Engine
    from sptrader_desktop.runtime.live.session import Session
    from sptrader_desktop.runtime.live.snapshots import SnapshotStore

ACCOUNT = "paper"  # one to a live folder: one ledger, one guardian, one stop
JOURNAL, BEGUN, BROKER, PUBLISHER = "journal.sqlite3", "begun.json", "broker", "live"
COPIES = 3  # of a journal that is written meanwhile, before it counts as broken


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
    from sptrader_desktop.runtime.live.ready_stages import ready_account
    from sptrader_desktop.runtime.live.stream_place import position_of

    known = _known(settings, asked)
    await asyncio.to_thread(ready_account)
    async with AsyncExitStack() as held:
        clock = SystemClock()
        server = await asyncio.to_thread(compose_servers.open_live_redis, settings)
        held.callback(server.close)
        held.callback((await asyncio.to_thread(compose_servers.claim_redis, settings, server, told)).close)
        engine, feeds = await _engine(known, clock, held)
        gate = GateSeen()
        link, paper = await _guarded_paper(settings, known, held, _both(gate.lose, told), clock)
        session = engine.session
        place = position_of(session.place)
        feed = compose_servers.signal_feed(settings, server, place, session.numbers, session.unjudged)
        held.push_async_callback(feed.close)
        prices = compose_servers.price_feed(server, known.symbols, {item.symbol: item for item in (*known.instruments, *known.rates)})
        held.push_async_callback(prices.close)
        heard = _both(gate.hear, lambda is_open, why: told(f"the gate is {'open' if is_open else f'shut: {why}'}"))
        core = LiveCore(
            engine, feed, prices, GuardedBroker(link, heard, told, paper.ready, clock), clock, int(asked.quarantine_s * 1_000_000)
        )
        paper.told = core.alarm
        abroad = compose_servers.event_bus(server)
        held.push_async_callback(abroad.close)
        telling = asyncio.create_task(abroad.run())
        held.callback(telling.cancel)
        _assemble(settings, known, core, clock, abroad, held)
        watch = CoreWatch(_told_of(known), core, feeds, gate, clock)
        await _watched(known, watch, Commands(core, link, clock, lambda: _limits(settings, known)), held)
        telling_all = asyncio.create_task(watch.tell_abroad(abroad.publish))
        held.callback(telling_all.cancel)
        yield core


# Strategy, terms, plan


def _known(settings: Settings, asked: LiveAsked, text: str | None = None) -> _Known:
    from sptrader_desktop.adapters.instrument_files import load_financing, load_instruments
    from sptrader_desktop.core.conversion import BRIDGE, NoRateError
    from sptrader_desktop.core.instruments import CATALOGUE
    from sptrader_desktop.core.plan import make_plan

    catalogue: Mapping[str, Instrument] = CATALOGUE
    if asked.recipe.instruments:
        catalogue = load_instruments(Path(asked.recipe.instruments), catalogue)
    if asked.recipe.financing:
        catalogue = load_financing(Path(asked.recipe.financing), catalogue)
    read, terms = compose.strategy_of(asked.recipe, settings, text), terms_of(asked.recipe)
    traded, rates = (tuple(_instrument(catalogue, symbol) for symbol in names) for names in (asked.symbols, asked.rates))
    if len({*asked.symbols, *asked.rates}) < len(asked.symbols) + len(asked.rates):
        raise RunError("a symbol is named twice: each is traded once, or only gives its rate")
    series = [_unborn(item, asked.timeframe) for item in (*traded, *rates)]
    try:
        plan = make_plan(read.strategy, terms, series[: len(traded)], series[len(traded) :])
    except NoRateError as missing:
        named = " or ".join([pair for pair in missing.pairs if pair in catalogue] or missing.pairs)
        raise RunError(
            f"no rate from {missing.quote} to {missing.account}: name {named} (or both currencies against {BRIDGE}) with --rates, and send "
            "its prices too"
        ) from None
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
    if asked.recipe.instruments:  # a file of yours, which may say something else tomorrow; its rates may, the broker charges them
        own = [replace(item, long_rate=Decimal(0), short_rate=Decimal(0)) for item in (*known.instruments, *known.rates)]
        parts += [json.dumps(asdict(item), default=str, sort_keys=True) for item in own]
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()


# The account


async def _engine(known: _Known, clock: "Clock", held: AsyncExitStack) -> "tuple[Engine, LiveFeeds]":
    from sptrader_desktop.adapters.sqlite_journal import SqliteJournal
    from sptrader_desktop.core.facts import SessionBegan
    from sptrader_desktop.core.plan import whole_ticks
    from sptrader_desktop.runtime.live.engine import Engine
    from sptrader_desktop.runtime.live.snapshots import rules
    from sptrader_desktop.runtime.snapshot_files import SnapshotFiles

    try:
        known.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{known.folder}: no account can be kept there ({error.strerror}): name another folder by SPTRADER_LIVE") from None
    journal = SqliteJournal(known.folder / JOURNAL)
    held.callback(journal.close)
    _refuse_another(journal, known)
    _keep_asked(known)
    store = SnapshotFiles(known.folder / JOURNAL, rules())
    held.callback(store.close)
    session, feeds = _new_session(known, journal, store)
    session.recover()
    if session.began is None:
        session.take(SessionBegan(clock.now(), ACCOUNT, _inputs(known), known.read.strategy.name, known.symbols, known.asked.timeframe))
        session.commit()
    spreads = {item.symbol: whole_ticks(known.terms.spread_pips, item, "a spread") for item in known.instruments}
    halves = {symbol: (ticks // 2, ticks - ticks // 2) for symbol, ticks in spreads.items()}
    return Engine(session, known.read.strategy, clock, halves | {item.symbol: (0, 0) for item in known.rates}), feeds


def _new_session(known: _Known, journal: "Journal", store: "SnapshotStore | None" = None) -> "tuple[Session, LiveFeeds]":
    from sptrader_desktop.present.live_feeds import LiveFeeds
    from sptrader_desktop.runtime.live.session import Session

    account = _new_account(known)
    feeds = LiveFeeds(account, (*known.instruments, *known.rates))
    return Session(account, journal, feeds.hear, store, feeds), feeds


def _new_account(known: _Known, *, history: bool = False) -> "LiveAccount":
    from sptrader_desktop.core.live_account import LiveAccount
    from sptrader_desktop.core.live_book import Book
    from sptrader_desktop.core.money import fixed
    from sptrader_desktop.core.plan import atr_periods

    book = Book(known.plan, fixed(known.terms.capital), len(atr_periods(known.read.strategy)))
    return LiveAccount(ACCOUNT, known.symbols, book, latches=True, history=history)


def verified(settings: Settings, asked: LiveAsked) -> str:
    """What applying every entry of the journal came to, in a sentence; RunError where a snapshot says something else. Nothing is traded."""
    from sptrader_desktop.adapters.sqlite_journal import SqliteJournal
    from sptrader_desktop.runtime.live.journal_check import check_journal
    from sptrader_desktop.runtime.live.ready_stages import ready_account
    from sptrader_desktop.runtime.live.snapshots import rules
    from sptrader_desktop.runtime.snapshot_files import SnapshotFiles

    known = _known(settings, asked)
    path = known.folder / JOURNAL
    if not path.exists():
        raise RunError(f"{path}: there is no journal to verify: start a session there first")
    ready_account()
    with closing(SqliteJournal(path)) as journal:
        _refuse_another(journal, known)
        store = SnapshotFiles(path, rules())
        found = check_journal(journal, store.found(), lambda: _new_session(known, journal))
    if found.differing or store.refused:
        wrong = [f"the snapshot of entry {seq:,} is not what the entries up to it come to" for seq in found.differing]
        raise RunError(f"{'; '.join([*store.refused, *wrong])}: all {found.facts:,} entries can be applied without it")
    told = ", ".join(f"{seq:,}" for seq in found.agreeing)
    return f"{path}: all {found.facts:,} entries apply; {f'the snapshots of entries {told} agree' if told else 'there is no snapshot yet'}"


def _refuse_another(journal: "Journal", known: _Known) -> None:
    """Before anything is made of its facts: they would mean something else."""
    from sptrader_desktop.core.facts import SessionBegan
    from sptrader_desktop.runtime.live.fact_text import read_fact

    first = next(iter(journal.read()), None)
    began = read_fact(first.kind, first.body) if first else None
    if began is not None and not (isinstance(began, SessionBegan) and began.inputs == _inputs(known)):
        what = f"{began.strategy} on {', '.join(began.symbols)} {began.timeframe}" if isinstance(began, SessionBegan) else "something else"
        raise RunError(
            f"the account in {known.folder} was begun with {what} and with other terms or another text than now: start it as it was, or "
            "name another folder by SPTRADER_LIVE"
        )


def _keep_asked(known: _Known) -> None:
    """What the journal does not say of itself: by what its facts are to be understood when no session does."""
    from sptrader_desktop.runtime.whole_files import write_whole

    kept = {"asked": asdict(known.asked), "strategy": known.read.text}
    write_whole(known.folder / BEGUN, json.dumps(kept, indent=1).encode())


def last_known(settings: Settings) -> dict[str, object] | None:
    """What the account had come to where its journal ends, for when no session tells it; nothing where there is no journal. Read from a
    copy: nothing is changed by looking."""
    from sptrader_desktop.present.live_state import last_state
    from sptrader_desktop.present.numbers import iso_time
    from sptrader_desktop.runtime.live.clock import SECOND_US, SystemClock
    from sptrader_desktop.runtime.live.snapshots import rules
    from sptrader_desktop.runtime.snapshot_files import SnapshotFiles

    if not (settings.live / JOURNAL).exists():
        return None
    known = _begun(settings)
    with _copied_journal(known) as (path, journal):
        session, feeds = _new_session(known, journal, SnapshotFiles(path, rules()))
        session.recover()
        entries, at = journal.head[0], _last_at(session)
    age = max(0, SystemClock().now() - at) // SECOND_US
    says = f"from the journal, whose last entry is {age:,} s old: no session tells it, and what the broker did since is not known here"
    return {"says": says, "at": iso_time(at), "age_s": age, "entries": entries, **last_state(_told_of(known), session.account, feeds)}


@contextmanager
def _copied_journal(known: _Known) -> "Iterator[tuple[Path, SqliteJournal]]":
    from tempfile import TemporaryDirectory

    from sptrader_desktop.adapters.sqlite_journal import SqliteJournal, copy_journal

    with TemporaryDirectory() as folder:
        path = copy_journal(known.folder / JOURNAL, Path(folder))
        with closing(SqliteJournal(path, reserve=0)) as journal:
            _refuse_another(journal, known)
            yield path, journal


def trades_so_far(settings: Settings) -> "list[dict[str, Any]]":
    """Of the live account, from its whole journal, which a session may be writing meanwhile; as the result of a backtest has them."""
    from sptrader_desktop.core.errors import JournalError
    from sptrader_desktop.runtime.live.ready_stages import ready_account

    if not (settings.live / JOURNAL).exists():
        raise RunError(f"{settings.live}: no live account was begun there: start a session, or name another folder by SPTRADER_LIVE")
    known = _begun(settings)
    ready_account()
    for _ in range(COPIES - 1):
        with suppress(JournalError, FileNotFoundError):  # it may have been copied while it was tidied
            return _trades(known)
    return _trades(known)


def _trades(known: _Known) -> "list[dict[str, Any]]":
    from sptrader_desktop.present.result_json import rows_of_trades
    from sptrader_desktop.runtime.live.trade_history import trade_history

    with _copied_journal(known) as (_, journal):
        trades = trade_history(_new_account(known, history=True), journal)
    return rows_of_trades(trades, known.terms.currency, known.instruments)


def _last_at(session: "Session") -> int:
    from sptrader_desktop.core.facts import ReplayEnded, TransactionSeen
    from sptrader_desktop.runtime.live.fact_text import read_fact

    seq, _ = session.journal.head
    for entry in session.journal.read(max(0, seq - 1)):
        fact = read_fact(entry.kind, entry.body)
        return (
            session.account.at if isinstance(fact, ReplayEnded) else fact.transaction.at if isinstance(fact, TransactionSeen) else fact.at
        )
    return 0


def _begun(settings: Settings) -> _Known:
    """As the account's last session was asked for, with the strategy's text of that day."""
    try:
        kept = json.loads((settings.live / BEGUN).read_bytes())
        asked: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in kept["asked"].items()}
        return _known(settings, LiveAsked(**asked | {"recipe": Recipe.from_json(asked["recipe"])}), str(kept["strategy"]))
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise RunError(
            f"{settings.live / BEGUN}, which says how the account was begun, cannot be read ({error}): start the session as it was, which "
            "writes it anew"
        ) from None


# The broker and its guardian


async def _guarded_paper(
    settings: Settings, known: _Known, held: AsyncExitStack, told: Callable[[str], None], clock: "Clock"
) -> "tuple[GuardianLink, KeptPaperBroker]":
    from sptrader_desktop.adapters.guardian_link import GuardianLink
    from sptrader_desktop.adapters.json_paper_terms import kept_frictions
    from sptrader_desktop.adapters.paper_broker_process import KeptPaperBroker, places_in, use_paper_broker
    from sptrader_desktop.runtime.live.paper_terms import PaperTerms, exits_of

    exits, places = exits_of(known.plan, known.symbols), places_in(known.folder / BROKER, settings)
    frictions = kept_frictions(places.terms)
    terms = PaperTerms(ACCOUNT, known.terms, known.instruments, known.rates, exits, frictions, known.asked.holds_stops)
    await asyncio.to_thread(use_paper_broker, places, terms)
    link = GuardianLink(settings.live, str(places.socket), "core", told)
    await link.open()
    held.push_async_callback(link.close)
    return link, KeptPaperBroker(places, ACCOUNT, clock, told)


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
    from sptrader_desktop.runtime.live.surroundings import AccountLatch, Quotes, ToldAbroad

    workspace = compose_components.ready_workspace(settings)
    config, catalogue = read_services(workspace / "services.yaml"), known.read.catalogue
    core.limits = _limits(settings, known)
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
    doubt = core.intake.doubts.why_bar
    parts = Parts(clock, market, latch, runner, core.decide, core.execute, feed, builds_bars=True, stream=stream, doubt=doubt)
    symbols = {
        item.symbol: live_symbol(Traded(item, known.asked.timeframe, strategy, own, regime), config, parts) for item in known.instruments
    }
    orchestrators = [live.orchestrator for live in symbols.values()]
    core.attach(symbols, MultiSymbolTradingOrchestrator(orchestrators, clock, latch, market, ToldAbroad(abroad), config.orchestrator))


def _limits(settings: Settings, known: _Known) -> "tuple[NodeLimits, ...]":
    """As they are written now."""
    from sptrader_desktop.adapters.yaml_services import read_services
    from sptrader_desktop.runtime.live.risk_config import limits_of

    config = read_services(compose_components.ready_workspace(settings) / "services.yaml")
    return limits_of(config.risk, known.asked.symbols, known.catalogue)


def _source(settings: Settings, known: _Known) -> "AbstractContextManager[CandleSource]":
    from sptrader_desktop.compose_data import SOURCES

    return SOURCES[known.asked.source](settings, {item.symbol: item for item in known.instruments})
