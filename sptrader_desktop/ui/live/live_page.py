"""The Live page: how a session stands, what it holds and did, and what a person may do about it. Without a session, how to start one."""

import time
from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QStackedWidget, QTabWidget, QVBoxLayout, QWidget

from sptrader_desktop.present import live_view as view
from sptrader_desktop.present.columns import Columns
from sptrader_desktop.present.selection import Selection
from sptrader_desktop.ui.charts.equity_chart import EquityChart
from sptrader_desktop.ui.data.parts import button, fill, label, named, row, text_table
from sptrader_desktop.ui.live.live_desk import LiveDesk, LiveStart
from sptrader_desktop.ui.live.live_session import LiveSession
from sptrader_desktop.ui.live.start_form import StartForm
from sptrader_desktop.ui.tables.data_table import DataTable
from sptrader_desktop.ui.theme.roles import Tone, give
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.badge import Badge
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
STATE_TONES: dict[str, Tone] = {"running": "up", "halted": "danger", "close_only": "warning", "paused": "warning"}
SIGN_TONES: dict[int, Tone] = {1: "up", -1: "down", 0: ""}


class LivePage(QWidget):
    def __init__(self, desk: LiveDesk, session: LiveSession, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("livePage")
        self.setAccessibleName("Live")
        self.session, self._selection = session, selection
        self._put: dict[str, object] = {}
        self.form, self.tiles = StartForm(desk), {key: Tile(*words) for key, words in TILES.items()}
        self.stack = QStackedWidget()
        self._build()
        self._join()
        self._show()

    # Showing

    def _show(self) -> None:
        state = self.session.state
        self.stack.setCurrentWidget(self.form if state is None else self._running)
        self.badge.show_word("PAPER" if state else "", "accent", "No order reaches a market")
        for each in (self.pause, self.resume, self.stop):
            each.setEnabled(state is not None)
        if state is None:
            self.headline.setText("No live session runs")
            give(self.headline, tone="")
            self.gate.setText("")
            return
        self.headline.setText(view.headline(state))
        give(self.headline, tone=STATE_TONES.get(state["state"], ""))
        self.gate.setText(view.gate_words(state))
        give(self.gate, tone="" if state["gate"] == "open" else "danger")
        self.pause.setEnabled(state["state"] != "paused")
        self.resume.setEnabled(state["state"] == "paused")
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

    def _act(self, what: str, name: str) -> None:
        about = self._chosen(name)
        if about:
            self.session.command(what, about)

    def _tell(self, words: str, is_good: bool) -> None:
        self.said.setText(words)
        self.said.show()
        give(self.said, tone="" if is_good else "danger")

    # Building

    def _build(self) -> None:
        self.badge, self.headline, self.gate = Badge(), label("", "title", wraps=False), label("", wraps=False)
        self.ages, self.connections = label("", "muted", wraps=False), label("", "muted", wraps=False)
        self.said, self.plug = label(""), label("", "muted")
        self.said.hide()
        for each, name in ((self.headline, "liveState"), (self.gate, "liveGate"), (self.ages, "liveAges"), (self.said, "liveSaid")):
            each.setObjectName(name)
        self.pause = button("pauseLiveButton", "Pause", "Open nothing new; positions keep their exits")
        self.resume = button("resumeLiveButton", "Resume", "End the pause")
        self.stop = button("stopLiveButton", "Stop", "End the program that trades; what is open stays at the broker, with its stops")
        self.rearm = button("rearmLiveButton", "Re-arm", "Let orders pass again after an emergency stop or a limit that was reached")
        self.emergency = button("emergencyStopButton", "Emergency Stop…", "No order leaves any more, working orders are cancelled")
        give(self.emergency, tone="danger")
        head = row(self.badge, self.headline, self.gate, 1, self.pause, self.resume, self.stop, self.rearm, self.emergency)
        self.stack.addWidget(self.form)
        self._running = self._running_part()
        self.stack.addWidget(self._running)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(GRID * 3, GRID * 2, GRID * 3, GRID * 2)
        whole.setSpacing(GRID * 2)
        whole.addLayout(head)
        whole.addWidget(self._question())
        whole.addWidget(self.said)
        whole.addWidget(self.stack, 1)

    def _running_part(self) -> QWidget:
        part = QWidget()
        inside = QVBoxLayout(part)
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
        return part

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
        session.eventTold.connect(self._show_events)
        session.said.connect(self._tell)
        self.form.startAsked.connect(self._start)
        for each, what in ((self.pause, "pause"), (self.resume, "resume"), (self.stop, "stop")):
            each.clicked.connect(lambda _=False, what=what: session.command(what))
        self.rearm.clicked.connect(lambda _=False: session.rearm())
        self.emergency.clicked.connect(lambda _=False: self.ask_emergency_stop())
        for what, name in (("close", "positions"), ("cancel", "orders"), ("restart_service", "services")):
            self._acts[name].clicked.connect(lambda _=False, what=what, name=name: self._act(what, name))
            self.tables[name].rowChosen.connect(lambda _: self._show_chosen())
        self._aging = QTimer(self)
        self._aging.timeout.connect(self._show_ages)
        self._aging.start(AGES_MS)
        self.destroyed.connect(self._selection.zone.watch(lambda _: self._show_tables()))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.form.refresh()


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
