"""The chart of a symbol that is traded: its bars as the session closed them, the one that is forming, and the levels of what is open."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from PySide6.QtWidgets import QWidget

from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.instruments import Instrument
from sptrader_desktop.present import live_chart
from sptrader_desktop.present.live_view import micros
from sptrader_desktop.present.selection import Selection
from sptrader_desktop.ui.charts.candle_chart import CandleChart
from sptrader_desktop.ui.charts.price_levels import NearLevels, PriceLevel
from sptrader_desktop.ui.widgets.empty_state import EmptyWords

EMPTY = EmptyWords("chart-candlestick", "No candle yet", "Candles are built from prices: the first one is here with the first price.", "")
Ask = Callable[[str], None]


class LiveChart(CandleChart):
    """`ask` asks the session for the bars; each closed one that is news is a reason to ask again, since it is the session that built it."""

    def __init__(self, instrument: Instrument, timeframe: str, ask: Ask, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(Selection(zone=selection.zone), empty=EMPTY)
        self.setParent(parent)
        self.instrument, self._timeframe, self._ask = instrument, timeframe, partial(ask, instrument.symbol)
        self._closed: Candles | None = None
        self._asked_for = -1  # the open of the last closed bar that was asked for
        self._levels: list[PriceLevel] = []
        self._is_muted = False
        self.levels = lambda _symbol: self._levels
        self.tells_far_levels = True
        self.setObjectName(f"liveChart{instrument.symbol}")
        self.setAccessibleName(f"Chart: {instrument.symbol}, no candle yet")

    def take_bars(self, rows: Sequence[Sequence[str]]) -> None:
        self._closed = live_chart.candles_of(self.instrument, self._timeframe, rows)

    def mute(self, is_muted: bool) -> None:
        """What is shown is of some time ago: nothing of it has the colours of now."""
        if is_muted != self._is_muted:
            self._is_muted = is_muted
            self._tag_newest()
            self.show_levels()

    def show_state(self, state: Mapping[str, Any]) -> None:
        symbol = self.instrument.symbol
        last = live_chart.of_symbol(state["bars"], symbol)
        newest = 0 if last is None else micros(last["at"])
        if newest > self._asked_for:
            self._asked_for = newest
            self._ask()
        if self._closed is not None:
            self._show(live_chart.with_forming(self._closed, live_chart.of_symbol(state.get("forming", ()), symbol)))
        found = [PriceLevel(*level) for level in live_chart.levels(state, self.instrument)]
        if self._is_muted:
            found = [level._replace(role="muted") for level in found]
        if found != self._levels:
            is_elsewhere = [level.ticks for level in found] != [level.ticks for level in self._levels]
            self._levels = found
            if is_elsewhere:
                self.redraw()  # the range that is fitted is another
            self.setAccessibleDescription(live_chart.levels_words(live_chart.levels(state, self.instrument)))
            self.show_levels()

    def _show(self, candles: Candles) -> None:
        shown = self.candles
        if not len(candles):
            return
        if shown is None or not len(shown) or not self._goes_on(shown, candles):
            self.show_candles(candles)
        elif not _is_same(shown, candles):
            shows_all = self.bars.first <= 0 and self.bars.last >= len(shown)
            self.extend(candles)
            if shows_all and len(candles) > len(shown):  # at the beginning it fills up, until a bar is as wide as usual
                self.show_newest()

    def _tag_newest(self) -> None:
        super()._tag_newest()
        crosshair = None if self.content is None else self.content.price.crosshair
        if self._is_muted and crosshair is not None and crosshair.newest is not None:
            crosshair.newest = (crosshair.newest[0], "muted")

    def _compose(self) -> None:
        super()._compose()
        if self.content is not None:
            self.content.price.backdrop.append(NearLevels(lambda: self._levels, self.content.candles.reach))

    def _goes_on(self, shown: Candles, candles: Candles) -> bool:
        """All but the last bar that is shown stays as it is."""
        kept = len(shown) - 1
        return len(candles) >= len(shown) and bool((candles.timestamp[: kept + 1] == shown.timestamp).all())


def _is_same(shown: Candles, candles: Candles) -> bool:
    if len(shown) != len(candles):
        return False
    mine, other = shown.prices, candles.prices
    return all(one[-1] == two[-1] for one, two in zip((mine.high, mine.low, mine.close), (other.high, other.low, other.close), strict=True))
