"""Under a component's source: its values or events as a table, what it printed, what was found out about its honesty."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QModelIndex, Signal
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QAbstractItemView, QListView, QTabWidget, QVBoxLayout, QWidget

from sptrader_desktop.present.component_output import ComponentReport, Linked
from sptrader_desktop.ui.tables.data_table import DataTable
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.roles import give
from sptrader_desktop.ui.theme.tokens import BODY, GRID
from sptrader_desktop.ui.widgets.inset import inset
from sptrader_desktop.ui.widgets.words import Words

EMPTY = "Values or events will stand here after Run on This Data."
RESULT, PRINTED, HONESTY = range(3)


class ComponentOutputPane(QWidget):
    lineWanted = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = Words(parent=self, wraps=True)
        self.title.setObjectName("componentOutputTitle")
        self.tabs = QTabWidget(self)
        self.tabs.setObjectName("componentOutputTabs")
        self.tabs.setAccessibleName("Component output")
        self.table = DataTable("componentValues", "Values", EMPTY, parent=self)
        self.printed = LinkedList("componentPrinted", "Printed", self)
        self.honesty = LinkedList("componentHonesty", "Look-Ahead", self)
        for widget, name in ((self.table, "Values"), (self.printed, "Printed"), (self.honesty, "Look-Ahead")):
            self.tabs.addTab(widget, name)
        for lines in (self.printed, self.honesty):
            lines.lineWanted.connect(self.lineWanted)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, GRID, 0, 0)
        column.setSpacing(GRID)
        column.addLayout(inset(self.title, 2))
        column.addWidget(self.tabs, 1)
        self.say("Run it on candles to see what it gives.")

    def say(self, text: str, *, is_bad: bool = False) -> None:
        self.title.setText(text)
        give(self.title, tone="danger" if is_bad else "")

    def show_report(self, report: ComponentReport) -> None:
        """What it is about comes to the front: findings, what went wrong, else the values. Findings leave the values where they are."""
        self.say(f"✗ {report.title}" if report.is_bad else f"✓ {report.title}", is_bad=report.is_bad)
        if report.findings:
            self.honesty.show_lines(report.findings)
            self.tabs.setCurrentIndex(HONESTY)
            return
        self.table.put(report.table)
        if len(report.table):
            self.table.view.scrollToBottom()
        self.printed.show_lines(report.printed)
        self.tabs.setTabText(PRINTED, f"Printed ({len(report.printed):,})" if report.printed else "Printed")
        self.tabs.setCurrentIndex(PRINTED if report.is_bad else RESULT)


class LinkedList(QListView):
    """Sentences; one that is about a line leads there by a click or Enter."""

    lineWanted = Signal(int)

    def __init__(self, name: str, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines: tuple[Linked, ...] = ()
        self._rows = QStandardItemModel(self)
        self.setObjectName(name)
        self.setAccessibleName(title)
        self.setModel(self._rows)
        self.setWordWrap(True)
        self.setUniformItemSizes(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.activated.connect(self._go)
        self.clicked.connect(self._go)

    def show_lines(self, lines: Sequence[Linked]) -> None:
        self._lines = tuple(lines)
        self._rows.clear()
        for line in lines:
            row = QStandardItem(f"line {line.line}:  {line.text}" if line.line else line.text)
            row.setFont(look().font(BODY, fixed=True))
            row.setForeground(look().colour("danger" if line.is_bad else "text"))
            row.setToolTip("Enter goes to the line" if line.line else "")
            self._rows.appendRow(row)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._lines:
            self.show_lines(self._lines)

    def _go(self, index: QModelIndex) -> None:
        line = self._lines[index.row()].line
        if line is not None:
            self.lineWanted.emit(line)
