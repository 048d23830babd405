"""One dialog for everything that goes wrong: it opens at the first failure and collects the later ones, and never stops what runs."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QListWidget, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from sptrader_desktop.present.failures import Failure, Failures
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.roles import give
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.words import Words

MOST_ROWS = 5  # of the list; more are scrolled to

W = TypeVar("W", bound=QWidget)


class FailureDialog(QDialog):
    """Shows `failures.said` while there is any; closing it forgets them. `diagnostics` makes the text to copy."""

    def __init__(self, failures: Failures, diagnostics: Callable[[Sequence[Failure]], str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._failures, self._diagnostics = failures, diagnostics
        self.setObjectName("failureDialog")
        self.setWindowTitle("Something went wrong")
        self.setWindowModality(Qt.WindowModality.NonModal)
        self._list = _named(QListWidget(), "failureList", "Failures")
        self._list.currentRowChanged.connect(self._show_row)
        self._what, self._why, self._to_do = (_label(name) for name in ("failureWhat", "failureWhy", "failureToDo"))
        give(self._what, role="title")
        self._details = _named(QPlainTextEdit(), "failureDetails", "Details for whoever mends the program")
        self._details.setReadOnly(True)
        self._details.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._details.setFont(look().font(fixed=True))
        self._details.setMinimumHeight(50 * GRID)
        self._details.hide()
        self._lay_out()
        self._unwatch = failures.said.watch(self._on_said)
        self.destroyed.connect(self._unwatch)
        self.finished.connect(failures.forget)
        self._on_said(failures.said.value)

    def _lay_out(self) -> None:
        self._show_details = _button("showDetailsButton", "Show &Details")
        self._show_details.setCheckable(True)
        self._show_details.toggled.connect(self._on_details)
        self._copy = _button("copyDiagnosticsButton", "&Copy Diagnostics")
        self._copy.clicked.connect(self._on_copy)
        self._close = _button("closeFailuresButton", "Close")
        give(self._close, role="primary")
        self._close.setDefault(True)
        self._close.clicked.connect(self.accept)
        buttons = QHBoxLayout()
        buttons.setSpacing(2 * GRID)
        buttons.addWidget(self._show_details)
        buttons.addWidget(self._copy)
        buttons.addStretch(1)
        buttons.addWidget(self._close)
        column = self._column = QVBoxLayout(self)
        column.setContentsMargins(*4 * (4 * GRID,))
        column.setSpacing(3 * GRID)
        for widget in (self._list, self._what, self._why, self._to_do):
            column.addWidget(widget)
        column.addWidget(self._details, 1)
        column.addStretch(0)
        column.addLayout(buttons)
        self.setMinimumWidth(130 * GRID)

    def _on_said(self, failures: tuple[Failure, ...]) -> None:
        if not failures:
            self.hide()
            return
        chosen = self._list.currentRow()
        self._list.blockSignals(True)
        self._list.clear()
        self._list.addItems([_row(failure) for failure in failures])
        self._list.setCurrentRow(min(chosen, len(failures) - 1) if chosen >= 0 else len(failures) - 1)
        self._list.blockSignals(False)
        self._list.setVisible(len(failures) > 1)
        self._list.setFixedHeight(min(len(failures), MOST_ROWS) * self._list.sizeHintForRow(0) + 2 * self._list.frameWidth() + GRID)
        self._copy.setText("&Copy Diagnostics")
        self._show_row(self._list.currentRow())
        if not self.isVisible():
            self._close.setFocus()
            self.show()

    def _show_row(self, row: int) -> None:
        failures = self._failures.said.value
        if not 0 <= row < len(failures):
            return
        failure = failures[row]
        for label, text in ((self._what, _row(failure)), (self._why, failure.why), (self._to_do, failure.to_do)):
            label.setText(text)
            label.setVisible(bool(text))
        self._details.setPlainText(failure.details)
        self._show_details.setVisible(bool(failure.details))
        self._details.setVisible(bool(failure.details) and self._show_details.isChecked())
        self._make_room()

    def _on_details(self, is_shown: bool) -> None:
        self._show_details.setText("Hide &Details" if is_shown else "Show &Details")
        self._details.setVisible(is_shown)
        self._make_room()
        if not is_shown:
            self.adjustSize()

    def _make_room(self) -> None:
        """Grows to what is shown, and keeps what somebody made larger."""
        self._column.activate()
        if self.isVisible():
            self.resize(self.width(), max(self.height(), self._column.totalHeightForWidth(self.width())))
        else:
            self.adjustSize()

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self._diagnostics(self._failures.said.value))
        self._copy.setText("&Copied")


def _row(failure: Failure) -> str:
    return f"{failure.what} ({failure.times} times)" if failure.times > 1 else failure.what


def _named(widget: W, name: str, spoken: str = "") -> W:
    widget.setObjectName(name)
    widget.setAccessibleName(spoken)
    return widget


def _label(name: str) -> QLabel:
    label = _named(Words(), name)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard)
    return label


def _button(name: str, text: str) -> QPushButton:
    button = _named(QPushButton(text), name, text.replace("&", ""))
    button.setAutoDefault(False)
    return button
