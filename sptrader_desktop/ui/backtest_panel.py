"""What to run: strategy, candles, range, account and costs. It asks; whoever listens to `runAsked` runs."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from sptrader_desktop.present import run_form
from sptrader_desktop.runtime.recipe import Recipe
from sptrader_desktop.ui.desk import Series
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.choice_box import ChoiceBox
from sptrader_desktop.ui.widgets.column_scroll import ColumnScroll

T = TypeVar("T")


class BacktestPanel(QWidget):
    runAsked = Signal()
    changed = Signal()  # anything that a run depends on
    strategyChosen = Signal(str)
    seriesChosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("backtestPanel")
        self._answers: dict[str, QLineEdit | QComboBox] = {}
        self._series: list[Series] = []
        self._strategies: list[Path] = []
        self.strategy, self.data = ChoiceBox(), ChoiceBox()
        self.more = QLineEdit()
        self.run = QPushButton("Run Backtest")
        self.problem = QLabel()
        self._lay_out()

    # What it is told

    def offer(self, strategies: Sequence[Path], series: Sequence[Series]) -> None:
        """What is chosen stays chosen while it is still there; only another choice is told."""
        chosen, looked_at = self.chosen_strategy(), self.chosen_series()
        self._strategies, self._series = list(strategies), list(series)
        _fill(self.strategy, [path.stem for path in strategies], _place(self._strategies, chosen))
        _fill(self.data, [item.label for item in series], _place(self._series, looked_at))
        if self.chosen_strategy() != chosen:
            self._strategy_changed()
        if self.chosen_series() != looked_at:
            self._series_changed()

    def choose(self, strategy: Path | None, series: Series | None) -> None:
        if strategy in self._strategies:
            self.strategy.setCurrentIndex(_place(self._strategies, strategy))
        if series in self._series:
            self.data.setCurrentIndex(_place(self._series, series))

    def show_recipe(self, recipe: Recipe) -> None:
        """The answers of a run that was asked before."""
        for key in self._answers:
            self.set_answer(key, str(getattr(recipe, key)))

    def set_answer(self, key: str, value: str) -> None:
        field = self._answers[key]
        if isinstance(field, QComboBox):
            field.setCurrentIndex(max(0, field.findData(value)))
        else:
            field.setText(value)

    def refuse(self, sentence: str) -> None:
        """Say what is wrong, at the answer that it is about."""
        question, words = run_form.refused(sentence)
        self.problem.setText(words)
        self.problem.setVisible(bool(words))
        if question:
            self._answers[question.key].setFocus(Qt.FocusReason.OtherFocusReason)

    def set_running(self, is_running: bool) -> None:
        self.run.setEnabled(not is_running)
        self.run.setText("Running …" if is_running else "Run Backtest")

    # What it answers

    @property
    def strategies(self) -> Sequence[Path]:
        return self._strategies

    @property
    def series(self) -> Sequence[Series]:
        return self._series

    def chosen_strategy(self) -> Path | None:
        index = self.strategy.currentIndex()
        return self._strategies[index] if 0 <= index < len(self._strategies) else None

    def chosen_series(self) -> Series | None:
        index = self.data.currentIndex()
        return self._series[index] if 0 <= index < len(self._series) else None

    def recipe(self) -> Recipe | None:
        strategy, series = self.chosen_strategy(), self.chosen_series()
        if strategy is None or series is None:
            return None
        answers: dict[str, Any] = {key: self._answer(key) for key in self._answers}
        if series.path:
            return replace(Recipe(str(strategy), data=(series.path, *self._other_files(series))), **answers)
        symbols = (series.symbol, *(item.symbol for item in self._others(series)))
        return replace(Recipe(str(strategy), source=series.source, symbols=symbols, timeframe=series.timeframe), **answers)

    def _answer(self, key: str) -> str:
        field = self._answers[key]
        return str(field.currentData()) if isinstance(field, QComboBox) else field.text().strip()

    def _others(self, first: Series) -> list[Series]:
        """Further symbols of a portfolio, named after the plus: those of the first one's kind and timeframe."""
        wanted = [word.upper() for word in self.more.text().replace(",", " ").split()]
        alike = [item for item in self._series if item.source == first.source and item.timeframe == first.timeframe]
        return [item for word in wanted for item in alike if item.symbol == word][: len(wanted)]

    def _other_files(self, first: Series) -> list[str]:
        return [item.path for item in self._others(first)]

    # How it looks

    def _lay_out(self) -> None:
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(GRID * 3, GRID * 3, GRID * 3, GRID * 3)
        column.setSpacing(GRID * 3)
        column.addWidget(self._what())
        for title, questions in run_form.GROUPS:
            column.addWidget(self._group(title, questions))
        column.addStretch(1)
        self._align_labels(inner)
        scroll = ColumnScroll(inner)
        scroll.setObjectName("backtestScroll")
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(scroll, 1)
        whole.addWidget(self._foot())

    def _align_labels(self, inner: QWidget) -> None:
        """The fields of all groups begin on one line."""
        labels = [
            label
            for form in inner.findChildren(QFormLayout)
            for row in range(form.rowCount())
            if (item := form.itemAt(row, QFormLayout.ItemRole.LabelRole)) and isinstance(label := item.widget(), QLabel)
        ]
        widest = max(label.sizeHint().width() for label in labels)
        for label in labels:
            label.setMinimumWidth(widest)

    def _what(self) -> QWidget:
        box = QGroupBox("Run")
        form = _form(box)
        for name, label, field in (("strategyChoice", "Strategy", self.strategy), ("dataChoice", "Candles", self.data)):
            _named(field, name, label)
            field.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            field.setMinimumContentsLength(10)
            form.addRow(label, field)
        _named(self.more, "moreSymbols", "Further symbols")
        self.more.setPlaceholderText("for a portfolio: GBPUSD USDJPY")
        self.more.setToolTip("Further symbols of the same source and timeframe, traded by one account")
        form.addRow("And", self.more)
        self.strategy.currentIndexChanged.connect(self._strategy_changed)
        self.data.currentIndexChanged.connect(self._series_changed)
        self.more.textChanged.connect(self.changed)
        return box

    def _group(self, title: str, questions: Sequence[run_form.Question]) -> QWidget:
        box = QGroupBox(title)
        form = _form(box)
        for question in questions:
            field: QLineEdit | QComboBox
            if question.choices:
                field = ChoiceBox()
                for value, label in question.choices:
                    field.addItem(label, value)
                field.currentIndexChanged.connect(self.changed)
            else:
                field = QLineEdit(question.default)
                field.setPlaceholderText(question.hint)
                field.textChanged.connect(self.changed)
                field.returnPressed.connect(self.runAsked)
            _named(field, f"{question.key}Answer", question.label)
            field.setToolTip(question.tip)
            self._answers[question.key] = field
            form.addRow(question.label, _with_suffix(field, question.suffix) if question.suffix else field)
        return box

    def _foot(self) -> QWidget:
        foot = QWidget()
        foot.setObjectName("backtestFoot")
        column = QVBoxLayout(foot)
        column.setContentsMargins(GRID * 3, GRID * 2, GRID * 3, GRID * 3)
        self.problem.setObjectName("backtestProblem")
        self.problem.setProperty("role", "problem")
        self.problem.setWordWrap(True)
        self.problem.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.problem.hide()
        _named(self.run, "runBacktestButton", "Run Backtest")
        self.run.setProperty("role", "primary")
        self.run.setToolTip("Run the strategy over the chosen candles (F5)")
        self.run.clicked.connect(self.runAsked)
        column.addWidget(self.problem)
        column.addWidget(self.run)
        return foot

    def _strategy_changed(self) -> None:
        path = self.chosen_strategy()
        self.strategyChosen.emit(str(path) if path else "")
        self.changed.emit()

    def _series_changed(self) -> None:
        self.seriesChosen.emit(self.chosen_series())
        self.changed.emit()


def _place(among: Sequence[T], wanted: T | None) -> int:
    return among.index(wanted) if wanted in among else 0


def _fill(box: QComboBox, labels: Sequence[str], chosen: int) -> None:
    was_blocked = box.blockSignals(True)
    box.clear()
    box.addItems(labels)
    box.setCurrentIndex(chosen if labels else -1)
    box.blockSignals(was_blocked)


def _form(box: QGroupBox) -> QFormLayout:
    box.setFlat(True)
    form = QFormLayout(box)
    form.setContentsMargins(0, GRID, 0, 0)
    form.setHorizontalSpacing(GRID * 3)
    form.setVerticalSpacing(GRID * 2)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
    return form


def _named(widget: QWidget, name: str, words: str) -> None:
    widget.setObjectName(name)
    widget.setAccessibleName(words)


def _with_suffix(field: QWidget, suffix: str) -> QWidget:
    row = QWidget()
    line = QHBoxLayout(row)
    line.setContentsMargins(0, 0, 0, 0)
    line.setSpacing(GRID * 2)
    unit = QLabel(suffix)
    unit.setProperty("role", "muted")
    line.addWidget(field, 1)
    line.addWidget(unit)
    return row
