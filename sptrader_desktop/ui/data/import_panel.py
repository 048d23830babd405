"""Import on one page: the file as it is, its columns, and what they are understood as; every answer shows at once what it changes."""

from functools import cached_property, partial
from itertools import pairwise
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QTextCursor, QTextFormat
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QSplitter,
    QStackedLayout,
    QTextEdit,
    QWidget,
)

from sptrader_desktop.present.import_form import FORCE, QUESTIONS, ROLES, ImportAnswers, ImportPreview, ImportQuestion, ImportRefusal
from sptrader_desktop.present.numbers import counted
from sptrader_desktop.ui.afterwards import Afterwards, in_another_turn
from sptrader_desktop.ui.data.data_desk import CATALOGUE, FOLDER, POSTGRES, DataDesk
from sptrader_desktop.ui.data.data_work import DataWork, forget
from sptrader_desktop.ui.data.parts import (
    Foot,
    ReplaceBox,
    button,
    choice,
    chosen,
    column,
    fill,
    form,
    label,
    line,
    named,
    row,
    scrolled_place,
    side_form,
    text_table,
)
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.roles import give
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.column_scroll import ColumnScroll
from sptrader_desktop.ui.widgets.elided_label import ElidedLabel
from sptrader_desktop.ui.widgets.empty_state import EmptyState

KINDS = "Candles and ticks (*.csv *.txt *.parquet);;All files (*)"
NO_FILE = "Choose a CSV or Parquet file, or drop one here: what is in it and how it is understood is shown before anything is kept."
NOTHING_YET = "The first candles stand here as soon as nothing is left to ask."
STOPPED = "Stopped; nothing was kept"
UNDERSTOOD = 32 * GRID


