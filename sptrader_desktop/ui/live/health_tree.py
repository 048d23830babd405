"""The account, its symbols, their services and the connections as a tree: how each is, and a restart for what can be started again."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QBrush
from PySide6.QtWidgets import QPushButton, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from sptrader_desktop.present.live_tree import COLUMNS, Row
from sptrader_desktop.ui.data.parts import button, label, named, row
from sptrader_desktop.ui.theme.icons import icon
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.words import tip

STATE, BUTTON, FIGURES = 1, 2, 3
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class HealthTree(QWidget):
    restartAsked = Signal(str)  # a symbol, or one and its service

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tree = QTreeWidget()
        named(self.tree, "liveServices", "Account, symbols, services and connections")
        self.tree.setHeaderLabels(list(COLUMNS))
        self.tree.setUniformRowHeights(True)
        self.tree.setRootIsDecorated(True)
        self.tree.setIndentation(GRID * 3)
        self.tree.header().setStretchLastSection(False)
        self.tree.header().setMinimumSectionSize(GRID * 6)
        self.items: dict[str, QTreeWidgetItem] = {}
        self._rows: dict[str, Row] = {}
        self.why = label("", "muted")
        self.why.setObjectName("liveServiceWhy")
        self.restart: QPushButton = button("restartServiceButton", "Restart", "Stop and start what is chosen above")
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(GRID)
        whole.addWidget(self.tree, 1)
        whole.addWidget(self.why)
        whole.addLayout(row(self.restart, 1))
        self.tree.itemClicked.connect(self._click)
        self.restart.clicked.connect(lambda _=False: self._ask(self.chosen))
        self.tree.currentItemChanged.connect(lambda *_: self._show_chosen())
        self._show_chosen()

    @property
    def chosen(self) -> str:
        """What a restart of the current row is asked by."""
        item = self.tree.currentItem()
        key = "" if item is None else str(item.data(0, Qt.ItemDataRole.UserRole))
        return self._rows[key].about if key in self._rows else ""

    def put(self, rows: Sequence[Row], now: int) -> None:
        """Where each stood before; what is folded stays folded."""
        is_other = [found.key for found in rows] != list(self._rows)
        if is_other:
            self._lay_out(rows)
        for found in rows:
            self._write(self.items[found.key], found, now)
        if is_other:  # once: columns that follow their contents would be measured at every figure
            for column in range(len(COLUMNS)):
                self.tree.resizeColumnToContents(column)
        self._rows = {found.key: found for found in rows}
        self._show_chosen()

    def _lay_out(self, rows: Sequence[Row]) -> None:
        self.tree.clear()
        self.items.clear()
        for found in rows:
            item = QTreeWidgetItem(self.items[found.parent]) if found.parent else QTreeWidgetItem()
            item.setData(0, Qt.ItemDataRole.UserRole, found.key)
            for column in range(FIGURES, len(COLUMNS)):
                item.setTextAlignment(column, RIGHT)
            self.items[found.key] = item
            if found.about:
                item.setIcon(BUTTON, icon("rotate-ccw"))
                item.setToolTip(BUTTON, f"Restart {found.name}")
        self.tree.addTopLevelItems([self.items[found.key] for found in rows if not found.parent])
        self.tree.expandAll()

    def _write(self, item: QTreeWidgetItem, found: Row, now: int) -> None:
        texts = found.texts(now)
        for column, text in enumerate(texts):
            if item.text(column) != text:
                item.setText(column, text)
        if self._rows.get(found.key) != found:
            item.setForeground(STATE, self._ink(found))
            item.setToolTip(STATE, tip(found.why))
            item.setData(0, Qt.ItemDataRole.AccessibleTextRole, f"{found.name}: {found.state}{f', {found.why}' if found.why else ''}")

    def _click(self, item: QTreeWidgetItem, column: int) -> None:
        """The sign in a row restarts that row; the keyboard has the button below."""
        if column == BUTTON:
            self._ask(self._rows[str(item.data(0, Qt.ItemDataRole.UserRole))].about)

    def _ask(self, about: str) -> None:
        if about:
            self.restartAsked.emit(about)

    def _show_chosen(self) -> None:
        about = self.chosen
        item = self.tree.currentItem()
        found = self._rows.get(str(item.data(0, Qt.ItemDataRole.UserRole))) if item is not None else None
        self.restart.setEnabled(bool(about))
        words = f"Restart {found.name}" if found is not None and about else "Restart"
        if self.restart.text() != words:
            self.restart.setText(words)
            self.restart.setAccessibleName(words)
        why = "" if found is None or not found.why else f"{found.name}: {found.why}"
        if self.why.text() != why:
            self.why.setText(why)
        self.why.setVisible(bool(why))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in {QEvent.Type.PaletteChange, QEvent.Type.EnabledChange}:
            for key, item in self.items.items():
                item.setForeground(STATE, self._ink(self._rows[key]))

    def _ink(self, found: Row) -> QBrush:
        """A state of some time ago has no colour of now."""
        return QBrush(look().colour((found.tone or "text") if self.isEnabled() else "edge"))
