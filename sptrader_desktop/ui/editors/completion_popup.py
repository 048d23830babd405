"""The list of what may be written at the cursor: it opens while typing or by hand, and never takes a key that it does not use."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QAbstractItemView, QFrame, QTreeView, QWidget

from sptrader_desktop.present.strategy_completion import Candidate
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.tokens import BODY, GRID
from sptrader_desktop.ui.widgets.words import tip

MOST_ROWS = 10
WIDTH = 130 * GRID
CHOOSING = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab)
MOVING = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


class CompletionPopup(QTreeView):
    """A child of the window, so that no window system has a say in its focus. The editor keeps the focus and hands on its keys."""

    chosen = Signal(str)

    def __init__(self, editor: QWidget) -> None:
        super().__init__(editor)
        self._editor = editor
        self.setObjectName("completionPopup")
        self.setAccessibleName("Completions")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setRootIsDecorated(False)
        self.setHeaderHidden(True)
        self.setUniformRowHeights(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self._rows = QStandardItemModel(0, 2, self)
        self.setModel(self._rows)
        self.clicked.connect(self._choose)
        self.hide()

    def offer(self, found: Sequence[Candidate], at: QRect) -> None:
        """Below the line of the cursor, or above where there is more room. `at` is the cursor in the editor."""
        self._rows.removeRows(0, self._rows.rowCount())
        for each in found:
            name, said = QStandardItem(each.name), QStandardItem(each.help.partition("\n")[0])
            name.setData(each.text)
            name.setFont(look().font(BODY, fixed=True))
            name.setToolTip(tip(each.help))
            said.setToolTip(tip(each.help))
            said.setForeground(look().colour("muted"))
            self._rows.appendRow([name, said])
        if not found:
            self.hide()
            return
        self.setCurrentIndex(self._rows.index(0, 0))
        self._place(at)
        self.show()
        self.raise_()

    def names(self) -> list[str]:
        return [self._rows.item(row).text() for row in range(self._rows.rowCount())] if self.isVisible() else []

    def takes(self, event: QKeyEvent) -> bool:
        """Whether the key was for the list."""
        if not self.isVisible() or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return False
        if event.key() == Qt.Key.Key_Escape:
            self.hide()
        elif event.key() in CHOOSING:
            self._choose(self.currentIndex())
        elif event.key() in MOVING:
            self.keyPressEvent(event)
        else:
            return False
        return True

    def _choose(self, index: QModelIndex | QPersistentModelIndex) -> None:
        self.hide()
        self.chosen.emit(self._rows.item(index.row(), 0).data())

    def _place(self, at: QRect) -> None:
        room = self._editor.rect()
        names = max(self.sizeHintForColumn(0) + 2 * GRID, WIDTH // 4)
        self.setColumnWidth(0, names)
        rows = min(MOST_ROWS, self._rows.rowCount())
        height = rows * self.sizeHintForRow(0) + 2 * self.frameWidth()
        width = min(WIDTH, room.width() - 2 * GRID)
        left = max(GRID, min(at.left(), room.width() - width - GRID))
        below = at.bottom() + GRID
        fits = below + height <= room.height() or room.height() - below >= at.top()
        top = below if fits else max(0, at.top() - GRID - height)
        self.setGeometry(left, top, width, min(height, room.height() - below if fits else at.top() - GRID))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Without the focus of its editor nobody can close it."""
        if event.type() == QEvent.Type.FocusOut:
            self.hide()
        return super().eventFilter(watched, event)
