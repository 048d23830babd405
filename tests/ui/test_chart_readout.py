"""The readout of a chart: what it tells, and that it can be read."""

import numpy as np
from pytestqt.qtbot import QtBot

from sptrader_desktop.present.trade_marks import TradeMarks
from tests.ui.charts import pane_of, show_exactly, shown, walk


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
