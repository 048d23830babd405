"""What the panels of the Data page are built from: named fields, forms, and a foot that tells how work goes and what became of it."""

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from sptrader_desktop.ui.jobs import JobProgress
from sptrader_desktop.ui.tables.table_view import ROW_ROOM, RoomyCells
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.roles import Tone, give
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.choice_box import ChoiceBox
from sptrader_desktop.ui.widgets.icon_label import IconLabel
from sptrader_desktop.ui.widgets.progress_line import ProgressLine
from sptrader_desktop.ui.widgets.words import Words, tip

FORM_WIDTH = 88 * GRID
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class Foot(QWidget):
    """Under a panel: a job at work, or one sentence about what became of it."""

    cancelAsked = Signal()

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.said, self._progress = QLabel(), ProgressLine()
        self.said.setObjectName(f"{name}Said")
        self.said.setWordWrap(True)
        self.said.setTextFormat(Qt.TextFormat.PlainText)
        self.said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._progress.button.setObjectName(f"{name}Cancel")
        self._progress.cancelAsked.connect(self.cancelAsked)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self._progress)
        column.addWidget(self.said)
        self.end()

    @property
    def is_at_work(self) -> bool:
        return not self._progress.isHidden()

    def begin(self, words: str) -> None:
        self.say("")
        self.go_on(words)

    def go_on(self, words: str) -> None:
        """What is said stays."""
        self._progress.start(words)
        self._progress.show()

    def show_progress(self, progress: JobProgress) -> None:
        self._progress.show_progress(progress.fraction, progress.words, progress.left_s)

    def end(self, sentence: str = "", tone: Tone = "") -> None:
        self._progress.hide()
        self.say(sentence, tone)

    def say(self, sentence: str, tone: Tone = "") -> None:
        give(self.said, tone=tone)
        self.said.style().unpolish(self.said)  # a label that is hidden meanwhile has its tone when it is shown
        self.said.style().polish(self.said)
        self.said.setText(sentence)
        self.said.setAccessibleName(sentence)
        self.said.setVisible(bool(sentence))


class FaultNotice(QFrame):
    """Above what is there: why something else is not, and the step after it was mended."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        give(self, role="notice", tone="danger")
        self.label = label("")
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.again = button(f"{name}Again", "Try Again", "Look again for files and series")
        inside = row(IconLabel("triangle-alert", "danger"), self.label, self.again)
        inside.setContentsMargins(GRID * 2, GRID, GRID * 2, GRID)
        inside.setStretch(1, 1)
        self.setLayout(inside)
        self.hide()

    def say(self, sentences: Sequence[str]) -> None:
        self.label.setText("\n".join(sentences))
        self.setAccessibleName(self.label.text())
        self.setVisible(bool(sentences))


class ReplaceBox(QCheckBox):
    """Offered when something was refused because it would replace other bars; ticked, it does."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__("Replace bars that differ", parent)
        self.setObjectName(name)
        self.setAccessibleName(self.text())
        self.setToolTip("Bars that are kept already give way to these")
        self.hide()

    def offer(self, sentence: str) -> bool:
        is_meant = "Replace lets them" in sentence
        if is_meant:
            self.show()
        return is_meant

    def take_back(self) -> None:
        self.blockSignals(True)
        self.setChecked(False)
        self.blockSignals(False)
        self.hide()


def named(widget: QWidget, name: str, words: str, tip: str = "") -> QWidget:
    widget.setObjectName(name)
    widget.setAccessibleName(words)
    if tip:
        widget.setToolTip(tip)
    return widget


def button(name: str, text: str, tip: str = "", role: str = "") -> QPushButton:
    made = QPushButton(text)
    named(made, name, text.rstrip("…. "), tip)
    if role:
        give(made, role=role)
    return made


def choice(name: str, words: str, choices: Iterable[tuple[str, str]], tip: str = "", *, is_open: bool = False) -> QComboBox:
    made = QComboBox() if is_open else ChoiceBox()
    named(made, name, words, tip)
    made.setEditable(is_open)
    made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    made.setMinimumContentsLength(12)
    for value, shown in choices:
        made.addItem(shown, value)
    if is_open:
        made.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
    return made


def chosen(box: QComboBox) -> str:
    """The value of the words that stand there, or what was typed."""
    place = box.findText(box.currentText())
    return str(box.itemData(place)) if place >= 0 else box.currentText().strip()


