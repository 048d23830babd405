"""The runs that are kept: their list, two or more of them side by side, what is made of them for others, and where they go."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from sptrader_desktop.core.errors import SptraderError
from sptrader_desktop.present.numbers import counted
from sptrader_desktop.present.selection import Selection
from sptrader_desktop.ui import file_actions
from sptrader_desktop.ui.desk import Desk
from sptrader_desktop.ui.jobs import Job, Jobs
from sptrader_desktop.ui.research import Research
from sptrader_desktop.ui.results.compare import ComparePanel
from sptrader_desktop.ui.results.history import RunHistory
from sptrader_desktop.ui.widgets.notices import Notice, Notices

KINDS = {
    "html": ("Export Report", "Report (*.html)", "html"),
    "csv": ("Export Trades", "Trades (*.csv)", "csv"),
    "bundle": ("Export Bundle", "Run bundle (*.sptrun)", "sptrun"),
}


class RunsPage(QObject):
    comparisonReady = Signal()
    listAsked = Signal()
    changed = Signal()  # a run went, or is called otherwise

    def __init__(self, desk: Desk, jobs: Jobs, research: Research, selection: Selection, notices: Notices, window: QWidget) -> None:
        super().__init__(window)
        self._desk, self._jobs, self._selection, self._notices, self._window = desk, jobs, selection, notices, window
        self._research = research
        self.history = RunHistory(desk.runs, jobs, selection)
        self.comparison = ComparePanel(selection)
        self.history.openAsked.connect(research.open_run)
        self.history.compareAsked.connect(self._compare)
        self.history.trashAsked.connect(self.throw_away)
        self.history.folderAsked.connect(self.show_folder)
        self.changed.connect(lambda: self.history.reload(stays=True))
        self.comparison.chooseAsked.connect(self.listAsked)
        research.runKept.connect(lambda _: self.history.reload())

    def handlers(self) -> dict[str, Callable[..., object]]:
        of_list = ("runs.note", "runs.delete", "runs.reveal")
        return {
            **{f"run.export_{kind}": partial(self._ask_where, kind) for kind in KINDS},
            **{name: partial(self.history.do, name) for name in of_list},
        }

    def export(self, kind: str, out: Path) -> None:
        """The run that is shown."""
        run_id = self._selection.run.value
        job = self._jobs.start(f"export {out}", f"writing {out.name}", lambda _: self._desk.export(run_id, kind, out))
        job.finished.connect(lambda _: self._notices.tell(Notice(f"{run_id} was written to {out}", "done")))

    def throw_away(self, run_ids: list[str]) -> None:
        """Into the system's trash, from where each comes back when it is put back."""
        store, said = self._desk.runs, run_ids[0] if len(run_ids) == 1 else counted(len(run_ids), "run")

        def work(_: object) -> str:
            gone = [run_id for run_id in run_ids if not store.throw_away(run_id, file_actions.to_trash)]
            return (
                f"{', '.join(gone)}: no longer listed, the folder was gone already"
                if gone
                else f"{said} {'was' if len(run_ids) == 1 else 'were'} moved to the trash"
            )

        job = self._jobs.start(f"trash {run_ids}", f"moving {said} to the trash", work, is_failure_shown=True)
        job.finished.connect(lambda _: self._selection.run.set("") if self._selection.run.value in run_ids else None)  # kept no more
        self._follow(job)

    def show_folder(self, run_id: str) -> None:
        try:
            file_actions.open_folder(self._desk.runs.folder_of(run_id), run_id)
        except SptraderError as error:
            self._refuse(error)

    def write_note(self, run_id: str, note: str) -> None:
        """Beside the tags that it has."""
        store = self._desk.runs

        def work(_: object) -> str:
            run = next((run for run in store.list() if run.id == run_id), None)
            store.annotate(run_id, run.tags if run else (), note)
            return f"{run_id} is now called {note}" if note else f"{run_id} has no name of its own any more"

        self._follow(self._jobs.start(f"note of {run_id}", f"writing about {run_id}", work, is_failure_shown=True))

    def _follow(self, job: Job) -> None:
        job.finished.connect(lambda words: self._notices.tell(Notice(words, "done")))
        job.failed.connect(self._refuse)
        for ended in (job.finished, job.failed):
            ended.connect(lambda _: self.changed.emit())

    def _refuse(self, error: BaseException) -> None:
        if not isinstance(error, SptraderError):
            raise error  # a defect is told as one
        self._notices.tell(Notice(str(error), "error"))

    def _compare(self, run_ids: list[str]) -> None:
        job = self._jobs.start("compare", "reading the runs", lambda _: self._desk.compared(run_ids))
        job.finished.connect(self.comparison.show_runs)
        job.finished.connect(lambda _: self.comparisonReady.emit())

    def _ask_where(self, kind: str) -> None:
        title, pattern, suffix = KINDS[kind]
        if not self._selection.run.value:
            later = "This run is being kept: export it again in a moment"
            never = "This run is not kept, so it cannot be exported: run the backtest again, or open a run that is kept"
            self._notices.tell(Notice(later if self._research.is_keeping else never, "note", key="export"))
            return
        dialog = QFileDialog(self._window, title, str(Path.home() / f"{self._selection.run.value}.{suffix}"))
        dialog.setObjectName("exportDialog")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(pattern)
        dialog.setDefaultSuffix(suffix)
        dialog.fileSelected.connect(lambda name: self.export(kind, Path(name)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
