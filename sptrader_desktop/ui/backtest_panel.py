"""What to run: strategy, candles, range, account and costs. It asks; whoever listens to `runAsked` runs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import QDate, QEvent, QObject, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QFormLayout, QGroupBox, QLabel, QLineEdit, QVBoxLayout, QWidget

from sptrader_desktop.present import run_form
from sptrader_desktop.present.file_names import told_apart
from sptrader_desktop.runtime.recipe import Recipe
from sptrader_desktop.ui.desk import Series, series_of_key
from sptrader_desktop.ui.run_fields import Field, answer_of, form_of, made_field, named, offer_given, row_of
from sptrader_desktop.ui.run_foot import RunFoot
from sptrader_desktop.ui.theme.roles import give
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.timeframe_choice import TimeframeChoice
from sptrader_desktop.ui.widgets.choice_box import ChoiceBox
from sptrader_desktop.ui.widgets.column_scroll import ColumnScroll
from sptrader_desktop.ui.widgets.date_field import DateField
from sptrader_desktop.ui.widgets.folded import Folded
from sptrader_desktop.ui.widgets.word_completer import WordCompleter
from sptrader_desktop.ui.widgets.words import tip

if TYPE_CHECKING:
    from sptrader_desktop.core.candles import Candles

T = TypeVar("T")
PARAMS = "params"
BESIDES = " · "  # between symbol and timeframe and what tells their candles apart
SYMBOLS, SOURCE, ELSEWHERE = "symbols", "source", "elsewhere"  # under which what is no question is kept with the answers


class BacktestPanel(QWidget):
    runAsked = Signal()
    cancelAsked = Signal()
    changed = Signal()  # anything that a run depends on
    strategyChosen = Signal(str)
    seriesChosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("backtestPanel")
        self._answers: dict[str, Field] = {}
        self._series: list[Series] = []
        self._strategies: list[Path] = []
        self._asked_for: Series | None = None  # what was told last, run on or brought along
        self._missed: tuple[Path | None, Series | None] = None, None  # what was chosen and is not there any more
        self.strategy, self.source, self.data, self.elsewhere = ChoiceBox(), ChoiceBox(), ChoiceBox(), QLineEdit()
        self.timeframe = TimeframeChoice()
        self.more, self.read, self.foot = QLineEdit(), QLabel(), RunFoot()
        self.run, self.problem = self.foot.run, self.foot.problem
        self._completer = WordCompleter(self)
        self._lay_out()

    # What it is told

    def offer(self, strategies: Sequence[Path], series: Sequence[Series]) -> None:
        """What is chosen stays chosen, and nothing takes its place when it is gone: it may come back. Only another choice is told."""
        chosen, looked_at = self.chosen_strategy(), self.kept_series()
        wanted, looked_for = chosen or self._missed[0], looked_at or self._missed[1]
        self._strategies, self._series = list(strategies), list(series)
        _fill(self.strategy, told_apart(strategies), _place(self._strategies, wanted), wanted.stem if wanted else "")
        _fill(self.data, _names(self._series), _place(self._series, looked_for), looked_for.label if looked_for else "")
        self._missed = None if self.chosen_strategy() else wanted, None if self.kept_series() else looked_for
        if self.chosen_strategy() != chosen:
            self._strategy_changed()
        if self.kept_series() != looked_at and not self.is_elsewhere:
            self._series_changed()

    def renamed(self, old: Path, new: Path) -> None:
        """A strategy or a file of candles got another name and stays chosen by it."""
        if old in self._strategies:
            place = self._strategies.index(old)
            self._strategies[place] = new
            for at, name in enumerate(told_apart(self._strategies)):
                self.strategy.setItemText(at, name)
            if place == self.strategy.currentIndex():
                self._strategy_changed()
        files, series = [item.path for item in self._series], series_of_key(f":{new}")
        if str(old) in files and series is not None:
            place = files.index(str(old))
            self._series[place] = series
            for at, name in enumerate(_names(self._series)):
                self.data.setItemText(at, name)
            if place == self.data.currentIndex() and not self.is_elsewhere:
                self._series_changed()

    def choose(self, strategy: Path | None, series: Series | None) -> None:
        if strategy in self._strategies:
            self.strategy.setCurrentIndex(_place(self._strategies, strategy))
        if series in self._series:
            self.source.setCurrentIndex(0)
            self.data.setCurrentIndex(_place(self._series, series))

    def show_recipe(self, recipe: Recipe) -> None:
        """The answers of a run that was asked before, told as no change: nothing is stale by it."""
        blocker = QSignalBlocker(self)
        for key, text in run_form.answers_of(recipe.as_json()).items():
            self.set_answer(key, text)
        is_elsewhere = run_form.is_elsewhere(recipe.source)
        if is_elsewhere:
            self.elsewhere.setText(f"{recipe.symbols[0]} {recipe.timeframe}")
        self.set_answer(SOURCE, recipe.source if is_elsewhere else "")
        strategy = Path(recipe.strategy)
        self.choose(strategy, self._series_of(recipe))
        if strategy not in self._strategies:  # what was chosen before has nothing to do with this run
            self._missed = strategy, self._missed[1]
            self.strategy.setPlaceholderText(_gone(strategy.stem))
            self.strategy.setCurrentIndex(-1)
        named_symbols = {item.path: item.symbol for item in self._series if item.path}
        further = [named_symbols.get(path, "") for path in recipe.data[1:]] if recipe.data else recipe.symbols[1:]
        self.more.setText(" ".join(further))
        blocker.unblock()
        self.settle()
        self._tell_strategy()

    def restore(self, answers: Mapping[str, str], given: Mapping[str, tuple[str, ...]]) -> None:
        """As they were when the program ended, told to nobody; what it does not know any more is left out."""
        blocker = QSignalBlocker(self)
        for key, text in answers.items():
            self.set_answer(key, text)
        blocker.unblock()
        self.settle()
        for key, texts in given.items():
            if key in self._answers:
                offer_given(self._answers[key], texts)

    def set_answer(self, key: str, text: str) -> None:
        others: dict[str, Field] = {SYMBOLS: self.more, SOURCE: self.source, ELSEWHERE: self.elsewhere}
        field = others.get(key) or self._answers.get(key)
        if isinstance(field, TimeframeChoice):
            field.want(text)
        elif isinstance(field, QComboBox):
            field.setCurrentIndex(max(0, field.findData(text)))
        elif field is not None:
            field.setText(text)
            if text and key in {question.key for question in run_form.MORE}:
                self._folded.unfold(True)

    def take_as_written(self, recipe: Recipe, kept: tuple[str, ...]) -> bool:
        """The parameters that this run was given stand in its strategy now, but those that are kept: for the others the answer would win
        over what is written next. Whether they were asked for."""
        asked = self.recipe()
        is_asked = asked is not None and bool(recipe.params) and (asked.strategy, asked.params) == (recipe.strategy, recipe.params)
        if is_asked:
            self.set_answer(PARAMS, run_form.answers_of(replace(recipe, params=kept).as_json())[PARAMS])
        return is_asked

    def give_back(self, recipe: Recipe, kept: tuple[str, ...]) -> None:
        """They stand there no more; what was asked for since stays."""
        asked = self.recipe()
        if asked is not None and (asked.strategy, asked.params) == (recipe.strategy, kept):
            self.set_answer(PARAMS, run_form.answers_of(recipe.as_json())[PARAMS])

    def settle(self) -> None:
        """What is chosen now is known to whoever it concerns: nobody is asked for it by leaving a field."""
        self._asked_for = self.shown_series()

    def tell_candles(self, candles: "Candles") -> None:
        """How many bars were chosen and from when, where the choice is made; nothing where it is another by now."""
        if self.shown_series() != self._asked_for:
            return
        words = run_form.candles_line(candles)
        self.read.setText(words)
        self.read.setVisible(True)
        chosen = self.kept_series()
        if chosen is not None and not self.is_elsewhere:
            whole = tip(f"{chosen.label}\n{words}")
            self.data.setItemData(self.data.currentIndex(), whole, Qt.ItemDataRole.ToolTipRole)
            self.data.setToolTip(whole)
        if len(candles):
            for key, stamp in (("start", candles.timestamp[0]), ("end", candles.timestamp[-1])):
                field = self._answers[key]
                if isinstance(field, DateField):
                    field.first = QDate(1970, 1, 1).addDays(int(stamp) // run_form.DAY_US)

    def refuse(self, sentence: str) -> None:
        """Say what is wrong, at the answer that it is about."""
        question, words = run_form.refused(sentence)
        self.foot.say(words)
        if question in run_form.MORE:
            self._folded.unfold(True)
        self._mark(question.key if question else "")
        if question:
            self._scroll.bring(self._answers[question.key])

    def _forget_refusal(self) -> None:
        """It was about other answers than these."""
        self.foot.say("")
        self._mark()

    def _mark(self, refused: str = "") -> None:
        for key, field in self._answers.items():
            give(field, tone="danger" if key == refused else "")

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

    @property
    def is_elsewhere(self) -> bool:
        """Candles are asked of a source that lists none."""
        return run_form.is_elsewhere(str(self.source.currentData()))

    def chosen_series(self) -> Series | None:
        if not self.is_elsewhere:
            return self.kept_series()
        named_candles = run_form.named_candles(self.elsewhere.text())
        return Series(*named_candles, source=str(self.source.currentData())) if named_candles else None

    def kept_series(self) -> Series | None:
        """Of the list, whether or not it is what is run on."""
        index = self.data.currentIndex()
        return self._series[index] if 0 <= index < len(self._series) else None

    def shown_series(self) -> Series | None:
        """The chosen ones in the timeframe in which they are run."""
        chosen = self.chosen_series()
        return chosen and replace(chosen, resample=self.timeframe.longer)

    def recipe(self) -> Recipe | None:
        strategy, series = self.chosen_strategy(), self.chosen_series()
        if strategy is None or series is None:
            return None
        answers: dict[str, Any] = {key: run_form.BY_KEY[key].value(answer_of(field)) for key, field in self._answers.items()}
        if series.path:
            return replace(Recipe(str(strategy), data=(series.path, *self._other_files(series))), **answers)
        others = self._further() if self.is_elsewhere else [item.symbol for item in self._others(series)]
        symbols = (series.symbol, *others)
        return replace(Recipe(str(strategy), source=series.source, symbols=symbols, timeframe=series.timeframe), **answers)

    def answers(self) -> dict[str, str]:
        """As a person wrote them, to be kept."""
        asked = {key: answer_of(field) for key, field in self._answers.items()}
        chosen = {SOURCE: str(self.source.currentData()), ELSEWHERE: self.elsewhere.text().strip(), SYMBOLS: self.more.text().strip()}
        return {**asked, run_form.TIMEFRAME.key: self.timeframe.wanted, **chosen}

    def _series_of(self, recipe: Recipe) -> Series | None:
        if recipe.data:
            return next((item for item in self._series if item.path == recipe.data[0]), None)
        wanted = recipe.source, *recipe.symbols[:1], recipe.timeframe
        return next((item for item in self._series if (item.source, item.symbol, item.timeframe) == wanted), None)

    @property
    def unknown(self) -> list[str]:
        """Further symbols that are not there."""
        series = self.chosen_series()
        if self.is_elsewhere:
            return []  # its server says
        found = {item.symbol for item in self._others(series)} if series else set()
        return [word for word in self._further() if word not in found]

    @property
    def missing(self) -> str:
        """What was chosen and is not there any more."""
        strategy, series = self._missed
        gone = [] if strategy is None or self.chosen_strategy() else [strategy.stem]
        gone += [] if series is None or self.chosen_series() else [series.label]
        return "; ".join(map(_gone, gone))

    def _further(self) -> list[str]:
        return [word.upper() for word in self.more.text().replace(",", " ").split()]

    def _others(self, first: Series) -> list[Series]:
        """Further symbols of a portfolio, named after the plus: those of the first one's kind and timeframe."""
        wanted = self._further()
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
            box = QGroupBox(title)
            box.setFlat(True)
            column.addWidget(self._asked(questions, box))
        self._folded = Folded("More", "moreAnswersButton", self._asked(run_form.MORE, QWidget()))
        column.addWidget(self._folded)
        column.addStretch(1)
        inner.installEventFilter(self)  # words of another size ask for another layout
        self._align_labels(inner)
        self._scroll = ColumnScroll(inner)
        self._scroll.setObjectName("backtestScroll")
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self._scroll, 1)
        whole.addWidget(self.foot)
        self.changed.connect(self._forget_refusal)
        self.foot.runAsked.connect(self.runAsked)
        self.foot.cancelAsked.connect(self.cancelAsked)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest and isinstance(watched, QWidget):
            self._align_labels(watched)
        return super().eventFilter(watched, event)

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
        box.setFlat(True)
        self._run_form = form = form_of(box)
        boxes = ("strategyChoice", "Strategy", self.strategy), ("sourceChoice", "Source", self.source), ("dataChoice", "Candles", self.data)
        for name, label, field in boxes:
            named(field, name, label)
            field.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            field.setMinimumContentsLength(10)
            form.addRow(label, field)
        self.data.keeps = BESIDES
        form.addRow("Candles", self.elsewhere)
        self._build_elsewhere()
        named(self.more, "moreSymbols", "Further symbols")
        self.more.setPlaceholderText("GBPUSD USDJPY")
        self.more.setToolTip("Further symbols of the same source and timeframe, traded by one account")
        self.more.setCompleter(self._completer)
        self.read.setObjectName("candlesRead")
        give(self.read, role="small")
        self.read.setWordWrap(True)
        self.read.hide()
        form.addRow(run_form.TIMEFRAME.label, self._timeframe())
        form.addRow("", self.timeframe.note)
        form.addRow("", self.read)
        form.addRow("Also trade", self.more)
        self.strategy.currentIndexChanged.connect(self._strategy_changed)
        self.data.currentIndexChanged.connect(self._series_changed)
        self.more.textChanged.connect(self.changed)
        return box

    def _build_elsewhere(self) -> None:
        for value, label in run_form.SOURCES:
            self.source.addItem(label, value)
        self.source.setToolTip("Kept candles: files, the catalogue and the database. Others are asked for when they are shown or run on")
        named(self.elsewhere, "elsewhereCandles", "Symbol and timeframe")
        self.elsewhere.setPlaceholderText("EURUSD 1h")
        self.elsewhere.setToolTip("Symbol and timeframe of the source's candles; Return shows them, again too")
        self._run_form.setRowVisible(self.elsewhere, False)
        self.source.currentIndexChanged.connect(self._source_changed)
        self.elsewhere.textChanged.connect(self._named_elsewhere)
        self.elsewhere.returnPressed.connect(self._ask_elsewhere)
        self.elsewhere.editingFinished.connect(self._leave_elsewhere)

    def _source_changed(self) -> None:
        self._run_form.setRowVisible(self.elsewhere, self.is_elsewhere)
        self._run_form.setRowVisible(self.data, not self.is_elsewhere)
        self._series_changed()

    def _named_elsewhere(self) -> None:
        """While it is typed nothing is asked of anybody."""
        if self.is_elsewhere:
            self.read.hide()  # of other candles
            chosen = self.chosen_series()
            self.timeframe.offer(chosen.timeframe if chosen else "")
            self.changed.emit()

    def _ask_elsewhere(self) -> None:
        """By Return; once more where a server did not answer."""
        self._tell_series()
        if self.chosen_series() is None:
            self.refuse(run_form.WANTED)

    def _leave_elsewhere(self) -> None:
        """Other candles than before are shown; to whoever goes on to the button of a run, by the run."""
        if self.is_elsewhere and not self.run.hasFocus() and self.shown_series() != self._asked_for:
            self._tell_series()

    def _timeframe(self) -> QWidget:
        question, field = run_form.TIMEFRAME, self.timeframe
        self._answers[question.key] = field
        named(field, "timeframeAnswer", question.label)
        field.setToolTip(question.tip)
        field.chosen.connect(self._tell_series)
        return field

    def _asked(self, questions: Sequence[run_form.Question], box: QWidget) -> QWidget:
        form = form_of(box)
        for question in questions:
            field = made_field(question, self.changed.emit, self.runAsked.emit)
            self._answers[question.key] = field
            form.addRow(question.label, row_of(question, field))
        return box

    def _strategy_changed(self) -> None:
        self._tell_strategy()
        self.changed.emit()

    def _tell_strategy(self) -> None:
        path = self.chosen_strategy()
        self.strategyChosen.emit(str(path) if path else "")

    def _series_changed(self) -> None:
        chosen = self.chosen_series()
        self.timeframe.offer(chosen.timeframe if chosen else "")
        self.data.setToolTip(tip(chosen.label if chosen else ""))
        alike = {item.symbol for item in self._series if chosen and (item.source, item.timeframe) == (chosen.source, chosen.timeframe)}
        self._completer.offer(sorted(alike - {chosen.symbol if chosen else ""}))
        self._tell_series()

    def _tell_series(self) -> None:
        self.read.hide()
        self.settle()
        self.seriesChosen.emit(self._asked_for)
        self.changed.emit()


