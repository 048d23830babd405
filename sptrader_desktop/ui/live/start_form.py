"""What a live session is started with: asked, judged beside each field, shown as the command line it stands for, and remembered."""

from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QComboBox, QFileDialog, QFormLayout, QHBoxLayout, QLabel, QLayout, QVBoxLayout, QWidget

from sptrader_desktop.present import live_form
from sptrader_desktop.present.file_names import told_apart
from sptrader_desktop.present.navigator import Kind
from sptrader_desktop.present.observable import Observable
from sptrader_desktop.present.run_form import Question
from sptrader_desktop.ui.data.parts import button, choice, chosen, column, form, label, line, named, row
from sptrader_desktop.ui.live.answer_problems import problems_of, where_refused
from sptrader_desktop.ui.live.live_desk import LiveDesk
from sptrader_desktop.ui.navigator import dragged_item
from sptrader_desktop.ui.run_fields import Field, answer_of, made_field, row_of
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.roles import Tone, give
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.column_scroll import ColumnScroll
from sptrader_desktop.ui.widgets.folded import Folded
from sptrader_desktop.ui.widgets.words import tip

WHAT = (
    "Trades one strategy on the paper broker, in a program of its own that goes on when this window closes. Prices come through the "
    "stream prices:live. Paper: no order reaches a market."
)
SIDE, TITLE_ROOM = 88 * GRID, 19 * GRID
STRATEGY = "strategy"


