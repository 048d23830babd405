"""The equity chart: money on its axis, drawdown below, the curve before, halts, and the link in time with the candles."""

from threading import Thread

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from sptrader_desktop.core.candles import Int64Array
from sptrader_desktop.core.money import MONEY_ONE
from sptrader_desktop.present.run_marks import Halt
from sptrader_desktop.present.selection import Selection
from sptrader_desktop.ui.charts.equity_chart import Curve, EquityChart, prepared
from sptrader_desktop.ui.charts.price_axis import MoneyScale, ShareScale
from sptrader_desktop.ui.theme.look import look
from tests.ui.charts import HOUR_US, click, colour_at, hover, painted, pane_of, show_exactly, shown, stamp, walk

INSTANTS = stamp("2024-03-04") + np.arange(1000) * HOUR_US


def money(*amounts: float) -> Int64Array:
    return np.array([round(amount * MONEY_ONE) for amount in amounts])


def curve(seed: int = 3) -> Int64Array:
    return 10_000 * MONEY_ONE + np.cumsum(np.random.default_rng(seed).integers(-30, 33, len(INSTANTS))) * MONEY_ONE


def equity_shown(qtbot: QtBot, selection: Selection | None = None) -> EquityChart:
    chart = EquityChart(selection or Selection())
    qtbot.addWidget(chart)
    chart.resize(900, 500)
    chart.show()
    chart.set_curve(INSTANTS, curve(), "USD")
    QApplication.processEvents()
    focused = QApplication.focusWidget()
    if focused is not None:
        focused.clearFocus()  # what has the keyboard is ringed
    return chart


def said(chart: EquityChart, pane: int) -> dict[str, str]:
    return {part.name: part.text for line in chart.panes[pane].crosshair.said() for part in line}


def test_the_whole_curve_is_shown_at_first(qtbot: QtBot) -> None:
    chart = equity_shown(qtbot)
    assert chart.bars.first == 0
    assert chart.bars.last >= len(INSTANTS)
    assert "USD" in chart.accessibleName()
    assert "10," in chart.accessibleName()


def test_money_and_drawdown_are_read_at_the_pointer(qtbot: QtBot) -> None:
    chart, equity = equity_shown(qtbot), curve()
    frame = chart.equity_pane.frame()
    for bar in (0, 250, 777, 999):
        hover(chart.equity_pane, frame.x_of(bar + 0.5) / frame.scale, 100)
        assert said(chart, 0)["Equity"] == f"{equity[bar] / MONEY_ONE:,.2f}"
        peak = equity[: bar + 1].max()
        assert float(said(chart, 1)["Drawdown"].rstrip(" %")) == pytest.approx(100 * (equity[bar] - peak) / peak, abs=0.006)


def test_the_drawdown_hangs_from_zero_just_below_its_readout(qtbot: QtBot) -> None:
    chart, equity = equity_shown(qtbot), curve()
    _, (low, _) = chart.drawdown_pane.box.ranges()
    assert chart.drawdown_pane.frame().y_of(0.0) == pytest.approx(chart.drawdown_pane.crosshair.readout_height(), abs=1)
    assert low == pytest.approx((equity / np.maximum.accumulate(equity) - 1).min() * 1.06, rel=0.01)


def test_the_curve_before_lies_under_the_new_one_until_it_is_taken_away(qtbot: QtBot) -> None:
    chart = equity_shown(qtbot)
    span = chart.bars
    chart.set_curve(INSTANTS, curve(8), "USD")
    chart.set_ghost(INSTANTS, curve())
    assert chart.bars == span
    frame = chart.equity_pane.frame()
    hover(chart.equity_pane, frame.x_of(500.5) / frame.scale, 100)
    assert said(chart, 0)["before"] == f"{curve()[500] / MONEY_ONE:,.2f}"
    image, ghost = painted(chart.equity_pane), look().colour("edge").name()
    column = [colour_at(image, frame.x_of(700.5), row) for row in range(60, frame.height)]
    assert ghost in column
    assert look().colour("accent").name() in column
    chart.set_ghost()
    assert "before" not in said(chart, 0)
    assert ghost not in [colour_at(painted(chart.equity_pane), frame.x_of(700.5), row) for row in range(60, frame.height)]


