"""A column of controls that scrolls up and down and is never cut off at the side: it asks for the width its content needs, at any size."""

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

from sptrader_desktop.ui.theme.tokens import GRID


class ColumnScroll(QScrollArea):
    def __init__(self, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(content)
        content.installEventFilter(self)
        self._wanted: QWidget | None = None
        self._bringing = QTimer(self, interval=0, singleShot=True)
        self._bringing.timeout.connect(self._bring)
        self._ask()

    def bring(self, part: QWidget) -> None:
        """Into sight and to the keyboard, with what stands around it; a part that was unfolded just now has no place before its turn."""
        part.setFocus(Qt.FocusReason.OtherFocusReason)
        self._wanted = part
        self._bringing.start()

    def _bring(self) -> None:
        if self._wanted is not None:
            self.ensureWidgetVisible(self._wanted, 0, 8 * GRID)
            self._wanted = None

    def minimumSizeHint(self) -> QSize:
        content = self.widget()
        if content is None:
            return super().minimumSizeHint()
        width = content.minimumSizeHint().width() + self.verticalScrollBar().sizeHint().width()
        return QSize(width, super().minimumSizeHint().height())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.LayoutRequest:
            self._ask()
        return super().eventFilter(watched, event)

    def _ask(self) -> None:
        self.setMinimumWidth(self.minimumSizeHint().width())
        self.updateGeometry()
