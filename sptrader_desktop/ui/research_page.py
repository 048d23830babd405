"""Joins what happens in research with the panes that show it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.errors import SptraderError, StrategyError
from sptrader_desktop.present.decision_rows import decision_stamps, neighbour
from sptrader_desktop.present.drawings import DrawingBook
from sptrader_desktop.present.numbers import amount, counted, figure
from sptrader_desktop.present.run_form import WANTED
from sptrader_desktop.present.selection import BarAt, Selection
from sptrader_desktop.present.strategy_numbers import sliders
from sptrader_desktop.present.strategy_text import StrategyText
from sptrader_desktop.present.what_if import without_place
from sptrader_desktop.ui.backtest_panel import BacktestPanel
from sptrader_desktop.ui.charts.candle_chart import EMPTY, CandleChart
from sptrader_desktop.ui.charts.equity_chart import EquityChart
from sptrader_desktop.ui.charts.line_series import Line
from sptrader_desktop.ui.charts.prepared import Drawing
from sptrader_desktop.ui.desk import Desk, Finished, Series
from sptrader_desktop.ui.explain_pane import ExplainPane
from sptrader_desktop.ui.file_watch import FileWatch
from sptrader_desktop.ui.research import Research
from sptrader_desktop.ui.results.results_panel import ResultsPanel
from sptrader_desktop.ui.turns import Turns
from sptrader_desktop.ui.what_if_panel import WhatIfPanel
from sptrader_desktop.ui.widgets.notices import Notice, Notices

if TYPE_CHECKING:
    from sptrader_desktop.core.components import Catalogue
    from sptrader_desktop.core.results import Result

CANDLES = "candles"  # the kind of job that reads them, and the key of what is said where they cannot be read


class ResearchPage(QObject):
    """`text_of` gives the text of a strategy as its editor has it, saved or not."""

    refused = Signal()  # a run, and the panel says why

    def __init__(
        self,
        desk: Desk,
        research: Research,
        selection: Selection,
        notices: Notices,
        text_of: Callable[[Path], str],
        unforeseen: Callable[[BaseException, str], None],
        book: DrawingBook | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._desk, self._research, self._selection = desk, research, selection
        self._notices, self._text_of, self._unforeseen = notices, text_of, unforeseen
        self.chart, self.equity = CandleChart(selection, book), EquityChart(selection)
        self.panel, self.what_if, self.explanation = BacktestPanel(), WhatIfPanel(), ExplainPane()
        self.results = ResultsPanel(selection)
        self.turns, self._files = Turns(self), FileWatch(self)
        self._numbers_of = ""  # the strategy whose numbers are shown
        self._join()

    def run(self) -> None:
        recipe = self.panel.recipe()
        if recipe is None:
            self._refuse(self._missing())
            return
        if self.panel.unknown:
            self._refuse(f"And {' '.join(self.panel.unknown)}: there are no such candles beside the chosen ones, of the same timeframe")
            return
        self.panel.refuse("")
        self.panel.settle()
        try:
            text = self._text_of(Path(recipe.strategy))
        except SptraderError as error:
            self._refuse(str(error))
            return
        self._research.run(recipe, text)

    def _missing(self) -> str:
        is_unnamed = self.panel.is_elsewhere and self.panel.chosen_series() is None
        return WANTED if is_unnamed else self.panel.missing or "Choose a strategy and candles first"

    def _refuse(self, sentence: str) -> None:
        self.panel.refuse(sentence)
        self.refused.emit()

    def compare(self) -> None:
        """Is what is shown of what is chosen and written now?"""
        recipe = self.panel.recipe()
        try:
            text, missing = self._text_of(Path(recipe.strategy)) if recipe else "", "" if recipe else self._missing()
        except SptraderError as error:
            text, missing = "", str(error)
        self._research.compare(recipe, text, missing)

    def look_outside(self) -> None:
        """The same, and whether files have changed."""
        self.compare()
        self._research.look_outside()

    def _join(self) -> None:
        research, panel = self._research, self.panel
        panel.runAsked.connect(self.run)
        panel.seriesChosen.connect(self._show_series)
        panel.changed.connect(self.compare)
        research.outsideKnown.connect(self.compare)
        self._files.changed.connect(self.look_outside)
        research.candlesAsked.connect(self._expect)
        research.candlesLeft.connect(self._tell_left)
        research.candlesReady.connect(self._show_candles)
        research.candlesReady.connect(panel.tell_candles)
        research.runStarted.connect(panel.foot.follow)
        panel.cancelAsked.connect(research.cancel)
        research.runFinished.connect(self._show_run)
        research.textRead.connect(self._show_numbers)
        research.linesReady.connect(lambda candles, lines: self.turns.hand(self.chart, self._show_lines, candles, lines))
        research.guessed.connect(self._show_guess)
        research.explained.connect(self.explanation.show_explanation)
        research.failed.connect(self._tell)
        self.turns.settled.connect(research.follow_up)
        research.stale.watch(self.results.set_stale)
        research.guessing.connect(self.what_if.set_busy)
        research.stale.watch(self.explanation.set_stale)
        research.guessed.connect(lambda guess: self.explanation.set_guess(is_guess=guess is not None))
        for pane in (self.what_if, self.explanation):
            pane.runAsked.connect(self.run)
        self.equity.stepAsked.connect(self.run)
        self.explanation.stepAsked.connect(self.step_decision)
        self.what_if.turned.connect(research.what_if)
        self.what_if.forgotten.connect(research.forget_guess)
        for chart in (self.chart, self.equity):
            chart.pictureFailed.connect(lambda words: self._notices.tell(Notice(words, "error", key="picture")))

    def invite_elsewhere(self) -> None:
        """At the start nobody else's server is asked."""
        series = self.panel.chosen_series()
        if series is not None:
            words = "Run the backtest, or press Return in the Backtest pane's Candles to look at them"
            self.chart.empty.say(f"{series.label}: not asked for yet", words)

    # What is shown

    def _show_series(self, series: Series | None) -> None:
        if series is not None:
            self._research.show_series(series)
        else:
            self._research.forget_series()
            self._notices.dismiss(CANDLES)
            self.chart.empty.say(EMPTY.title, EMPTY.text)

    def _expect(self, series: Series) -> None:
        """What was said of the candles before is not said of these."""
        self._notices.dismiss(CANDLES)
        self.chart.empty.say(f"Reading {series.label} …")

    def _tell_left(self, series: Series) -> None:
        """What was shown before stays; a chart that is empty says why."""
        stopped = f"{series.label}: not read", "It was stopped. Run the backtest, or choose the candles again in the Backtest pane"
        self.chart.empty.say(*(stopped if series == self.panel.shown_series() else (EMPTY.title, EMPTY.text)))

    def _show_candles(self, candles: Candles) -> None:
        self._selection.symbol.set(candles.symbol)
        self.chart.show_candles(candles)
        self._notices.dismiss(CANDLES)
        drawing = self._research.shown
        if drawing is not None:
            self._show_marks(drawing)
            if _place(candles, drawing.result) is not None:
                self._research.ask_curves(candles.symbol)

    def _show_run(self, finished: Finished) -> None:
        """Candles that come late would take its place and have no trades. A run that fails leaves them to be shown."""
        self._research.forget_series()
        if finished.run_id:
            self.panel.show_recipe(finished.recipe)
        result, drawing = finished.result, self._research.drawing
        traded = {candles.symbol: candles for candles in result.request.traded}
        symbol = self._selection.symbol.value if self._selection.symbol.value in traded else next(iter(traded))
        if self.chart.candles is not traded[symbol]:
            self._show_candles(traded[symbol])
        is_all = not (finished.run_id or finished.recipe.start or finished.recipe.end)  # a kept run has its own, and more may have come
        if is_all and finished.recipe == self.panel.recipe():
            self.panel.tell_candles(result.request.traded[0])
        self.explanation.invite()
        self.turns.hand(self.chart, self._show_marks, drawing)
        self.turns.hand(self.equity, self._show_equity, drawing, None)
        self.turns.hand(self.results, self._show_result, result)
        self._files.watch(finished.files)
        self.compare()

    def _show_result(self, result: "Result") -> None:
        """It may be stale when it comes: answers were changed while it was made."""
        self.results.show_result(result)
        self.results.set_stale(self._research.stale.value)

    def _show_numbers(self, text: StrategyText, catalogue: "Catalogue") -> None:
        """A slider of the same strategy keeps its range: what the hand has learned stays true."""
        recipe = self._research.finished.recipe if self._research.finished else None
        strategy, params = (recipe.strategy, recipe.params) if recipe else ("", ())
        before = [row.spec for row in self.what_if.rows] if strategy == self._numbers_of else []
        self._numbers_of = strategy
        self.what_if.show_numbers(text, sliders(text, catalogue, before), without_place(text, params))

    def step_decision(self, forward: bool) -> None:
        """The next bar at which a rule held or a close was ordered, or the one before, is the chosen one."""
        shown, symbol, bar = self._research.shown, self._selection.symbol.value, self._selection.bar.value
        if shown is None:
            return
        stamps = decision_stamps(shown.result, symbol)
        at = bar.stamp if bar is not None and bar.symbol == symbol else None
        stamp = neighbour(stamps, at, forward)
        if stamp is None:
            self._notices.tell(Notice(f"{symbol}: no decision {'after' if forward else 'before'} this bar", "note", key="decision"))
        else:
            self._selection.bar.set(BarAt(symbol, stamp))

    def _show_marks(self, drawing: Drawing) -> None:
        """A mark belongs to a bar of the candles that were traded, and of no others of that symbol."""
        place = _place(self.chart.candles, drawing.result)
        if place is not None:
            with self.chart.drawn_once():
                self.chart.set_trades(drawing.trades[place])
                self.chart.set_signals(drawing.signals[place])

    def _show_equity(self, drawing: Drawing, before: Drawing | None) -> None:
        outcome = drawing.result.outcome
        with self.equity.drawn_once():
            self.equity.set_curve(drawing.instants, outcome.equity, drawing.result.request.terms.currency, drawing.curve)
            self.equity.set_halts(drawing.halts)
            if before is None:
                self.equity.set_ghost()
            else:
                self.equity.set_ghost(before.instants, before.result.outcome.equity, before.curve)

    def _show_lines(self, candles: Candles, lines: list[Line]) -> None:
        """Over the candles they are of, unless others are shown meanwhile."""
        if _is_same(self.chart.candles, candles):
            self.chart.set_overlays(lines)

    def _show_guess(self, guess: Drawing | None) -> None:
        run = self._research.drawing
        if run is not None:
            self.what_if.say(_compared(guess.result, run.result) if guess else "")
            self.turns.hand(self.equity, self._show_equity, guess or run, run if guess else None)
            self.turns.hand(self.chart, self._show_marks, guess or run)

    def _tell(self, kind: str, error: BaseException) -> None:
        """What a person can mend is said where they are; the rest is a defect and said as one."""
        if kind == CANDLES:
            self.chart.show_fault(str(error))
        if not isinstance(error, SptraderError | OSError):
            self._unforeseen(error, {"backtest": "The backtest", "what-if": "What if"}.get(kind, kind))
        elif kind == "explain":
            self.explanation.refuse(str(error))
        elif kind == "what-if":
            self.what_if.say(_first(error))
        elif kind == "backtest":
            self._refuse(_first(error))
        else:
            self._notices.tell(Notice(str(error), "error", key=kind))


