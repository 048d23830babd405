"""Everything that can be done or opened, a few letters away. It lies over the window and goes when the focus does."""

from collections.abc import Callable, Iterable, Sequence

from PySide6.QtCore import QEvent, QModelIndex, QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QApplication, QFrame, QLabel, QListView, QVBoxLayout, QWidget

from sptrader_desktop.present.action_search import match
from sptrader_desktop.present.actions import Action
from sptrader_desktop.ui.action_set import ActionSet
from sptrader_desktop.ui.entry_list import Entry, EntryDelegate, EntryModel, Found
from sptrader_desktop.ui.key_names import shown
from sptrader_desktop.ui.shortcut_list import group_of
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.roles import give
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.search_field import SearchField

ROWS, REMEMBERED, MOST = 12, 8, 200
TO_THE_LIST = {Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown}


class CommandPalette(QFrame):
    """`recentChanged` hands on the keys of what was done last, the newest first, for whoever keeps them."""

    recentChanged = Signal(tuple)

    def __init__(self, window: QWidget, actions: ActionSet, recent: Sequence[str] = ()) -> None:
        super().__init__(window)
        self._window, self._actions = window, actions
        self._recent = tuple(recent)
        self._providers: list[Callable[[], Iterable[Entry]]] = [self._commands]
        self._entries: list[Entry] = []
        self._came_from: QWidget | None = None
        self.setObjectName("commandPalette")
        self.setAccessibleName("Command palette")
        give(self, role="popup")
        self._model, self.list = EntryModel(self), QListView()
        self.list.setObjectName("commandPaletteList")
        self.list.setAccessibleName("What was found")
        self.list.setModel(self._model)
        self.list.setItemDelegate(EntryDelegate(self.list))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerItem)
        self.field = SearchField("Type a command, a file or a symbol", "commandPaletteField")
        self._nothing = QLabel("Nothing is called that. Type fewer letters.")
        give(self._nothing, role="muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID * 2, GRID * 2, GRID * 2, GRID * 2)
        column.setSpacing(GRID)
        for widget in (self.field, self.list, self._nothing):
            column.addWidget(widget)
        self.field.textChanged.connect(self._look_for)
        self.list.clicked.connect(self._do)
        self.field.installEventFilter(self)
        window.installEventFilter(self)
        self.hide()

    def add_provider(self, provider: Callable[[], Iterable[Entry]]) -> None:
        """Asked each time the palette opens, on the window's thread: it answers from memory."""
        self._providers.append(provider)

    def open(self) -> None:
        self._came_from = QApplication.focusWidget()
        self._entries = [entry for provider in self._providers for entry in provider()]
        self.field.clear()
        self._look_for("")
        self.show()
        self.raise_()
        self.field.setFocus(Qt.FocusReason.PopupFocusReason)

    def close_palette(self) -> None:
        self.hide()
        if self._came_from is not None and self._came_from.isVisible():
            self._came_from.setFocus(Qt.FocusReason.PopupFocusReason)
        self._came_from = None

    # What there is

    def _commands(self) -> Iterable[Entry]:
        for row in self._actions.rows.values():
            action = self._actions.action(row.id)
            yield Entry(row.id, row.text, action.trigger, group_of(row), shown(action.shortcuts()[:1]), row.icon, reason(row, action))

    def _look_for(self, query: str) -> None:
        ranked = []
        for place, entry in enumerate(self._entries):
            found = match(query, entry.text)
            behind = found is None
            found = found or match(query, f"{entry.text} {entry.detail}")
            if found is not None:
                age = self._recent.index(entry.key) if entry.key in self._recent else len(self._recent)
                rank = (bool(entry.reason), behind, found if query.strip() else (), age, place)
                ranked.append((rank, Found(entry, tuple(at for at in found.places if at < len(entry.text)))))
        ranked.sort(key=lambda one: one[0])
        self._model.show_entries([found for _, found in ranked[:MOST]])
        self.list.setCurrentIndex(self._model.index(0))
        self.list.setVisible(bool(ranked))
        self._nothing.setVisible(not ranked)
        self._place()

    # What is done

    def _do(self, index: QModelIndex) -> None:
        if not index.isValid():
            return
        entry = self._model.entry(index.row())
        if entry.reason:
            return
        self.close_palette()
        self._recent = (entry.key, *(key for key in self._recent if key != entry.key))[:REMEMBERED]
        self.recentChanged.emit(self._recent)
        entry.do()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.field and isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            return self._hear(event)
        if watched is self.field and event.type() is QEvent.Type.FocusOut and self.isVisible():
            self.hide()
        if watched is self._window and event.type() is QEvent.Type.Resize and self.isVisible():
            self._place()
        return super().eventFilter(watched, event)

    def _hear(self, event: QKeyEvent) -> bool:
        key = event.key()
        if key == Qt.Key.Key_Escape:
            self.close_palette()
        elif key in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._do(self.list.currentIndex())
        elif key in TO_THE_LIST:
            QApplication.sendEvent(self.list, event)
        else:
            return False
        return True

    def _place(self) -> None:
        margin, row = look().pixels(GRID * 4), look().pixels(GRID * 7)
        width = min(look().pixels(GRID * 160), self._window.width() - 2 * margin)
        rows = min(ROWS, max(1, self._model.rowCount()))
        height = min(row * rows + self.field.sizeHint().height() + look().pixels(GRID * 6), self._window.height() - 4 * margin)
        self.setGeometry((self._window.width() - width) // 2, 2 * margin, width, height)


def reason(row: Action, action: QAction) -> str:
    if action.isEnabled():
        return ""
    return f"needs a {row.needs}" if row.needs else "not available now"
