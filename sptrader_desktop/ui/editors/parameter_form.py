"""The values of a strategy as a form beside its text: both show the same, and whoever writes in one sees it in the other."""

from collections.abc import Sequence
from itertools import groupby

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtWidgets import QApplication, QFormLayout, QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from sptrader_desktop.core.components import Catalogue
from sptrader_desktop.core.strategy_fields import Path
from sptrader_desktop.present.strategy_form import FormRow, form_rows
from sptrader_desktop.present.strategy_text import StrategyText
from sptrader_desktop.ui.editors.form_fields import Field, field_of
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.roles import give
from sptrader_desktop.ui.theme.tokens import BODY, GRID
from sptrader_desktop.ui.widgets.words import Words, tip

WIDEST_LABEL = 27 * GRID  # longer ones take a second line


class ParameterForm(QScrollArea):
    """`valueWanted` carries a path and the value somebody wants there; what is shown changes when the text has changed."""

    valueWanted = Signal(object, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("parameterForm")
        self.setAccessibleName("Parameters")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._fields: dict[Path, Field] = {}
        self._shape: Sequence[tuple[object, ...]] = ()
        self.reason = Words(parent=self, wraps=True)
        self.reason.setObjectName("parameterFormReason")
        give(self.reason, tone="warning")
        inside = self._inside = QWidget(self)
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(3 * GRID, 2 * GRID, 3 * GRID, 2 * GRID)
        self._column.setSpacing(2 * GRID)
        inside.installEventFilter(self)
        self._rows = QWidget(inside)
        self._column.addWidget(self.reason)
        self._column.addWidget(self._rows)
        self._column.addStretch(1)
        self.setWidget(inside)
        self.reason.hide()

    def show_text(self, text: StrategyText, catalogue: Catalogue | None) -> None:
        rows = form_rows(text, catalogue)
        count = len(text.problems)
        if not count or not self._fields:
            self._show_rows(rows)
        self._rows.setEnabled(not count)
        self.reason.setText(
            f"The text has {count} problem{'' if count == 1 else 's'}: mend {'it' if count == 1 else 'them'} to go on here."
        )
        self.reason.setVisible(bool(count))

    def minimumSizeHint(self) -> QSize:
        """Wide enough for every field, so that none is cut off."""
        width = self._inside.minimumSizeHint().width() + self.verticalScrollBar().sizeHint().width()
        return QSize(width, super().minimumSizeHint().height())

    def sizeHint(self) -> QSize:
        return self.minimumSizeHint()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._inside and event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)

    def field(self, path: Path) -> Field:
        return self._fields[path]

    def paths(self) -> list[Path]:
        return [*self._fields]

    def _show_rows(self, rows: tuple[FormRow, ...]) -> None:
        shape = [(row.path, row.group, row.label, row.unit, row.choices, row.quantity is None) for row in rows]
        if shape == self._shape:
            for row in rows:
                self._fields[row.path].show_row(row)
            return
        focused = next((path for path, field in self._fields.items() if _has_focus(field)), None)
        self._shape = shape
        self._build(rows)
        if focused in self._fields:
            self._fields[focused].setFocus()

    def _build(self, rows: tuple[FormRow, ...]) -> None:
        old, self._rows, self._fields = self._rows, QWidget(self._inside), {}
        column = QVBoxLayout(self._rows)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2 * GRID)
        widest = max((self.fontMetrics().horizontalAdvance(row.label) for row in rows), default=0)
        widest = min(widest + GRID, look().pixels(WIDEST_LABEL))
        for group, members in groupby(rows, lambda row: row.group):
            title = QLabel(group, self._rows)
            title.setFont(look().font(BODY, bold=True))
            column.addWidget(title)
            column.addLayout(self._group(list(members), widest))
        if not rows:
            empty = QLabel(
                "The values of the strategy will stand here. Write parameters, an exit or limits of risk.", self._rows, wordWrap=True
            )
            give(empty, role="muted")
            column.addWidget(empty)
        self._column.replaceWidget(old, self._rows)
        old.hide()
        old.deleteLater()

    def _group(self, rows: list[FormRow], widest: int) -> QFormLayout:
        form = QFormLayout()
        form.setHorizontalSpacing(3 * GRID)
        form.setVerticalSpacing(GRID)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.FieldsStayAtSizeHint)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for row in rows:
            field = field_of(row, self._rows)
            field.setObjectName("field_" + "_".join(str(name) for name in row.path))
            field.setAccessibleName(f"{row.group}: {row.label}{f', {row.unit}' if row.unit else ''}")
            field.setToolTip(tip(row.help))
            field.wanted.connect(lambda value, path=row.path: self.valueWanted.emit(path, value))
            self._fields[row.path] = field
            label = QLabel(row.label, self._rows)
            label.setToolTip(tip(row.help))
            label.setBuddy(field)
            label.setWordWrap(True)
            label.setFixedWidth(widest)
            form.addRow(label, field)
        return form


def _has_focus(field: QWidget) -> bool:
    focused = QApplication.focusWidget()
    return focused is not None and (focused is field or field.isAncestorOf(focused))
