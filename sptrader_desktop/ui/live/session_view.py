"""What a live session is, holds and did: tiles, tables, the curve and the limits; and what a person may do about a row of them."""

import time
from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QPushButton, QTabWidget, QVBoxLayout, QWidget

from sptrader_desktop.present import live_view as view
from sptrader_desktop.present.columns import Columns
from sptrader_desktop.present.selection import Selection
from sptrader_desktop.ui.charts.equity_chart import EquityChart
from sptrader_desktop.ui.data.parts import button, fill, label, named, row, text_table
from sptrader_desktop.ui.live.live_session import LiveSession
from sptrader_desktop.ui.tables.data_table import DataTable
from sptrader_desktop.ui.theme.roles import Tone, give
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.empty_state import EmptyWords
from sptrader_desktop.ui.widgets.tile import Tile

AGES_MS = 1_000
TILES = {
    "value": ("Value", "Cash and open profits at the prices now"),
    "cash": ("Cash", "What is settled"),
    "day": ("Today", "Against the value at 17:00 New York, or at the last re-arming"),
    "total": ("Since start", "Against the capital it began with"),
    "drawdown": ("Deepest drawdown", "In percent of the highest value before it, at the closes of bars and now"),
    "positions": ("Positions", "Open now"),
    "plug": ("Dead computer", "What is lost if this computer dies now and every stop at the broker is reached, without gaps"),
}
VALUED = ("value", "day", "total", "plug")
EMPTY = EmptyWords("trending-up", "No equity yet", "The account's value is drawn here, once a second while prices come.", "")
KEYS = {"positions": "number", "orders": "id", "services": "symbol"}
ACTS = {"close": "positions", "cancel": "orders", "restart_service": "services"}
SIGN_TONES: dict[int, Tone] = {1: "up", -1: "down", 0: ""}


