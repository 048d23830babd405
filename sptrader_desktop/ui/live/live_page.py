"""The Live page: how a session stands, what it holds and did, and what a person may do about it. Without a session, how to start one."""

from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from sptrader_desktop.present import live_guard, live_view
from sptrader_desktop.present.observable import Observable
from sptrader_desktop.present.selection import Selection
from sptrader_desktop.ui.data.parts import button, label, row
from sptrader_desktop.ui.live.live_desk import LiveDesk
from sptrader_desktop.ui.live.live_questions import LiveQuestions
from sptrader_desktop.ui.live.live_session import LiveSession
from sptrader_desktop.ui.live.session_view import SessionView, now
from sptrader_desktop.ui.live.start_form import StartForm
from sptrader_desktop.ui.theme.roles import Tone, give
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.badge import Badge
from sptrader_desktop.ui.widgets.icon_label import IconLabel

STATE_TONES: dict[str, Tone] = {"running": "up", "halted": "danger", "close_only": "warning", "paused": "warning"}
AGES_MS = 1_000
SHUT = "Gate shut"


class LivePage(QWidget):
    hinted = Signal(str)  # what the keyboard does next on a chart

    def __init__(
        self,
        desk: LiveDesk,
        session: LiveSession,
        questions: LiveQuestions,
        selection: Selection,
        kept: Observable[dict[str, str]],
        backtest: Callable[[], Mapping[str, str]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("livePage")
        self.setAccessibleName("Live")
        self.session, self.questions, self._desk, self._selection = session, questions, desk, selection
        self.form, self.stack = StartForm(desk, kept, backtest), QStackedWidget()
        self._view: SessionView | None = None
        self._build()
        self._join()
        self._show()

    @property
    def view(self) -> SessionView:
        """Made when there is something to show: all of the page at once would hold the window up."""
        if self._view is None:
            self._view = SessionView(self.session, self.questions, self._desk.instruments, self._selection, self.stack)
            self._view.hinted.connect(self.hinted)
            self.stack.addWidget(self._view)
        return self._view

    # Showing

    def _show(self) -> None:
        state, is_attached = self.session.state, self.session.is_attached
        self._bring(self.form if state is None else self.view)
        self.badge.show_word("PAPER" if state else "", "accent", "No order reaches a market")
        word = state["state"] if state is not None and is_attached else "stopping"
        self.pause.setEnabled(word not in {"paused", "stopping"})
        self.resume.setEnabled(word == "paused")
        self.stop.setEnabled(word != "stopping")
        for each in (self.pause, self.resume, self.stop):
            each.setVisible(is_attached)
        self.back.setVisible(self.session.is_lost)
        self._show_guard()
        self._show_lost()
        gate = ""
        if state is None:
            self._say_state("No live session runs")
        elif self.session.is_lost:
            self._say_state("Connection lost", "danger")
        else:
            gate = "Gate open" if state["gate"] == "open" else SHUT
            self._say_state(live_view.headline(state), STATE_TONES.get(state["state"], ""), live_view.reason_words(state))
        self._write(self.gate, gate, "" if gate != SHUT else "danger")
        if state is not None:
            self.view.show_state()

    def _bring(self, part: QWidget) -> None:
        """The keyboard goes along, if it was in the other."""
        if self.stack.currentWidget() is not part:
            focused = QApplication.focusWidget()
            had_focus = focused is not None and self.stack.isAncestorOf(focused)
            self.stack.setCurrentWidget(part)
            if had_focus:
                (self.view.tabs.tabBar() if part is self._view else self.form.strategy).setFocus(Qt.FocusReason.OtherFocusReason)

    def _say_state(self, headline: str, tone: Tone = "", reason: str = "") -> None:
        self._write(self.headline, headline, tone)
        self._write(self.reason, reason, tone if tone != "up" else "")
        self.reason.setVisible(bool(reason))

    def _write(self, place: QLabel, words: str, tone: Tone) -> None:
        if place.text() != words:
            place.setText(words)
        give(place, tone=tone)

    def _show_guard(self) -> None:
        """What a person or a limit stopped stays so, with a session or without."""
        words = live_guard.words(self.session.guard, self._selection.zone.value)
        self.stopped.setVisible(bool(words))
        if self.stopped_words.text() != words:
            self.stopped_words.setText(words)
            self.stopped.setAccessibleName(words)
        self.rearm.setVisible(self.questions.may_rearm)

    def _show_lost(self) -> None:
        is_lost, state = self.session.is_lost, self.session.state
        self.lost.setVisible(is_lost)
        if is_lost and state is not None:
            self.lost_words.setText(live_view.lost_words(state, now()))

    # Asking

    def _start(self, command: list[str]) -> None:
        self.form.show_busy("Starting … the first start on a computer compiles the engine")
        job = self.session.start(command)
        job.finished.connect(lambda _: self.form.show_ended(""))
        job.failed.connect(lambda error: self.form.show_ended(str(error)))
        job.cancelled.connect(lambda: self.form.show_ended("Given up: nothing was started"))

    def _tell(self, words: str, is_good: bool) -> None:
        self.said.setText(words)
        self.said.show()
        give(self.said, tone="" if is_good else "danger")

    # Building

    def _build(self) -> None:
        self.badge, self.headline, self.gate = Badge(), label("", "title", wraps=False), label("", wraps=False)
        self.reason, self.said, self.stopped_words, self.lost_words = label(""), label("", "muted"), label(""), label("")
        self.reason.setObjectName("liveReason")
        self.said.hide()
        for each, name in ((self.headline, "liveState"), (self.gate, "liveGate"), (self.said, "liveSaid"), (self.lost_words, "liveLost")):
            each.setObjectName(name)
        self.stopped_words.setObjectName("liveStopped")
        self.pause = button("pauseLiveButton", "Pause", "Open nothing new; positions keep their exits")
        self.resume = button("resumeLiveButton", "Resume", "End the pause")
        self.stop = button("stopLiveButton", "Stop…", "End the program that trades; open positions stay at the broker, or are closed first")
        self.rearm = button("rearmLiveButton", "Re-arm…", "Let orders pass again after an emergency stop or a limit that was reached")
        self.back = button("forgetLostButton", "To the Start Form", "It is known that the session is gone")
        self.emergency = button("emergencyStopButton", "Emergency Stop…", "No order leaves any more, working orders are cancelled")
        give(self.emergency, tone="danger")
        head = row(self.badge, self.headline, self.gate, 1, self.pause, self.resume, self.stop, self.back, self.rearm, self.emergency)
        self.stopped = _notice("liveStoppedNotice", "octagon-x", self.stopped_words)
        self.lost = _notice("liveLostNotice", "triangle-alert", self.lost_words)
        self.stack.addWidget(self.form)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(GRID * 3, GRID * 2, GRID * 3, GRID * 2)
        whole.setSpacing(GRID * 2)
        whole.addLayout(head)
        for part in (self.reason, self.stopped, self.lost, self.said):
            whole.addWidget(part)
        whole.addWidget(self.stack, 1)

    def _join(self) -> None:
        session, questions = self.session, self.questions
        session.stateChanged.connect(self._show)
        session.guardChanged.connect(self._show_guard)
        session.said.connect(self._tell)
        self.form.startAsked.connect(self._start)
        self.pause.clicked.connect(lambda _=False: session.command("pause"))
        self.resume.clicked.connect(lambda _=False: session.command("resume"))
        self.stop.clicked.connect(lambda _=False: questions.ask_end(self.form.at_stop))
        self.back.clicked.connect(lambda _=False: session.forget_lost())
        self.rearm.clicked.connect(lambda _=False: questions.ask_rearm())
        self.emergency.clicked.connect(lambda _=False: questions.ask_emergency_stop())
        self._aging = QTimer(self, interval=AGES_MS)
        self._aging.timeout.connect(self._show_lost)
        self._aging.start()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.form.refresh()


def _notice(name: str, drawing: str, words: QWidget) -> QFrame:
    made = QFrame()
    made.setObjectName(name)
    give(made, role="notice", tone="danger")
    line = QHBoxLayout(made)
    line.setContentsMargins(GRID * 2, GRID, GRID, GRID)
    line.setSpacing(GRID * 2)
    line.addWidget(IconLabel(drawing, "danger"))
    line.addWidget(words, 1)
    made.hide()
    return made
