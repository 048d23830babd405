"""The fields of a form over a strategy: a number with its unit and steps, a choice, a text. Each says what is wanted, and shows what is."""

from collections.abc import Callable
from decimal import Decimal

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QLineEdit, QWidget

from sptrader_desktop.core.strategy import Scalar
from sptrader_desktop.present.strategy_form import FormRow
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.roles import give
from sptrader_desktop.ui.theme.tokens import GRID

NARROW = 22 * GRID
OF_CHOICES = 34 * GRID  # wide enough for the words of the language, so that all are equally wide
STEPS = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1, Qt.Key.Key_PageUp: 10, Qt.Key.Key_PageDown: -10}


class NumberField(QWidget):
    wanted = Signal(object)  # a Scalar

    def __init__(self, row: FormRow, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._row = row
        self.line = _Line(self._step, self)
        self.line.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.line.setFixedWidth(look().pixels(NARROW))
        self.unit, self.fault = QLabel(row.unit, self), QLabel(self)
        give(self.unit, role="muted")
        give(self.fault, tone="danger")
        self.fault.setWordWrap(True)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(GRID)
        for widget in (self.line, self.unit):
            line.addWidget(widget)
        line.addWidget(self.fault, 1)
        line.addStretch()
        self.line.textEdited.connect(self._typed)
        self.line.editingFinished.connect(self._finished)
        self.setFocusProxy(self.line)
        self.show_row(row)

    def show_row(self, row: FormRow) -> None:
        """What is being typed stays, as long as it says the same; what does not count stays to be mended, until another value does."""
        assert isinstance(row.value, Decimal)
        if self.fault.text() and row.value == self._row.value:
            self._row = row
            return
        self._row = row
        if not self.line.hasFocus() or self._read() != row.value:
            self.line.setText(row.shown(row.value))
        self._say("")

    def _typed(self) -> None:
        """A number that is half typed is nobody's wish yet, but what is wrong with it is said at once."""
        try:
            self._row.number(self.line.text())
        except ValueError as error:
            self._say(str(error))
        else:
            self._say("")

    def _finished(self) -> None:
        """Enter, or leaving: what is valid is wanted, what is not stays with what is wrong with it. For nothing what counts comes back."""
        value = self._read()
        if value is None and self.line.text().strip():
            self._typed()
        elif value is None or value == self._row.value:
            assert isinstance(self._row.value, Decimal)
            self.line.setText(self._row.shown(self._row.value))
            self._say("")
        else:
            self.wanted.emit(value)

    def _read(self) -> Decimal | None:
        try:
            return self._row.number(self.line.text())
        except ValueError:
            return None

    def _step(self, steps: int) -> None:
        assert isinstance(self._row.value, Decimal)
        value = self._row.moved(self._row.value, steps)
        if value != self._row.value:
            self.line.setText(self._row.shown(value))
            self.wanted.emit(value)

    def _say(self, fault: str) -> None:
        self.fault.setText(fault)
        self.fault.setVisible(bool(fault))
        self.unit.setVisible(bool(self._row.unit) and not fault)


class _Line(QLineEdit):
    """Arrows step."""

    def __init__(self, step: Callable[[int], None], parent: QWidget) -> None:
        super().__init__(parent)
        self._step = step

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = STEPS.get(Qt.Key(event.key()))
        if steps is None:
            super().keyPressEvent(event)
            return
        self._step(steps)


class ChoiceField(QComboBox):
    wanted = Signal(object)  # a Scalar

    def __init__(self, row: FormRow, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_truth = isinstance(row.value, bool)
        self.addItems(row.choices)
        self.setMinimumWidth(look().pixels(OF_CHOICES))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.show_row(row)
        self.activated.connect(lambda: self.wanted.emit(self.currentText() == "true" if self._is_truth else self.currentText()))

    def show_row(self, row: FormRow) -> None:
        self.setCurrentText(_word(row.value))


class TextField(QLineEdit):
    wanted = Signal(object)  # a Scalar

    def __init__(self, row: FormRow, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.show_row(row)
        self.editingFinished.connect(self._finished)

    def show_row(self, row: FormRow) -> None:
        self._shown = str(row.value)
        if self.text() != self._shown:
            self.setText(self._shown)

    def _finished(self) -> None:
        if self.text() != self._shown and self.text().strip():
            self._shown = self.text()
            self.wanted.emit(self.text())


Field = NumberField | ChoiceField | TextField


def field_of(row: FormRow, parent: QWidget) -> Field:
    if row.quantity is not None:
        return NumberField(row, parent)
    return ChoiceField(row, parent) if row.choices else TextField(row, parent)


def _word(value: Scalar) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
