"""The column of line numbers beside code, with a mark where a line has a problem."""

from collections.abc import Iterator
from typing import Protocol

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.tokens import GRID

MARK = "●"


class Lines(Protocol):
    def visible_lines(self) -> Iterator[tuple[int, int, int]]:
        """Number from 0, top and height of each line on the screen."""
        ...

    def lines_with_problems(self) -> set[int]: ...

    def go_to_line(self, line: int) -> None: ...


class Gutter(QWidget):
    def __init__(self, edit: QPlainTextEdit, lines: Lines) -> None:
        super().__init__(edit)
        self._edit, self._lines = edit, lines
        self.setObjectName("lineNumbers")
        self.setAccessibleName("Line numbers")

    def needed_width(self) -> int:
        digits = max(3, len(str(self._edit.blockCount())))
        metrics = self._edit.fontMetrics()
        return metrics.horizontalAdvance("9" * digits) + metrics.horizontalAdvance(MARK) + 4 * GRID

    def sizeHint(self) -> QSize:
        return QSize(self.needed_width(), 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.fillRect(event.rect(), look().colour("field"))
            painter.setPen(look().colour("line"))
            painter.drawLine(self.width() - 1, event.rect().top(), self.width() - 1, event.rect().bottom())
            painter.setFont(self._edit.font())
            current, marked = self._edit.textCursor().blockNumber(), self._lines.lines_with_problems()
            for number, top, height in self._lines.visible_lines():
                self._line(
                    painter,
                    number,
                    QRect(GRID, top, self.width() - 3 * GRID, height),
                    is_current=number == current,
                    is_bad=number in marked,
                )

    def _line(self, painter: QPainter, number: int, at: QRect, *, is_current: bool, is_bad: bool) -> None:
        painter.setPen(look().colour("text" if is_current else "muted"))
        painter.drawText(at, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop, str(number + 1))
        if is_bad:
            painter.setPen(look().colour("danger"))
            painter.drawText(at, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, MARK)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click beside a line puts the cursor there."""
        for number, top, height in self._lines.visible_lines():
            if top <= event.position().y() < top + height:
                self._lines.go_to_line(number + 1)
                return

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.accept()
