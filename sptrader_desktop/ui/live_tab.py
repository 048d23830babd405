"""The Live page as a tab of the window, and what of it the window shows wherever one is: badge, title, and the emergency stop."""

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMainWindow

from sptrader_desktop.present.live_view import open_words
from sptrader_desktop.present.selection import Selection
from sptrader_desktop.ui.data.parts import button
from sptrader_desktop.ui.documents import Documents
from sptrader_desktop.ui.host import Host
from sptrader_desktop.ui.live.live_desk import LiveDesk
from sptrader_desktop.ui.live.live_page import LivePage
from sptrader_desktop.ui.live.live_session import LiveSession
from sptrader_desktop.ui.theme.roles import give


class LiveTab(QObject):
    def __init__(self, desk: LiveDesk, host: Host, selection: Selection, documents: Documents, window: QMainWindow) -> None:
        super().__init__(window)
        self._desk, self._selection, self._documents, self._window = desk, selection, documents, window
        self.session = LiveSession(desk, host.jobs, host.task, self)
        self._page: LivePage | None = None
        self._title = window.windowTitle()
        self.emergency = button("statusEmergencyStopButton", "Emergency Stop…", "No order leaves any more; asks whether positions go too")
        give(self.emergency, tone="danger")
        self.emergency.hide()
        self.emergency.clicked.connect(lambda _=False: self.open().ask_emergency_stop())
        self.session.stateChanged.connect(self._show)

    def open(self) -> LivePage:
        if self._page is None:
            self._page = LivePage(self._desk, self.session, self._selection)
        self._documents.show_page(self._page, "Live")
        return self._page

    def what_stays(self) -> str:
        """What is open in a session that goes on when the window closes, or nothing where none runs."""
        return "" if self.session.state is None else open_words(self.session.state)

    def _show(self) -> None:
        is_running = self.session.state is not None
        self.emergency.setVisible(is_running)
        self._window.setWindowTitle(f"{self._title} – PAPER" if is_running else self._title)
