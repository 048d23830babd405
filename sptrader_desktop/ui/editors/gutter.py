"""The column of line numbers beside code, with a mark where a line has a problem."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.tokens import GRID

if TYPE_CHECKING:
    from sptrader_desktop.ui.editors.code_edit import CodeEdit

MARK = "●"


class Gutter(QWidget):
    def __init__(self, edit: "CodeEdit") -> None:
        super().__init__(edit)
        self._edit = edit
        self.setObjectName("lineNumbers")
        self.setAccessibleName("Line numbers")

    def needed_width(self) -> int:
        digits = max(3, len(str(self._edit.blockCount())))
        metrics = self._edit.fontMetrics()
        return metrics.horizontalAdvance("9" * digits) + metrics.horizontalAdvance(MARK) + 4 * GRID

    def sizeHint(self) -> QSize:
        return QSize(self.needed_width(), 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(event.rect(), look().colour("field"))
        painter.setPen(look().colour("line"))
        painter.drawLine(self.width() - 1, event.rect().top(), self.width() - 1, event.rect().bottom())
        painter.setFont(self._edit.font())
        current, marked = self._edit.textCursor().blockNumber(), self._edit.lines_with_problems()
        for number, top, height in self._edit.visible_lines():
            self._line(
                painter, number, QRect(GRID, top, self.width() - 3 * GRID, height), is_current=number == current, is_bad=number in marked
            )

    def _line(self, painter: QPainter, number: int, at: QRect, *, is_current: bool, is_bad: bool) -> None:
        painter.setPen(look().colour("text" if is_current else "muted"))
        painter.drawText(at, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop, str(number + 1))
        if is_bad:
            painter.setPen(look().colour("danger"))
            painter.drawText(at, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, MARK)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click beside a line puts the cursor there."""
        for number, top, height in self._edit.visible_lines():
            if top <= event.position().y() < top + height:
                self._edit.go_to_line(number + 1)
                return
