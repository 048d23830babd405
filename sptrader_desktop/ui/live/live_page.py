"""The Live page: how a session stands, what it holds and did, and what a person may do about it. Without a session, how to start one."""

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from sptrader_desktop.present import live_view
from sptrader_desktop.present.selection import Selection
from sptrader_desktop.ui.data.parts import button, label, row
from sptrader_desktop.ui.live.live_desk import LiveDesk, LiveStart
from sptrader_desktop.ui.live.live_session import LiveSession
from sptrader_desktop.ui.live.session_view import SessionView
from sptrader_desktop.ui.live.start_form import StartForm
from sptrader_desktop.ui.theme.roles import Tone, give
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.badge import Badge

STATE_TONES: dict[str, Tone] = {"running": "up", "halted": "danger", "close_only": "warning", "paused": "warning"}


class LivePage(QWidget):
    def __init__(self, desk: LiveDesk, session: LiveSession, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("livePage")
        self.setAccessibleName("Live")
        self.session, self._selection = session, selection
        self.form, self.stack = StartForm(desk), QStackedWidget()
        self._view: SessionView | None = None
        self._build()
        self._join()
        self._show()

    @property
    def view(self) -> SessionView:
        """Made when there is something to show: all of the page at once would hold the window up."""
        if self._view is None:
            self._view = SessionView(self.session, self._selection, self.stack)
            self.stack.addWidget(self._view)
        return self._view

    # Showing

    def _show(self) -> None:
        state = self.session.state
        self.stack.setCurrentWidget(self.form if state is None else self.view)
        self.badge.show_word("PAPER" if state else "", "accent", "No order reaches a market")
        for each in (self.pause, self.resume, self.stop):
            each.setEnabled(state is not None)
        if state is None:
            self.headline.setText("No live session runs")
            give(self.headline, tone="")
            self.gate.setText("")
            return
        self.headline.setText(live_view.headline(state))
        give(self.headline, tone=STATE_TONES.get(state["state"], ""))
        self.gate.setText(live_view.gate_words(state))
        give(self.gate, tone="" if state["gate"] == "open" else "danger")
        self.pause.setEnabled(state["state"] != "paused")
        self.resume.setEnabled(state["state"] == "paused")
        self.view.show_state()

    # Asking

    def _start(self, asked: LiveStart) -> None:
        self.form.show_busy("Starting … the first start on a computer compiles the engine")
        job = self.session.start(asked)
        job.finished.connect(lambda _: self.form.show_ended(""))
        job.failed.connect(lambda error: self.form.show_ended(str(error)))
        job.cancelled.connect(lambda: self.form.show_ended("Given up: nothing was started"))

    def ask_emergency_stop(self) -> None:
        """Once, whether positions go too."""
        self.question.show()
        self._keep.setFocus()

    def _stop_everything(self, flatten: bool) -> None:
        self.question.hide()
        self.session.emergency_stop(flatten)

    def _tell(self, words: str, is_good: bool) -> None:
        self.said.setText(words)
        self.said.show()
        give(self.said, tone="" if is_good else "danger")

    # Building

    def _build(self) -> None:
        self.badge, self.headline, self.gate = Badge(), label("", "title", wraps=False), label("", wraps=False)
        self.said = label("")
        self.said.hide()
        for each, name in ((self.headline, "liveState"), (self.gate, "liveGate"), (self.said, "liveSaid")):
            each.setObjectName(name)
        self.pause = button("pauseLiveButton", "Pause", "Open nothing new; positions keep their exits")
        self.resume = button("resumeLiveButton", "Resume", "End the pause")
        self.stop = button("stopLiveButton", "Stop", "End the program that trades; what is open stays at the broker, with its stops")
        self.rearm = button("rearmLiveButton", "Re-arm", "Let orders pass again after an emergency stop or a limit that was reached")
        self.emergency = button("emergencyStopButton", "Emergency Stop…", "No order leaves any more, working orders are cancelled")
        give(self.emergency, tone="danger")
        head = row(self.badge, self.headline, self.gate, 1, self.pause, self.resume, self.stop, self.rearm, self.emergency)
        self.stack.addWidget(self.form)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(GRID * 3, GRID * 2, GRID * 3, GRID * 2)
        whole.setSpacing(GRID * 2)
        whole.addLayout(head)
        whole.addWidget(self._question())
        whole.addWidget(self.said)
        whole.addWidget(self.stack, 1)

    def _question(self) -> QFrame:
        self.question = QFrame()
        give(self.question, role="notice", tone="danger")
        words = "Stop everything? No order leaves until you re-arm, and working orders are cancelled. Close all positions too?"
        self._keep = button("stopKeepButton", "Stop, Keep Positions", "Positions stay with the stops that the broker holds")
        self.flatten = button("stopFlattenButton", "Stop and Close All", "Every position is closed at the market")
        leave = button("stopNotButton", "Do Not Stop")
        line = QHBoxLayout(self.question)
        line.setContentsMargins(GRID * 2, GRID, GRID, GRID)
        line.setSpacing(GRID * 2)
        line.addWidget(label(words), 1)
        for each in (self._keep, self.flatten, leave):
            line.addWidget(each)
        self._keep.clicked.connect(lambda _=False: self._stop_everything(False))
        self.flatten.clicked.connect(lambda _=False: self._stop_everything(True))
        leave.clicked.connect(self.question.hide)
        self.question.hide()
        return self.question

    def _join(self) -> None:
        session = self.session
        session.stateChanged.connect(self._show)
        session.said.connect(self._tell)
        self.form.startAsked.connect(self._start)
        for each, what in ((self.pause, "pause"), (self.resume, "resume"), (self.stop, "stop")):
            each.clicked.connect(lambda _=False, what=what: session.command(what))
        self.rearm.clicked.connect(lambda _=False: session.rearm())
        self.emergency.clicked.connect(lambda _=False: self.ask_emergency_stop())

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.form.refresh()