def line(name: str, words: str, hint: str = "", tip: str = "") -> QLineEdit:
    made = QLineEdit()
    named(made, name, words, tip)
    made.setPlaceholderText(hint)
    return made


def form() -> QFormLayout:
    made = QFormLayout()
    made.setContentsMargins(0, 0, 0, 0)
    made.setHorizontalSpacing(GRID * 3)
    made.setVerticalSpacing(GRID * 2)
    made.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    made.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
    return made


def label(text: str, role: str = "", *, wraps: bool = True) -> QLabel:
    made = Words(text, wraps=wraps)
    if role:
        give(made, role=role)
    return made


def row(*widgets: QWidget | int) -> QHBoxLayout:
    """Numbers are stretches."""
    made = QHBoxLayout()
    made.setContentsMargins(0, 0, 0, 0)
    made.setSpacing(GRID * 2)
    for widget in widgets:
        if isinstance(widget, int):
            made.addStretch(widget)
        else:
            made.addWidget(widget)
    return made


def column(*parts: QWidget | QHBoxLayout | QFormLayout | QVBoxLayout | int, margin: int = 3) -> QVBoxLayout:
    made = QVBoxLayout()
    made.setContentsMargins(GRID * margin, GRID * margin, GRID * margin, GRID * margin)
    made.setSpacing(GRID * 2)
    for part in parts:
        if isinstance(part, int):
            made.addStretch(part)
        elif isinstance(part, QWidget):
            made.addWidget(part)
        else:
            made.addLayout(part)
    return made


def side_form(inside: QVBoxLayout, name: str, width: int = FORM_WIDTH, parent: QWidget | None = None) -> QScrollArea:
    """The answers at the left of a panel, as wide as they need and scrolled where the window is low.

    From outside to inside: what is moved with all it holds has the look of all of it worked out once more.
    """
    scroll, holder = QScrollArea(parent), QWidget()
    scroll.setWidget(holder)
    holder.setLayout(inside)
    scroll.setObjectName(name)
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    needed = holder.minimumSizeHint().width() + scroll.verticalScrollBar().sizeHint().width()
    scroll.setFixedWidth(max(look().pixels(width), needed))
    scroll.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Ignored)
    return scroll


def scrolled_place(parent: QWidget | None = None) -> QScrollArea:
    """A low or narrow window scrolls what is put into it and squeezes nothing."""
    made = QScrollArea(parent)
    made.setWidgetResizable(True)
    made.setFrameShape(QFrame.Shape.NoFrame)
    made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return made


def bring_into_sight(widget: QWidget, part: QRect | None = None) -> None:
    """All of it or a part, in everything around it that scrolls, from inside to outside."""
    around = widget.parentWidget()
    while around is not None:
        scrolled = around.widget() if isinstance(around, QScrollArea) else None
        if isinstance(around, QScrollArea) and scrolled is not None:
            if part is None:
                around.ensureWidgetVisible(widget)
            else:
                at = widget.mapTo(scrolled, part.center())
                around.ensureVisible(at.x(), at.y(), part.width(), part.height())
        around = around.parentWidget()


def text_table(name: str, words: str, parent: QWidget | None = None) -> QTableWidget:
    made = QTableWidget(parent)
    named(made, name, words)
    made.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    made.setShowGrid(False)
    made.setWordWrap(False)
    made.setTabKeyNavigation(False)
    made.setItemDelegate(RoomyCells(made))
    made.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    made.verticalHeader().hide()
    made.verticalHeader().setDefaultSectionSize(made.fontMetrics().height() + ROW_ROOM)
    return made


def fill(table: QTableWidget, head: Sequence[str], rows: Sequence[Sequence[str]], right: bool = False, first_row: int = 0) -> None:
    """`right` stands what follows the first column at the right, as numbers do."""
    table.setColumnCount(len(head))
    table.setRowCount(len(rows) + first_row)
    for at, name in enumerate(head):
        title = QTableWidgetItem(name)
        title.setTextAlignment(RIGHT if right and at else Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        table.setHorizontalHeaderItem(at, title)
    for number, texts in enumerate(rows):
        for at, text in enumerate(texts):
            cell = QTableWidgetItem(text)
            cell.setToolTip(tip(text))
            if right and at:
                cell.setTextAlignment(RIGHT)
            table.setItem(number + first_row, at, cell)
    table.resizeColumnsToContents()
