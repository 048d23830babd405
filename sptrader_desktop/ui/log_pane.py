"""Everything that parts of the program say, as it comes: chosen by level, source and words; only what is in view is painted."""

from collections.abc import Callable

from PySide6.QtCore import QAbstractTableModel, QEvent, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QFontMetrics, QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QStackedWidget,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from sptrader_desktop.present.log_lines import LEVELS, LogFilter, LogLine, LogLines, level_word, line_clock, line_text
from sptrader_desktop.present.numbers import counted
from sptrader_desktop.present.observable import Observable
from sptrader_desktop.present.selection import Zone
from sptrader_desktop.ui.tables.table_view import CELL_ROOM, RoomyCells
from sptrader_desktop.ui.theme.icons import beside, icon
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.roles import give
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.empty_state import EmptyState
from sptrader_desktop.ui.widgets.search_field import SearchField
from sptrader_desktop.ui.widgets.words import tip

Index = QModelIndex | QPersistentModelIndex
TIME, LEVEL, SOURCE, TEXT = range(4)
ALL_SOURCES = "All sources"
QUIET = "What the parts of the program say will be here. Details are left out until they are chosen above."
TONES = {"warning": "warning", "error": "danger", "detail": "muted"}


class LogTable(QAbstractTableModel):
    def __init__(self, lines: LogLines, zone: Observable[Zone], parent: QWidget) -> None:
        super().__init__(parent)
        self._lines, self._zone = lines, zone
        self._rows, self._leaving = len(lines.shown), 0

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else self._rows

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else 4

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if index.row() < self._leaving:
            return None
        line = self._lines.shown[index.row() - self._leaving]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._cell(line, index.column())
        if role == Qt.ItemDataRole.ForegroundRole:
            tone = "muted" if index.column() in {TIME, SOURCE} else TONES.get(level_word(line.level))
            return look().colour(tone) if tone else None
        if role == Qt.ItemDataRole.FontRole and index.column() in {TIME, TEXT}:
            return look().font(fixed=index.column() == TEXT)
        return tip(line.text) if role == Qt.ItemDataRole.ToolTipRole and index.column() == TEXT else None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation is not Qt.Orientation.Horizontal or role != Qt.ItemDataRole.DisplayRole:
            return None
        return (f"Time ({self._zone.value.value})", "Level", "Source", "Message")[section]

    def _cell(self, line: LogLine, column: int) -> str:
        return (line_clock(line, self._zone.value), level_word(line.level), line.source, line.text)[column]

    def move(self, gone: int, came: int) -> None:
        """The list has moved on; Qt is told step by step, and rows that stay keep their selection."""
        if gone:
            self._leaving = gone  # Qt looks once more at what was where before the rows went
            self.beginRemoveRows(QModelIndex(), 0, gone - 1)
            self._rows, self._leaving = self._rows - gone, 0
            self.endRemoveRows()
        if came:
            self.beginInsertRows(QModelIndex(), self._rows, self._rows + came - 1)
            self._rows += came
            self.endInsertRows()

    def renew(self) -> None:
        self.beginResetModel()
        self._rows = len(self._lines.shown)
        self.endResetModel()


class LogView(QTableView):
    """Copies whole rows where Qt would copy one cell."""

    copyAsked = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copyAsked.emit()
        else:
            super().keyPressEvent(event)