def _place(among: Sequence[T], wanted: T | None) -> int:
    """The first, where nothing was wanted yet; none, where it is missing."""
    if wanted is None:
        return 0
    return among.index(wanted) if wanted in among else -1


def _names(series: Sequence[Series]) -> list[str]:
    """Of files of one symbol and timeframe what their names say besides, as far as it tells them apart."""
    files = [item.path for item in series if item.path]
    names = dict(zip(files, told_apart([Path(file) for file in files]), strict=True))
    alike = Counter(map(_kind, series))

    def besides(item: Series) -> str:
        return names[item.path].removeprefix(f"{item.symbol}_{item.timeframe}_") if item.path else item.source

    return [_kind(item) + ("" if item.path and alike[_kind(item)] == 1 else BESIDES + besides(item)) for item in series]


def _kind(series: Series) -> str:
    return f"{series.symbol} {series.timeframe}"


def _gone(name: str) -> str:
    return f"{name} is not there any more: choose another"


def _fill(box: QComboBox, labels: Sequence[str], chosen: int, wanted: str) -> None:
    was_blocked = box.blockSignals(True)
    box.clear()
    box.setPlaceholderText(_gone(wanted) if wanted else "")
    box.addItems(labels)
    box.setCurrentIndex(chosen if labels else -1)
    box.blockSignals(was_blocked)
