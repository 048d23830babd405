"""Part of the foot of the window: what it is connected to, and how old the newest price is."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QLabel, QWidget

from sptrader_desktop.present.connections import connections_text
from sptrader_desktop.present.live_view import connection_words, micros
from sptrader_desktop.ui.live.live_session import LiveSession
from sptrader_desktop.ui.market.live_feed import LiveFeed
from sptrader_desktop.ui.theme.roles import give

EVERY_MS = 1000
TIP = "Connections: live prices, which the watchlist asks for, and a live session; with the age of the newest price of each"


def now_us() -> int:
    return int(datetime.now(UTC).timestamp() * 1_000_000)


class ConnectionLine(QLabel):
    """`clock` is microseconds UTC; prices of the feed age from when they came, those of a session from their own time."""

    def __init__(self, feed: LiveFeed, session: LiveSession, parent: QWidget | None = None, clock: Callable[[], int] = now_us) -> None:
        super().__init__(parent)
        self._feed, self._session, self._clock = feed, session, clock
        self._came: float | None = None
        self.setObjectName("connectionsLabel")
        give(self, role="small")
        self._beat = QTimer(self, interval=EVERY_MS)
        self._beat.timeout.connect(self._show)
        feed.stateChanged.connect(lambda *_: self._follow())
        feed.priced.connect(lambda _: self._hear())
        session.stateChanged.connect(self._follow)
        self._follow()

    def _hear(self) -> None:
        self._came = time.monotonic()
        self._show()

    def _follow(self) -> None:
        """Ages are told anew while there is something that ages."""
        if self._feed.state == "off":
            self._came = None
        if self._feed.state == "off" and self._session.state is None:
            self._beat.stop()
        elif not self._beat.isActive():
            self._beat.start()
        self._show()

    def _show(self) -> None:
        state = self._session.state
        stamps = [micros(price["at"]) for price in state["prices"]] if state is not None else []
        since = None if self._came is None else int((time.monotonic() - self._came) * 1_000_000)
        session = "off" if state is None else "lost" if self._session.is_lost else "live"
        text = connections_text(self._feed.state, since, session, max(0, self._clock() - max(stamps)) if stamps else None)
        if text != self.text():
            self.setText(text)
        give(self, tone="warning" if "lost" in {self._feed.state, session} else "")
        links = [] if state is None else connection_words(state)
        self.setToolTip("\n".join([TIP, *filter(None, [self._feed.words]), *links]))