class LogPane(QWidget):
    """Shows `lines`, and chooses of them; whoever adds to them says so to `show_added`."""

    def __init__(self, lines: LogLines, zone: Observable[Zone], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("logPane")
        self._lines, self._zone = lines, zone
        self._model = LogTable(lines, zone, self)
        self._table = _table(self._model)
        self._level, self._source, self._search = QComboBox(), QComboBox(), SearchField("Search the log", "logSearch", self._table)
        self._follow = QCheckBox("&Follow")
        self._count = QLabel()
        self._is_moving = False
        self._lay_out()
        self._table.copyAsked.connect(self.copy)
        self._table.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        self._level.currentIndexChanged.connect(self._choose)
        self._source.currentIndexChanged.connect(self._choose)
        self._search.textChanged.connect(self._choose)
        self._follow.toggled.connect(self._go_on)
        unwatch = zone.watch(lambda _: self._model.renew())
        self.destroyed.connect(unwatch)
        self._name_sources()

    def show_added(self, gone: int, came: int) -> None:
        """What `LogLines.add` said."""
        self._is_moving = True
        self._model.move(gone, came)
        self._is_moving = False
        self._name_sources()
        self._say_count()
        self._go_on()

    def clear(self) -> None:
        self._lines.clear()
        self._model.renew()
        self._name_sources()
        self._say_count()

    def copy(self) -> None:
        """The rows that are selected, else all that are shown."""
        rows = sorted({index.row() for index in self._table.selectionModel().selectedRows()}) or range(len(self._lines.shown))
        text = "\n".join(line_text(self._lines.shown[row], self._zone.value) for row in rows)
        QGuiApplication.clipboard().setText(text)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Find):
            self._search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in {QEvent.Type.PaletteChange, QEvent.Type.FontChange}:
            _size(self._table)

    def _lay_out(self) -> None:
        for box, name, spoken in ((self._level, "logLevel", "Least level"), (self._source, "logSource", "Source")):
            box.setObjectName(name)
            box.setAccessibleName(spoken)
        self._level.addItems(list(LEVELS))
        self._level.setCurrentIndex(1)
        self._source.addItem(ALL_SOURCES)
        self._source.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._follow.setObjectName("logFollow")
        self._follow.setAccessibleName("Follow the newest line")
        self._follow.setChecked(True)
        give(self._count, role="muted")
        line = QHBoxLayout()
        line.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        line.setSpacing(2 * GRID)
        copy, clear = _button("copyLogButton", "Copy", "copy", self.copy), _button("clearLogButton", "Clear", "trash-2", self.clear)
        for widget in (self._level, self._source, self._search, self._count, self._follow, copy, clear):
            line.addWidget(widget, int(widget is self._search))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(line)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._table)
        self._stack.addWidget(EmptyState("scroll-text", "Nothing to show", QUIET))
        column.addWidget(self._stack, 1)
        self._choose()

    def _choose(self) -> None:
        source = self._source.currentText() if self._source.currentIndex() > 0 else ""
        self._lines.choose(LogFilter(LEVELS[self._level.currentText()], source, self._search.text()))
        self._model.renew()
        self._say_count()
        self._go_on()

    def _name_sources(self) -> None:
        known = {self._source.itemText(row) for row in range(1, self._source.count())}
        if known == self._lines.sources:
            return
        chosen = self._source.currentText()
        self._source.blockSignals(True)
        self._source.clear()
        self._source.addItems([ALL_SOURCES, *sorted(self._lines.sources)])
        self._source.setCurrentIndex(max(0, self._source.findText(chosen)))
        self._source.blockSignals(False)
        if self._source.currentText() != chosen:
            self._choose()

    def _say_count(self) -> None:
        shown, kept = len(self._lines.shown), len(self._lines)
        self._stack.setCurrentIndex(0 if shown else 1)
        self._count.setText(counted(kept, "line") if shown == kept else f"{shown:,} of {counted(kept, 'line')}")

    def _go_on(self) -> None:
        if self._follow.isChecked():
            self._is_moving = True
            self._table.scrollToBottom()
            self._is_moving = False

    def _on_scrolled(self, value: int) -> None:
        """Whoever scrolls back reads, and is not to be torn away; at the end following goes on."""
        if not self._is_moving:
            self._follow.setChecked(value >= self._table.verticalScrollBar().maximum())


def _table(model: LogTable) -> LogView:
    table = LogView()
    table.setObjectName("logTable")
    table.setAccessibleName("Log")
    table.setModel(model)
    table.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
    table.setHorizontalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.setTabKeyNavigation(False)
    table.setCornerButtonEnabled(False)
    table.verticalHeader().hide()
    table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    table.horizontalHeader().setHighlightSections(False)
    table.horizontalHeader().setStretchLastSection(True)
    table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    table.setItemDelegate(RoomyCells(table))
    _size(table)
    return table


def _size(table: QTableView) -> None:
    metrics = QFontMetrics(look().font())
    table.verticalHeader().setDefaultSectionSize(metrics.height() + GRID)
    for column, widest in ((TIME, "Time (New York) 0"), (LEVEL, "warning 00"), (SOURCE, "component.stochastic_rsi")):
        table.setColumnWidth(column, metrics.horizontalAdvance(widest) + CELL_ROOM)


def _button(name: str, text: str, drawing: str, do: Callable[[], object]) -> QPushButton:
    button = QPushButton(icon(drawing), beside(text))
    button.setObjectName(name)
    button.setAccessibleName(f"{text} the log")
    button.clicked.connect(do)
    return button
