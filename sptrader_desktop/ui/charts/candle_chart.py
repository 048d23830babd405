"""The chart of one symbol: candles, what a strategy computed, what it traded, and the bar that the person chose."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from PySide6.QtCore import QPoint, QPointF, Signal
from PySide6.QtGui import QContextMenuEvent, QHideEvent

from sptrader_desktop.core.candles import Candles
from sptrader_desktop.present.chart_frame import Bars
from sptrader_desktop.present.clocks import clock_text
from sptrader_desktop.present.drawings import DrawingBook
from sptrader_desktop.present.numbers import price_unit
from sptrader_desktop.present.pyramid import Pyramid
from sptrader_desktop.present.selection import BarAt, Selection, Span
from sptrader_desktop.present.trade_marks import SignalMarks, TradeMarks
from sptrader_desktop.ui.charts.backdrops import ChosenColumn, SessionShading, VolumeBars
from sptrader_desktop.ui.charts.candle_series import STYLES, CandleSeries, Style
from sptrader_desktop.ui.charts.drawing_tools import DrawingTools, frame_point
from sptrader_desktop.ui.charts.line_series import Line, LineSeries
from sptrader_desktop.ui.charts.pane import Pane, Spot
from sptrader_desktop.ui.charts.price_axis import FigureScale, TickScale
from sptrader_desktop.ui.charts.price_levels import PriceLevel, PriceLevels
from sptrader_desktop.ui.charts.series import Series
from sptrader_desktop.ui.charts.time_chart import SUB_PANE_SHARE, TimeChart
from sptrader_desktop.ui.charts.trade_series import HoveredTrade, SignalSeries, TradeSeries
from sptrader_desktop.ui.widgets.empty_state import EmptyWords

EMPTY = EmptyWords("chart-candlestick", "No candles yet", "Those chosen in the Backtest pane will be here.", "Choose Candles")


class Content(NamedTuple):
    """Everything that hangs on one series of candles."""

    candles: CandleSeries
    price: Pane
    sessions: SessionShading
    volume: VolumeBars | None


PRICE_STEPS = 100  # from the bottom to the top


class CandleChart(TimeChart):
    """Watches `bar`, `span`, `zone` and `pointed` of its Selection, and sets `bar` when one is clicked."""

    barChosen = Signal(object)  # BarAt
    tradeChosen = Signal(int)  # the row of the TradeMarks
    alertAsked = Signal(str, object)  # symbol, and ticks, which may be more than Qt's whole numbers hold
    menuAsked = Signal(QPoint, object)  # where on the screen, and the ticks there

    def __init__(self, selection: Selection, book: DrawingBook | None = None, empty: EmptyWords = EMPTY) -> None:
        super().__init__(selection, empty)
        self.tools = DrawingTools(book or DrawingBook(), self.bar_of, self.bar_index, self)
        self.tools.changed.connect(self._touch)
        self.destroyed.connect(self.tools.close)
        self.setObjectName("candleChart")
        self.setAccessibleName("Chart: no candles")
        self.content: Content | None = None
        self.levels: Callable[[str], Sequence[PriceLevel]] = lambda _symbol: ()  # asked at every paint
        self.tells_far_levels = False
        self._lines: dict[str | None, list[LineSeries]] = {}
        self._signals: list[SignalSeries] = []
        self._trades: TradeSeries | None = None
        self._listen(selection.bar, self._show_chosen)

    @property
    def candles(self) -> Candles | None:
        return self.content.candles.candles if self.content else None

    @property
    def price_pane(self) -> Pane | None:
        return self.content.price if self.content else None

    def title(self) -> str:
        return f"{self.candles.symbol} {self.candles.timeframe}: {self.candles.source}" if self.candles is not None else ""

    # What is shown

    def show_candles(self, candles: Candles, pyramid: Pyramid | None = None) -> None:
        """Other candles: lines, marks and sub-panes of the ones before are taken off. The same symbol stays at the same time.

        `pyramid` may be made beforehand, on any thread.
        """
        before, shown = self.candles, self._span()
        style = self.content.candles.style if self.content else "candles"
        is_with_sessions = self.has_sessions
        for pane in tuple(self.panes):
            self.remove_pane(pane)
        series = CandleSeries(candles, pyramid)
        series.style = style
        pane = Pane(TickScale(candles.instrument))
        pane.crosshair.title = f"{candles.symbol} · {candles.timeframe}"
        sessions = SessionShading(candles.timestamp, candles.bar_us)
        sessions.is_shown = is_with_sessions
        volume = VolumeBars(candles.volume) if candles.volume is not None and len(candles) else None
        self.content = Content(series, pane, sessions, volume)
        self._lines, self._signals, self._trades = {}, [], None
        self.add_pane(pane, SUB_PANE_SHARE)
        self.tools.attach(pane, candles)
        pane.crosshair.touches.insert(0, HoveredTrade(lambda: self._trades))
        symbol = candles.symbol  # the pane must not keep the candles
        pane.crosshair.touches.insert(0, PriceLevels(lambda: self.levels(symbol), tells_far=self.tells_far_levels))
        pane.pointed.connect(self._hover_trade)
        self._compose()
        self.show_stamps(candles.timestamp, candles.bar_us)
        self.setAccessibleName(f"Chart: {candles.symbol} {candles.timeframe}, {len(candles):,} bars")
        is_same = before is not None and before.symbol == candles.symbol and shown is not None
        if is_same and shown is not None:
            self.show_range(self._bars_of(shown))
        else:
            self.show_newest()
        self._show_chosen(self.selection.bar.value)

    def give_back(self) -> None:
        """Nobody will look at it again: the candles and what was made of them are let go of."""
        self.tools.detach()
        self.content, self._lines, self._signals, self._trades = None, {}, [], None
        self.stamps, self._marked = self.stamps[:0].copy(), None
        for pane in self.panes:
            pane.series, pane.backdrop, pane.crosshair.touches = [], [], []

    def show_fault(self, why: str) -> None:
        """In place of candles that cannot be read, for those of before are not them."""
        self.give_back()
        self.show_stamps(self.stamps, self.bar_us)
        self.setAccessibleName("Chart: no candles")
        self.setAccessibleDescription(why)
        self.empty.say("The candles could not be read", why)

    def extend(self, candles: Candles) -> None:
        """The same candles with a newer last bar, or more of them: what a live price brings. A view of the newest bar stays with it."""
        if self.content is None:
            raise ValueError("extend follows show_candles")
        added = len(candles) - len(self.stamps)
        is_at_end = self.bars.last >= len(self.stamps)
        self.content.candles.extend(candles)
        if self.content.volume is not None and candles.volume is not None:
            self.content.volume.extend(candles.volume)
        self.stamps = candles.timestamp
        self.tools.extend(candles)
        bars = Bars(self.bars.first, self.bars.last, len(candles))
        self._compose()
        self.show_range(bars.moved(added) if is_at_end else bars)

    def set_overlays(self, lines: Sequence[Line]) -> None:
        """Lines over the candles and in panes below, instead of those before. A pane is made once for each name and kept."""
        if self.content is None:
            return
        instrument = self.content.candles.candles.instrument
        per_price = float(instrument.ticks_per_one)
        self._lines = {}
        for number, line in enumerate(lines):
            is_price = line.pane is None
            series = LineSeries(line, number, per_price if is_price else 1.0, price_unit(instrument).places if is_price else None)
            self._lines.setdefault(line.pane, []).append(series)
        existing = {pane.name: pane for pane in self.panes[1:]}
        for name in existing.keys() - self._lines.keys():
            self.remove_pane(existing[name])
        for wanted in self._lines:
            if wanted is not None and wanted not in existing:
                self.add_pane(Pane(FigureScale(), wanted))
        for pane in self.panes[1:]:
            pane.series = list(self._lines[pane.name])
            pane.keeps_zero = any(series.line.kind == "histogram" for series in self._lines[pane.name])
            pane.guides = sorted({level for series in self._lines[pane.name] for level in series.line.levels})
        self._compose()
        self.redraw()

    def set_trades(self, marks: TradeMarks | None) -> None:
        text = price_unit(self.content.candles.candles.instrument).text if self.content else str
        before = self._trades
        self._trades = None
        if marks is not None and len(marks):
            self._trades = TradeSeries(marks, lambda value: text(round(value)), lambda: (self.bars.first, self.bars.last))
        self._compose()
        if not self._looks_same(before):
            self.redraw()

    def _looks_same(self, before: TradeSeries | None) -> bool:
        """A slider moves trades of years, and most often none of those in sight: then there is nothing to draw."""
        now, price = self._trades, self.price_pane
        if before is None or now is None or price is None:
            return before is now
        is_told = before.chosen is not None or before.hovered is not None
        bar = price.crosshair.read_bar
        is_said_same = bar is None or now.said(bar) == before.said(bar)
        return not is_told and is_said_same and now.marks.is_same(before.marks, self.bars.first, self.bars.last)

    def set_signals(self, marks: Sequence[SignalMarks]) -> None:
        if [signal.marks for signal in self._signals] == list(marks):  # the very ones: they are not compared
            return
        if self.content is not None:
            self._signals = [SignalSeries(mark, self.content.candles, number + 1) for number, mark in enumerate(marks)]
        self._compose()
        self.redraw()

    def set_style(self, style: Style) -> None:
        if self.content is not None:
            self.content.candles.style = style
            self.redraw()

    def _compose(self) -> None:
        """What the price pane paints, from back to front."""
        if self.content is None:
            return
        candles, pane, sessions, volume = self.content
        volumes = [] if volume is None else [volume]
        pane.backdrop = [*volumes, sessions, ChosenColumn(self.chosen_bar)]
        trades: list[Series] = [self._trades] if self._trades is not None else []
        pane.series = [candles, *self._lines.get(None, []), *self._signals, *trades]
        self._tag_newest()

    def _tag_newest(self) -> None:
        if self.content is None or not len(self.content.candles.candles):
            return
        prices = self.content.candles.candles.prices
        last, opened = float(prices.close[-1]), float(prices.open[-1])
        self.content.price.axis.tagged = last
        self.content.price.crosshair.newest = (last, "up" if last >= opened else "down")

    def show_levels(self) -> None:
        """`levels` answers something else now."""
        self._touch()

    def _touch(self) -> None:
        if self.content is not None:
            self.content.price.crosshair.update()

    # Choosing bars and trades

    def chosen_bar(self) -> int | None:
        chosen, candles = self.selection.bar.value, self.candles
        if chosen is None or candles is None or chosen.symbol != candles.symbol or not len(candles):
            return None
        return self.bar_of(chosen.stamp)

    def choose(self, bar: int) -> None:
        if self.candles is not None and len(self.stamps):
            chosen = BarAt(self.candles.symbol, int(self.stamps[self.bar_index(bar)]))
            self.selection.bar.set(chosen)
            self.barChosen.emit(chosen)

    def clicked_at(self, pane: Pane, spot: Spot) -> None:
        if self._trades is not None and self.content is not None and pane is self.content.price:
            row = self._trade_at(spot)
            self._trades.chosen = row
            if row is not None:
                self.tradeChosen.emit(row)
        self.choose(self.bar_index(spot.bar))
        self.redraw()

    def choose_next(self, step: int) -> None:
        aim, chosen = self.tools.aim, self.chosen_bar()
        if self.tools.is_trend_chosen:
            self.tools.move_chosen(step, 0)
            return
        bar = int(aim.bar) + step if aim is not None else self.bar_index(self.bars.last - 0.5) if chosen is None else chosen + step
        self.choose(bar)
        if aim is not None:
            self.tools.aim_at(self.bar_index(bar) + 0.5, aim.value)

    def press_tool(self) -> None:
        """The chosen bar, or the newest in sight, at its close."""
        if self.content is None or not len(self.stamps):
            return
        chosen, pane = self.chosen_bar(), self.content.price
        bar = self.bar_index(self.bars.last - 0.5) if chosen is None else chosen
        value, frame = float(self.content.candles.candles.prices.close[bar]), pane.frame()
        self.tools.press(Spot(bar + 0.5, value, frame_point(frame, bar + 0.5, value), frame))

    def move_price(self, steps: int) -> None:
        """Of the end that the keyboard moves, or of the chosen line: the closer one looks, the finer."""
        if self.content is None:
            return
        frame, aim = self.content.price.frame(), self.tools.aim
        at = frame.height / 2 if aim is None else frame.y_of(aim.value)  # a chosen line may be far out of sight
        ticks = steps * max(1, round(abs(frame.value_at(at - frame.height / PRICE_STEPS) - frame.value_at(at))))
        if aim is not None:
            self.tools.aim_at(aim.bar, round(aim.value) + ticks)
        else:
            self.tools.move_chosen(0, ticks)

    def _show_chosen(self, chosen: BarAt | None) -> None:
        bar = self.chosen_bar()
        if bar is None:
            self.redraw()
        else:
            self.show_range(self.bars.showing(bar))
            said = self.content.candles.said(bar) if self.content is not None else []
            moment = clock_text(int(self.stamps[bar]), self.selection.zone.value, self.bar_us)
            self.setAccessibleDescription(f"{moment}: {', '.join(f'{part.name} {part.text}'.strip() for part in said)}")

    def _hover_trade(self, spot: Spot | None) -> None:
        if self._trades is not None and self.content is not None:
            self._trades.hovered = None if spot is None else self._trade_at(spot)

    def _trade_at(self, spot: Spot) -> int | None:
        at = spot.at * spot.frame.scale
        return None if self._trades is None else self._trades.nearest(spot.frame, at.x(), at.y())

    def show_trade(self, row: int) -> None:
        """In the middle, with its levels."""
        if self._trades is None or not 0 <= row < len(self._trades.marks):
            return
        self._trades.chosen = row
        self.tradeChosen.emit(row)
        self.choose(int(self._trades.marks.entry_bar[row]))
        self.redraw()

    def next_trade(self) -> None:
        self._step_trade(lambda marks, bar: marks.after(bar))

    def previous_trade(self) -> None:
        self._step_trade(lambda marks, bar: marks.before(bar))

    def _step_trade(self, found: Callable[[TradeMarks, int], int | None]) -> None:
        """From the chosen bar, or from the middle of what is in sight."""
        if self._trades is None:
            return
        bar = self.chosen_bar()
        row = found(self._trades.marks, int((self.bars.first + self.bars.last) / 2) if bar is None else bar)
        if row is not None:
            self.show_trade(row)

    def pointed_ticks(self) -> int | None:
        """The price at the pointer; without one the newest close."""
        if self.content is None or not len(self.stamps):
            return None
        value, closes = self.content.price.crosshair.value, self.content.candles.candles.prices.close
        return round(float(closes[-1]) if value is None else value)

    def draw_horizontal(self) -> None:
        ticks = self.pointed_ticks()
        if self.content is not None and ticks is not None:
            bar = self.content.price.crosshair.bar
            self.tools.draw_horizontal(ticks, len(self.stamps) - 1 if bar is None else bar)

    def ask_alert(self) -> None:
        ticks = self.pointed_ticks()
        if self.candles is not None and ticks is not None and ticks > 0:
            self.alertAsked.emit(self.candles.symbol, ticks)

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody goes on with a line that nobody sees; a window that is made small comes back as it was."""
        if self.tools.words() and not event.spontaneous():
            self.tools.leave()
        super().hideEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        pane = self.price_pane
        if pane is not None and len(self.stamps):
            at = QPointF(pane.viewport().mapFromGlobal(event.globalPos()))
            self.menuAsked.emit(event.globalPos(), round(pane.spot(at).value))
            event.accept()

    # Scales

    def toggle_log(self) -> None:
        if self.content is not None:
            self.content.price.is_log = not self.content.price.is_log
            self.content.price.fit_again()

    def toggle_inverted(self) -> None:
        if self.content is not None:
            self.content.price.is_inverted = not self.content.price.is_inverted
            self.content.price.refresh()

    @property
    def has_sessions(self) -> bool:
        return self.content is not None and self.content.sessions.is_shown

    def toggle_sessions(self) -> None:
        if self.content is not None:
            self.content.sessions.is_shown = not self.content.sessions.is_shown
            self.redraw()

    def _span(self) -> Span | None:
        if not len(self.stamps):
            return None
        return Span(int(self.stamps[self.bar_index(self.bars.first)]), int(self.stamps[self.bar_index(self.bars.last)]))

    def _bars_of(self, span: Span) -> Bars:
        first, last = self.bar_of(span.first), self.bar_of(span.last)
        if last - first < Bars.LEAST:
            return self.newest_range()
        return Bars(float(first), last + 1.0, len(self.stamps)).held()

    def commands(self) -> dict[str, Callable[[], object]]:
        return super().commands() | {
            "chart.choose_left": lambda: self.choose_next(-1),
            "chart.choose_right": lambda: self.choose_next(1),
            "chart.next_trade": self.next_trade,
            "chart.previous_trade": self.previous_trade,
            "chart.press_tool": self.press_tool,
            "chart.choose_line": self.tools.choose_line,
            "chart.price_up": lambda: self.move_price(1),
            "chart.price_down": lambda: self.move_price(-1),
            "chart.horizontal_line": self.draw_horizontal,
            "chart.alert": self.ask_alert,
            "chart.trend_line": partial(self.tools.start, "trend"),
            "chart.measure": partial(self.tools.start, "measure"),
            "chart.delete_drawing": self.tools.delete_chosen,
            "chart.undo": self.tools.undo,
            "chart.redo": self.tools.redo,
            "chart.leave": self.tools.leave,
            "chart.log": self.toggle_log,
            "chart.invert": self.toggle_inverted,
            "chart.sessions": self.toggle_sessions,
            **{f"chart.{style}": partial(self.set_style, style) for style in STYLES},
        }