def test_a_ghost_of_other_instants_is_read_as_it_stood_then(qtbot: QtBot) -> None:
    chart = equity_shown(qtbot)
    chart.set_ghost(INSTANTS[100::50], money(*range(1000, 1018)))
    frame = chart.equity_pane.frame()
    for bar, expected in ((99, None), (100, "1,000.00"), (149, "1,000.00"), (150, "1,001.00"), (999, "1,017.00")):
        hover(chart.equity_pane, frame.x_of(bar + 0.5) / frame.scale, 100)
        assert said(chart, 0).get("before") == expected


def test_halts_are_named_where_they_were(qtbot: QtBot) -> None:
    chart = equity_shown(qtbot)
    chart.set_halts([Halt(int(INSTANTS[400]), "daily loss")])
    frame = chart.equity_pane.frame()
    image, warning = painted(chart.equity_pane), look().colour("warning").name()
    found = {x for x in range(frame.width) for row in range(200, 250) if colour_at(image, x, row) == warning}
    assert found
    assert all(abs(x - frame.x_of(400.5)) <= 1 for x in found)
    hover(chart.equity_pane, frame.x_of(400.5) / frame.scale, 100)
    assert said(chart, 0)["halted:"] == "daily loss"


def test_candles_and_equity_move_and_point_together(qtbot: QtBot) -> None:
    selection = Selection()
    equity, candles = equity_shown(qtbot, selection), shown(qtbot, walk(1000), selection)
    equity.is_range_linked = True
    show_exactly(candles, 300, 400)
    assert (equity.bars.first, equity.bars.last) == pytest.approx((300, 401))
    frame = pane_of(candles).frame()
    hover(pane_of(candles), frame.x_of(350.5) / frame.scale, 100)
    assert [pane.crosshair.bar for pane in equity.panes] == [350, 350]
    assert equity.time_axis.tag_text == candles.time_axis.tag_text
    hover(equity.drawdown_pane, 5, 20)
    assert pane_of(candles).crosshair.bar == equity.equity_pane.crosshair.bar == 300


def test_an_empty_curve_says_what_will_be_there(qtbot: QtBot) -> None:
    chart = EquityChart(Selection())
    qtbot.addWidget(chart)
    chart.show()
    chart.set_curve(np.empty(0, np.int64), np.empty(0, np.int64))
    chart.set_ghost(INSTANTS, curve())
    chart.set_halts([])
    assert chart.empty.isVisible()
    chart.set_curve(INSTANTS[:1], curve()[:1], "USD")
    assert not chart.empty.isVisible()


@pytest.mark.parametrize(
    ("units", "step", "text"),
    [(1_234_567.89, 0.5, "1,234,567.89"), (1_234_567.89, 10, "1,234,568"), (-0.001, 0.01, "0.00"), (-12.5, 0.1, "-12.50")],
)
def test_money_is_written_as_finely_as_the_axis_needs(units: float, step: float, text: str) -> None:
    assert MoneyScale().text(round(units * MONEY_ONE), step * MONEY_ONE) == text


def test_shares_are_percent() -> None:
    assert [ShareScale().text(-0.0123, step) for step in (0.01, 0.001, 0.0001)] == ["-1 %", "-1.2 %", "-1.23 %"]


def test_a_curve_prepared_on_a_thread_is_the_same(qtbot: QtBot) -> None:
    one, other = equity_shown(qtbot), equity_shown(qtbot)
    made: list[Curve] = []
    thread = Thread(target=lambda: made.append(prepared(curve(8))))
    thread.start()
    thread.join()
    one.set_curve(INSTANTS, curve(8), "USD", made[0])
    other.set_curve(INSTANTS, curve(8), "USD")
    assert painted(one) == painted(other)


def test_the_whole_run_stays_in_sight_with_a_band_where_the_candles_are_and_a_click_takes_them_there(qtbot: QtBot) -> None:
    selection = Selection()
    selection.symbol.set("EURUSD")
    equity, candles = equity_shown(qtbot, selection), shown(qtbot, walk(1000), selection)
    whole, drawn = equity.bars, equity.equity_pane.plot.drawn
    show_exactly(candles, 300, 400)
    assert equity.bars == whole
    image, frame, field = painted(equity.drawdown_pane), equity.drawdown_pane.frame(), look().colour("field").name()
    bottom = frame.height - 1
    assert colour_at(image, frame.x_of(350), bottom) != field
    assert colour_at(image, frame.x_of(250), bottom) == field
    assert equity.equity_pane.plot.drawn == drawn
    click(equity.equity_pane, frame.x_of(800.5) / frame.scale, 100)
    assert candles.chosen_bar() == 800
    assert candles.bars.first <= 800 < candles.bars.last
    before = selection.span.value
    equity.zoom(0.5)
    assert selection.span.value == before
