"""The live process on its wires: signals and prices in, transactions in, requests out, all on one loop; it decides nothing itself.

What is acknowledged, sent or shown was written down before. A wire that breaks is taken up again where it was.
"""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence

from sptrader_desktop.core.broker_messages import Answer, Cancel, Lost, Pong, Refused, Snapshot, Transaction, Welcome
from sptrader_desktop.core.errors import DataError, GivenUpError, JournalBroken, MachineError, SptraderError
from sptrader_desktop.core.live_account import PAPER
from sptrader_desktop.core.risk_tree import NodeLimits
from sptrader_desktop.ports import (
    BrokerLine,
    BrokerSide,
    FeedRecord,
    FeedStatus,
    LossSeen,
    PoisonRead,
    PriceFeed,
    SignalFeed,
    SignalRead,
)
from sptrader_desktop.runtime.live.alarms import Alarms, Seldom
from sptrader_desktop.runtime.live.assembly import LiveSymbol
from sptrader_desktop.runtime.live.barred_pauses import BarredPauses
from sptrader_desktop.runtime.live.clock import SECOND_US, Clock
from sptrader_desktop.runtime.live.engine import Asked, Engine
from sptrader_desktop.runtime.live.events import DataFetchFailed, NewCandle, SignalRejected, TradeFailed
from sptrader_desktop.runtime.live.line_watch import SILENCE_S, LineWatch
from sptrader_desktop.runtime.live.loop_turns import LoopTurns
from sptrader_desktop.runtime.live.multi_symbol_orchestrator import MultiSymbolTradingOrchestrator
from sptrader_desktop.runtime.live.parts import EvaluatedSet, Order
from sptrader_desktop.runtime.live.price_intake import PriceIntake
from sptrader_desktop.runtime.live.steady_time import SteadyTime
from sptrader_desktop.runtime.live.stream_place import Handed, place_of
from sptrader_desktop.runtime.live.stream_signals import heard as taken

log = logging.getLogger("sptrader.live")
BEAT_S, SEEN_EVERY_S, AGAIN_S, NOT_SOON_S = 0.25, 1.0, 0.5, 5.0
ORDERS_FIRST_S, TURNS_TO_DECIDE = 0.001, 2  # of the loop, from a signal's reading to its decision
NO_LINE, GATE_SHUT = "there is no line to the broker", "the guardian's gate was shut"
NO_FIGURES = str.maketrans("", "", "0123456789.")  # what is left of a reason is its kind
QUARANTINE_US = 120 * SECOND_US


