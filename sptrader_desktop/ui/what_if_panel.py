"""What if: a slider for every number of the strategy that ran. While the hand moves, the run is made again and laid over the old one."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSlider,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from sptrader_desktop.core.strategy_fields import Path
from sptrader_desktop.present.strategy_numbers import SliderSpec
from sptrader_desktop.present.strategy_text import StrategyText
from sptrader_desktop.present.what_if import step_at, steps_of, typed, value_at, with_values
from sptrader_desktop.ui.theme.roles import give
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.elided_label import ElidedLabel
from sptrader_desktop.ui.widgets.empty_state import EmptyState
from sptrader_desktop.ui.widgets.words import Words, tip

EMPTY = "Every number of the strategy that ran becomes a slider here, and the equity curve follows the hand."
BUSY_MS = 200  # what is shorter needs no sign


class NumberRow(QWidget):
    """One number: its name, a slider, and the value to read and to type; below it what keeps a typed one from counting."""

    moved = Signal(object)  # Decimal

    def __init__(self, spec: SliderSpec, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.spec, self.value = spec, spec.value
        self.label, self.slider, self.field = ElidedLabel(spec.short), QSlider(Qt.Orientation.Horizontal), QLineEdit()
        self.fault = QLabel(wordWrap=True)
        give(self.fault, tone="danger")
        self.slider.setObjectName(f"{name}Slider")
        self.slider.setAccessibleName(spec.label)
        self.slider.setRange(0, steps_of(spec))
        self.slider.setPageStep(max(1, steps_of(spec) // 10))
        self.field.setObjectName(f"{name}Value")
        self.field.setAccessibleName(f"{spec.label}, value")
        self.field.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.field.setFixedWidth(self.field.fontMetrics().horizontalAdvance("0000.000 pips") + GRID * 3)
        self.label.installEventFilter(self)
        self._lay_out()
        self.renew(spec)
        self.slider.valueChanged.connect(lambda step: self._set(value_at(self.spec, step)))
        self.field.editingFinished.connect(self._typed)

    def renew(self, spec: SliderSpec) -> None:
        """The same number with the same range, as another run had it."""
        self.spec, self.value = spec, spec.value
        self.label.setToolTip(tip(f"{spec.label} was {spec.shown(spec.value)} in the run; a double click brings it back"))
        self._show()

    @property
    def is_moved(self) -> bool:
        return self.value != self.spec.value

    def reset(self) -> None:
        self._set(self.spec.value)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.label and event.type() is QEvent.Type.MouseButtonDblClick:
            self.reset()
            return True
        return super().eventFilter(watched, event)

    def _set(self, value: Decimal) -> None:
        if value != self.value:
            self.value = value
            self.moved.emit(value)
        self._show()

    def _typed(self) -> None:
        """What is no number of this kind, or beyond the slider, changes nothing: it stays to be mended. Nothing brings back what counts."""
        try:
            value = typed(self.spec, self.field.text()) if self.field.text().strip() else self.value
        except ValueError as error:
            self._say(str(error))
        else:
            self._set(value)

    def _show(self) -> None:
        self.slider.blockSignals(True)
        self.slider.setValue(step_at(self.spec, self.value))
        self.slider.blockSignals(False)
        self.field.setText(self.spec.shown(self.value))
        self._say("")
        font = self.label.font()
        font.setBold(self.is_moved)
        self.label.setFont(font)

    def _say(self, fault: str) -> None:
        self.fault.setText(fault)
        self.fault.setVisible(bool(fault))

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(GRID * 2)
        grid.setVerticalSpacing(0)
        grid.addWidget(self.label, 0, 0)
        grid.addWidget(self.slider, 1, 0)
        grid.addWidget(self.field, 0, 1, 2, 1, Qt.AlignmentFlag.AlignVCenter)
        grid.addWidget(self.fault, 2, 0, 1, 2)


class WhatIfPanel(QWidget):
    turned = Signal(str)  # the text with the numbers as they stand
    forgotten = Signal()
    applyAsked = Signal(str)  # the text to keep
    runAsked = Signal()  # from the empty panel

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("whatIfPanel")
        self._text: StrategyText | None = None
        self.rows: list[NumberRow] = []
        self._figures, self._given, self.busy = QLabel(), Words(""), QProgressBar()
        self._waiting = QTimer(self, singleShot=True, interval=BUSY_MS)
        self._waiting.timeout.connect(self.busy.show)
        self._apply, self._reset = QPushButton("Apply to Strategy"), QPushButton("Reset")
        self._scroll = QScrollArea()
        self._lay_out()

    def show_numbers(self, text: StrategyText, specs: Sequence[SliderSpec], given: Sequence[str] = ()) -> None:
        """`given` are parameters that the text has no single value for."""
        self._text = text
        self._given.setText(f"As given, since the text has no single value there: {', '.join(given)}" if given else "")
        self._given.setVisible(bool(given))
        # As a rule the strategy has the same numbers as before: to make all rows again would hold the window up.
        if [replace(row.spec, value=spec.value) for row, spec in zip(self.rows, specs, strict=False)] == list(specs) and len(
            self.rows
        ) == len(specs):
            for row, spec in zip(self.rows, specs, strict=True):
                row.renew(spec)
        else:
            self._make_rows(specs)
        self._stack.setCurrentIndex(1)
        self.say("")
        self._enable()

    def _make_rows(self, specs: Sequence[SliderSpec]) -> None:
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(GRID * 3, GRID * 3, GRID * 3, GRID * 3)
        column.setSpacing(GRID * 2)
        self.rows = [NumberRow(spec, f"whatIf{number}") for number, spec in enumerate(specs)]
        group = ""
        for row in self.rows:
            row.moved.connect(self._turned)
            if row.spec.group != group:
                group = row.spec.group
                heading = QLabel(group)
                give(heading, role="muted")
                column.addWidget(heading)
            column.addWidget(row)
        column.addStretch(1)
        self._scroll.setWidget(inner)

    def say(self, words: str) -> None:
        """What the turned numbers come to, beside what the run came to."""
        self._figures.setText(words)

    def set_busy(self, is_busy: bool) -> None:
        """Numbers that components are given take their time; whoever waits sees that something is at work."""
        if not is_busy:
            self._waiting.stop()
            self.busy.hide()
        elif not self._waiting.isActive() and not self.busy.isVisible():
            self._waiting.start()

    def text(self) -> str:
        """With the numbers as they stand."""
        assert self._text is not None, "no numbers are shown yet"
        values: dict[Path, Decimal] = {row.spec.path: row.value for row in self.rows if row.is_moved}
        return with_values(self._text, values)

    def reset(self) -> None:
        for row in self.rows:
            row.blockSignals(True)
            row.reset()
            row.blockSignals(False)
        self.say("")
        self._enable()
        self.forgotten.emit()

    def _turned(self) -> None:
        self._enable()
        if any(row.is_moved for row in self.rows):
            self.turned.emit(self.text())
        else:
            self.reset()

    def _enable(self) -> None:
        is_moved = any(row.is_moved for row in self.rows)
        self._apply.setEnabled(is_moved)
        self._reset.setEnabled(is_moved)

    def _lay_out(self) -> None:
        empty = EmptyState("flask-conical", "Nothing to turn yet", EMPTY, "Run Backtest  F5", self.runAsked.emit)
        empty.setObjectName("whatIfEmpty")
        empty.button.setObjectName("whatIfStep")
        self.busy.setObjectName("whatIfBusy")
        self.busy.setAccessibleName("Computing with these numbers")
        self.busy.setRange(0, 0)
        self.busy.setTextVisible(False)
        keep = self.busy.sizePolicy()
        keep.setRetainSizeWhenHidden(True)
        self.busy.setSizePolicy(keep)
        self.busy.hide()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setObjectName("whatIfScroll")
        self._given.hide()
        give(self._given, role="muted")
        self._figures.setObjectName("whatIfFigures")
        self._figures.setWordWrap(True)
        for button, name, words in (
            (self._apply, "whatIfApplyButton", "Write these numbers into the strategy; undo takes them back"),
            (self._reset, "whatIfResetButton", "Back to the numbers of the run"),
        ):
            button.setObjectName(name)
            button.setAccessibleName(button.text())
            button.setToolTip(words)
            button.setEnabled(False)
        self._apply.clicked.connect(lambda: self.applyAsked.emit(self.text()))
        self._reset.clicked.connect(self.reset)
        foot, buttons = QWidget(), QHBoxLayout()
        buttons.setSpacing(GRID * 2)
        buttons.addWidget(self._apply, 1)
        buttons.addWidget(self._reset)
        column = QVBoxLayout(foot)
        column.setContentsMargins(GRID * 3, GRID * 2, GRID * 3, GRID * 3)
        column.setSpacing(GRID * 2)
        column.addWidget(self.busy)
        column.addWidget(self._given)
        column.addWidget(self._figures)
        column.addLayout(buttons)
        full = QWidget()
        whole = QVBoxLayout(full)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self._scroll, 1)
        whole.addWidget(foot)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(empty)
        self._stack.addWidget(full)