class SessionView(QWidget):
    def __init__(self, session: LiveSession, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session, self._selection = session, selection
        self._put: dict[str, object] = {}
        self.tiles = {key: Tile(*words) for key, words in TILES.items()}
        self._build()
        self._join()

    def show_state(self) -> None:
        state = self.session.state
        if state is None:
            return
        for key, shown in view.tiles(state).items():
            self.tiles[key].show_value(shown.value, shown.unit, SIGN_TONES[shown.sign])
        self.plug.setText(view.plug_words(state))
        give(self.plug, tone="danger" if state["plug"]["unprotected"] else "")
        self.connections.setText(" · ".join(view.connection_words(state)))
        if self._is_new("risk", state["risk"]):
            fill(self.risk, ("Limit", "Used", "Of", "Left"), view.risk_rows(state), right=True)
            self.risk.resizeColumnsToContents()
        self._show_tables()
        self._show_ages()

    def _show_tables(self) -> None:
        state, zone = self.session.state, self._selection.zone.value
        if state is None:
            return
        now = time.time_ns() // 1000
        tables: tuple[tuple[str, object, Callable[[], Columns]], ...] = (
            ("positions", state["positions"], lambda: view.positions_table(state, zone, now)),
            ("orders", state["orders"], lambda: view.orders_table(state, zone)),
            ("signals", state["signals"], lambda: view.signals_table(state, zone)),
            ("services", state["services"], lambda: view.services_table(state)),
        )
        for name, what, made in tables:
            if self._is_new(name, (what, zone)):
                self._fill(name, made())
        if self._is_new("equity", state["equity"][-1:]):
            self.equity.set_curve(*view.equity_of(state), state["account"]["currency"])
        self._show_chosen()

    def _fill(self, name: str, table: Columns) -> None:
        """What is chosen stays chosen wherever it stands now: a button must not act on its neighbour."""
        before = self._chosen(name) if name in KEYS else ""
        self.tables[name].put(table)
        if before:
            places = [place for place in range(len(table)) if table[KEYS[name]].exact(place) == before]
            self.tables[name].choose_none()
            if places:
                self.tables[name].choose(places[0])

    def _show_events(self) -> None:
        self.tables["events"].put(view.events_table(self.session.events, self._selection.zone.value))

    def _show_ages(self) -> None:
        state = self.session.state
        if state is None:
            return
        now = time.time_ns() // 1000
        self.ages.setText(view.age_words(state, now))
        is_stale = view.is_stale(state, now)
        for name in VALUED:
            self.tiles[name].setEnabled(not is_stale)
        muted = view.positions_table(state, self._selection.zone.value, now)
        if self._is_new("ages", muted.muted is not None and muted.muted.tolist()):
            self._fill("positions", muted)

    def _is_new(self, name: str, what: object) -> bool:
        is_new = name not in self._put or self._put[name] != what
        self._put[name] = what
        return is_new

    def _show_chosen(self) -> None:
        for name, each in self._acts.items():
            each.setEnabled(self._chosen(name) != "")

    def _chosen(self, name: str) -> str:
        """What the chosen row of a table is known by to the session."""
        place, table = self.tables[name].current, self.tables[name].model.table
        return "" if place is None or place >= len(table) else table[KEYS[name]].exact(place)

    def _act(self, what: str, name: str) -> None:
        about = self._chosen(name)
        if about:
            self.session.command(what, about)

    # Building

    def _build(self) -> None:
        self.ages, self.connections, self.plug = label("", "muted", wraps=False), label("", "muted", wraps=False), label("", "muted")
        self.ages.setObjectName("liveAges")
        inside = QVBoxLayout(self)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(GRID * 2)
        inside.addLayout(row(*self.tiles.values(), 1))
        inside.addWidget(self.plug)
        inside.addLayout(row(self.ages, self.connections, 1))
        self.tabs = QTabWidget()
        named(self.tabs, "liveTabs", "Live")
        self.tables = {
            "positions": DataTable("livePositions", "Positions", "Open positions are listed here.", headline="No open position"),
            "orders": DataTable("liveOrders", "Orders", "What was asked of the broker is listed here.", headline="No order yet"),
            "signals": DataTable("liveFeed", "Signals", "Each signal, what became of it and why.", headline="No signal yet"),
            "services": DataTable("liveServices", "Services", "The services of each symbol.", headline="No service yet"),
            "events": DataTable("liveEvents", "Events", "What happens is listed here as it does.", headline="Nothing has happened yet"),
        }
        self._acts = {
            "positions": button("closePositionButton", "Close Position", "All of the chosen one, at the market"),
            "orders": button("cancelOrderButton", "Cancel Order", "The chosen one, where it still works"),
            "services": button("restartServiceButton", "Restart Services", "Stop and start all services of the chosen symbol"),
        }
        self.equity = EquityChart(Selection(zone=self._selection.zone), EMPTY)  # what is looked at in a run's curve is nothing to this one
        self.risk = text_table("liveRisk", "Limits of risk")
        for name, table in self.tables.items():
            self.tabs.addTab(_with(table, self._acts.get(name)), name.capitalize())
        self.tabs.addTab(self.equity, "Equity")
        self.tabs.addTab(self.risk, "Limits")
        inside.addWidget(self.tabs, 1)

    def _join(self) -> None:
        self.session.eventTold.connect(self._show_events)
        for what, name in ACTS.items():
            self._acts[name].clicked.connect(lambda _=False, what=what, name=name: self._act(what, name))
            self.tables[name].rowChosen.connect(lambda _: self._show_chosen())
        self._aging = QTimer(self)
        self._aging.timeout.connect(self._show_ages)
        self._aging.start(AGES_MS)
        self.destroyed.connect(self._selection.zone.watch(lambda _: self._show_tables()))
        self._show_events()


def _with(table: QWidget, act: QPushButton | None) -> QWidget:
    whole = QWidget()
    inside = QVBoxLayout(whole)
    inside.setContentsMargins(0, 0, 0, 0)
    inside.setSpacing(GRID)
    inside.addWidget(table, 1)
    if act is not None:
        act.setEnabled(False)
        inside.addLayout(row(act, 1))
    return whole