class LiveCore:
    """Built in two steps, since services and core know each other: `attach` brings what was assembled with `decide` and `execute`."""

    def __init__(
        self, engine: Engine, feed: SignalFeed, prices: PriceFeed, broker: BrokerSide, clock: Clock, quarantine_us: int = QUARANTINE_US
    ) -> None:
        self.engine, self._feed, self._prices, self._broker, self._clock = engine, feed, prices, broker, clock
        self._quarantine_us, self._time = quarantine_us, SteadyTime(clock, BEAT_S)
        self.symbols: Mapping[str, LiveSymbol] = {}
        self.limits: tuple[NodeLimits, ...] = ()  # those that it begins with
        self.limits_wait = False  # looser ones are written down somewhere, and nobody has re-armed
        self._pauses = BarredPauses()
        self._orchestrator: MultiSymbolTradingOrchestrator | None = None
        self.alarms = Alarms(engine, clock)
        self._unsent = Seldom(clock)
        self.is_synced = asyncio.Event()  # we have heard all that the broker has done
        self.broken: Callable[[BaseException], object] = _end_at_once
        self.is_live = asyncio.Event()  # whatever is published from now on is heard
        self.spoken: Callable[[str, str, float], None] = _nobody  # id, type and strength of each signal, before it is judged
        self._ending = asyncio.Event()
        self._line: BrokerLine | None = None
        self._watch = LineWatch(clock)
        self.line_fault, self._has_fault = "it is connected", False  # why there was no line, last; and whether this one had one
        self._is_met = False  # whether who speaks on the line is our broker
        self._cancelled: set[str] = set()  # cancels that went out on this line
        self._pause_s = AGAIN_S
        self._rearms = ""  # who waits for the broker's books
        self._due = self._told_of = 0
        self._handed: dict[str, Handed] = {}
        self._is_taking = False
        self._acks: list[str] = []  # whose outcome is not written down yet
        self._due_acks: list[str] = []
        self._ack_now = asyncio.Event()
        self._sent: set[str] = set()
        self._turns = LoopTurns(self._flush)
        self.intake = PriceIntake(engine, self._flush, self.alarm)

    def attach(self, symbols: Mapping[str, LiveSymbol], orchestrator: MultiSymbolTradingOrchestrator) -> None:
        self.symbols, self._orchestrator = symbols, orchestrator
        for live in symbols.values():
            live.bus.subscribe(NewCandle, self._hear_candle, self._fail)
            live.bus.subscribe(SignalRejected, self._hear_rejected, self._fail)
            live.bus.subscribe(TradeFailed, self._hear_failed, self._fail)
            live.bus.subscribe(DataFetchFailed, lambda event: self.alarm(f"{event.symbol}: {event.why}"), self._fail)

    @property
    def orchestrator(self) -> MultiSymbolTradingOrchestrator:
        assert self._orchestrator is not None, "it was attached"
        return self._orchestrator

    @property
    def place(self) -> str:
        """Everything in the stream of signals up to here has its outcome; nothing new while something waits for its own."""
        position = self._feed.position
        if self._handed or self._is_taking or position is None:
            return self.engine.session.place
        return place_of(position)

    @property
    def has_line(self) -> bool:
        """To the broker."""
        return self._line is not None and self._is_met

    @property
    def is_ending(self) -> bool:
        return self._ending.is_set()

    @property
    def feed_status(self) -> FeedStatus:
        """Of signals and prices: the one that is away, else the one that came back last."""
        return min((self._feed.status, self._prices.status), key=lambda status: (status.connected, -status.since))

    def end(self) -> None:
        """In good order; what is open stays at the broker."""
        self._ending.set()

    async def run(self) -> None:
        """Until it is cancelled or told to end, or something breaks that nothing here can mend."""
        work: tuple[Awaitable[object], ...] = (self._hear_broker(), self._acknowledge(), self._beat(), self._start(), self._ending.wait())
        tasks = [asyncio.ensure_future(each) for each in work]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._ending.set()
            await self.orchestrator.stop()
            self._flush()

    async def _start(self) -> None:
        """First everything that the broker did while we were away, then trading."""
        await self.is_synced.wait()
        if self.engine.account.environment != PAPER:
            self._feed.believe_only_signed()
        self.limit(self.limits)
        await asyncio.gather(self.intake.run(self._prices, self.symbols), self._trade())

    async def _trade(self) -> None:
        """What was halted waits for a person, who re-arms it through us."""
        while self.engine.account.halted:
            await self._clock.sleep(AGAIN_S)
        await self.orchestrator.start()
        await asyncio.gather(self._read_signals(), self.orchestrator.run())

    # Signals

    async def _read_signals(self) -> None:
        while True:
            records = await self._feed.read()
            self._is_taking = True  # the feed's place is behind the last of them
            for record in records:
                self._take(record)
            self._is_taking = False
            self._note_read(records)
            if self._feed.position is not None:
                self.is_live.set()
            if records:
                await self._orders_first()

    async def _orders_first(self) -> None:
        """To ask Redis for more takes as long as to decide: what was read leaves before."""
        for _ in range(TURNS_TO_DECIDE):
            await asyncio.sleep(0)
        await asyncio.shield(self._turns.soon())
        await self._clock.sleep(ORDERS_FIRST_S)

    def _note_read(self, records: Sequence[FeedRecord]) -> None:
        """With the next commit, so that nothing waits for it, but for the first of all: where we begin is written down before we do."""
        heard = [(read.signal.publisher or "", read.signal.seq) for read in records if isinstance(read, SignalRead) and not read.is_stale]
        numbers = dict(sorted((name, seq) for name, seq in heard if seq is not None))
        is_first = not self.engine.session.read_to
        if self._feed.position is not None:
            self.engine.note_read(self._feed.read_to, self.place, numbers)
        if is_first or self._acks:
            self._flush()

    def _take(self, record: FeedRecord) -> None:
        match record:
            case SignalRead():
                self._take_signal(record)
            case PoisonRead():
                name = f"poison {record.stream_id}"
                if not self.engine.session.is_judged(name):
                    self.engine.judge(name, f"not a signal: {record.reason}", place=self.place)
                self._acks.append(record.stream_id)
            case LossSeen():
                self.alarm(record.text)
                if record.stream_id is not None:
                    self._acks.append(record.stream_id)
            case _:
                self.alarm(record.text)

    def _take_signal(self, read: SignalRead) -> None:
        heard = read.signal
        if heard.id in self._handed:
            self._handed[heard.id].stream_ids.append(read.stream_id)
            return
        if self.engine.session.is_judged(heard.id):
            self._acks.append(read.stream_id)
            return
        number = -1 if heard.seq is None else heard.seq
        self._handed[heard.id] = handed = Handed(heard.symbol or "", None, heard.publisher or "", number, [read.stream_id])
        self.spoken(heard.id, heard.type, heard.strength)
        try:
            signal = taken(heard, self.symbols, self._clock.now())
        except DataError as error:
            self._judge(heard.id, str(error), heard.name)
            return
        handed.symbol, handed.bar_time = signal.symbol, signal.bar_time
        if read.is_stale:
            self._judge(heard.id, "a later one of its publisher came before it", heard.name)
        else:
            self.symbols[signal.symbol].signal(signal)

    def _judge(self, signal_id: str, outcome: str, name: str = "") -> None:
        handed = self._handed.pop(signal_id, None) or Handed("", None)
        about = {"symbol": handed.symbol, "publisher": handed.publisher}
        self.engine.judge(signal_id, outcome, place=self.place, name=name, number=handed.number, **about)
        self._acks += handed.stream_ids

    def _hear_rejected(self, event: SignalRejected) -> None:
        if event.signal.id in self._handed or event.signal.is_event:
            self._judge(event.signal.id, event.why, event.signal.name)
            if not self._is_taking:  # else all that was read together is written down together
                self._flush()

    # Bars

    def _hear_candle(self, event: NewCandle) -> None:
        if event.is_late:
            self.engine.late_candle(event.symbol, self.symbols[event.symbol].bars.candles(until=event.bar.opens))
        else:
            self.engine.candle(event.bar)

    # Decisions and orders

    async def decide(self, found: EvaluatedSet) -> Sequence[Order]:
        for signal in (signal for signals in found.signals.values() for signal in signals):
            self.spoken(signal.id, signal.kind, signal.strength)
        before = self.engine.session.waiting
        outcome = self.engine.decide(found, "" if self.is_synced.is_set() else "not all is known of what the broker did")
        named = {signal.id: signal.name for signals in found.signals.values() for signal in signals}
        if found.bar_time is not None:
            about = [(name, handed) for name, handed in self._handed.items() if handed.symbol == found.symbol]
            named |= {name: "" for name, handed in about if handed.bar_time == found.bar_time and name not in named}
        for signal_id, name in named.items():
            self._judge(signal_id, outcome, name)
        return await self._written(self.engine.claim(before))

    async def _written(self, asked: list[Asked]) -> list[Asked]:
        """When all of this turn of the loop is on disk, also what other symbols decided in it: waiting for the disk is most of the work."""
        try:
            await asyncio.shield(self._turns.soon())
        except asyncio.CancelledError:
            for each in asked:  # nobody sends it any more
                self._not_sent(each.id, "the services that send it were stopped")
            raise
        return asked

    async def execute(self, order: Order) -> str:
        assert isinstance(order, Asked), "it came from decide"
        if not self._send(order):
            raise MachineError(NO_LINE)
        return "sent"

    def _send(self, asked: Asked) -> bool:
        """Whether it was handed to the system; if not, it went nowhere."""
        if self._line is None or not self._is_met or not self._line.send(asked.request):
            return False
        self._sent.add(asked.id)
        self._time.wait_for(asked.id)
        if isinstance(asked.request, Cancel):
            self._cancelled.add(asked.id)
        return True

    def _hear_failed(self, event: TradeFailed) -> None:
        """What was never sent never will be: it reserves nothing."""
        if event.order not in self._sent:
            self._not_sent(event.order, event.why)
            self._flush()

    def _not_sent(self, request_id: str, why: str) -> None:
        """The person who waits for it hears of that as much as whoever reads the journal; of entries, which may be many, once a minute for
        a symbol and a kind of reason."""
        what, entry = self.engine.words(request_id), self.engine.entry_of(request_id)
        if self.engine.refused(request_id, why) and (not entry or self._unsent.may(f"{entry} {why.translate(NO_FIGURES)}")):
            self.alarm(f"{what} was not sent: {why}")

    def _committed(self) -> list[Asked]:
        try:
            asked = self.engine.commit()
        except JournalBroken as error:
            self.broken(error)
            raise
        self._due_acks += self._acks
        self._acks.clear()
        self._ack_now.set()
        self.alarms.tell_found()
        if self._orchestrator is not None:
            self._pauses.heed(self.engine.account.barred, self._orchestrator.orchestrators)
        return asked

    def _flush(self) -> None:
        """What follows by itself from prices, transactions and people goes out at once."""
        for asked in self._committed():
            if not self._send(asked):
                self._not_sent(asked.id, NO_LINE)
                self._committed()

    async def _acknowledge(self) -> None:
        while True:
            await self._ack_now.wait()
            await self._clock.sleep(ORDERS_FIRST_S)
            self._ack_now.clear()
            ids, self._due_acks = self._due_acks, []
            if ids:
                await self._feed.ack(ids)

    # The broker

    async def _hear_broker(self) -> None:
        while True:
            try:
                self._line = await self._broker.open(self.engine.account.name, self.engine.account.booked)
            except MachineError as error:
                self._lament(str(error))
                if isinstance(error, GivenUpError) and not self.engine.account.halted:
                    self.command("halt", str(error), "supervision")
                await self._clock.sleep(AGAIN_S)
                continue
            self._watch.opened()
            self._is_met = False
            self._cancelled.clear()
            self._pause_s = AGAIN_S
            self._has_fault = False
            await self._hear_line(self._line)
            self._line = None
            self.is_synced.clear()
            if not self._has_fault:
                self._lament("the line to the broker is gone: what was not answered is unknown until it is back")
            await self._clock.sleep(self._pause_s)

    async def _hear_line(self, line: BrokerLine) -> None:
        async for answer in line.received():
            self._watch.heard()
            known = max(self._told_of, self.engine.account.booked)
            if isinstance(answer, Transaction) and answer.n > known + 1:
                self._lament(f"transactions before {answer.n} are missing: the broker is asked for them again")
            elif isinstance(answer, Pong | Snapshot) and answer.n > known:
                self._lament(f"transactions up to {answer.n} are missing: the broker is asked for them again")
            elif isinstance(answer, Welcome) and (why := self.engine.meet(answer)):
                self._distrust(why)
            else:
                self._hear(answer)
                continue
            line.cut()
            return

    def _lament(self, why: str) -> None:
        self.line_fault, self._has_fault = why, True
        self.alarm(why)

    def _distrust(self, why: str) -> None:
        """Where nothing is as we know it nothing is sent, and whoever speaks there is not asked all the time."""
        self._line, self._pause_s = None, NOT_SOON_S
        told = f"{why}. Nothing is sent: put its books back or connect the right one, then re-arm; or begin a new account in another folder"
        self._lament(told)
        if self.engine.account.halted != told:
            self.engine.command("halt", told, "the broker")
        self._flush()

    def _hear(self, answer: Answer) -> None:
        match answer:
            case Transaction():
                self._told_of = answer.n
                self.engine.tell(answer)
                self._sent.discard(answer.id)
            case Welcome():
                self._due, self._is_met = answer.n, True
            case Snapshot():
                self._compare(answer)
            case Refused() if answer.id:
                self._not_sent(answer.id, GATE_SHUT if answer.why == "gate" else answer.why)
            case Refused():
                self._lament(f"the broker refused: {answer.why}")
            case _:
                pass
        if self.engine.account.booked >= self._due and not isinstance(answer, Refused | Lost):
            self.is_synced.set()
        self._turns.soon()

    def _compare(self, theirs: Snapshot) -> None:
        """Only where both have come to the same transaction."""
        if theirs.n != self.engine.account.booked:
            self._watch.compare()
            return
        self.engine.compare(theirs)
        if self._rearms and self.engine.account.mismatch:
            self.engine.take_over(theirs, self._rearms)
        if self._rearms and not self.engine.account.mismatch:
            self.alarm(f"the books here are the broker's, at the word of {self._rearms}")
            self.engine.command("rearm", "", self._rearms)
        self._rearms = ""

    # By the clock, and by people

    async def _beat(self) -> None:
        seen = self._clock.monotonic()
        while True:
            await self._clock.sleep(BEAT_S)
            now = self._clock.monotonic()
            trouble = self._time.look()
            if trouble:
                self.alarm(f"{trouble}: what is unknown is waited for anew")
            if self.engine.is_exposed or now - seen >= SEEN_EVERY_S:
                seen = now
                self.engine.see_prices()
            long_unknown = self._time.waited(self.engine.account.lives.unknown(), self._quarantine_us)
            if self.is_synced.is_set():
                self.engine.lapse(long_unknown)
                self._ask_again()
            self._sent &= {name for name, _ in self.engine.account.lives.going()}
            self.alarms.tell_unknown()
            self._flush()
            if self._line is not None:
                self._tend(self._line)
            self.engine.session.tidy(is_quiet=not self._handed)

    def _ask_again(self) -> None:
        if not self.engine.account.undone.is_empty and not self.engine.account.halted and self._watch.may_ask_again():
            self.engine.ask_again()

    def _tend(self, line: BrokerLine) -> None:
        """Who says nothing is asked for a sign of life, and what is to be cancelled is asked of every line until it is over."""
        if self._watch.is_silent:
            self._lament(f"the broker has said nothing for {SILENCE_S:g} s: its line is given up, and another one tried")
            line.cut()
            return
        for question in self._watch.questions(is_synced=self.is_synced.is_set()):
            line.send(question)
        lives = self.engine.account.lives
        for name in lives.unknown() if self.is_synced.is_set() else ():
            if name not in self._cancelled and lives.is_asked_again(name):
                self._send(Asked(lives[name].request, ""))

    def command(self, what: str, about: str, by: str) -> None:
        """SptraderError says why not. Where the broker's books are others, a re-arm waits until it has told them."""
        if what not in {"pause", "resume", "halt", "rearm", "cancel", "close", "flatten"}:
            raise SptraderError(f"{what} is no command: pause, resume, halt, rearm, cancel, close, flatten are")
        if what == "rearm" and not about and self.engine.account.mismatch:
            self._rearms = by
            self._watch.compare()
            return
        self.engine.command(what, about, by)
        self._flush()

    def limit(self, limits: tuple[NodeLimits, ...]) -> None:
        self.engine.limit(limits)
        self._flush()

    def alarm(self, text: str) -> None:
        self.alarms.tell(text)

    def _fail(self, error: BaseException) -> None:
        self.alarm(str(error))


def _end_at_once(error: BaseException) -> None:
    """Nothing that is done from here on would be written down. A task that raised could be taken for a service that may recover."""
    log.critical("%s", error)
    os._exit(70)


def _nobody(*_told: object) -> None:
    pass
