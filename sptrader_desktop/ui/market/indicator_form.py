"""The parameters of one indicator of a chart, in a little window: what is typed is wanted at once, as soon as it is valid."""

from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QFormLayout, QFrame, QLabel, QPushButton, QVBoxLayout, QWidget

from sptrader_desktop.core.components import ComponentSpec
from sptrader_desktop.core.strategy import Scalar
from sptrader_desktop.present.chart_indicators import indicator_rows
from sptrader_desktop.present.strategy_form import FormRow
from sptrader_desktop.ui.editors.form_fields import NumberField, field_of
from sptrader_desktop.ui.theme.roles import give
from sptrader_desktop.ui.theme.tokens import GRID


class IndicatorForm(QFrame):
    paramsWanted = Signal(object)  # all of them, by name
    removeWanted = Signal()

    def __init__(self, spec: ComponentSpec, params: Mapping[str, Scalar], parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setObjectName("indicatorForm")
        self.setAccessibleName(f"Parameters of {spec.name}")
        give(self, role="popup")
        self._params = dict(params)
        title = QLabel(spec.name.upper())
        give(title, role="title")
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID * 3, GRID * 3, GRID * 3, GRID * 3)
        column.setSpacing(GRID * 2)
        column.addWidget(title)
        column.addLayout(self._rows(spec, params))
        remove = QPushButton("Remove from the Chart")
        remove.setObjectName("removeIndicatorButton")
        remove.setAccessibleName(f"Remove {spec.name} from the chart")
        remove.clicked.connect(self._remove)
        column.addWidget(remove)

    def open_below(self, widget: QWidget) -> None:
        self.adjustSize()
        self.move(widget.mapToGlobal(QPoint(0, widget.height())))
        self.show()
        self.setFocus()
        self.focusNextChild()

    def _rows(self, spec: ComponentSpec, params: Mapping[str, Scalar]) -> QFormLayout:
        form = QFormLayout()
        form.setHorizontalSpacing(GRID * 3)
        form.setVerticalSpacing(GRID)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for row in indicator_rows(spec, params):
            field = field_of(row, self)
            field.setObjectName(f"indicator_{row.label}")
            field.setAccessibleName(f"{spec.name}: {row.label}")
            field.wanted.connect(partial(self._want, row))
            if isinstance(field, NumberField):
                field.line.setAccessibleName(f"{spec.name}: {row.label}")
                field.line.setObjectName(f"indicator_{row.label}_line")
                field.line.textEdited.connect(partial(self._typed, row))
            form.addRow(QLabel(row.label), field)
        if not form.rowCount():
            none = QLabel("It has no parameters.")
            give(none, role="muted")
            form.addRow(none)
        return form

    def _typed(self, row: FormRow, text: str) -> None:
        """What is wrong with it the field says itself."""
        try:
            self._want(row, row.number(text))
        except ValueError:
            return

    def _want(self, row: FormRow, value: Scalar) -> None:
        if self._params[row.label] != value:
            self._params[row.label] = value
            self.paramsWanted.emit(dict(self._params))

    def _remove(self) -> None:
        self.close()
        self.removeWanted.emit()
