"""All commands with their keys, by menu, as one searchable list: what the cheat sheet shows and the settings change."""

from PySide6.QtCore import QItemSelectionModel, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from sptrader_desktop.present.action_search import match
from sptrader_desktop.present.actions import Action
from sptrader_desktop.present.shortcuts import heard
from sptrader_desktop.ui.action_set import ActionSet
from sptrader_desktop.ui.key_names import shown
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.search_field import SearchField

NAME = Qt.ItemDataRole.UserRole
WITHOUT_KEYS = "none"


class ShortcutList(QWidget):
    """`chosen` hands on the id of the command that is current, or nothing."""

    chosen = Signal(str)

    def __init__(self, actions: ActionSet, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._actions = actions
        self.tree = QTreeWidget()
        self.tree.setObjectName("shortcutTree")
        self.tree.setAccessibleName("Commands and their keys")
        self.tree.setHeaderLabels(["Command", "Keys", "Where"])
        self.tree.setUniformRowHeights(True)
        self.tree.setAlternatingRowColors(True)
        self.tree.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.tree.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.tree.header().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.tree.header().setStretchLastSection(False)
        self.field = SearchField("Search commands and keys", "shortcutSearch", self.tree)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self.field)
        column.addWidget(self.tree)
        self._headings: dict[str, QTreeWidgetItem] = {}
        self._items = {row.id: self._item(row) for row in actions.rows.values()}
        self.tree.expandAll()
        self._show_keys()
        actions.shortcutsChanged.connect(self._show_keys)
        self.field.textChanged.connect(self._filter)
        self.tree.currentItemChanged.connect(self._tell)

    def _item(self, row: Action) -> QTreeWidgetItem:
        group = group_of(row)
        if group not in self._headings:
            self._headings[group] = QTreeWidgetItem(self.tree, [group])
            self._headings[group].setFlags(Qt.ItemFlag.ItemIsEnabled)
        item = QTreeWidgetItem(self._headings[group], [row.text, "", heard(row.scope)])
        item.setData(0, NAME, row.id)
        item.setToolTip(0, row.tip)
        return item

    def _show_keys(self) -> None:
        for name, item in self._items.items():
            keys = shown(self._actions.action(name).shortcuts()) or WITHOUT_KEYS
            item.setText(1, keys)
            item.setToolTip(1, keys)
        self._filter(self.field.text())

    def _filter(self, query: str) -> None:
        shown_groups = set()
        for name, item in self._items.items():
            is_found = any(match(query, item.text(column)) for column in (0, 1))
            item.setHidden(not is_found)
            if is_found:
                shown_groups.add(group_of(self._actions.rows[name]))
        for group, heading in self._headings.items():
            heading.setHidden(group not in shown_groups)

    def current(self) -> str:
        item = self.tree.currentItem()
        return "" if item is None else item.data(0, NAME) or ""

    def choose(self, name: str) -> None:
        self.tree.setCurrentItem(
            self._items[name], 0, QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
        )

    def _tell(self) -> None:
        self.chosen.emit(self.current())


def group_of(row: Action) -> str:
    """Its menu; what is in none is where it is heard."""
    return row.menu.value.replace("&", "") if row.menu else row.scope.value.capitalize()
