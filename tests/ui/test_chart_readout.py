"""The readout of a chart: what it tells, and that it can be read."""

import numpy as np
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from sptrader_desktop.present.trade_marks import TradeMarks
from sptrader_desktop.ui.charts.line_series import Line
from tests.ui.charts import hover, pane_of, show_exactly, shown, walk


def test_the_chosen_trade_is_told_while_any_of_it_is_in_sight(qtbot: QtBot) -> None:
    chart = shown(qtbot, walk(1000))
    entries, ticks, none = np.array([120, 790]), np.full(2, 108_000), np.zeros(2, np.int64)
    chart.set_trades(TradeMarks(entries, ticks, entries + 30, ticks, np.array([1, -1]), ticks, none, none))
    chart.show_trade(0)

    def told(first: float, last: float) -> list[str]:
        show_exactly(chart, first, last)
        return [said.name for said in pane_of(chart).crosshair.said()[1]]

    assert told(100, 200) == told(150.5, 250) == told(20, 120.5) == ["▲ long"]
    assert told(151, 250) == told(20, 120) == []
    assert told(700, 791) == ["▼ short"], "the newest bar in sight is one of another trade"
    assert told(110, 791) == ["▲ long"]


def test_the_field_for_a_date_covers_none_of_the_readout(qtbot: QtBot) -> None:
    chart, values = shown(qtbot, walk(500)), np.full(500, np.nan)
    values[:480] = 1.08
    chart.set_overlays([Line(f"Moving average number {number} of the close", values) for number in range(6)])
    pane, field = pane_of(chart), chart.go_to_field

    def is_clear() -> bool:
        return bool(field.y() >= pane.y() + pane.plot_area().top() + pane.crosshair.readout_height())

    show_exactly(chart, 400, 500)
    chart.commands()["chart.go_to"]()
    assert is_clear()
    lowest = field.y()
    for place in (100, 700, 100):
        hover(pane, place, 300)
        assert is_clear()
        assert field.y() >= lowest, "it stands still under a moving pointer"
        lowest = field.y()
    chart.resize(700, 400)
    QApplication.processEvents()
    assert is_clear()
    assert abs(field.geometry().center().x() - 350) <= 1
