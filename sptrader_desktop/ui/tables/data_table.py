"""A table as people use it: sort, filter, choose columns, copy, save, walk with the keyboard. What is in it, others know."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from sptrader_desktop.present.column_csv import csv_text, tabbed_text
from sptrader_desktop.present.column_filters import FilterError
from sptrader_desktop.present.columns import Column, Columns, Rows, SortKey
from sptrader_desktop.present.numbers import counted
from sptrader_desktop.runtime.whole_files import write_whole
from sptrader_desktop.ui.background import Background
from sptrader_desktop.ui.tables.column_filter_popup import ColumnFilterPopup
from sptrader_desktop.ui.tables.column_table import ColumnTable
from sptrader_desktop.ui.tables.table_view import TableView
from sptrader_desktop.ui.theme.roles import give
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.elided_label import ElidedLabel
from sptrader_desktop.ui.widgets.empty_state import EmptyState
from sptrader_desktop.ui.widgets.search_field import SearchField
from sptrader_desktop.ui.widgets.words import Words

ORIGINAL = "Original Order"
MOST_COPIED = 10_000  # rows; more take longer than a clipboard is worth


class DataTable(QWidget):
    """`name` begins the object names of its parts. Signals carry rows of the columns themselves, whatever the order on screen."""

    rowChosen = Signal(int)  # the current row, by click or arrow key
    rowActivated = Signal(int)  # a double click, or Return
    stepAsked = Signal()  # the step that the empty table offers

    def __init__(
        self,
        name: str,
        title: str,
        empty: str,
        step: str = "",
        parent: QWidget | None = None,
        *,
        drawing: str = "table-2",
        headline: str = "",
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._name, self._title = name, title
        self.model = ColumnTable(self)
        self.view = TableView(self.model, self)
        self.view.setObjectName(f"{name}View")
        self.view.setAccessibleName(title)
        self._empty = EmptyState(drawing, headline or title, empty, step, self.stepAsked.emit if step else None)
        self._empty.button.setObjectName(f"{name}Step")
        self._quiet, self._is_fitted = False, False
        self.fill_menu: Callable[[QMenu], object] = lambda _menu: None  # puts what else can be done with the chosen rows first
        self._background = Background(self)
        self._build()
        self.view.selectionModel().currentRowChanged.connect(self._told)
        self.view.activated.connect(lambda index: self.rowActivated.emit(int(self.model.sources[index.row()])))
        self.view.headerMenuAsked.connect(self._open_header_menu)
        self.view.menuAsked.connect(self._open_menu)
        self.view.copyAsked.connect(self.copy)
        self.view.findAsked.connect(lambda: self._line.setFocus(Qt.FocusReason.ShortcutFocusReason))
        self._refresh()

    # What is in it

    def put(self, table: Columns) -> None:
        """The row that was current stays so where the new table has as many."""
        current, is_other = self.current, table.keys != self.model.table.keys
        with_same_rows = len(table) == len(self.model.table)
        self._quietly(lambda: self.model.put(table))
        if is_other or (len(table) and not self._is_fitted):
            self.view.fit(table)
            self._is_fitted = bool(len(table))
        else:
            self.view.widen(table)
        if current is not None and with_same_rows:
            self.choose(current)
        self._refresh()

    def show_waiting(self, text: str) -> None:
        """Until something is put in."""
        self._waiting.setText(text)
        self._stack.setCurrentWidget(self._waiting)

    @property
    def current(self) -> int | None:
        index = self.view.currentIndex()
        return int(self.model.sources[index.row()]) if index.isValid() and index.row() < len(self.model.sources) else None

    @property
    def selected(self) -> list[int]:
        """Rows of the columns, from the top of the screen down."""
        rows = sorted(index.row() for index in self.view.selectionModel().selectedRows(self.view.first_section()))
        return [int(self.model.sources[row]) for row in rows]

    def choose(self, source: int) -> None:
        """Make it the current row without saying so; what a filter hides is not shown."""
        row = self.model.row_of(source)
        if row >= 0:
            self._quietly(lambda: self.view.show_row(row))

    def choose_none(self) -> None:
        self._quietly(self.view.choose_none)

    def state(self) -> dict[str, Any]:
        """Columns and rows as a person arranged and filtered them, for the next start."""
        return {**self.view.arrangement(), "quick": self._line.text(), "filters": dict(self.model.filters)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """What is not understood is left out."""
        self.view.restore(state)
        self._is_fitted = True
        stored, quick = state.get("filters"), state.get("quick")
        typed: dict[str, Any] = stored if isinstance(stored, dict) else {}
        self.filter(self._line.text(), {key: typed[key] for key in self.model.table.keys if isinstance(typed.get(key), str)})
        self._line.setText(quick if isinstance(quick, str) else "")

    def filter(self, quick: str, filters: Mapping[str, str]) -> None:
        current = self.current
        try:
            self._quietly(lambda: self.model.filter(quick, filters))
        except FilterError as error:
            self._note.show_text(str(error))
            return
        self._note.show_text("")
        if current is not None:
            self.choose(current)
        self._refresh()

    # Taking it elsewhere

    def copy(self) -> None:
        """The selected rows, or all that are shown, as exact values between tabs."""
        rows = self.selected or self.model.sources.tolist()
        if len(rows) > MOST_COPIED:
            self._note.show_text(f"{len(rows):,} rows are too many to copy: select fewer, or save them as CSV")
            return
        QGuiApplication.clipboard().setText(tabbed_text(self.view.shown_columns(), rows))
        self._note.show_text(f"Copied {counted(len(rows), 'row')}")

    def csv(self) -> str:
        """What is shown, in its order, exactly."""
        return csv_text(self.view.shown_columns(), self.model.sources.tolist())

    def save_csv(self, path: Path) -> None:
        """The same as a file, written beside the window, for there may be a million rows."""
        columns, rows = self.view.shown_columns(), self.model.sources
        self._note.show_text(f"Writing {counted(len(rows), 'row')} …")
        self._background.run(partial(_written, path, columns, rows), self._note.show_text)

    def ask_where_to_save(self) -> None:
        dialog = QFileDialog(self, f"Save {self._title} as CSV", f"{self._title.lower().replace(' ', '_')}.csv", "CSV (*.csv)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("csv")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.save_csv(Path(path)))
        dialog.open()

    # Building

    def _build(self) -> None:
        self._line = SearchField("Filter rows", f"{self._name}Filter", self.view)
        self._line.setAccessibleName(f"Filter {self._title}")
        self._line.setMaximumWidth(60 * GRID)
        self._line.textChanged.connect(lambda text: self.filter(text, self.model.filters))
        self._chips, self._count, self._note = QHBoxLayout(), QLabel(), ElidedLabel()
        self._count.setProperty("role", "muted")
        self._count.setObjectName(f"{self._name}Count")
        self._note.setProperty("role", "muted")
        self._note.setObjectName(f"{self._name}Note")
        bar = QHBoxLayout()
        bar.setContentsMargins(2 * GRID, GRID, GRID, GRID)
        bar.setSpacing(2 * GRID)
        bar.addWidget(self._line)
        bar.addLayout(self._chips)
        bar.addWidget(self._note, 1)
        bar.addWidget(self._count)
        for name, text, tip, handler in (
            ("Columns", "Columns", "Choose which columns are shown", self._open_columns_menu),
            ("Copy", "Copy", "Copy the selected rows, or all, as exact values", self.copy),
            ("Csv", "Save CSV…", "Save what is shown as a CSV file with exact values", self.ask_where_to_save),
        ):
            bar.addWidget(self._button(name, text, tip, handler))
        full = QWidget()
        column = QVBoxLayout(full)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(bar)
        column.addWidget(self.view, 1)
        self._stack = QStackedLayout(self)
        self._stack.setContentsMargins(0, 0, 0, 0)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(full)
        self._waiting = QLabel()
        self._waiting.setObjectName(f"{self._name}Waiting")
        self._waiting.setAlignment(Qt.AlignmentFlag.AlignCenter)
        give(self._waiting, role="muted")
        self._stack.addWidget(self._waiting)

    def _button(self, name: str, text: str, tip: str, handler: Callable[[], None]) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setToolTip(tip)
        button.setObjectName(f"{self._name}{name}")
        button.setAccessibleName(f"{tip}: {self._title}")
        button.setProperty("role", "flat")
        button.clicked.connect(lambda _checked=False: handler())
        return button

    # Menus

    def _open_columns_menu(self) -> None:
        button = self.findChild(QToolButton, f"{self._name}Columns")
        if isinstance(button, QToolButton):
            self._columns_menu().popup(button.mapToGlobal(QPoint(0, button.height())))

    def _columns_menu(self) -> QMenu:
        menu = self._new_menu("Columns")
        for section, column in self.view.sections():
            action = menu.addAction(column.header)
            action.setToolTip(column.tip)
            action.setCheckable(True)
            action.setChecked(not self.view.isColumnHidden(section))
            action.toggled.connect(partial(self.view.show_section, section))
        menu.addSeparator()
        menu.addAction("Fit to Contents", lambda: self.view.fit(self.model.table))
        menu.addAction("Reset Columns", self.view.reset_columns)
        return menu

    def _open_header_menu(self, section: int, place: QPoint) -> None:
        column, menu = self.model.table.columns[section], self._columns_menu()
        first = menu.actions()[0]
        if column.read is not None or column.words:
            ask = QAction(f"Filter {column.header}…", menu)
            ask.triggered.connect(lambda: self.ask_filter(column, place))
            menu.insertAction(first, ask)
        unsorted = QAction(ORIGINAL, menu)
        unsorted.triggered.connect(lambda: self.view.sortByColumn(-1, Qt.SortOrder.AscendingOrder))
        menu.insertAction(first, unsorted)
        menu.insertSeparator(first)
        menu.popup(place)

    def _open_menu(self, place: QPoint, section: int) -> None:
        menu = self._new_menu("Row")
        self.fill_menu(menu)
        menu.addAction("Copy", self.copy)
        menu.addAction("Save CSV…", self.ask_where_to_save)
        column = self.model.table.columns[section] if section >= 0 else None
        if column is not None:
            menu.addAction(*self._next_order(section, column))
        if column is not None and (column.read is not None or column.words):
            menu.addAction(f"Filter {column.header}…", lambda: self.ask_filter(column, place))
        menu.popup(place)

    def _next_order(self, section: int, column: Column) -> tuple[str, Callable[[], None]]:
        """What the next click on the head of the column would do, for those who have no mouse."""
        up, down = Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder
        match self.model.sort_keys[:1]:
            case (SortKey(column.key, False),):
                return f"Sort by {column.header}, Descending", partial(self.view.sortByColumn, section, down)
            case (SortKey(column.key, True),):
                return ORIGINAL, partial(self.view.sortByColumn, -1, up)
        return f"Sort by {column.header}", partial(self.view.sortByColumn, section, up)

    def _new_menu(self, name: str) -> QMenu:
        menu = QMenu(self)
        menu.setObjectName(f"{self._name}{name}Menu")
        menu.setToolTipsVisible(True)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        return menu

    def ask_filter(self, column: Column, place: QPoint) -> None:
        popup = ColumnFilterPopup(column, self.model.filters.get(column.key, ""), self)
        popup.changed.connect(lambda key, text: self.filter(self._line.text(), {**self.model.filters, key: text}))
        popup.open_at(place)

    # Keeping up

    def _quietly(self, change: Callable[[], None]) -> None:
        self._quiet = True
        try:
            change()
        finally:
            self._quiet = False

    def _told(self, current: QModelIndex, _before: QModelIndex) -> None:
        if current.isValid() and not self._quiet:
            self.rowChosen.emit(int(self.model.sources[current.row()]))

    def _refresh(self) -> None:
        shown, total = self.model.rowCount(), len(self.model.table)
        self._stack.setCurrentIndex(1 if total else 0)
        self._count.setText(f"{shown:,} of {counted(total, 'row')}" if shown < total else counted(total, "row"))
        self._say_hidden(total if not shown else 0)
        while (item := self._chips.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                if widget.hasFocus():
                    self.view.setFocus()
                widget.setParent(None)
                widget.deleteLater()
        for key, text in self.model.filters.items():
            self._chips.addWidget(self._chip(self.model.table[key], text))

    def _say_hidden(self, rows: int) -> None:
        """Below the heads of the columns, whose filters hide them as well as the line does."""
        if not rows and "_hidden" not in vars(self):
            return
        words, button = self._hidden
        if button.hasFocus() and not rows:
            self.view.setFocus()
        for widget in self._hidden:
            widget.setVisible(bool(rows))
        columns = [f"{self.model.table[key].title} {text}" for key, text in self.model.filters.items()]
        quick = [f"“{self._line.text()}”"] if self._line.text() else []
        words.setText(f"None of {counted(rows, 'row')} passes {', '.join(quick + columns)}")

    @cached_property
    def _hidden(self) -> tuple[Words, QPushButton]:
        """In one line, for which a low pane has room too."""
        words, button = Words(wraps=True), QPushButton("Show All Rows")
        give(words, role="muted")
        button.setObjectName(f"{self._name}ShowAll")
        button.setAccessibleName(f"Show all rows: {self._title}")
        button.clicked.connect(lambda _checked=False: self._show_all())
        inside = QHBoxLayout(self.view.viewport())
        inside.setContentsMargins(2 * GRID, 0, 2 * GRID, 0)
        inside.setSpacing(4 * GRID)
        inside.addWidget(words, 1)
        inside.addWidget(button)
        return words, button

    def _show_all(self) -> None:
        self.filter(self._line.text(), {})
        self._line.clear()

    def _chip(self, column: Column, text: str) -> QPushButton:
        chip = QPushButton(f"{column.title} {text}  ✕")
        chip.setObjectName(f"{self._name}Chip_{column.key}")
        chip.setAccessibleName(f"Remove the filter {column.header} {text}")
        chip.setToolTip("Remove this filter")
        chip.setProperty("role", "flat")
        rest = {key: typed for key, typed in self.model.filters.items() if key != column.key}
        chip.clicked.connect(lambda _checked=False: self.filter(self._line.text(), rest))
        return chip


def _written(path: Path, columns: Sequence[Column], rows: Rows) -> str:
    """How it went, as a sentence."""
    try:
        write_whole(path, csv_text(columns, rows.tolist()).encode())
    except OSError as error:
        return f"{path.name} was not written: {error.strerror or error}. Choose another folder."
    return f"Saved {counted(len(rows), 'row')} to {path}"
