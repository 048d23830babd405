"""What a slider changes is drawn once, and where nothing in sight has changed nothing is drawn."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from sptrader_desktop.core.candles import Int64Array
from sptrader_desktop.core.money import MONEY_ONE
from sptrader_desktop.present.run_marks import Halt
from sptrader_desktop.present.selection import Selection, Zone
from sptrader_desktop.present.time_marks import TimeMark, time_marks
from sptrader_desktop.present.trade_marks import SignalMarks, TradeMarks
from sptrader_desktop.ui.charts import time_chart
from sptrader_desktop.ui.charts.candle_chart import CandleChart
from sptrader_desktop.ui.charts.equity_chart import EquityChart
from sptrader_desktop.ui.theme.look import look
from tests.ui.charts import HOUR_US, colour_at, hover, painted, pane_of, show_exactly, shown, stamp, walk

INSTANTS = stamp("2024-03-04") + np.arange(1000) * HOUR_US
EARLIER_AND_NOW = {"entry_bar": [20, 120], "entry_price": [108_000] * 2, "exit_bar": [30, 150], "exit_price": [108_010] * 2, "pnl": [7, 5]}


def curve(seed: int) -> Int64Array:
    return 10_000 * MONEY_ONE + np.cumsum(np.random.default_rng(seed).integers(-30, 33, len(INSTANTS))) * MONEY_ONE


def marks(**other: list[int]) -> TradeMarks:
    """Two trades, one of them in bars 100 to 200."""
    columns = {name: np.array(values) for name, values in (EARLIER_AND_NOW | other).items()}
    return TradeMarks(side=np.ones(2, np.int64), stop=np.zeros(2, np.int64), target=np.zeros(2, np.int64), **columns)


@pytest.fixture
def chart(qtbot: QtBot) -> CandleChart:
    chart = shown(qtbot, walk(500))
    show_exactly(chart, 100, 200)
    chart.set_trades(marks())
    QApplication.processEvents()
    return chart


def draws(chart: CandleChart, trades: TradeMarks | None) -> bool:
    drawn = pane_of(chart).plot.drawn
    chart.set_trades(trades)
    QApplication.processEvents()
    return pane_of(chart).plot.drawn > drawn


@pytest.mark.parametrize(
    ("other", "is_drawn"),
    [
        ({}, False),
        ({"pnl": [-7, 6]}, False),
        ({"entry_bar": [10, 120], "exit_price": [1, 108_010]}, False),
        ({"pnl": [7, -5]}, True),
        ({"exit_bar": [110, 150]}, True),
        ({"exit_price": [108_010, 108_011]}, True),
    ],
)
def test_trades_are_drawn_where_one_in_sight_looks_otherwise(chart: CandleChart, other: dict[str, list[int]], is_drawn: bool) -> None:
    assert draws(chart, marks(**other)) == is_drawn
    shown_now = painted(pane_of(chart))
    chart.redraw()
    assert painted(pane_of(chart)) == shown_now


def test_trades_that_come_or_go_are_drawn(chart: CandleChart) -> None:
    assert draws(chart, None)
    assert not draws(chart, None)
    assert draws(chart, marks())


def test_the_levels_of_a_chosen_trade_go_with_it(chart: CandleChart) -> None:
    """Also where the readout tells of that trade either way."""
    to_the_last = marks(exit_bar=[30, 199])
    chart.set_trades(to_the_last)
    chart.show_trade(1)
    show_exactly(chart, 100, 200)
    QApplication.processEvents()
    assert draws(chart, to_the_last)
    assert not draws(chart, to_the_last)


def test_the_readout_follows_a_trade_whose_profit_alone_has_changed(chart: CandleChart) -> None:
    assert draws(chart, marks(exit_bar=[30, 199], pnl=[7, 5 * MONEY_ONE]))
    assert draws(chart, marks(exit_bar=[30, 199], pnl=[7, 6 * MONEY_ONE]))
    assert any("+6.00" in said.text for line in pane_of(chart).crosshair.said() for said in line)


def test_the_very_signals_that_are_shown_are_not_drawn_again(chart: CandleChart) -> None:
    signals = [SignalMarks("cross", np.array([120]), np.array([1]))]
    chart.set_signals(signals)
    QApplication.processEvents()
    drawn = pane_of(chart).plot.drawn
    chart.set_signals(list(signals))
    QApplication.processEvents()
    assert pane_of(chart).plot.drawn == drawn
    chart.set_signals([replace(signals[0])])
    QApplication.processEvents()
    assert pane_of(chart).plot.drawn > drawn


def test_a_curve_its_halts_and_the_one_before_are_fitted_and_drawn_once(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    chart = EquityChart(Selection())
    qtbot.addWidget(chart)
    chart.resize(900, 500)
    chart.show()
    chart.set_curve(INSTANTS, curve(3), "USD")
    QApplication.processEvents()
    fitted, really = list[object](), chart.equity_pane.fit

    def fit() -> None:
        fitted.append(None)
        really()

    monkeypatch.setattr(chart.equity_pane, "fit", fit)
    with chart.drawn_once():
        chart.set_curve(INSTANTS, curve(4), "USD")
        chart.set_halts([Halt(int(INSTANTS[500]), "loss limit")])
        chart.set_ghost(INSTANTS, curve(3))
        assert not fitted
    assert len(fitted) == 1
    once = painted(chart)
    chart.redraw()
    assert painted(chart) == once


def test_what_was_changed_before_something_failed_is_drawn(chart: CandleChart) -> None:
    drawn = pane_of(chart).plot.drawn

    def show() -> None:
        with chart.drawn_once():
            chart.set_trades(marks(pnl=[7, -5]))
            raise ValueError("no signals")

    with pytest.raises(ValueError, match="no signals"):
        show()
    QApplication.processEvents()
    assert pane_of(chart).plot.drawn > drawn
    assert not draws(chart, marks(pnl=[7, -5]))


def test_time_is_marked_anew_only_where_it_has_changed(chart: CandleChart, monkeypatch: pytest.MonkeyPatch) -> None:
    made = list[object]()

    def make(*asked: Any) -> list[TimeMark]:
        made.append(asked)
        return time_marks(*asked)

    monkeypatch.setattr(time_chart, "time_marks", make)
    chart.redraw()
    assert not made
    chart.pan(-5)
    chart.selection.zone.set(next(zone for zone in Zone if zone is not chart.selection.zone.value))
    assert len(made) == 2


def test_the_trade_under_the_pointer_shows_its_levels_and_paints_no_series_again(qtbot: QtBot) -> None:
    chart = shown(qtbot, walk(500))
    prices = chart.candles.prices if chart.candles else None
    assert prices is not None
    bar = np.array([120])
    price = prices.close[bar]
    chart.set_trades(TradeMarks(bar, price, bar + 30, prices.close[bar + 30], np.array([1]), np.array([5]), price - 20, price + 20))
    show_exactly(chart, 100, 200)
    pane = pane_of(chart)
    frame = pane.frame()
    away, near = (frame.x_of(140.5), 200.0), (frame.x_of(120.5), frame.y_of(float(price[0])))
    row = round(frame.y_of(float(price[0]) + 20))

    def is_drawn() -> bool:
        image, columns = painted(pane), range(round(frame.x_of(121)), round(frame.x_of(149)))
        return any(all(colour_at(image, x, row + step) == look().colour("up").name() for x in columns) for step in (-1, 0, 1))

    hover(pane, *away)
    assert not is_drawn()
    drawn = pane.plot.drawn
    hover(pane, *near)
    assert is_drawn()
    assert pane.plot.drawn == drawn
