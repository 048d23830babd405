"""The runs that are kept: their list, two or more of them side by side, and what is made of them for others."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from sptrader_desktop.present.selection import Selection
from sptrader_desktop.ui.desk import Desk
from sptrader_desktop.ui.jobs import Jobs
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

    def __init__(self, desk: Desk, jobs: Jobs, research: Research, selection: Selection, notices: Notices, window: QWidget) -> None:
        super().__init__(window)
        self._desk, self._jobs, self._selection, self._notices, self._window = desk, jobs, selection, notices, window
        self.history = RunHistory(desk.runs, jobs, selection)
        self.comparison = ComparePanel(selection)
        self.history.openAsked.connect(research.open_run)
        self.history.compareAsked.connect(self._compare)
        self.comparison.chooseAsked.connect(self.listAsked)
        research.runKept.connect(lambda _: self.history.reload())

    def handlers(self) -> dict[str, Callable[..., object]]:
        return {f"run.export_{kind}": partial(self._ask_where, kind) for kind in KINDS}

    def export(self, kind: str, out: Path) -> None:
        """The run that is shown."""
        run_id = self._selection.run.value
        job = self._jobs.start(f"export {out}", f"writing {out.name}", lambda _: self._desk.export(run_id, kind, out))
        job.finished.connect(lambda _: self._notices.tell(Notice(f"{run_id} was written to {out}", "done")))

    def _compare(self, run_ids: list[str]) -> None:
        job = self._jobs.start("compare", "reading the runs", lambda _: self._desk.compared(run_ids))
        job.finished.connect(self.comparison.show_runs)
        job.finished.connect(lambda _: self.comparisonReady.emit())

    def _ask_where(self, kind: str) -> None:
        title, pattern, suffix = KINDS[kind]
        if not self._selection.run.value:
            self._notices.tell(Notice("This run is not kept, or not yet: wait a moment and export it again", "note"))
            return
        dialog = QFileDialog(self._window, title, str(Path.home() / f"{self._selection.run.value}.{suffix}"))
        dialog.setObjectName("exportDialog")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(pattern)
        dialog.setDefaultSuffix(suffix)
        dialog.fileSelected.connect(lambda name: self.export(kind, Path(name)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