class ImportPanel(QWidget):
    kept = Signal()

    def __init__(self, desk: DataDesk, work: DataWork, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("importPanel")
        self._desk, self._work = desk, work
        self.path: Path | None = None
        self.preview: ImportPreview | None = None
        self._is_kept: ImportPreview | None = None
        self._asked: ImportAnswers | None = None
        self._by_hand: dict[int, str] = {}
        self._names: tuple[str, ...] | None = ()  # of the columns that are shown; of no file that is taken now: None
        self._roles: list[QComboBox] = []
        self._questions: dict[str, QComboBox | QLineEdit] = {}
        self._file = ElidedLabel("No file chosen")
        self.keep = button("importKeepButton", "Keep Candles", "Nothing is kept before this", "primary")
        self.foot = Foot("import")
        self._steps = Afterwards(self)
        self._build()

    @property
    def is_settled(self) -> bool:
        """All that is known of the file is shown."""
        return self._steps.is_over

    # The file

    def take(self, path: Path) -> None:
        """Another file: what was answered about the one before does not hold for it."""
        self.path, self._by_hand, self._names, self._roles = path, {}, None, []
        self._file.show_text(str(path))
        in_another_turn(self, self._show_views)  # to make them and the rest at once would hold the window up
        for field in self._questions.values():
            field.blockSignals(True)
            field.setCurrentIndex(0) if isinstance(field, QComboBox) else field.clear()
            field.blockSignals(False)
        self.force.blockSignals(True)
        self.force.setChecked(False)
        self.force.blockSignals(False)
        self.replace.take_back()
        self._look_again()

    def ask_for_file(self) -> None:
        dialog = QFileDialog(self, "Import candles", "", KINDS)
        dialog.setObjectName("importFileDialog")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda chosen: self.take(Path(chosen)))
        dialog.open()

    def answers(self) -> ImportAnswers:
        values = {key: chosen(field) if isinstance(field, QComboBox) else field.text().strip() for key, field in self._questions.items()}
        if values["symbol"]:
            values["symbol"] = values["symbol"].upper()
        columns = {role: at for at, role in self._by_hand.items() if role}
        return ImportAnswers(values, columns, self.force.isChecked())

    def _look_again(self) -> None:
        path = self.path
        if path is None:
            return
        self.preview = None  # what was understood of other answers is not to be kept by these
        self._steps.stop()
        self.keep.setEnabled(False)
        self._mark()
        self.replace.take_back()
        self._asked = answers = self.answers()
        self._work.start(
            "preview",
            f"reading {path.name}",
            lambda report: self._desk.preview(path, answers, report),
            self._show,
            self.foot,
            STOPPED,
            failed=lambda _: self._show_nothing(),
            late=forget,
            over=self._allow_again,
        )

    def _allow_again(self) -> None:
        """What was stopped or failed is asked again by the same answer too."""
        if self.preview is None:
            self._asked = None

    # What is shown

    def _show_nothing(self) -> None:
        """Of this file nothing is known, and what was known of another is not to be taken for it."""
        self._show(ImportPreview(str(self.path)))
        self.preview = None

    def _show_views(self) -> None:
        self._stack.setCurrentWidget(self._views)

    def _show(self, preview: ImportPreview) -> None:
        self.preview = preview
        self._mark()
        if preview.refusal:
            self._refuse(preview.refusal)
        elif preview.candles is not None:
            self.foot.say(f"{counted(len(preview.candles), 'bar')} understood; nothing is kept yet")
        # All of it in one turn would hold the window up.
        shown = (partial(step, preview) for step in (self._show_lines, self._show_columns, self._show_understood))
        self._steps.stop()
        self._steps.do(self._show_views, *shown, self._allow)

    def _refuse(self, refusal: ImportRefusal) -> None:
        self._mark(refusal.key)
        self.foot.say(refusal.sentence, "warning" if refusal.key else "danger")

    def _mark(self, asked: str = "") -> None:
        for key, field in self._questions.items():
            give(field, tone="warning" if key == asked else "")

    def _show_understood(self, preview: ImportPreview) -> None:
        fill(self.understood, preview.head, preview.rows, right=True)
        self.notes.setText("\n".join(f"{subject.capitalize()}: {text}" for subject, text in preview.notes) or NOTHING_YET)
        self.understood.setVisible(bool(preview.rows))

    def _show_lines(self, preview: ImportPreview) -> None:
        width = len(f"{preview.lines[-1][0]}") if preview.lines else 1
        self.lines.setPlainText("\n".join(f"{number:>{width}}  {text}" for number, text in preview.lines))
        refused = preview.refusal.line if preview.refusal else None
        numbers = [number for number, _ in preview.lines]
        marked = QTextEdit.ExtraSelection()
        if refused in numbers:
            cursor = QTextCursor(self.lines.document().findBlockByNumber(numbers.index(refused)))
            self.lines.setTextCursor(cursor)
            self.lines.centerCursor()
            marked.cursor = cursor
            marked.format.setBackground(look().colour("selected"))
            marked.format.setProperty(QTextFormat.Property.FullWidthSelection, True)
        self.lines.setExtraSelections([marked] if refused in numbers else [])

    def _show_columns(self, preview: ImportPreview) -> None:
        """The choices stay where the columns do: whoever steps through one by keys keeps the focus. What a person chose holds for a file
        that could not be read meanwhile too."""
        if preview.names != self._names:
            if any(box.hasFocus() for box in self._roles):
                self.columns.setFocus()
            self._names = preview.names
            fill(self.columns, preview.names, preview.cells, first_row=1 if preview.names else 0)
            self._roles = [self._role_of(at, name) for at, name in enumerate(preview.names)]
            if self._roles:
                self.columns.setRowHeight(0, self._roles[0].sizeHint().height())
            for before, box in pairwise((self.columns, *self._roles)):
                QWidget.setTabOrder(before, box)  # else Tab comes to them last of all in the window
        roles = dict(enumerate(preview.roles)) if not self._by_hand else self._by_hand
        for at, box in enumerate(self._roles):
            box.setCurrentIndex(max(0, box.findData(roles.get(at, ""))))

    def _role_of(self, at: int, name: str) -> QComboBox:
        box = choice(f"columnRole{at}", f"{name} is", ROLES, "What this column holds")
        box.activated.connect(lambda _: self._map())
        self.columns.setCellWidget(0, at, box)
        self.columns.setColumnWidth(at, max(self.columns.columnWidth(at), box.sizeHint().width()))
        return box

    def _map(self) -> None:
        """From now on the columns are what the person says; what was recognised is where that begins."""
        self._by_hand = {at: str(box.currentData()) for at, box in enumerate(self._roles)}
        said = [role for role in self._by_hand.values() if role]
        twice = next((words for role, words in ROLES if said.count(role) > 1), "")
        if twice:
            self.preview = None
            self._work.cancel("preview")
            self.keep.setEnabled(False)
            self.foot.say(f"Two columns are said to hold this: {twice}. Choose what each of them holds", "warning")
        else:
            self._look_again()

    # Keeping

    def _keep(self) -> None:
        preview, place, replace = self.preview, chosen(self.place), self.replace.isChecked()
        if preview is None or preview.candles is None:
            return
        self.keep.setEnabled(False)
        self._work.start(
            "keep",
            f"keeping {Path(preview.path).name}",
            lambda _: self._desk.keep(preview, place, replace),
            partial(self._kept, preview),
            self.foot,
            failed=partial(self._not_kept, preview),
            over=self._allow,
        )

    def _allow(self) -> None:
        """What is understood, shown and not kept yet may be kept; where it was refused because of other bars, only with the tick."""
        found = self.preview if self.is_settled else None
        may = found is not None and found.refusal is None and found.candles is not None and found is not self._is_kept
        has_say = self.replace.isHidden() or self.replace.isChecked()
        self.keep.setEnabled(may and has_say and not self._work.is_at_work("keep"))

    def _to_other_place(self) -> None:
        self._is_kept = None
        self.replace.take_back()
        self._allow()

    def _kept(self, preview: ImportPreview, sentence: str) -> None:
        self._is_kept = preview
        self.foot.say(sentence, "up")
        self.kept.emit()

    def _not_kept(self, preview: ImportPreview, sentence: str) -> None:
        """What is refused because it would replace other bars can be told to, unless another file is looked at meanwhile."""
        if self.preview is preview:
            self.replace.offer(sentence)

    # Building

    def _build(self) -> None:
        whole, side, views = QHBoxLayout(self), QWidget(self), scrolled_place(self)  # what is said and the way to keep it stay in sight
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(side)
        whole.addWidget(views, 1)
        self.choose = button("importFileButton", "Choose File…", "A CSV or Parquet file of any vendor's layout")
        self.choose.clicked.connect(lambda _=False: self.ask_for_file())
        self._file.setObjectName("importFile")
        answers = form()
        for question in QUESTIONS:
            answers.addRow(question.label, self._field(question))
        self.force = QCheckBox("Even against the market's hours")
        named(self.force, "importForce", FORCE.label, FORCE.tip)
        self.force.toggled.connect(lambda _: self._look_again())
        self.place = choice(
            "importPlace",
            "Keep in",
            ((CATALOGUE, "Catalogue"), (FOLDER, "New Parquet file in the workspace"), (POSTGRES, "PostgreSQL, replacing bars")),
            "Where the candles go",
        )
        self.replace = ReplaceBox("importReplace")
        self.replace.toggled.connect(lambda _: self._allow())
        self.place.currentIndexChanged.connect(lambda _: self._to_other_place())
        self.keep.setEnabled(False)
        self.keep.clicked.connect(lambda _=False: self._keep())
        self.foot.cancelAsked.connect(lambda: self._work.cancel("preview", "keep"))
        answers.addRow(self.force)
        answers.addRow("Keep in", self.place)
        answers.addRow(self.replace)
        left = column(self.choose, self._file, label("Answers", "muted"), answers, 1)
        asked = column(side_form(left, "importAnswers", parent=side), _foot_of(self.foot, self.keep), margin=0)
        asked.setStretch(0, 1)
        side.setLayout(asked)
        side.setFixedWidth(side.sizeHint().width())
        empty = EmptyState("import", "Import", NO_FILE, "Choose a File…", self.ask_for_file)
        empty.button.setObjectName("importEmptyButton")
        right = QWidget(views.viewport())
        views.setWidget(right)
        self._stack = QStackedLayout(right)
        self._stack.addWidget(empty)

    def _field(self, question: ImportQuestion) -> QWidget:
        name, tip = f"import{question.key.capitalize()}", question.tip
        field: QComboBox | QLineEdit
        if question.choices:
            field = choice(name, question.label, question.choices, tip, is_open=question.is_open)
            field.activated.connect(lambda _: self._look_again())
            edit = field.lineEdit()
            if edit is not None:
                edit.editingFinished.connect(self._answered)
                edit.textEdited.connect(lambda _: self._typed())
        else:
            field = line(name, question.label, "As found in the file", tip)
            field.editingFinished.connect(self._answered)
            field.textEdited.connect(lambda _: self._typed())
        self._questions[question.key] = field
        return field

    def _answered(self) -> None:
        """Leaving a field without changing it asks nothing."""
        if self._asked != self.answers():
            self._look_again()

    def _typed(self) -> None:
        """While it is typed the file is not read again, and what was refused is not said of other answers than it was of."""
        refusal = self.preview.refusal if self.preview else None
        if refusal and self.path and self._asked != self.answers():
            self._mark()
            self.foot.say(f"{self.path.name} is looked at again when Return is pressed or the field is left")
        elif refusal:
            self._refuse(refusal)

    @cached_property
    def _views(self) -> QWidget:
        """From outside to inside, for what is moved with all it holds has its look worked out once more."""
        split = QSplitter(Qt.Orientation.Vertical, self._stack.parentWidget())
        self._stack.addWidget(split)
        split.setObjectName("importViews")
        split.setChildrenCollapsible(False)
        parts = [QWidget(split), QWidget(split), QWidget()]
        split.addWidget(_scrolled(parts[-1]))
        self.lines = QPlainTextEdit(parts[0])
        named(self.lines, "importLines", "The file as text")
        self.lines.setReadOnly(True)
        self.lines.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.lines.setFont(look().font(fixed=True))
        self.columns = text_table("importColumns", "Columns of the file and what each holds", parts[1])
        self.understood = text_table("importUnderstood", "The first candles as they are understood", parts[2])
        self.notes = label(NOTHING_YET, "muted")
        self.notes.setObjectName("importNotes")
        self.notes.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.understood.hide()
        for part, title, widgets in (
            (parts[0], "In the file", (self.lines,)),
            (parts[1], "What each column holds", (self.columns,)),
            (parts[2], "Understood as", (self.notes, self.understood, 1)),
        ):
            part.setLayout(column(label(title, "muted", wraps=False), *widgets, margin=2))
        split.setSizes([2, 2, 7])
        return split


def _scrolled(part: QWidget) -> ColumnScroll:
    """Sentences that need more lines than there is room for are moved to."""
    made = ColumnScroll(part)
    made.setMinimumHeight(look().pixels(UNDERSTOOD))
    return made


def _foot_of(foot: Foot, keep: QWidget) -> QHBoxLayout:
    holder = QWidget()
    holder.setLayout(column(foot, keep, margin=3))
    return row(holder)
