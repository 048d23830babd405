"""A line over the chart in which a date is written; Return goes there, Escape leaves."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from sptrader_desktop.core.errors import DataError
from sptrader_desktop.present.selection import Zone
from sptrader_desktop.present.zone_clock import read_stamp
from sptrader_desktop.ui.theme.tokens import GRID

WIDTH = 64 * GRID
OWN = {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown}  # commands of a chart, too


class GoToField(QFrame):
    """`top` says how far down the readout of the chart reaches."""

    def __init__(self, chart: QWidget, zone: Callable[[], Zone], go_to: Callable[[int], None], top: Callable[[], int]) -> None:
        super().__init__(chart)
        self._chart, self._zone, self._go_to, self._top = chart, zone, go_to, top
        self.setObjectName("goToField")
        self.setAutoFillBackground(True)
        self.text = QLineEdit()
        self.text.setObjectName("goToDate")
        self.text.setAccessibleName("Go to date")
        self.text.setPlaceholderText("2024-03-05 14:00")
        self.text.returnPressed.connect(self._go)
        self.fault = QLabel()
        self.fault.setProperty("role", "small")
        self.fault.hide()
        self.fault.setWordWrap(True)
        column, row = QVBoxLayout(self), QHBoxLayout()
        column.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        row.addWidget(QLabel("Go to"))
        row.addWidget(self.text)
        column.addLayout(row)
        column.addWidget(self.fault)
        self.setFixedWidth(WIDTH)
        self.hide()

    def ask(self) -> None:
        self.fault.hide()
        self._fit()
        self._move_to(self._top() + GRID)
        self.show()
        self.raise_()
        self.text.selectAll()
        self.text.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def give_way(self) -> None:
        """The readout is as high as what it tells needs. The field does not come up again: it stands still while the pointer moves."""
        if self.isVisible():
            self._move_to(max(self.y(), self._top() + GRID))

    def _move_to(self, y: int) -> None:
        self.move(max(0, (self._chart.width() - self.width()) // 2), max(0, min(y, self._chart.height() - self.height())))

    def _fit(self) -> None:
        """As high as the wrapped text needs, which Qt works out only for laid out widgets."""
        layout = self.layout()
        if layout is not None:
            layout.activate()
            self.resize(WIDTH, layout.totalHeightForWidth(WIDTH) if layout.hasHeightForWidth() else layout.sizeHint().height())

    def _go(self) -> None:
        try:
            stamp = read_stamp(self.text.text(), self._zone())
        except DataError as error:
            self.fault.setText(str(error))
            self.fault.show()
            self._fit()
            return
        self.leave()
        self._go_to(stamp)

    def leave(self) -> None:
        """The keyboard goes to the chart, if it was here."""
        had_keyboard = self.window().focusWidget() is self.text
        self.hide()
        if had_keyboard:
            self._chart.setFocus(Qt.FocusReason.OtherFocusReason)

    def event(self, event: QEvent) -> bool:
        """A command of the chart around would be given instead."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in OWN:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys that a line edit has no use for stay here: the chart behind must not move."""
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
