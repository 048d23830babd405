"""A chart of candles of which there are none: what its commands do there, which is nothing."""

import pytest
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from sptrader_desktop.present.actions import ACTIONS, Scope
from sptrader_desktop.present.drawings import Corner, Drawing, DrawingBook
from sptrader_desktop.present.selection import Selection
from sptrader_desktop.ui.charts.candle_chart import CandleChart
from tests.ui.charts import shown, stamp, walk

COMMANDS = [row.id for row in ACTIONS if row.scope is Scope.CHART and not row.needs.endswith("chart")]  # else they are of the line above it


@pytest.mark.parametrize("command", COMMANDS)
def test_on_a_chart_of_no_candles_no_command_begins_anything(qtbot: QtBot, command: str) -> None:
    """A trend line and a level are kept for the symbol, where nobody sees them now."""
    corners = Corner(stamp("2024-03-04"), 108_000), Corner(stamp("2024-03-05"), 108_500)
    lines = (Drawing("trend", *corners), Drawing("horizontal", corners[0], corners[0]))
    selection, book = Selection(), DrawingBook({"EURUSD": lines})
    chart = CandleChart(selection, book)
    qtbot.addWidget(chart)
    chart.show()
    chart.show_candles(walk(100))
    chart.tools.choose_line()
    chart.show_candles(walk(0))
    chart.setFocus()
    commands = chart.commands()
    for name in (command, "chart.choose_line", command, "chart.press_tool", command):
        commands[name]()
        QApplication.processEvents()
        assert chart.tools.words() == ""
        assert not chart.go_to_field.isVisible()
        assert chart.findChildren(QFileDialog) == []
        assert chart.hasFocus()
    assert (selection.bar.value, book.page("EURUSD").value) == (None, lines)
    chart.show_candles(walk(100))
    assert len(chart.tools.drawings) == 2
    chart.choose_next(-1)
    assert chart.chosen_bar() == 99


def test_a_date_is_not_asked_for_any_more_when_the_candles_went(qtbot: QtBot) -> None:
    chart = shown(qtbot, walk(100))
    chart.commands()["chart.go_to"]()
    assert chart.go_to_field.isVisible()
    chart.show_candles(walk(0))
    assert not chart.go_to_field.isVisible()
