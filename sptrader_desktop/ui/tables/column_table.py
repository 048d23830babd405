"""The one model behind every table of results: columns of numbers and an array that says which row stands where.

Sorting and filtering move that array; texts are made for the cells that Qt asks for.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from sptrader_desktop.present.column_filters import chosen_rows
from sptrader_desktop.present.columns import Column, Columns, Kind, Rows, SortKey, ordered
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.widgets.words import tip

Index = QModelIndex | QPersistentModelIndex
NO_INDEX = QModelIndex()
MOST_SORT_KEYS = 3
RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)


class ColumnTable(QAbstractTableModel):
    """Rows of the view are called rows, those of the columns themselves sources."""

    sortBegins = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._table = Columns()
        self._rows: Rows = np.empty(0, np.intp)
        self._keys: tuple[SortKey, ...] = ()
        self._quick, self._filters = "", dict[str, str]()

    # What is shown

    @property
    def table(self) -> Columns:
        return self._table

    @property
    def sources(self) -> Rows:
        """Which source stands in each row."""
        return self._rows

    @property
    def sort_keys(self) -> tuple[SortKey, ...]:
        return self._keys

    @property
    def filters(self) -> Mapping[str, str]:
        return self._filters

    def put(self, table: Columns) -> None:
        """Another table; sorting and filters of columns it has too stay."""
        self.beginResetModel()
        self._table = table
        self._keys = tuple(key for key in self._keys if key.key in table.keys)
        self._filters = {key: text for key, text in self._filters.items() if key in table.keys}
        self._rows = self._found(self._quick, self._filters)
        self.endResetModel()

    def filter(self, quick: str, filters: Mapping[str, str]) -> None:
        """FilterError says what cannot be understood; then all stays as it was."""
        rows = self._found(quick, filters)
        self.beginResetModel()
        self._quick, self._filters, self._rows = quick, {key: text for key, text in filters.items() if text.strip()}, rows
        self.endResetModel()

    def sort_by(self, keys: tuple[SortKey, ...]) -> None:
        self._keys = keys
        self.sortBegins.emit()
        self.layoutAboutToBeChanged.emit()
        kept = [index for index in self.persistentIndexList() if index.isValid()]
        sources = [(int(self._rows[index.row()]), index.column()) for index in kept]
        self._rows = ordered(self._table, keys, np.sort(self._rows))
        if kept:
            places = np.empty(len(self._table), np.intp)
            places[self._rows] = np.arange(len(self._rows))
            self.changePersistentIndexList(kept, [self.index(int(places[source]), column) for source, column in sources])
        self.layoutChanged.emit()

    def _found(self, quick: str, filters: Mapping[str, str]) -> Rows:
        return ordered(self._table, self._keys, chosen_rows(self._table, quick, filters))

    def row_of(self, source: int) -> int:
        """−1 where a filter hides it."""
        found = np.flatnonzero(self._rows == source)
        return int(found[0]) if len(found) else -1

    # What Qt asks

    def rowCount(self, parent: Index = NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self._table.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        column, source = self._table.columns[index.column()], int(self._rows[index.row()])
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return column.text(source)
            case Qt.ItemDataRole.ToolTipRole:
                return tip(column.text(source))
            case Qt.ItemDataRole.TextAlignmentRole:
                return _alignment(column)
            case Qt.ItemDataRole.ForegroundRole if self._table.muted is not None and self._table.muted[source]:
                return look().colour("muted")
            case Qt.ItemDataRole.ForegroundRole if column.is_signed:
                return _tone(column, source)
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{column.header}: {column.text(source)}"
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(self._table.columns):
            return None
        column = self._table.columns[section]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return column.header
            case Qt.ItemDataRole.ToolTipRole:
                return f"{column.header}: {column.tip}" if column.tip else column.header
            case Qt.ItemDataRole.TextAlignmentRole:
                return _alignment(column)
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """By this column first, and where that is equal by those that were clicked before; −1 is the table's own order."""
        if not 0 <= column < len(self._table.columns):
            self.sort_by(())
            return
        first = SortKey(self._table.columns[column].key, order is Qt.SortOrder.DescendingOrder)
        before = [key for key in self._keys if key.key != first.key]
        self.sort_by((first, *before[: MOST_SORT_KEYS - 1]))


def _alignment(column: Column) -> int:
    """Numbers stand under each other to the right; words and stories to the left."""
    return RIGHT if column.is_right or (column.kind is Kind.NUMBER and column.read is not None) else LEFT


def _tone(column: Column, source: int) -> Any:
    """The sign says the same, so the colour only helps."""
    value = column.values[source]
    return look().colour("up") if value > 0 else look().colour("down") if value < 0 else None
