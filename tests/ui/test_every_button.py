"""A fresh home in a real window: every empty pane offers its first step, keys alone lead to an explanation, no button ends in a failure."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
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
from tests.ui.windows import Driven, driven_window

PANES = [pane for stack in ARRANGEMENTS["Research"] for pane in stack.panes]
# They show something from the first start on, or say in their own words how they are filled.
NEVER_EMPTY = {"navigator", "backtest", "log", "guide"}
FARTHEST = 150  # steps of Tab


@pytest.fixture(scope="module")
def fresh(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driven]:
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("home")
        for name in ("RUNS", "WORKSPACE", "TEXTS", "CANDLES"):
            patch.setenv(f"SPTRADER_{name}", str(home / name.lower()))
        patch.setenv("SPTRADER_PREFERENCES", str(home / "preferences.json"))
        with driven_window(qapp) as driven:
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
