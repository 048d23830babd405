"""A fresh home in a real window: every empty pane offers its first step, keys alone lead to an explanation, no button ends in a failure."""

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QDialog,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QTabBar,
    QToolButton,
    QWidget,
)

from sptrader_desktop.present.navigator import Kind
from sptrader_desktop.ui.arrangements import ARRANGEMENTS
from sptrader_desktop.ui.editors.parameter_form import ParameterForm
from tests.ui.windows import Driven, driven_window, fresh_home
from tests.vendor_files import SPRING, market, metatrader_5, written

PANES = [pane for stack in ARRANGEMENTS["Research"] for pane in stack.panes]
# They show something from the first start on, or say in their own words how they are filled.
NEVER_EMPTY = {"navigator", "backtest", "log", "guide"}
FARTHEST = 150  # steps of Tab


@pytest.fixture(scope="module")
def fresh(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driven]:
    with fresh_home(tmp_path_factory.mktemp("home")), driven_window(qapp) as driven:
        driven.until(lambda: driven.window.page.chart.candles is not None, "the sample's candles")
        driven.settle()
        yield driven


# Empty


@pytest.mark.parametrize("pane", [pane for pane in PANES if pane not in NEVER_EMPTY])
def test_an_empty_pane_says_what_will_be_there_and_offers_the_step(fresh: Driven, pane: str) -> None:
    assert fresh.window.research.finished is None, "this test comes before any run"
    fresh.window.layouts.show(pane)
    fresh.settle()
    inside = fresh.window.layouts.docks[pane].widget()
    assert inside is not None
    steps = [button for button in inside.findChildren(QPushButton) if button.isVisible() and button.isEnabled() and button.text()]
    assert steps, pane
    assert any(len(label.text()) > 25 for label in inside.findChildren(QLabel) if label.isVisible()), "what will be there"


def test_the_first_action_stands_out(fresh: Driven) -> None:
    assert fresh.find(QPushButton, "resultsStep").property("role") == "primary"
    assert fresh.find(QPushButton, "runBacktestButton").property("role") == "primary"


# By keys alone


def tab_to(driven: Driven, wanted: QWidget) -> int:
    for steps in range(FARTHEST):
        focused = QApplication.focusWidget()
        assert focused is None or not driven.window.layouts.is_behind(focused), f"{focused.objectName()} is not seen"
        if focused is wanted or (focused is not None and wanted.isAncestorOf(focused)):
            return steps
        driven.press(Qt.Key.Key_Tab)
    raise AssertionError(f"{wanted.objectName()} was not reached in {FARTHEST} steps of Tab")


