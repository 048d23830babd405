"""The Live page as a tab of the window, and what of it the window has everywhere: badges, title, commands and the emergency stop."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QWidget

from sptrader_desktop.present import live_guard, live_view
from sptrader_desktop.present.selection import Selection
from sptrader_desktop.ui.action_set import ActionSet
from sptrader_desktop.ui.data.parts import button
from sptrader_desktop.ui.documents import Documents
from sptrader_desktop.ui.host import Host
from sptrader_desktop.ui.kept_value import DocumentStore, KeptValue
from sptrader_desktop.ui.live.live_desk import LiveDesk
from sptrader_desktop.ui.live.live_questions import LiveQuestions
from sptrader_desktop.ui.live.live_session import LiveSession
from sptrader_desktop.ui.theme.roles import give
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.badge import Badge

if TYPE_CHECKING:
    from sptrader_desktop.ui.live.live_page import LivePage

KEPT = "live"


class LiveTab(QObject):
    """`backtest` gives the answers of the backtest panel, which a session may be started with."""

    hinted = Signal(str)  # what the keyboard does next on a chart

    def __init__(
        self,
        desk: LiveDesk,
        host: Host,
        selection: Selection,
        documents: Documents,
        window: QMainWindow,
        store: DocumentStore,
        backtest: Callable[[], Mapping[str, str]],
    ) -> None:
        super().__init__(window)
        self._desk, self._host, self._selection, self._documents, self._window = desk, host, selection, documents, window
        self._store, self._backtest = store, backtest
        self.session = LiveSession(desk, host.jobs, host.task, self)
        self.questions = LiveQuestions(self.session, window)
        self._page: LivePage | None = None
        self._title = window.windowTitle()
        self._actions: ActionSet | None = None
        self.stopped = Badge()
        self.stopped.setObjectName("stoppedBadge")
        self.emergency = button("statusEmergencyStopButton", "Emergency Stop…", "No order leaves any more; asks whether positions go too")
        self.foot = QWidget()
        foot = QHBoxLayout(self.foot)
        foot.setContentsMargins(0, 0, 0, 0)
        foot.setSpacing(GRID * 2)
        foot.addWidget(self.stopped)
        foot.addWidget(self.emergency)
        self.emergency.clicked.connect(lambda _=False: self.questions.ask_emergency_stop())
        self.session.stateChanged.connect(self._show)
        self.session.guardChanged.connect(self._show)
        self._show()

    def open(self) -> "LivePage":
        if self._page is None:
            from sptrader_desktop.ui.live.live_page import LivePage

            kept = KeptValue(KEPT, self._store, self._host.jobs, dict[str, str](), _answers_in, dict)
            kept.failed = lambda error: self._host.tell(error, "What a live session was started with")
            self._page = LivePage(self._desk, self.session, self.questions, self._selection, kept.now, self._backtest)
            self._page.hinted.connect(self.hinted)
        self._documents.show_page(self._page, "Live")
        return self._page

    def open_with(self, strategy: Path | None) -> None:
        """The page with that strategy chosen, where none is traded yet."""
        page = self.open()
        if strategy is not None:
            page.form.choose(strategy)

    def what_stays(self) -> str:
        """What is open in a session that goes on when the window closes, or nothing where none runs."""
        return "" if self.session.state is None else live_view.open_words(self.session.state)

    def handlers(self) -> dict[str, Callable[..., object]]:
        return {
            "view.live": self.open,
            "live.pause": lambda: self.session.command("pause"),
            "live.resume": lambda: self.session.command("resume"),
            "live.stop": lambda: self.questions.ask_end(self._page.form.at_stop if self._page else ""),
            "live.rearm": self.questions.ask_rearm,
            "live.emergency_stop": self.questions.ask_emergency_stop,
        }

    def join(self, actions: ActionSet) -> None:
        """The emergency stop is heard wherever the keyboard is, also in dialogs and panes that float."""
        self._actions = actions
        self._host.app.focusChanged.connect(self._follow_focus)
        self._show()

    def _follow_focus(self, _before: QWidget | None, now: QWidget | None) -> None:
        if now is not None and self._actions is not None and now.window() is not self._window:
            now.window().addAction(self._actions.action("live.emergency_stop"))

    def _show(self) -> None:
        session = self.session
        is_live, is_stopped = session.is_attached, session.is_stopped
        give(self.emergency, tone="danger" if is_live else "", role="" if is_live else "flat")
        tip = live_guard.stopped_words(session.guard, self._selection.zone.value) if is_stopped and session.guard else ""
        self.stopped.show_word("STOPPED" if is_stopped else "", "danger", tip)
        self._window.setWindowTitle(f"{self._title} – PAPER" if session.state is not None else self._title)
        if self._actions is not None:
            self._actions.set_state("live session", is_live)
            self._actions.set_state("live stop", self.questions.may_rearm)


def _answers_in(held: object) -> dict[str, str]:
    """What is no text is left out."""
    return {key: value for key, value in held.items() if isinstance(key, str) and isinstance(value, str)} if isinstance(held, dict) else {}