def _place(shown: Candles | None, result: "Result") -> int | None:
    """Which of the traded candles these are."""
    return next((place for place, traded in enumerate(result.request.traded) if _is_same(shown, traded)), None)


def _is_same(shown: Candles | None, candles: Candles) -> bool:
    """They may have been read again meanwhile."""
    return shown is not None and (shown is candles or (bool(shown.fingerprint) and shown.fingerprint == candles.fingerprint))


def _first(error: BaseException) -> str:
    """A strategy has all its problems in its editor; here the first, and how many more."""
    if isinstance(error, StrategyError):
        first, rest = error.problems[0], len(error.problems) - 1
        at = "" if first.line is None else f"line {first.line}: "
        return f"{at}{first.sentence()}" + (f" (and {counted(rest, 'more problem')})" if rest else "")
    return str(error)


def _compared(guess: "Result", run: "Result") -> str:
    currency = run.request.terms.currency
    nets = [result.outcome.final_cash - result.job.capital for result in (guess, run)]
    downs = [100 * result.metrics.drawdown.depth for result in (guess, run)]
    trades = [len(result.outcome.trades) for result in (guess, run)]
    return (
        f"Net {amount(nets[0], signed=True)} {currency} (was {amount(nets[1], signed=True)}) · "
        f"{counted(trades[0], 'trade')} (was {trades[1]:,}) · drawdown {figure(downs[0])} % (was {figure(downs[1])} %)"
    )
