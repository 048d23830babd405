"""What may come after a picture comes one thing a turn of the loop."""

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from sptrader_desktop.ui.afterwards import AFTER_PAINTING, Afterwards


class Window(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.story: list[str] = []

    def paintEvent(self, _event: QPaintEvent) -> None:
        self.story.append("painted")

    def customEvent(self, _event: QEvent) -> None:
        self.story.append("after it")


def test_what_was_asked_for_is_heard_between_two_things_and_one_that_fails_keeps_no_other_back(qtbot: QtBot, qapp: QObject) -> None:
    story = list[str]()
    afterwards = Afterwards(qapp)

    def fail() -> None:
        story.append("second")
        QCoreApplication.postEvent(window, QEvent(QEvent.Type.User))
        raise ValueError("no")

    window = Window()
    qtbot.addWidget(window)
    window.story = story
    with qtbot.captureExceptions() as told:
        afterwards.do(lambda: story.append("first"), fail, lambda: story.append("third"))
        assert story == []
        qtbot.waitUntil(lambda: "third" in story)
    assert story == ["first", "second", "after it", "third"]
    assert [str(error[1]) for error in told] == ["no"]
    afterwards.deleteLater()


def test_what_is_left_at_the_end_is_not_done(qtbot: QtBot, qapp: QObject) -> None:
    story = list[str]()
    afterwards = Afterwards(qapp)
    afterwards.do(lambda: story.append("first"), afterwards.stop, lambda: story.append("never"))
    qtbot.wait(50)
    assert story == ["first"]
    afterwards.deleteLater()


@pytest.mark.parametrize("times", [1, 3])
def test_an_event_for_after_the_picture_comes_after_it(qtbot: QtBot, times: int) -> None:
    window = Window()
    qtbot.addWidget(window)
    window.show()
    qtbot.waitUntil(lambda: "painted" in window.story)
    window.story.clear()
    for _ in range(times):
        window.update()
    QCoreApplication.postEvent(window, QEvent(QEvent.Type.User), AFTER_PAINTING)
    qtbot.waitUntil(lambda: "after it" in window.story)
    assert window.story == ["painted", "after it"]
