"""What a pane says of its values: as many decimals as they need, the parameters of one indicator once, all in one line where it is low."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from sptrader_desktop.ui.charts.crosshair import rows_of, without_repeats
from sptrader_desktop.ui.charts.line_series import Line
from sptrader_desktop.ui.charts.series import Said
from tests.ui.charts import shown, walk


@pytest.mark.parametrize("height", [200, 240, 330, 420, 520, 1100])
@pytest.mark.parametrize(("low", "high", "places"), [(31.0, 69.0, 1), (41.0, 59.0, 1), (-0.0004, 0.0011, 5), (2.0, 2_600.0, 0)])
def test_a_scale_is_never_written_finer_than_its_pane_shows(qtbot: QtBot, height: int, low: float, high: float, places: int) -> None:
    """A low pane has room for one mark, which has no neighbour to say how fine it is."""
    chart = shown(qtbot, walk(300), size=(900, height))
    values = low + (high - low) * (1 + np.sin(np.arange(300) / 9)) / 2
    chart.set_overlays([Line("RSI (14)", values, "RSI (14)")])
    QApplication.processEvents()
    axis = chart.panes[1].axis
    assert axis.marks
    texts = [axis.text(mark, is_mark=True) for mark in axis.marks]
    assert len(set(texts)) == len(axis.marks), texts
    assert all(len(text.partition(".")[2]) <= places for text in texts), texts


def test_parameters_of_one_indicator_stand_once() -> None:
    colour = QColor()
    names = ["MACD (12, 26, 9)", "MACD signal (12, 26, 9)", "MACD histogram (12, 26, 9)", "SMA (50)", "EMA (50)", "Vol", "EMA (50)"]
    parts = without_repeats([Said(name, f"{place}", colour) for place, name in enumerate(names)])
    assert [part.name for part in parts] == ["MACD (12, 26, 9)", "MACD signal", "MACD histogram", "SMA (50)", "EMA (50)", "Vol", "EMA (50)"]
    assert [part.text for part in parts] == [f"{place}" for place in range(len(names))]


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), max_size=9), st.integers(60, 900))
def test_a_name_stands_beside_its_value_and_what_has_no_room_in_a_row_in_the_next(lengths: list[tuple[int, int]], width: int) -> None:
    said = [Said(f"{at}" * name, f"{at}" * value, QColor()) for at, (name, value) in enumerate(lengths)]
    rows = rows_of("EURUSD", said, width)
    assert all(sum(piece.width for piece in row) <= width for row in rows)
    told = [[piece.text for piece in row if piece.text != "EURUSD"] for row in rows]
    fits = [one for one in said if rows_of("", [one], width)]
    assert [word for row in told for word in row] == [word for one in fits for word in one[:2] if word]
    assert all(any(row[at : at + 2] == [*one[:2]] for row in told for at in range(len(row))) for one in fits if one.name)
