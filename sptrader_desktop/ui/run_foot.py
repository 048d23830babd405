"""The foot of the backtest panel: Run, how far the run is and how long it still takes, Cancel, and what was wrong with an answer."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from sptrader_desktop.present.waiting import time_left
from sptrader_desktop.ui.jobs import Job, JobProgress, JobState
from sptrader_desktop.ui.theme.roles import give
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.elided_label import ElidedLabel
from sptrader_desktop.ui.widgets.words import Words

STEPS = 1000
QUEUED = "waits for the run before it"


class RunFoot(QWidget):
    runAsked = Signal()
    cancelAsked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("backtestFoot")
        self._job: Job | None = None
        self.run, self.cancel, self.problem = QPushButton("Run Backtest"), QPushButton("Cancel"), Words()
        self.bar, self.words, self.left = QProgressBar(), ElidedLabel(), QLabel()
        self._progress = QWidget()
        self._name_parts()
        self._lay_out()
        self.run.clicked.connect(self.runAsked)
        self.cancel.clicked.connect(self._stop)
        self._show_idle()

    def follow(self, job: Job) -> None:
        """The newest run; of one that is still going on no more is heard."""
        self._job = job
        self.cancel.setText("Cancel")
        self.cancel.setEnabled(True)
        self._progress.show()
        self.cancel.show()
        if self.run.hasFocus():
            self.cancel.setFocus()  # the keyboard stays at the run
        self.run.setText("Running …")
        self.run.setEnabled(False)
        self.bar.setRange(0, 0)
        self.words.show_text(QUEUED if job.state is JobState.WAITING else job.title)
        self.left.setText("")
        job.began.connect(lambda: self.words.show_text(job.title) if job is self._job else None)
        job.progressed.connect(lambda progress: self._show(progress) if job is self._job else None)
        for ended in (job.finished, job.failed, job.cancelled):
            ended.connect(lambda *_: self._show_idle() if job is self._job else None)

    def say(self, words: str) -> None:
        self.problem.setText(words)
        self.problem.setVisible(bool(words))

    def _show(self, progress: JobProgress) -> None:
        """While nothing is done yet the bar says that it is at work, not how far."""
        self.bar.setRange(0, STEPS if progress.fraction > 0 else 0)
        self.bar.setValue(round(progress.fraction * STEPS))
        self.words.show_text(progress.words)
        self.left.setText(time_left(progress.left_s))

    def _show_idle(self) -> None:
        self._job = None
        self.run.setText("Run Backtest")
        self.run.setEnabled(True)
        if self.cancel.hasFocus():
            self.run.setFocus()
        self._progress.hide()
        self.cancel.hide()

    def _stop(self) -> None:
        self.cancel.setEnabled(False)
        self.cancel.setText("Stopping …")
        self.cancelAsked.emit()

    def _name_parts(self) -> None:
        self.problem.setObjectName("backtestProblem")
        give(self.problem, tone="danger")
        self.problem.setWordWrap(True)
        self.problem.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.problem.hide()
        self.bar.setObjectName("backtestProgress")
        self.bar.setAccessibleName("How far the backtest is")
        self.bar.setTextVisible(False)
        self.words.setObjectName("backtestProgressWords")
        self.left.setObjectName("backtestTimeLeft")
        for label in (self.words, self.left):
            give(label, role="small")
        self.run.setObjectName("runBacktestButton")
        self.run.setAccessibleName("Run Backtest")
        self.run.setToolTip("Run the strategy over the chosen candles (F5)")
        give(self.run, role="primary")
        self.cancel.setObjectName("cancelBacktestButton")
        self.cancel.setAccessibleName("Cancel the backtest")
        self.cancel.setToolTip("Stop the run (Ctrl+.)")

    def _lay_out(self) -> None:
        line, buttons, column = QHBoxLayout(), QHBoxLayout(), QVBoxLayout(self)
        within = QVBoxLayout(self._progress)
        within.setContentsMargins(0, 0, 0, 0)
        within.setSpacing(GRID)
        for row in (line, buttons):
            row.setSpacing(GRID * 2)
        line.addWidget(self.words, 1)
        line.addWidget(self.left)
        within.addLayout(line)
        within.addWidget(self.bar)
        buttons.addWidget(self.run, 1)
        buttons.addWidget(self.cancel)
        column.setContentsMargins(GRID * 3, GRID * 2, GRID * 3, GRID * 3)
        column.setSpacing(GRID * 2)
        column.addWidget(self.problem)
        column.addWidget(self._progress)
        column.addLayout(buttons)
