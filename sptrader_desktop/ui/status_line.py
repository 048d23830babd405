"""The foot of the window: the mode, what the keyboard does next, what is at work and how to stop it, and how the program is doing."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QLabel, QStatusBar, QWidget

from sptrader_desktop.present.selection import Selection, Zone
from sptrader_desktop.ui.jobs import Job, JobProgress, Jobs
from sptrader_desktop.ui.loop_lag import Lag, LoopLag
from sptrader_desktop.ui.theme.roles import give
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.badge import Badge
from sptrader_desktop.ui.widgets.elided_label import ElidedLabel
from sptrader_desktop.ui.widgets.progress_line import ProgressLine

if TYPE_CHECKING:
    import psutil

EVERY_MS = 2000
# Jobs that are over before anybody could read what they are called, by the first word of their kind.
QUIET = {"what-if", "explain", "curves", "keep", "changes", "numbers", "indicator", "watchlist"}
STALL_MS = 50
LAG = "How long the window's loop was held up at most, in the last ten seconds"


class StatusLine(QStatusBar):
    """Nothing is said by `showMessage`, which would hide the mode and the way to stop what is at work."""

    workShown = Signal(bool)  # whether there is something at work that can be stopped

    def __init__(self, jobs: Jobs, lag: LoopLag, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("statusLine")
        self.setSizeGripEnabled(False)
        self.setContentsMargins(GRID * 2, 0, GRID * 2, 0)
        self._jobs = jobs
        self._shown: Job | None = None
        self.mode = Badge()
        self.mode.setObjectName("modeBadge")
        self.show_mode(is_paper=False)
        self.hint = ElidedLabel()
        self.hint.setObjectName("hintLabel")
        self.hint.hide()
        self.progress = ProgressLine()
        self.progress.hide()
        self.zone, self.lag, self.memory = QLabel(), QLabel(), QLabel()
        for label, name, words in (
            (self.zone, "zoneLabel", "The clock of axes and tables"),
            (self.lag, "lagLabel", LAG),
            (self.memory, "memoryLabel", "Memory that this program holds"),
        ):
            label.setObjectName(name)
            label.setToolTip(words)
            give(label, role="small")
        self.addWidget(self.mode)
        self.addWidget(self.hint, 1)
        self.addWidget(self.progress, 1)
        for label in (self.zone, self.lag, self.memory):
            self.addPermanentWidget(label)
        self.progress.cancelAsked.connect(self.cancel)
        jobs.changed.connect(self._follow)
        lag.measured.connect(self._show_lag)
        self.destroyed.connect(selection.zone.watch(self._show_zone))
        self._show_zone(selection.zone.value)
        self._beat = QTimer(self)
        self._beat.timeout.connect(self.show_memory)
        self._beat.start(EVERY_MS)
        self._process: psutil.Process | None = None

    def show_mode(self, *, is_paper: bool) -> None:
        if is_paper:
            self.mode.show_word("PAPER", "accent", "A live session runs on the paper broker: no order reaches a market")
        else:
            self.mode.show_word("RESEARCH", "accent", "Nothing here places an order: backtests only")

    def show_hint(self, words: str) -> None:
        """Until there are others, or none."""
        self.hint.show_text(words)
        self.hint.setVisible(bool(words))

    def cancel(self) -> None:
        """What is shown."""
        if self._shown is not None:
            self._jobs.cancel(self._shown)

    def _follow(self) -> None:
        job = next((job for job in self._jobs.running if job.kind.partition(" ")[0] not in QUIET), None)
        if job is self._shown:
            return
        self._shown = job
        self.progress.setVisible(job is not None)
        if job is not None:
            self.progress.start(job.title)
            job.progressed.connect(self._show_progress)
        self.workShown.emit(job is not None)

    def _show_progress(self, progress: JobProgress) -> None:
        if self._shown is not None:
            words = f"{self._shown.title}: {progress.words}" if progress.words else self._shown.title
            self.progress.show_progress(progress.fraction, words, progress.left_s)

    def _show_lag(self, lag: Lag) -> None:
        self.lag.setText(f"loop {lag.recent:.0f} ms")
        self.lag.setToolTip(f"{LAG}; {lag.longest:.0f} ms since the start, {lag.p999:.0f} ms for 999 of 1,000 beats")
        give(self.lag, tone="warning" if lag.recent > STALL_MS else "")

    def show_memory(self) -> None:
        if self._process is None:
            import psutil

            self._process = psutil.Process()
        self.memory.setText(f"{self._process.memory_info().rss / 2**20:,.0f} MB")

    def _show_zone(self, zone: Zone) -> None:
        self.zone.setText(zone.value)
