"""Qt's table view, set up once: whole rows, one height, movable columns, and their arrangement as a dictionary."""

from collections.abc import Iterator, Mapping
from typing import Any

from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QPersistentModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFontMetrics, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QStyledItemDelegate, QStyleOptionViewItem, QTableView, QWidget

from sptrader_desktop.present.columns import Column, Columns, SortKey
from sptrader_desktop.ui.tables.column_table import ColumnTable
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.tokens import GRID

EN_SPACE = "\u2002"
SAMPLED, MOST_WORDS = 24, 100  # rows, or words, whose texts say how wide a column should be
WIDEST = 90 * GRID
ROW_ROOM = 2 * GRID
CELL_ROOM = 6 * GRID
ARROW_ROOM = 5 * GRID
MOST_KEPT = 500  # rows that stay selected through a sort: Qt carries every single cell of them, 100,000 rows take seconds


class RoomyCells(QStyledItemDelegate):
    """A number at the right of its cell must not touch the word at the left of the next."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        super().initStyleOption(option, index)
        option.text = f"{EN_SPACE}{option.text}{EN_SPACE}"


class TableView(QTableView):
    headerMenuAsked = Signal(int, QPoint)
    menuAsked = Signal(QPoint, int)
    copyAsked = Signal()
    findAsked = Signal()

    def __init__(self, model: ColumnTable, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._fitted: dict[int, int] = {}  # how wide each section was made by us
        self.setModel(model)
        self.setItemDelegate(RoomyCells(self))
        model.sortBegins.connect(self._keep_few_selected)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setAlternatingRowColors(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        down, across = self.verticalHeader(), self.horizontalHeader()
        down.hide()
        down.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self._fit_rows()
        across.setSectionsMovable(True)
        across.setHighlightSections(False)
        across.setSortIndicatorClearable(True)
        across.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        across.customContextMenuRequested.connect(self._ask_header_menu)
        across.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)

    def _fit_rows(self) -> None:
        self.verticalHeader().setDefaultSectionSize(QFontMetrics(look().font()).height() + look().pixels(ROW_ROOM))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._fit_rows()

    # Columns

    def sections(self) -> Iterator[tuple[int, Column]]:
        """As they stand on the screen, hidden ones too."""
        across = self.horizontalHeader()
        for visual in range(across.count()):
            section = across.logicalIndex(visual)
            yield section, self._model.table.columns[section]

    def shown_columns(self) -> list[Column]:
        return [column for section, column in self.sections() if not self.isColumnHidden(section)]

    def first_section(self) -> int:
        """The column that stands first of those that are shown."""
        return next((section for section, _ in self.sections() if not self.isColumnHidden(section)), 0)

    def show_section(self, section: int, is_shown: bool) -> None:
        """The last one stays."""
        if is_shown or len(self.shown_columns()) > 1:
            self.setColumnHidden(section, not is_shown)

    def fit(self, table: Columns) -> None:
        for section, (column, width) in enumerate(zip(table.columns, _widths(table), strict=True)):
            self.setColumnHidden(section, not column.is_shown)
            self.setColumnWidth(section, width)
            self._fitted[section] = width

    def widen(self, table: Columns) -> None:
        """Where longer texts came since: a time stands where there was none. What a person made of a width stays."""
        for section, width in enumerate(_widths(table)):
            if self.columnWidth(section) == self._fitted.get(section, width) < width:
                self.setColumnWidth(section, width)
                self._fitted[section] = width

    def reset_columns(self) -> None:
        across = self.horizontalHeader()
        for section in range(across.count()):
            across.moveSection(across.visualIndex(section), section)
        self.fit(self._model.table)
        self.sortByColumn(-1, Qt.SortOrder.AscendingOrder)

    def arrangement(self) -> dict[str, Any]:
        return {
            "columns": [
                {"key": column.key, "width": self.columnWidth(section), "hidden": self.isColumnHidden(section)}
                for section, column in self.sections()
            ],
            "sort": [[key.key, key.is_descending] for key in self._model.sort_keys],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        across, keys = self.horizontalHeader(), self._model.table.keys
        place = 0
        for entry in _entries(state.get("columns")):
            if entry.get("key") not in keys:
                continue
            section, hidden, width = keys.index(str(entry["key"])), entry.get("hidden") is True, entry.get("width")
            across.moveSection(across.visualIndex(section), place)
            place += 1
            self.setColumnHidden(section, hidden)
            if isinstance(width, int) and not hidden and GRID <= width <= 4 * WIDEST:
                self.setColumnWidth(section, width)
        if keys and not self.shown_columns():
            self.setColumnHidden(0, False)
        self._restore_sort(state.get("sort"))

    def _restore_sort(self, stored: object) -> None:
        keys = [
            SortKey(item[0], item[1] is True)
            for item in (stored if isinstance(stored, list) else [])
            if isinstance(item, list) and len(item) == 2 and item[0] in self._model.table.keys
        ]
        for key in reversed(keys):
            order = Qt.SortOrder.DescendingOrder if key.is_descending else Qt.SortOrder.AscendingOrder
            self.sortByColumn(self._model.table.keys.index(key.key), order)

    # Rows

    def show_row(self, row: int) -> None:
        index = self._model.index(row, self.first_section())
        chosen = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
        self.selectionModel().setCurrentIndex(index, chosen)
        self.scrollTo(index)

    def _keep_few_selected(self) -> None:
        if self._chosen_rows() > MOST_KEPT:
            current = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
            self.selectionModel().select(self.currentIndex(), current)

    def _chosen_rows(self) -> int:
        areas = self.selectionModel().selection()
        return sum(areas.at(number).height() for number in range(areas.count()))

    def choose_none(self) -> None:
        self.selectionModel().clear()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt would copy the one current cell."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copyAsked.emit()
        elif event.matches(QKeySequence.StandardKey.Find):
            self.findAsked.emit()
        else:
            super().keyPressEvent(event)

    # Menus

    def _ask_header_menu(self, place: QPoint) -> None:
        across = self.horizontalHeader()
        section = across.logicalIndexAt(place)
        if section >= 0:
            self.headerMenuAsked.emit(section, across.mapToGlobal(place))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """By the menu key too: then it opens at the current cell."""
        index = self.currentIndex() if event.reason() is QContextMenuEvent.Reason.Keyboard else self.indexAt(event.pos())
        place = self.viewport().mapToGlobal(self.visualRect(index).bottomLeft()) if index.isValid() else event.globalPos()
        self.menuAsked.emit(place, index.column() if index.isValid() else -1)


def _widths(table: Columns) -> Iterator[int]:
    """What the texts of each column need."""
    metrics, bold = QFontMetrics(look().font()), QFontMetrics(look().font(bold=True))
    rows = range(0, len(table), max(1, len(table) // SAMPLED))
    for column in table.columns:
        texts = column.words[:MOST_WORDS] or [column.text(row) for row in rows]
        widest = max((metrics.horizontalAdvance(text) for text in texts), default=0)
        yield min(max(widest, bold.horizontalAdvance(column.header) + ARROW_ROOM) + CELL_ROOM, WIDEST)


def _entries(stored: object) -> list[Mapping[str, Any]]:
    return [entry for entry in stored if isinstance(entry, dict)] if isinstance(stored, list) else []