class StartForm(QWidget):
    startAsked = Signal(object)  # the words of the command

    def __init__(
        self,
        desk: LiveDesk,
        kept: Observable[dict[str, str]],
        backtest: Callable[[], Mapping[str, str]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("liveStartForm")
        self.setAcceptDrops(True)
        self._desk, self._kept, self._backtest = desk, kept, backtest
        self._fields: dict[str, Field] = {}
        self.problems: dict[str, QLabel] = {}
        self._is_judged = False  # from the first try on
        self.strategy = choice("liveStrategy", "Strategy", (), "The strategy that trades")
        self.line = line("liveCommand", "The command that this form stands for")
        self.line.setReadOnly(True)
        self.start = button("startLiveButton", "Start Live Trading", "Start the program that trades, on paper", "primary")
        self.said = label("")
        self.said.setObjectName("liveStartSaid")
        self._build()
        self._fill(live_form.defaults() | kept.value)
        self._changed()

    @property
    def answers(self) -> dict[str, str]:
        return {STRATEGY: chosen(self.strategy), **{key: answer_of(field) for key, field in self._fields.items()}}

    @property
    def at_stop(self) -> str:
        return self.answers["at_stop"]

    def refresh(self) -> None:
        """The strategies there are; the chosen one stays so, else the one of the last start."""
        before = chosen(self.strategy) or self._kept.value.get(STRATEGY, "")
        self.strategy.clear()
        for path, name in zip(found := self._desk.strategies(), told_apart(found), strict=True):
            self.strategy.addItem(name, str(path))
        if before and self.strategy.findData(before) < 0 and Path(before).is_file():
            self.strategy.addItem(Path(before).name, before)
        self.strategy.setCurrentIndex(max(0, self.strategy.findData(before)))

    def choose(self, strategy: Path) -> None:
        if self.strategy.findData(str(strategy)) < 0:
            self.strategy.addItem(strategy.name, str(strategy))
        self.strategy.setCurrentIndex(self.strategy.findData(str(strategy)))

    def show_busy(self, words: str) -> None:
        """While it is started nothing can be asked twice."""
        self.start.setEnabled(False)
        self._say(words)

    def show_ended(self, problem: str) -> None:
        """Why it did not start, beside what it is about."""
        self.start.setEnabled(True)
        key, words = where_refused(problem)
        self._say(words, "danger" if words else "")
        if key:
            self._mark({key: words})
            self._lead_to(key, {key: words})

    # Asking

    def _ask(self) -> None:
        self._is_judged = True
        found = self._judge()
        if found:
            self._say(f"{len(found)} answer{'s' if len(found) > 1 else ''} to mend before it can start", "danger")
            first = next(key for key in (STRATEGY, *self._fields) if key in found)
            self._lead_to(first, found)
        else:
            self._kept.set(self.answers)
            self._say("")
            self.startAsked.emit(live_form.command(self.answers))

    def _lead_to(self, key: str, found: Mapping[str, str]) -> None:
        if found.keys() & {question.key for question in live_form.MORE}:
            self._more.unfold(True)
        self._scroll.bring(self._field(key))

    def _changed(self) -> None:
        answers = self.answers
        self.line.setText(self._desk.shell_line(live_form.command(answers)))
        self.line.setCursorPosition(0)
        self.line.setToolTip(tip(self.line.text()))
        if self._is_judged:
            self._judge()

    def _judge(self) -> dict[str, str]:
        found = problems_of(self.answers, self._desk.instruments())
        self._mark(found)
        return found

    def _mark(self, found: Mapping[str, str]) -> None:
        for key, problem in self.problems.items():
            words, field = found.get(key, ""), self._field(key)
            problem.setText(words)
            problem.setVisible(bool(words))
            field.setAccessibleDescription(words)
            give(field, tone="danger" if words else "")

    def _field(self, key: str) -> QWidget:
        return self.strategy if key == STRATEGY else self._fields[key]

    def _say(self, words: str, tone: Tone = "") -> None:
        self.said.setText(words)
        give(self.said, tone=tone)

    # Filling

    def _fill(self, answers: Mapping[str, str]) -> None:
        for key, text in answers.items():
            field = self._fields.get(key)
            if isinstance(field, QComboBox):
                field.setCurrentIndex(max(0, field.findData(text)))
            elif field is not None:
                field.setText(text)
        if any(answers.get(question.key) for question in live_form.MORE):
            self._more.unfold(True)

    def _take_from_backtest(self) -> None:
        """What both are asked."""
        answers = self._backtest()
        self._fill({key: answers[key] for key in live_form.COMMON if key in answers})
        self._say("Account, costs and parameters are as in the Backtest pane")

    def _pick(self) -> None:
        before = chosen(self.strategy)
        dialog = QFileDialog(self, "Strategy", str(Path(before).parent) if before else "", "Strategies (*.yaml *.yml)")
        dialog.setObjectName("pickLiveStrategy")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.choose(Path(path)))
        dialog.open()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.line.text())
        self._say("The command is on the clipboard")

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        dragged = dragged_item(event.mimeData())
        if dragged is not None and dragged[0] is Kind.STRATEGY:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        dragged = dragged_item(event.mimeData())
        if dragged is not None and dragged[0] is Kind.STRATEGY:
            event.acceptProposedAction()
            self.choose(Path(dragged[1]))

    # Building

    def _build(self) -> None:
        left, right, more = form(), form(), form()
        self.strategy.setMinimumContentsLength(8)
        browse = button("pickLiveStrategyButton", "Browse…", "A strategy that is in no folder of the workspace")
        pick = row(self.strategy, browse)
        pick.setStretch(0, 1)
        self._add(left, STRATEGY, "Strategy", pick)
        for question in live_form.MARKET:
            self._add_question(left, question)
        account = label(self._desk.account)
        account.setFont(look().font(fixed=True))
        self.line.setFont(look().font(fixed=True))
        named(account, "liveAccount", "Account", "Another account is another folder: SPTRADER_LIVE names it")
        right.addRow(_title("Account"), account)
        for question in (*live_form.ACCOUNT, *live_form.COSTS):
            self._add_question(right, question)
        inside = QWidget()
        inside.setLayout(more)
        self._more = Folded("More", "liveMore", inside)
        for question in live_form.MORE:
            self._add_question(more, question)
        self._add_question(right, live_form.AT_STOP)
        take = button(
            "liveFromBacktestButton", "As in Backtest", "Take capital, currency, leverage, costs and parameters from the Backtest pane"
        )
        copy = button("copyLiveCommandButton", "Copy", "The command line, to the clipboard")
        sides = row(_side(label("What trades", "muted"), left, self._more), _side(label("Account and costs", "muted"), right, row(take, 1)))
        sides.setSpacing(GRID * 8)
        foot = row(self.start, self.said)
        foot.setStretch(1, 1)
        command = row(QLabel("Command"), self.line, copy)
        command.setStretch(1, 1)
        holder = QWidget()
        holder.setMaximumWidth(look().pixels(2 * SIDE + 8 * GRID))
        holder.setLayout(column(label("Live trading on paper", "title"), label(WHAT, "muted"), sides, command, foot, 1, margin=0))
        self._scroll = ColumnScroll(holder)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._scroll)
        self.strategy.currentIndexChanged.connect(lambda _: self._changed())
        browse.clicked.connect(lambda _=False: self._pick())
        take.clicked.connect(lambda _=False: self._take_from_backtest())
        copy.clicked.connect(lambda _=False: self._copy())
        self.start.clicked.connect(lambda _=False: self._ask())

    def _add_question(self, into: QFormLayout, question: Question) -> None:
        made = made_field(question, self._changed, self._ask)
        beside = row_of(question, made)
        for one in (made, *beside.children()):
            if isinstance(one, QWidget) and one.objectName():
                one.setObjectName(f"live{one.objectName()[:1].upper()}{one.objectName()[1:]}".removesuffix("Answer"))
        self._fields[question.key] = made
        self._add(into, question.key, question.label, row(beside))

    def _add(self, into: QFormLayout, key: str, title: str, field: QLayout) -> None:
        """With room below it for what is wrong with it."""
        problem = label("", "small")
        named(problem, f"live{key[:1].upper()}{key[1:]}Problem", f"What is wrong with: {title}")
        give(problem, tone="danger")
        problem.hide()
        self.problems[key] = problem
        both = QVBoxLayout()
        both.setContentsMargins(0, 0, 0, 0)
        both.setSpacing(GRID // 2)
        both.addLayout(field)
        both.addWidget(problem)
        into.addRow(_title(title), both)


def _title(text: str) -> QLabel:
    """As wide in every part of the form, so that fields stand in one line."""
    made = label(text, wraps=False)
    made.setMinimumWidth(look().pixels(TITLE_ROOM))
    return made


def _side(*parts: QWidget | QHBoxLayout | QFormLayout | QVBoxLayout) -> QWidget:
    whole = QWidget()
    whole.setLayout(column(*parts, 1, margin=0))
    whole.setFixedWidth(look().pixels(SIDE))
    return whole
