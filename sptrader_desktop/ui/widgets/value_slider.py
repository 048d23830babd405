"""A number moved by hand or typed: name, slider and field that always agree."""

from decimal import ROUND_HALF_EVEN, Decimal

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QDoubleSpinBox, QGridLayout, QLabel, QSlider, QWidget

from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.tokens import GRID


class ValueSlider(QWidget):
    """Values are counted in steps from the minimum: 0.1 three times is 0.3. A double click on the name brings back the first value."""

    valueChanged = Signal(float)

    def __init__(
        self, name: str, minimum: float, maximum: float, step: float, value: float, unit: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._minimum, self._step = Decimal(str(minimum)), Decimal(str(step))
        self._first = self._value = value
        self.label, self.slider, self.field = QLabel(name), QSlider(Qt.Orientation.Horizontal), QDoubleSpinBox()
        self._set_up_parts(name, unit, float(maximum))
        self.set_value(value)
        self.slider.valueChanged.connect(self._slid)
        self.field.valueChanged.connect(self._typed)
        self.label.installEventFilter(self)

    def _set_up_parts(self, name: str, unit: str, maximum: float) -> None:
        steps = (Decimal(str(maximum)) - self._minimum) / self._step
        self.slider.setRange(0, int(steps.to_integral_value(ROUND_HALF_EVEN)))
        self.slider.setPageStep(max(1, self.slider.maximum() // 10))
        exponent = self._step.normalize().as_tuple().exponent
        self.field.setDecimals(max(0, -int(exponent)))
        self.field.setRange(float(self._minimum), maximum)
        self.field.setSingleStep(float(self._step))
        self.field.setKeyboardTracking(False)
        self.field.setMinimumWidth(look().pixels(GRID * 28))
        self.field.setSuffix(f" {unit}" if unit else "")
        self.label.setBuddy(self.field)
        self.label.setToolTip("Double-click for the value it started with")
        for part, kind in ((self.slider, "Slider"), (self.field, "Field")):
            part.setObjectName(f"{camel(name)}{kind}")
            part.setAccessibleName(name)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(GRID * 2)
        grid.setVerticalSpacing(0)
        grid.addWidget(self.label, 0, 0)
        grid.addWidget(self.field, 0, 1, Qt.AlignmentFlag.AlignRight)
        grid.addWidget(self.slider, 1, 0, 1, 2)
        grid.setColumnStretch(0, 1)

    def value(self) -> float:
        return self._value

    def set_value(self, value: float) -> None:
        """Show a value without saying that somebody changed it."""
        self._value = min(self.field.maximum(), max(self.field.minimum(), value))
        place = int(((Decimal(str(self._value)) - self._minimum) / self._step).to_integral_value(ROUND_HALF_EVEN))
        for part, shown in ((self.slider, place), (self.field, self._value)):
            was_blocked = part.blockSignals(True)
            part.setValue(shown)  # type: ignore[arg-type] # each part gets a number of its own kind
            part.blockSignals(was_blocked)

    def reset(self) -> None:
        self._change_to(self._first)

    def _slid(self, place: int) -> None:
        self._change_to(float(self._minimum + place * self._step))

    def _typed(self, value: float) -> None:
        self._change_to(value)

    def _change_to(self, value: float) -> None:
        if value != self._value:
            self.set_value(value)
            self.valueChanged.emit(self._value)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.label and event.type() is QEvent.Type.MouseButtonDblClick:
            self.reset()
            return True
        return super().eventFilter(watched, event)


def camel(name: str) -> str:
    """`Stop loss (pips)` as `stopLossPips`, for names of objects."""
    words = "".join(letter if letter.isalnum() else " " for letter in name).split()
    return "".join(word.lower() if at == 0 else word.capitalize() for at, word in enumerate(words))
