"""What comes is handed to panes one a turn of the loop, and to those nobody sees when they are looked at."""

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QLabel, QMainWindow, QTabWidget, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from sptrader_desktop.ui.turns import Turns


class Pane(QWidget):
    """Says what it shows and when it is painted."""

    def __init__(self, name: str, story: list[str]) -> None:
        super().__init__()
        self.name, self.story = name, story

    def show_it(self, what: object) -> None:
        self.story.append(f"{self.name} shows {what}")
        self.update()

    def add_it(self, what: object) -> None:
        self.story.append(f"{self.name} adds {what}")

    def break_it(self) -> None:
        raise ValueError(f"{self.name} cannot")

    def paintEvent(self, _event: QPaintEvent) -> None:
        self.story.append(f"{self.name} is painted")


@pytest.fixture
def story() -> list[str]:
    return []


@pytest.fixture
def panes(qtbot: QtBot, story: list[str]) -> tuple[Pane, Pane, QTabWidget]:
    """The first is seen, the second behind it."""
    tabs, first, second = QTabWidget(), Pane("first", story), Pane("second", story)
    for pane in (first, second):
        tabs.addTab(pane, pane.name)
    qtbot.addWidget(tabs)
    tabs.show()
    qtbot.waitUntil(lambda: "first is painted" in story)
    story.clear()
    return first, second, tabs


def settle(qtbot: QtBot, turns: Turns) -> None:
    with qtbot.waitSignal(turns.settled):
        pass


def test_nothing_is_shown_at_once_and_each_turn_shows_one_thing_and_is_painted(
    qtbot: QtBot, panes: tuple[Pane, Pane, QTabWidget], story: list[str]
) -> None:
    first, _, _ = panes
    other = Pane("other", story)
    qtbot.addWidget(other)
    other.show()
    qtbot.waitUntil(lambda: "other is painted" in story)
    story.clear()
    turns = Turns()
    turns.hand(first, first.show_it, 1)
    turns.hand(other, other.show_it, 2)
    assert not story
    assert not turns.is_settled
    settle(qtbot, turns)
    assert story[:4] == ["first shows 1", "first is painted", "other shows 2", "other is painted"]
    assert turns.is_settled


def test_what_is_shown_quickly_is_painted_once_however_deep_it_stands(qtbot: QtBot, story: list[str]) -> None:
    """Qt paints after each widget that makes room for the one within."""
    window = Pane("window", story)
    inner: QWidget = window
    for _ in range(8):
        inside = QVBoxLayout(inner)
        inner = QWidget()
        inside.addWidget(inner)
    row, labels = QHBoxLayout(inner), [QLabel("a"), QLabel("b")]
    for label in labels:
        row.addWidget(label)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitUntil(lambda: bool(story))
    story.clear()
    turns = Turns(at_once_s=60)
    for label in labels:
        turns.hand(label, label.setText, "wider than it was before")
    settle(qtbot, turns)
    qtbot.wait(50)
    assert story == ["window is painted"]


def test_events_are_heard_between_two_panes(qtbot: QtBot, panes: tuple[Pane, Pane, QTabWidget], story: list[str]) -> None:
    """A key that was pressed while the first was filled does not wait for the others."""
    first, _, tabs = panes
    turns = Turns()

    class Listener(QObject):
        def customEvent(self, _event: QEvent) -> None:
            story.append("heard")

    listener = Listener()

    def fill(_what: object) -> None:
        story.append("filled")
        QCoreApplication.postEvent(listener, QEvent(QEvent.Type.User), Qt.EventPriority.NormalEventPriority.value)

    turns.hand(first, fill, 1)
    turns.hand(tabs, lambda: story.append("next"))
    settle(qtbot, turns)
    assert [line for line in story if "painted" not in line] == ["filled", "heard", "next"]


def test_a_pane_behind_others_gets_the_newest_when_it_is_looked_at(
    qtbot: QtBot, panes: tuple[Pane, Pane, QTabWidget], story: list[str]
) -> None:
    first, second, tabs = panes
    turns = Turns()
    for number in range(3):
        turns.hand(second, second.show_it, number)
        turns.hand(second, second.add_it, number)
        turns.hand(first, first.show_it, number)
        settle(qtbot, turns)
    assert [line for line in story if "painted" not in line] == ["first shows 0", "first shows 1", "first shows 2"]
    story.clear()
    for pane in (second, first, second):
        tabs.setCurrentWidget(pane)
        qtbot.wait(20)
    assert [line for line in story if "painted" not in line] == ["second shows 2", "second adds 2"]
    assert story[-1] == "second is painted"


def test_a_dock_behind_another_is_not_in_sight_until_it_comes_to_the_front(qtbot: QtBot, story: list[str]) -> None:
    window, turns = QMainWindow(), Turns()
    qtbot.addWidget(window)
    panes, docks = [Pane("first", story), Pane("second", story)], [QDockWidget("first"), QDockWidget("second")]
    for pane, dock in zip(panes, docks, strict=True):
        dock.setWidget(pane)
        window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, dock)
    window.tabifyDockWidget(*docks)
    docks[1].raise_()
    window.show()
    qtbot.waitUntil(lambda: "second is painted" in story)
    story.clear()
    for pane in panes:
        turns.hand(pane, pane.show_it, 1)
    settle(qtbot, turns)
    assert [line for line in story if "painted" not in line] == ["second shows 1"]
    docks[0].raise_()
    qtbot.waitUntil(lambda: "first shows 1" in story)


def test_what_was_not_shown_yet_gives_way_to_the_newer(qtbot: QtBot, panes: tuple[Pane, Pane, QTabWidget], story: list[str]) -> None:
    first, _, _ = panes
    turns = Turns()
    for number in range(5):
        turns.hand(first, first.show_it, number)
    settle(qtbot, turns)
    assert [line for line in story if "painted" not in line] == ["first shows 4"]


def test_a_pane_that_fails_keeps_nothing_from_the_others(qtbot: QtBot, panes: tuple[Pane, Pane, QTabWidget], story: list[str]) -> None:
    first, _, _ = panes
    turns = Turns()
    turns.hand(first, first.break_it)
    turns.hand(first, first.show_it, 1)
    with qtbot.captureExceptions() as failures:
        settle(qtbot, turns)
    assert [str(error) for _, error, _ in failures] == ["first cannot"]
    assert "first shows 1" in story
