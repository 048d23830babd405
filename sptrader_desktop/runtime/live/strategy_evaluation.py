"""Collects what is said of each bar, judges every signal, and has each bar decided once: when all that rules name is there, or is late."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import isfinite

from sptrader_desktop.core.rules_now import signals_named
from sptrader_desktop.core.strategy import Strategy
from sptrader_desktop.core.timeframes import parse_timeframe
from sptrader_desktop.runtime.live.bars_from_prices import bar_span
from sptrader_desktop.runtime.live.clock import SECOND_US, Clock
from sptrader_desktop.runtime.live.event_bus import LocalEventBus
from sptrader_desktop.runtime.live.events import IndicatorsUpdated, NewCandle, SignalGenerated, SignalRejected, SignalValidated
from sptrader_desktop.runtime.live.own_signals import valid_until
from sptrader_desktop.runtime.live.parts import CloseOnly, Decide, EvaluatedSet, Signal
from sptrader_desktop.runtime.live.service import Service
from sptrader_desktop.runtime.live.services_config import StrategyEvaluation

REMEMBERED = 500  # ids; whoever hands signals on knows all of them
AHEAD_US = SECOND_US  # the clock of a publisher may be that much ahead of ours
LOOKS_AGAIN_S = 1.0  # the clock may be set while a bar waits


def named_signals(strategy: Strategy) -> frozenset[str]:
    """All that its rules name."""
    conditions = [*(rule.when for rule in strategy.entries), *(rule.when for rule in strategy.exits.rules)]
    return frozenset[str]().union(*map(signals_named, conditions))


@dataclass(frozen=True, slots=True)
class Expected:
    """What is traded here: a signal of another symbol or timeframe, or one that no rule names, is refused.

    `own` are calculated by the program. Without candles a bar is decided when its signals are there; with them it must have closed too.
    """

    symbol: str
    timeframe: str
    named: frozenset[str]
    own: frozenset[str] = frozenset()
    has_candles: bool = True


@dataclass(slots=True)
class _Collected:
    """What is there of one bar. `rows` is known when the own components have been asked. It waits until `patience` while nothing was
    heard, then for as long as what was heard is valid, and never beyond `limit`."""

    patience: int = 0
    limit: int = 0
    has_candle: bool = False
    rows: int | None = None
    failed: frozenset[str] = frozenset()
    heard: dict[str, list[Signal]] = field(default_factory=dict)

    def waits_from(self, closes: int, length_us: int) -> None:
        self.patience = valid_until(closes, length_us)
        self.limit = max(self.patience, closes + length_us)

    @property
    def deadline(self) -> int:
        valid = [signal.valid_until for found in self.heard.values() for signal in found]
        return min(self.limit, *valid) if valid else self.patience

    def is_heard(self, name: str) -> bool:
        found = self.heard.get(name)
        return found is not None and len(found) == found[0].parts

    def missing(self, named: frozenset[str]) -> frozenset[str]:
        return frozenset(name for name in named if not self.is_heard(name))


class StrategyEvaluationService(Service):
    def __init__(
        self, bus: LocalEventBus, clock: Clock, config: StrategyEvaluation, expected: Expected, decide: Decide, close_only: CloseOnly
    ) -> None:
        super().__init__(expected.symbol, bus, clock)
        self._config, self._expected, self._decide, self._close_only = config, expected, decide, close_only
        self._length_us = parse_timeframe(expected.timeframe)
        self._bars: dict[int, _Collected] = {}
        self._decided_until = -1
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._candles = 0
        self._ready: deque[EvaluatedSet] = deque()
        self._changed = asyncio.Event()

    def take(self, signal: Signal) -> None:
        """One message, from the stream or from the program's own components."""
        self._worked()
        self._heed_clock()
        why = self._objection(signal)
        if why:
            self._bus.publish(SignalRejected(self.symbol, self._clock.now(), signal, why))
            return
        self._remember(signal.id)
        if signal.is_event:
            self._bus.publish(SignalValidated(self.symbol, self._clock.now(), signal))
        if signal.bar_time is None or self._config.evaluation_mode == "on_signal":
            self._ready.append(self._alone(signal))
        else:
            self._of(signal.bar_time).heard.setdefault(signal.name, []).append(signal)
        self._changed.set()

    # Life

    def _dropped(self) -> None:
        """What was taken and not decided has an outcome all the same."""
        why = "strategy evaluation ended before its bar was decided"
        while self._bars:
            self._reject_all(self._bars.popitem()[1].heard.values(), why)
        while self._ready:
            self._reject_all(self._ready.popleft().signals.values(), why)
        self._candles = 0

    async def _open(self) -> None:
        self._listen(NewCandle, self._heard_candle)
        self._listen(IndicatorsUpdated, self._heard_indicators)
        self._spawn(self._work())

    def _heard_candle(self, event: NewCandle) -> None:
        self._candles += 1
        self._heed_clock()
        if event.is_late:
            self._decided_until = max(self._decided_until, event.bar.opens)
        elif event.bar.opens > self._decided_until:
            collected = self._of(event.bar.opens)
            collected.has_candle = True
            collected.waits_from(event.bar.closes, self._length_us)  # days of a source may end elsewhere than ours
            self._changed.set()

    def _heed_clock(self) -> None:
        """What was decided by a clock that was ahead does not make the bars old that come when it is right again."""
        now = self._clock.now()
        if self._decided_until > now + AHEAD_US:
            self._decided_until = now - self._length_us - 1

    def _heard_indicators(self, event: IndicatorsUpdated) -> None:
        collected = self._bars.get(event.bar_time)
        if collected is None:
            return
        collected.rows, collected.failed = len(event.rows), frozenset(event.failed)
        if not event.is_published and event.rows:
            for signal in event.rows[-1].signals:
                if signal.name in self._expected.named:  # a strategy may use one that no rule names
                    self.take(signal)
        self._changed.set()

    async def _work(self) -> None:
        while True:
            self._changed.clear()
            self._settle()
            while self._ready:
                found = self._ready.popleft()
                try:
                    orders = tuple(await self._decide(found))
                except Exception as error:
                    self._reject_all(found.signals.values(), f"deciding on it failed: {str(error) or type(error).__name__}")
                    raise
                if orders:
                    self._bus.publish(SignalGenerated(self.symbol, self._clock.now(), found.bar_time, orders))
            await self._next()

    async def _next(self) -> None:
        """Something comes, or the first bar waits no longer: those after it wait for it, even when their own time is over."""
        if self._changed.is_set() or not self._bars:
            await self._changed.wait()
            return
        deadline = self._bars[min(self._bars)].deadline
        timer = asyncio.ensure_future(self._clock.sleep(min(LOOKS_AGAIN_S, (deadline - self._clock.now()) / SECOND_US)))
        change = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait({timer, change}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            change.cancel()

    # Which bars are complete

    def _settle(self) -> None:
        """Bars in their order; a later one that is complete waits for an earlier one, for so long as that may still be."""
        for opens in sorted(self._bars):
            collected = self._bars[opens]
            if bar_span(opens, self._expected.timeframe)[1] > self._clock.now() + AHEAD_US:
                self._reject_all(self._bars.pop(opens).heard.values(), "the clock was set back: its bar is not over any more")
                continue
            if not self._is_complete(collected) and self._clock.now() < collected.deadline:
                return
            del self._bars[opens]
            self._decided_until = max(self._decided_until, opens)
            if self._expected.has_candles and not collected.has_candle:
                self._reject_all(collected.heard.values(), "the candle of its bar has not come")
            elif (rows := self._rows_of(collected)) < self._config.min_rows_required:
                why = f"{rows} of the {self._config.min_rows_required} rows that min_rows_required asks for are there"
                self._reject_all(collected.heard.values(), why)
            elif self._config.evaluation_mode == "on_new_candle":
                self._ready.append(self._whole(opens, collected))

    def _is_complete(self, collected: _Collected) -> bool:
        if self._expected.has_candles and not collected.has_candle:
            return False
        if self._expected.own and collected.rows is None:
            return False
        return not (collected.missing(self._expected.named) - (collected.failed & self._expected.own))

    def _rows_of(self, collected: _Collected) -> int:
        """Where nothing is calculated here, candles are what there must be enough of."""
        if self._expected.own:
            return collected.rows or 0
        return self._candles if self._expected.has_candles else self._config.min_rows_required

    def _whole(self, opens: int, collected: _Collected) -> EvaluatedSet:
        missing = collected.missing(self._expected.named)
        signals = {name: tuple(found for found in collected.heard[name] if found.is_event) for name in self._expected.named - missing}
        return EvaluatedSet(self.symbol, opens, signals, missing, self._is_close_only())

    def _alone(self, signal: Signal) -> EvaluatedSet:
        signals = {signal.name: (signal,) if signal.is_event else ()}
        return EvaluatedSet(self.symbol, signal.bar_time, signals, self._expected.named - {signal.name}, self._is_close_only())

    def _is_close_only(self) -> bool:
        return bool(self.pauses or self._close_only.reason)

    def _reject_all(self, taken: Iterable[Iterable[Signal]], why: str) -> None:
        for found in taken:
            for signal in found:
                self._bus.publish(SignalRejected(self.symbol, self._clock.now(), signal, why))

    def _of(self, opens: int) -> _Collected:
        if opens not in self._bars:
            self._bars[opens] = _Collected()
            self._bars[opens].waits_from(bar_span(opens, self._expected.timeframe)[1], self._length_us)
        return self._bars[opens]

    # Which signals are believed

    def _objection(self, signal: Signal) -> str:
        """The first thing that is wrong with it."""
        expected, now = self._expected, self._clock.now()
        if self.is_ending:
            return f"strategy evaluation is {self.state}"
        if signal.symbol != expected.symbol:
            return f"it is of {signal.symbol}, not of {expected.symbol}"
        if signal.name not in expected.named:
            return f"no rule names {signal.name}: the rules name {', '.join(sorted(expected.named))}"
        if not isfinite(signal.strength):
            return f"its strength {signal.strength} is no number"
        if signal.id in self._seen:
            return "it is a duplicate: one with this id was taken before"
        if now >= signal.valid_until:
            return "it is stale: it was valid until a time that has passed"
        if signal.timeframe is None:
            return ""
        if signal.timeframe != expected.timeframe:
            return f"it is of {signal.timeframe} bars, not of {expected.timeframe}"
        return self._wrong_bar(signal, now)

    def _wrong_bar(self, signal: Signal, now: int) -> str:
        if signal.bar_time is None:
            return "it has a timeframe and names no bar"
        opens, closes = bar_span(signal.bar_time, self._expected.timeframe)
        if opens != signal.bar_time and signal.bar_time not in self._bars:
            return f"no {signal.timeframe} bar opens at the time it names"
        if closes > now + AHEAD_US:
            return "its bar is not over"
        if signal.bar_time <= self._decided_until:
            return "its bar was decided already, or is too old"
        collected = self._bars.get(signal.bar_time)
        found = collected.heard.get(signal.name, []) if collected is not None else []
        if found and (found[0].parts != signal.parts or signal.part in {other.part for other in found}):
            return f"{signal.name} was heard on this bar already"
        return "" if 1 <= signal.part <= signal.parts else f"it is part {signal.part} of {signal.parts}"

    def _remember(self, identity: str) -> None:
        self._seen[identity] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
