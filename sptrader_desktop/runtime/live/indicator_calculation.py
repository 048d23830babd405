"""Has the strategy's components calculate on every closed bar, beside the loop, and tells what they said, failed at, and the regime.

A component that gives no answer gives no signal, and its symbol opens nothing until all have answered on one bar again.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol

from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.core.rules import EventTable
from sptrader_desktop.core.strategy import SignalUse
from sptrader_desktop.ports import Answer, ComponentJob, ComponentRunner
from sptrader_desktop.runtime.live.bars_from_prices import Bar
from sptrader_desktop.runtime.live.clock import Clock, within
from sptrader_desktop.runtime.live.event_bus import LocalEventBus
from sptrader_desktop.runtime.live.events import IndicatorsUpdated, NewCandle, RegimeChanged, Row
from sptrader_desktop.runtime.live.own_signals import OwnComponent, regime_on, said_on, valid_until
from sptrader_desktop.runtime.live.parts import CloseOnly, Regime, SignalStream
from sptrader_desktop.runtime.live.service import Service
from sptrader_desktop.runtime.live.services_config import IndicatorCalculation
from sptrader_desktop.runtime.live.symbol_bars import SymbolBars

# More than a worker has for one job: who runs the components ends one that hangs, and this is for a runner that does.
DEADLINE_S = 90.0
WHO = "components"

Run = Callable[[], Sequence[Answer]]


class Offload(Protocol):
    """Has something done beside the loop."""

    def __call__(self, run: Run) -> Awaitable[Sequence[Answer]]: ...


async def on_a_thread(run: Run) -> Sequence[Answer]:
    return await asyncio.to_thread(run)


class IndicatorCalculationService(Service):
    """`regime` is asked beside the strategy's own; `stream` takes the signals, which come back from it, else they are in the event."""

    def __init__(
        self,
        bus: LocalEventBus,
        clock: Clock,
        config: IndicatorCalculation,
        bars: SymbolBars,
        components: Sequence[OwnComponent],
        runner: ComponentRunner,
        close_only: CloseOnly,
        regime: OwnComponent | None = None,
        stream: SignalStream | None = None,
        offload: Offload = on_a_thread,
    ) -> None:
        super().__init__(bars.instrument.symbol, bus, clock)
        self._config, self._bars, self._components, self._runner = config, bars, tuple(components), runner
        self._close_only, self._stream, self._offload = close_only, stream, offload
        self._asks_regime = regime if config.track_regime_changes else None
        self.regime: Regime | None = None
        self._waiting: deque[NewCandle] = deque()
        self._came = asyncio.Event()

    def _reset(self) -> None:
        self._waiting.clear()
        self.regime = None

    async def _open(self) -> None:
        self._listen(NewCandle, self._heard_candle)
        self._spawn(self._work())

    def _heard_candle(self, event: NewCandle) -> None:
        """Of bars that are late only the last matters, to know the last rows and the regime."""
        while event.is_late and self._waiting and self._waiting[-1].is_late:
            self._waiting.pop()
        self._waiting.append(event)
        self._came.set()

    async def _work(self) -> None:
        while True:
            while self._waiting:
                await self._calculate(self._waiting.popleft())
            self._came.clear()
            await self._came.wait()

    async def _calculate(self, event: NewCandle) -> None:
        candles = self._bars.candles(until=event.bar.opens)
        if not len(candles) or candles.timestamp[-1] != event.bar.opens:  # all bars are being fetched anew
            return
        asked = [*self._components, *(() if self._asks_regime is None else (self._asks_regime,))]
        answers, why = await self._answers([own.use for own in asked], candles)
        faults = [why or own.fault(answer, len(candles)) for own, answer in zip(asked, answers, strict=True)]
        own_faults = dict(zip((own.name for own in self._components), faults, strict=False))
        failed = {name: fault for name, fault in own_faults.items() if fault}
        if failed:
            self._close_only.set(WHO, "; ".join(failed.values()))
        else:
            self._close_only.clear(WHO)
        heard = [(own, answer.events()) for own, answer in zip(self._components, answers, strict=False) if own.name not in failed]
        rows = self._rows(candles, event.bar, heard)
        if self._stream is not None and not event.is_late and rows:
            await self._stream.publish(rows[-1].signals)
        now, is_published = self._clock.now(), self._stream is not None
        self._bus.publish(IndicatorsUpdated(self.symbol, now, event.bar.opens, rows, tuple(failed), is_published))
        if self._asks_regime is not None and not faults[-1]:
            self._judge(event.bar, regime_on(answers[-1].events(), len(candles) - 1))

    async def _answers(self, uses: Sequence[SignalUse], candles: Candles) -> tuple[Sequence[Answer], str]:
        """Or why there are none. A late answer is heard by nobody."""
        if not uses:
            return (), ""
        jobs = [ComponentJob(use.component, use.params, candles) for use in uses]
        try:
            return await within(self._clock, DEADLINE_S, self._offload(partial(self._runner.run, jobs))), ""
        except TimeoutError:
            why = f"the components did not answer within {DEADLINE_S:g} s"
        except SptraderError as error:
            why = str(error)
        return [Answer({}) for _ in jobs], why

    def _rows(self, candles: Candles, bar: Bar, heard: Sequence[tuple[OwnComponent, EventTable]]) -> tuple[Row, ...]:
        """The last bars on which all who answered were warm, this one last."""
        if self._components and not heard:
            return ()
        last, rows = len(candles) - 1, []
        for at in range(max(0, last - self._config.recent_rows_limit + 1), last + 1):
            if all(own.is_warm_at(at) for own, _ in heard):
                of = bar if at == last else self._bar_at(candles, at, bar)
                expires = valid_until(of.closes, self._bars.length_us)
                rows.append(Row(of.opens, tuple(signal for own, events in heard for signal in said_on(own, events, at, of, expires))))
        return tuple(rows)

    def _bar_at(self, candles: Candles, at: int, like: Bar) -> Bar:
        opens = int(candles.timestamp[at])
        return Bar(like.symbol, like.timeframe, opens, opens + self._bars.length_us, like.prices, like.ask, like.volume, like.side)

    def _judge(self, bar: Bar, regime: Regime | None) -> None:
        if regime is not None and regime is not self.regime:
            before, self.regime = self.regime, regime
            self._bus.publish(RegimeChanged(self.symbol, self._clock.now(), bar.opens, before, regime))
