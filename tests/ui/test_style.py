"""The style sheet on real widgets: what has the focus is ringed, nothing is cut off at any size, and what is disabled looks it."""

from collections.abc import Callable
from itertools import pairwise, product

import pytest
from PySide6.QtCore import QDateTime, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDateTimeEdit,
    QDoubleSpinBox,
    QKeySequenceEdit,
    QLineEdit,
    QListWidget,
    QPlainTextEdit,
    QPushButton,
    QRadioButton,
    QSlider,
    QSpinBox,
    QStyle,
    QStyleOptionComboBox,
    QStyleOptionSpinBox,
    QTabBar,
    QTableWidget,
    QToolButton,
    QTreeWidget,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from sptrader_desktop.present.appearance import SCALES
from sptrader_desktop.ui.theme.icons import icon
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.roles import give
from sptrader_desktop.ui.theme.theme import Mode, Theme
from sptrader_desktop.ui.widgets.tile import Tile


def button(role: str = "") -> QPushButton:
    made = QPushButton(icon("play"), "Run Backtest")
    give(made, role=role)
    return made


def tool() -> QToolButton:
    made = QToolButton()
    made.setIcon(icon("search"))
    made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    give(made, role="flat")
    return made


def tabs() -> QTabBar:
    made = QTabBar()
    for name in ("Trades", "Orders"):
        made.addTab(name)
    return made


def combo() -> QComboBox:
    made = QComboBox()
    made.addItem("Stop first (pessimistic)")
    return made


def spin() -> QSpinBox:
    made = QSpinBox()
    made.setSuffix(" pips")
    made.setMaximum(1000)
    return made


FOCUSABLE: dict[str, Callable[[], QWidget]] = {
    "button": button,
    "primary": lambda: button("primary"),
    "flat": lambda: button("flat"),
    "tool": tool,
    "line": lambda: QLineEdit("EURUSD"),
    "whole": spin,
    "decimal": QDoubleSpinBox,
    "date": lambda: QDateTimeEdit(QDateTime.fromSecsSinceEpoch(0)),
    "combo": combo,
    "check": lambda: QCheckBox("Follow"),
    "radio": lambda: QRadioButton("Market"),
    "slider": lambda: QSlider(Qt.Orientation.Horizontal),
    "text": lambda: QPlainTextEdit("name: x"),
    "table": lambda: QTableWidget(3, 3),
    "tree": QTreeWidget,
    "list": QListWidget,
    "tabs": tabs,
    "keys": QKeySequenceEdit,
    "tile": lambda: Tile("Net", "What is left."),
}


def ringed(image: QImage, colour: QColor) -> bool:
    """Two long lines of that colour side by side at the top, and two at the bottom."""
    rows = []
    for y in range(image.height()):
        run = longest = 0
        for x in range(image.width()):
            run = run + 1 if image.pixelColor(x, y) == colour else 0
            longest = max(longest, run)
        rows.append(longest)
    pairs = [place for place, (upper, lower) in enumerate(pairwise(rows)) if min(upper, lower) >= 20]
    return bool(pairs) and pairs[-1] - pairs[0] > 10


@pytest.mark.parametrize(("mode", "kind"), list(product(("dark", "light"), FOCUSABLE)))
def test_whatever_has_the_focus_is_ringed_and_whatever_has_not_is_not(theme: Theme, qtbot: QtBot, mode: Mode, kind: str) -> None:
    theme.wear(mode)
    pane, other, widget = QWidget(), QLineEdit(), FOCUSABLE[kind]()
    column = QVBoxLayout(pane)
    column.addWidget(other)
    column.addWidget(widget)
    pane.resize(300, 200)
    qtbot.addWidget(pane)
    pane.show()
    pane.activateWindow()
    ring = look().colour("text" if kind == "primary" else "accent")
    seen, sizes = [], []
    for has_focus in (False, True):
        (widget if has_focus else other).setFocus(Qt.FocusReason.TabFocusReason)
        qtbot.waitUntil((widget if has_focus else other).hasFocus if kind != "keys" or not has_focus else lambda: True)
        seen.append(ringed(widget.grab().toImage(), ring))
        sizes.append(widget.size())
    assert seen == [False, True]
    assert sizes[0] == sizes[1]


@pytest.mark.parametrize("percent", SCALES)
def test_no_text_is_cut_off_at_any_size(theme: Theme, qtbot: QtBot, percent: int) -> None:
    theme.wear("dark", scale=percent)
    short = {}
    for kind, make in FOCUSABLE.items():
        widget = make()
        qtbot.addWidget(widget)
        widget.ensurePolished()
        widget.resize(widget.sizeHint())
        room = text_room(widget)
        if room is not None and (room[0] < room[2] or room[1] < widget.fontMetrics().height()):
            short[kind] = room
    assert short == {}


def text_room(widget: QWidget) -> tuple[int, int, int] | None:
    """The width and height that text has, and the width that it needs."""
    metrics, style = widget.fontMetrics(), widget.style()
    if isinstance(widget, QComboBox):
        combo_option = QStyleOptionComboBox()
        widget.initStyleOption(combo_option)
        field = style.subControlRect(QStyle.ComplexControl.CC_ComboBox, combo_option, QStyle.SubControl.SC_ComboBoxEditField, widget)
        return field.width(), field.height(), metrics.boundingRect(widget.currentText()).width()
    if isinstance(widget, QSpinBox):
        spin_option = QStyleOptionSpinBox()
        widget.initStyleOption(spin_option)
        field = style.subControlRect(QStyle.ComplexControl.CC_SpinBox, spin_option, QStyle.SubControl.SC_SpinBoxEditField, widget)
        return field.width(), field.height(), metrics.horizontalAdvance("1000 pips")
    if isinstance(widget, QPushButton):
        edge = 2 * (look().pixels(1) + look().pixels(4))
        return widget.width() - edge, widget.height() - edge, metrics.horizontalAdvance(widget.text())
    if isinstance(widget, QLineEdit):
        edge = 2 * (look().pixels(1) + look().pixels(4))
        return widget.width() - edge, widget.height() - edge, metrics.horizontalAdvance(widget.text())
    return None


@pytest.mark.parametrize("kind", ["button", "primary", "line", "combo", "check", "slider"])
def test_what_is_disabled_looks_it(theme: Theme, qtbot: QtBot, kind: str) -> None:
    theme.wear("light")
    widget = FOCUSABLE[kind]()
    qtbot.addWidget(widget)
    widget.resize(200, 40)
    able = widget.grab().toImage()
    widget.setEnabled(False)
    assert widget.grab().toImage() != able
