"""The fields of the backtest panel, made from its questions: lines, choices, days and files."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QCompleter, QFileDialog, QFormLayout, QHBoxLayout, QLabel, QLineEdit, QToolButton, QWidget

from sptrader_desktop.present.run_form import Question
from sptrader_desktop.ui.theme.icons import icon
from sptrader_desktop.ui.theme.roles import give
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.amount_field import AmountField
from sptrader_desktop.ui.widgets.choice_box import ChoiceBox
from sptrader_desktop.ui.widgets.date_field import DateField

Field = QLineEdit | QComboBox
PATTERNS = {"files": "Candles (*.parquet *.csv)", "file": "Tables (*.yaml *.yml)"}


def made_field(question: Question, changed: Callable[[], object], entered: Callable[[], object]) -> Field:
    field: Field
    if question.choices:
        field = ChoiceBox()
        for value, label in question.choices:
            field.addItem(label, value)
        field.currentIndexChanged.connect(lambda _: changed())
    else:
        of_kind: dict[str, Callable[[], QLineEdit]] = {"date": DateField, "amount": lambda: AmountField(question.default)}
        field = of_kind.get(question.kind, lambda: QLineEdit(question.default))()
        field.setPlaceholderText(question.hint)
        field.textChanged.connect(lambda _: changed())
        field.returnPressed.connect(entered)
    named(field, f"{question.key}Answer", question.label)
    field.setToolTip(question.tip)
    return field


def answer_of(field: Field) -> str:
    """As it is kept and asked: a choice by its own name, an amount without separators."""
    if isinstance(field, QComboBox):
        return str(field.currentData() or "")
    return field.amount if isinstance(field, AmountField) else field.text().strip()


def row_of(question: Question, field: Field) -> QWidget:
    """The field, and beside it its unit or the way to pick a file."""
    if question.kind in {"file", "files"} and isinstance(field, QLineEdit):
        return _beside(field, _picker(question, field))
    if question.suffix:
        unit = QLabel(question.suffix)
        give(unit, role="muted")
        return _beside(field, unit)
    return field


def offer_given(field: Field, given: tuple[str, ...]) -> None:
    """What was answered before is offered while one types."""
    if isinstance(field, QLineEdit) and given:
        completer = QCompleter(list(given), field)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        field.setCompleter(completer)


def form_of(box: QWidget) -> QFormLayout:
    form = QFormLayout(box)
    form.setContentsMargins(0, GRID, 0, 0)
    form.setHorizontalSpacing(GRID * 3)
    form.setVerticalSpacing(GRID * 2)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
    return form


def named(widget: QWidget, name: str, words: str) -> None:
    widget.setObjectName(name)
    widget.setAccessibleName(words)


def _picker(question: Question, field: QLineEdit) -> QToolButton:
    button = QToolButton()
    named(button, f"{question.key}Pick", f"Pick: {question.label}")
    button.setIcon(icon("folder-open"))
    button.setToolTip("Pick a file" if question.kind == "file" else "Pick files")
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    give(button, role="flat")
    button.clicked.connect(lambda: _pick(question, field))
    return button


def _pick(question: Question, field: QLineEdit) -> None:
    held = question.value(field.text())
    first = held if isinstance(held, str) else next(iter(held), "")
    dialog = QFileDialog(field, question.label, str(Path(first).parent if first else Path.home()))
    dialog.setObjectName("pickFileDialog")
    dialog.setFileMode(QFileDialog.FileMode.ExistingFiles if question.kind == "files" else QFileDialog.FileMode.ExistingFile)
    dialog.setNameFilters([PATTERNS[question.kind], "All files (*)"])
    dialog.filesSelected.connect(lambda names: field.setText("; ".join(names)))
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()


def _beside(field: QWidget, other: QWidget) -> QWidget:
    row = QWidget()
    line = QHBoxLayout(row)
    line.setContentsMargins(0, 0, 0, 0)
    line.setSpacing(GRID * 2)
    line.addWidget(field, 1)
    line.addWidget(other)
    return row
