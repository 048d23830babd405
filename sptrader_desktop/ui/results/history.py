"""The kept runs: found again, opened, compared, and written about."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QMenu, QPushButton, QVBoxLayout, QWidget

from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.ports import RunStore, RunSummary
from sptrader_desktop.present.actions import BY_ID, Scope
from sptrader_desktop.present.numbers import counted
from sptrader_desktop.present.run_rows import newest_first, run_columns
from sptrader_desktop.present.selection import Selection
from sptrader_desktop.ui.jobs import Job, Jobs
from sptrader_desktop.ui.key_names import pressed_command, sequences, shown
from sptrader_desktop.ui.tables.data_table import DataTable
from sptrader_desktop.ui.theme.icons import icon
from sptrader_desktop.ui.theme.roles import give
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.words import Words

FEWEST, MOST = 2, 6


class RunHistory(QWidget):
    """Reads the list from `store` when it is asked to `reload`; opening and comparing are done by who listens.

    The store is asked in jobs: another program may hold it for a while. Only the newest answer counts.
    """

    openAsked = Signal(str)
    compareAsked = Signal(list)  # ids, the oldest first
    trashAsked = Signal(list)  # ids
    folderAsked = Signal(str)
    runAsked = Signal()

    def __init__(self, store: RunStore, jobs: Jobs, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("runHistory")
        self.setAccessibleName("Run history")
        self._store, self._jobs, self._selection = store, jobs, selection
        self._reading: Job | None = None  # the newest
        self._runs: tuple[RunSummary, ...] = ()
        self._described = ""  # whose tags and note the lines show
        self._is_listing = False
        self._build()
        self.table.rowActivated.connect(lambda row: self.openAsked.emit(self._runs[row].id))
        self.table.stepAsked.connect(self.runAsked)
        self.table.fill_menu = self._fill_menu
        self.table.view.selectionModel().selectionChanged.connect(lambda *_: self._refresh())
        ends = [selection.zone.watch(lambda _: self._fill()), selection.run.watch(lambda _: self._show_current())]
        self.destroyed.connect(lambda: [end() for end in ends])

    def reload(self, *, stays: bool = False) -> None:
        """The run that is open becomes the chosen one, unless the chosen one `stays`."""
        if not self._runs:
            self.table.show_waiting("Reading the kept runs …")
        job = self._jobs.start(
            "runs", "reading the kept runs", lambda _: (newest_first(self._store.list()), self._store.fault()), is_failure_shown=True
        )
        self._reading = job
        job.finished.connect(lambda found: self._take(found[0], found[1], stays) if job is self._reading else None)
        job.failed.connect(lambda error: self._refuse(error) if job is self._reading else None)

    def _take(self, runs: tuple[RunSummary, ...], fault: str, stays: bool) -> None:
        chosen = self._described if stays else self._selection.run.value
        self._runs = runs
        self._say(fault, is_bad=True)
        self._fill()
        if not self._is_writing:
            self._choose(chosen)
        self._refresh()

    def _refuse(self, error: BaseException) -> None:
        if not isinstance(error, SptraderError):
            raise error  # a defect is told as one
        self._say(str(error), is_bad=True)
        if not self._runs:  # there may be many: nobody is told that there are none yet
            self.table.show_waiting("The list of the kept runs cannot be read")

    @property
    def chosen(self) -> list[str]:
        return [self._runs[row].id for row in self.table.selected]

    def commands(self) -> dict[str, Callable[[], object]]:
        """By the ids of the table of actions; what is to be done with one run is not done with several."""
        chosen = self.chosen
        of_one = {"runs.note": self._write_note, "runs.reveal": lambda: self.folderAsked.emit(chosen[0])} if len(chosen) == 1 else {}
        return {**of_one, "runs.delete": lambda: self.trashAsked.emit(chosen)} if chosen else {}

    def do(self, command: str) -> None:
        self.commands().get(command, lambda: None)()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The keys of the table: the same where the window has made actions of it and where it has not."""
        command = pressed_command(event, Scope.TABLE)
        self.do(command) if command else super().keyPressEvent(event)

    def _fill_menu(self, menu: QMenu) -> None:
        for name, command in self.commands().items():
            row = BY_ID[name]
            action = menu.addAction(icon(row.icon), f"{row.text}\t{shown(sequences(row.keys)[:1])}", command)
            action.setObjectName(name)
        menu.addSeparator()

    def _write_note(self) -> None:
        self._note.setFocus()
        self._note.selectAll()

    def _build(self) -> None:
        text = "Every backtest that is kept will be here, with what it was made from."
        self.table = DataTable("runs", "Runs", text, "Run Backtest  F5", drawing="history", headline="No runs yet")
        self._tags, self._note, self._message = QLineEdit(), QLineEdit(), Words()
        self._labels: dict[QLineEdit, QLabel] = {}
        self._message.setObjectName("historyMessage")
        self._message.setWordWrap(True)
        self._open = self._button("openRunButton", "Open", "Open the chosen run")
        self._compare = self._button("compareRunsButton", "Compare", f"Compare {FEWEST} to {MOST} chosen runs")
        self._open.clicked.connect(lambda _checked=False: self.openAsked.emit(self.chosen[0]))
        self._compare.clicked.connect(lambda _checked=False: self.compareAsked.emit(sorted(self.chosen)))
        row = QHBoxLayout()
        row.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        row.setSpacing(2 * GRID)
        for line, name, title, stretch in ((self._tags, "runTags", "Tags", 1), (self._note, "runNote", "Note", 3)):
            line.setObjectName(name)
            line.setAccessibleName(f"{title} of the chosen run")
            line.editingFinished.connect(self._write)
            label = self._labels[line] = QLabel(title)
            label.setBuddy(line)
            row.addWidget(label)
            row.addWidget(line, stretch)
        self._tags.setPlaceholderText("london, draft")
        row.addWidget(self._compare)
        row.addWidget(self._open)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.table, 1)
        column.addWidget(self._message)
        column.addLayout(row)
        self._message.hide()
        self._refresh()

    def _button(self, name: str, text: str, tip: str) -> QPushButton:
        button = QPushButton(text)
        button.setObjectName(name)
        button.setAccessibleName(tip)
        button.setToolTip(tip)
        return button

    def _fill(self) -> None:
        """Whoever writes about a run meanwhile goes on writing about it."""
        self._is_listing = True
        self.table.put(run_columns(self._runs, self._selection.zone.value))
        if self._is_writing:
            self._choose(self._described)
        self._is_listing = False
        self._refresh()

    def _show_current(self) -> None:
        if not self._is_writing:
            self._choose(self._selection.run.value)
        self._refresh()

    def _choose(self, run_id: str) -> None:
        place = next((place for place, run in enumerate(self._runs) if run.id == run_id), None)
        if place is not None:
            self.table.choose(place)

    @property
    def _is_writing(self) -> bool:
        return any(line.isModified() and line.hasFocus() for line in (self._tags, self._note))

    def _refresh(self) -> None:
        if self._is_listing:
            return
        chosen = self.table.selected
        one = self._runs[chosen[0]] if len(chosen) == 1 and chosen[0] < len(self._runs) else None
        self._open.setEnabled(one is not None)
        self._compare.setEnabled(FEWEST <= len(chosen) <= MOST)
        self._compare.setText(f"Compare {counted(len(chosen), 'run')}" if len(chosen) > 1 else "Compare")
        for line, text in ((self._tags, ", ".join(one.tags) if one else ""), (self._note, one.note if one else "")):
            for part in (line, self._labels[line]):
                part.setEnabled(one is not None)
            if not (self._is_writing and one is not None and one.id == self._described):
                line.setText(text)
        self._described = one.id if one else ""

    def _write(self) -> None:
        """When a line is left; what is refused stays in the line."""
        chosen = self.chosen
        if len(chosen) != 1:
            return
        run = next(run for run in self._runs if run.id == chosen[0])
        tags, note = [tag.strip() for tag in self._tags.text().split(",") if tag.strip()], self._note.text()
        if (tuple(tags), note) == (run.tags, run.note):
            return
        said, work = (self._tags.text(), self._note.text()), partial(self._store.annotate, run.id, tags, note)
        job = self._jobs.start(f"note of {run.id}", f"writing about {run.id}", lambda _: work(), is_failure_shown=True)
        job.finished.connect(lambda _: self._written(run.id, said))
        job.failed.connect(self._refuse)

    def _written(self, run_id: str, said: tuple[str, str]) -> None:
        """Somebody may have written more meanwhile, or about another."""
        if (self._described, self._tags.text(), self._note.text()) == (run_id, *said):
            for line in (self._tags, self._note):
                line.setModified(False)
        self.reload(stays=True)

    def _say(self, text: str, *, is_bad: bool = False) -> None:
        self._message.setText(text)
        self._message.setVisible(bool(text))
        give(self._message, tone="danger" if is_bad else "")