def test_tab_and_arrows_lead_from_the_start_to_an_explanation(fresh: Driven) -> None:
    window = fresh.window
    window.layouts.reset()
    fresh.settle()
    window.activateWindow()
    fresh.until(window.isActiveWindow, "the keyboard")
    window.texts.navigator.search.setFocus()
    tab_to(fresh, fresh.find(QPushButton, "runBacktestButton"))
    fresh.press(Qt.Key.Key_Space)
    fresh.until(lambda: window.research.finished, "the run")
    fresh.settle()
    assert QApplication.focusWidget() is fresh.find(QPushButton, "runBacktestButton"), "the keyboard stays at the run"
    tab_to(fresh, window.page.chart)
    fresh.press(Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    fresh.settle()
    assert window.page.explanation.text().startswith("EURUSD 1h, bar ")
    assert not window.page.explanation.visibleRegion().isEmpty()


def reached_by_tab(driven: Driven, start: QWidget) -> list[QWidget]:
    """All that Tab comes to, until it is there again."""
    start.setFocus(Qt.FocusReason.TabFocusReason)
    reached: list[QWidget] = []
    while (focused := QApplication.focusWidget()) is not None and focused not in reached:
        reached.append(focused)
        driven.press(Qt.Key.Key_Tab)
    return reached


def test_tab_comes_to_every_button_and_field_that_is_seen(fresh: Driven, tmp_path: Path) -> None:
    window = fresh.window
    data = window.data.open()
    data.open_file(written(tmp_path, metatrader_5(market(SPRING), ZoneInfo("Europe/Athens"))))
    for pane in ("explain", "guide", "history"):
        window.layouts.show(pane)
        fresh.settle()
        window.activateWindow()
        fresh.until(window.isActiveWindow, "the keyboard")
        reached = reached_by_tab(fresh, window.texts.navigator.search)
        lost = [
            widget.objectName()
            for kind in (QPushButton, QToolButton, QLineEdit, QComboBox, QAbstractItemView)
            for widget in window.findChildren(kind)
            if widget.objectName()
            and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
            and not widget.visibleRegion().isEmpty()
            and widget.isEnabled()
            if not window.layouts.is_behind(widget) and not any(widget is seen or widget.isAncestorOf(seen) for seen in reached)
        ]
        assert not lost, pane
    window.texts.documents.show_chart()


def test_f6_leaves_a_text_for_its_form_and_comes_back(fresh: Driven) -> None:
    """Tab belongs to the text there."""
    window = fresh.window
    editor = window.texts.documents.open(next(path for path in window.page.panel.strategies if path.stem == "ma_crossover"))
    fresh.settle()
    window.activateWindow()
    fresh.until(window.isActiveWindow, "the keyboard")
    editor.edit.setFocus()
    came_by = list[QWidget | None]()
    for _ in range(8):
        fresh.press(Qt.Key.Key_F6)
        came_by.append(QApplication.focusWidget())
        if editor.edit.hasFocus():
            break
    assert editor.edit.hasFocus()
    form = window.findChild(ParameterForm)
    assert form is not None
    for pane in (form, window.texts.navigator):
        assert any(widget is not None and pane.isAncestorOf(widget) for widget in came_by)
    fresh.press(Qt.Key.Key_F6, Qt.KeyboardModifier.ShiftModifier)
    assert QApplication.focusWidget() is came_by[-2]
    window.texts.documents.show_chart()


# Clicked


def buttons(inside: QWidget) -> dict[str, QAbstractButton]:
    """What a person may click; of several with one name the first."""
    found: dict[str, QAbstractButton] = {}
    for kind in (QPushButton, QToolButton):
        for button in inside.findChildren(kind):
            is_inner = isinstance(button.parentWidget(), QLineEdit | QComboBox | QTabBar) or button.objectName().startswith("qt_")
            if button.isVisible() and button.isEnabled() and not is_inner:
                assert button.objectName(), f"a button without a name: {button.text()} {button.toolTip()}"
                found.setdefault(button.objectName(), button)
    return found


def click_all(driven: Driven, inside: QWidget) -> int:
    """One after another, also those that come to be seen by a click."""
    clicked: set[str] = set()
    while waiting := [name for name in buttons(inside) if name not in {*clicked, "closeChartButton"}]:
        clicked.add(waiting[0])
        QTest.mouseClick(buttons(inside)[waiting[0]], Qt.MouseButton.LeftButton)
        driven.settle()
        for one in QApplication.topLevelWidgets():
            if one.isVisible() and isinstance(one, QDialog | QMenu):
                one.close()
        assert driven.host.failures.said.value == (), waiting[0]
    return len(clicked)


@pytest.mark.parametrize("pane", PANES)
def test_no_button_of_a_pane_ends_in_a_failure(fresh: Driven, pane: str) -> None:
    if fresh.window.research.finished is None:
        fresh.window.page.run()
        fresh.until(lambda: fresh.window.research.finished, "the run")
        fresh.settle()
    fresh.window.layouts.show(pane)
    fresh.settle()
    inside = fresh.window.layouts.docks[pane].widget()
    assert inside is not None
    click_all(fresh, inside)
    assert fresh.window.isVisible()


def test_no_button_of_a_tab_ends_in_a_failure(fresh: Driven) -> None:
    window, tabs = fresh.window, fresh.window.texts.documents
    editor = tabs.open(next(path for path in window.page.panel.strategies if path.stem == "ma_crossover"))
    fresh.settle()
    click_all(fresh, editor)
    folder = next(folder for folder in window._desk.folders() if folder.name == "indicators")
    component = tabs.open(folder / "trend" / "sma.py")
    fresh.settle()
    assert click_all(fresh, component) >= 2
    chart = window.market.open_chart(next(item for item in window.page.panel.series if item.path))
    fresh.until(lambda: chart.chart.candles is not None, "the dataset's candles")
    assert click_all(fresh, chart) >= 2
    count = tabs.count()
    fresh.click(fresh.find(QToolButton, "closeChartButton"))
    assert tabs.count() == count - 1
    assert {item.kind for item in window._desk.items()} >= {Kind.STRATEGY, Kind.DATASET, Kind.RUN}
