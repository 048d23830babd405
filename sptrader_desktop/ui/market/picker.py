"""One of many, found by a few letters: a little window that goes when something was taken, or with Esc."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QApplication, QFrame, QLabel, QListView, QVBoxLayout, QWidget

from sptrader_desktop.present.action_search import match
from sptrader_desktop.ui.entry_list import Entry, EntryDelegate, EntryModel, Found
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.roles import give
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.search_field import SearchField

ROWS = 12
TO_THE_LIST = {Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown}


class Picker(QFrame):
    """`name` begins the object names of its parts. An entry that cannot be taken says why."""

    def __init__(self, name: str, prompt: str, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName(name)
        self.setAccessibleName(prompt)
        give(self, role="popup")
        self._entries: Sequence[Entry] = ()
        self.field = SearchField(prompt, f"{name}Field")
        self.model, self.list = EntryModel(self), QListView()
        self.list.setObjectName(f"{name}List")
        self.list.setAccessibleName(prompt)
        self.list.setModel(self.model)
        self.list.setItemDelegate(EntryDelegate(self.list))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerItem)
        self._nothing = QLabel("Nothing is called that. Type fewer letters.")
        give(self._nothing, role="muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID * 2, GRID * 2, GRID * 2, GRID * 2)
        column.setSpacing(GRID)
        for widget in (self.field, self.list, self._nothing):
            column.addWidget(widget)
        self.field.textChanged.connect(self._look_for)
        self.field.installEventFilter(self)
        self.list.clicked.connect(self._take)

    def open_below(self, widget: QWidget, entries: Sequence[Entry]) -> None:
        self._entries = entries
        self.field.clear()
        self._look_for("")
        rows = min(ROWS, max(4, len(entries)))
        self.resize(look().pixels(GRID * 120), look().pixels(GRID * 7) * rows + self.field.sizeHint().height() + look().pixels(GRID * 6))
        self.move(widget.mapToGlobal(QPoint(0, widget.height())))
        self.show()
        self.field.setFocus(Qt.FocusReason.PopupFocusReason)

    def _look_for(self, query: str) -> None:
        ranked = []
        for place, entry in enumerate(self._entries):
            by_text = match(query, entry.text)
            ways = [by_text, match(query, entry.detail), match(query, f"{entry.text} {entry.detail} {entry.key}")]
            if found := [way for way in ways if way is not None]:
                letters = tuple(at for at in (by_text or found[-1]).places if at < len(entry.text))
                ranked.append(((bool(entry.reason), min(found) if query.strip() else (), place), Found(entry, letters)))
        ranked.sort(key=lambda one: one[0])
        self.model.show_entries([found for _, found in ranked])
        self.list.setCurrentIndex(self.model.index(0))
        self.list.setVisible(bool(ranked))
        self._nothing.setVisible(not ranked)

    def _take(self, index: QModelIndex) -> None:
        if index.isValid() and not self.model.entry(index.row()).reason:
            entry = self.model.entry(index.row())
            self.close()
            entry.do()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.field and isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            if event.key() in TO_THE_LIST:
                QApplication.sendEvent(self.list, event)
                return True
            if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
                self._take(self.list.currentIndex())
                return True
            if event.key() == Qt.Key.Key_Escape:
                self.close()
                return True
        return super().eventFilter(watched, event)
