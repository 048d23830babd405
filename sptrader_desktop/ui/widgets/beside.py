"""Parts beside each other where there is room for them, else above each other: what is around it need not be scrolled sideways."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QWidget


class Beside(QSplitter):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setChildrenCollapsible(False)

    def minimumSizeHint(self) -> QSize:
        return QSize(max(self._widths(), default=0), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        needed = sum(self._widths()) + (self.count() - 1) * self.handleWidth()
        self.setOrientation(Qt.Orientation.Vertical if event.size().width() < needed else Qt.Orientation.Horizontal)

    def _widths(self) -> list[int]:
        parts = (self.widget(at) for at in range(self.count()))
        return [max(part.minimumSizeHint().width(), part.minimumWidth()) for part in parts if part is not None]
