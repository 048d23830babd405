"""What a live session is, holds and did: tiles, charts, limits, services and tables; and what a person may do about a row of them."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QPushButton, QSplitter, QTabWidget, QVBoxLayout, QWidget

from sptrader_desktop.core.instruments import Instrument
from sptrader_desktop.present import live_risk, live_tree
from sptrader_desktop.present import live_view as view
from sptrader_desktop.present.columns import Columns
from sptrader_desktop.present.selection import Selection
from sptrader_desktop.ui.charts.equity_chart import EquityChart
from sptrader_desktop.ui.data.parts import button, label, named, row
from sptrader_desktop.ui.live.health_tree import HealthTree
from sptrader_desktop.ui.live.live_chart import LiveChart
from sptrader_desktop.ui.live.live_questions import LiveQuestions
from sptrader_desktop.ui.live.live_session import LiveSession
from sptrader_desktop.ui.live.risk_gauges import RiskGauges
from sptrader_desktop.ui.tables.data_table import DataTable
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.roles import Tone, give
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.turns import Turns
from sptrader_desktop.ui.widgets.empty_state import EmptyWords
from sptrader_desktop.ui.widgets.tile import Tile

AGES_MS, EVENTS_MS = 1_000, 250
AT_ONCE_S = 0.008
SIDE = 120 * GRID
TILES = {
    "value": ("Value", "Cash and open profits at the prices now"),
    "cash": ("Cash", "What is settled"),
    "day": ("Today", "Against the value at 17:00 New York, or at the last re-arming"),
    "total": ("Since start", "Against the capital it began with"),
    "drawdown": ("Deepest drawdown", "In percent of the highest value before it, at the closes of bars and now"),
    "positions": ("Positions", "Open now"),
    "plug": ("If this machine dies now", "What is lost of the value if nothing here runs any more and every stop at the broker is reached"),
}
VALUED = ("value", "day", "total", "plug")
EMPTY = EmptyWords("trending-up", "No equity yet", "The account's value is drawn here, once a second while prices come.", "")
KEYS = {"positions": "number", "orders": "id"}
SIGN_TONES: dict[int, Tone] = {1: "up", -1: "down", 0: ""}


class SessionView(QWidget):
    """What came is shown in few turns, the newest only, and painted once; nothing is worked out for what nobody sees."""

    hinted = Signal(str)  # what the keyboard does next on a chart

    def __init__(
        self,
        session: LiveSession,
        questions: LiveQuestions,
        instruments: Callable[[], Mapping[str, Instrument]],
        selection: Selection,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.session, self.questions, self._instruments, self._selection = session, questions, instruments, selection
        self._turns = Turns(self, AT_ONCE_S)
        self._put: dict[str, object] = {}
        self.tiles = {key: Tile(*words) for key, words in TILES.items()}
        self.chart_of: dict[str, LiveChart] = {}
        self._build()
        self._join()

    def show_state(self) -> None:
        state = self.session.state
        if state is None:
            return
        self._show_symbols(state)
        self._turns.hand(self, self._show_tiles)
        self._turns.hand(self.risk, self._show_risk)
        self._turns.hand(self.health, self._show_health)
        self._turns.hand(self.equity, self._show_equity)
        for name in ("positions", "orders", "signals"):
            self._turns.hand(self.tables[name], self._show_table, name)
        self._show_charts()

    # Parts

    def _show_charts(self) -> None:
        for chart in self.chart_of.values():
            self._turns.hand(chart, self._show_chart, chart)

    def _show_chart(self, chart: LiveChart) -> None:
        state = self.session.state
        if state is not None:
            chart.mute(self.session.is_lost or view.is_priced_long_ago(state, chart.instrument.symbol, now()))
            chart.show_state(state)

    def _show_tiles(self) -> None:
        state = self.session.state
        if state is None:
            return
        for key, shown in view.tiles(state).items():
            if self._is_new(f"tile {key}", shown):
                self.tiles[key].show_value(shown.value, shown.unit, SIGN_TONES[shown.sign])
        words = view.plug_words(state)
        self.plug.setText(words)
        self.plug.setVisible(bool(words))
        for name in KEYS:
            count = len(state[name])
            if self._is_new(f"count {name}", count):
                self.tabs.setTabText(self._place(name), f"{name.capitalize()} {count}" if count else name.capitalize())
        self._show_ages()

    def _show_risk(self) -> None:
        state = self.session.state
        if state is not None and self._is_new("risk", state["risk"]):
            self.risk.put(live_risk.gauges(state))
            latched = sum(bool(told["latched"]) for told in state["risk"])
            self.side.setTabText(0, f"Limits: {latched} latched" if latched else "Limits")

    def _show_health(self) -> None:
        if self.session.state is not None:
            self.health.put(list(live_tree.rows(self.session.state)), now())

    def _show_equity(self) -> None:
        state = self.session.state
        if state is None:
            return
        self.equity.mute(self.session.is_lost or view.is_stale(state, now()))
        if self._is_new("equity", state["equity"][-1:]):
            self.equity.set_curve(*view.equity_of(state), state["account"]["currency"])

    def _show_table(self, name: str) -> None:
        state, zone, is_lost = self.session.state, self._selection.zone.value, self.session.is_lost
        if state is None:
            return
        muted = view.muted(state, now(), is_lost=is_lost) if name == "positions" else ()
        if not self._is_new(name, (state[name], zone, muted, is_lost)):
            return
        made: dict[str, Callable[[], Columns]] = {
            "positions": lambda: view.positions_table(state, zone, muted),
            "orders": lambda: view.orders_table(state, zone, is_lost=is_lost),
            "signals": lambda: view.signals_table(state, zone),
        }
        self._fill(name, made[name]())

    def _fill(self, name: str, table: Columns) -> None:
        """What is chosen stays chosen wherever it stands now: a button must not act on its neighbour."""
        before = self._chosen(name) if name in KEYS else ""
        self.tables[name].put(table)
        if before:
            places = [place for place in range(len(table)) if table[KEYS[name]].exact(place) == before]
            self.tables[name].choose_none()
            if places:
                self.tables[name].choose(places[0])
        self._show_chosen()

    def _show_events(self) -> None:
        self.tables["events"].put(view.events_table(self.session.events, self._selection.zone.value))

    def _show_symbols(self, state: Mapping[str, Any]) -> None:
        """A chart for each; another session may trade others."""
        symbols, known = (state["timeframe"], *state["symbols"]), self._instruments()
        if not self._is_new("symbols", symbols):
            return
        for chart in self.chart_of.values():
            self.charts.removeTab(self.charts.indexOf(chart))
            chart.hide()
            chart.give_back()
        traded = [health["symbol"] for health in state["services"]]
        self.chart_of = {
            symbol: LiveChart(known[symbol], state["timeframe"], self.session.ask_bars, self._selection, self)
            for symbol in traded
            if symbol in known
        }
        for place, (symbol, chart) in enumerate(self.chart_of.items()):
            chart.tools.said.connect(self.hinted)
            self.charts.insertTab(place, chart, symbol)
        self.charts.setCurrentIndex(0)

    def _take_bars(self, message: Mapping[str, Any]) -> None:
        chart = self.chart_of.get(message["symbol"])
        if chart is not None:
            chart.take_bars(message["rows"])
            self._turns.hand(chart, self._show_chart, chart)

    def _show_ages(self) -> None:
        """What time alone changes."""
        state = self.session.state
        if state is None:
            return
        at, is_lost = now(), self.session.is_lost
        self.ages.setText(view.age_words(state, at, is_lost=is_lost))
        is_stale, is_gone = view.is_stale(state, at), is_lost or view.is_silent(state, at)
        give(self.ages, tone="warning" if is_stale or is_lost else "")
        if self._is_new("stale", (is_stale, is_gone)):
            for name, tile in self.tiles.items():
                tile.setEnabled(not (is_gone or (is_stale and name in VALUED)))
            for part in (self.risk, self.health):
                part.setEnabled(not is_gone)
            self._show_chosen()
        self._turns.hand(self.tables["positions"], self._show_table, "positions")
        self._turns.hand(self.equity, self._show_equity)
        self._show_charts()

    def _is_new(self, name: str, what: object) -> bool:
        is_new = name not in self._put or self._put[name] != what
        self._put[name] = what
        return is_new

    # Acting

    def _show_chosen(self) -> None:
        for name, each in self._acts.items():
            each.setEnabled(self.session.is_attached and self._chosen(name) != "")

    def _chosen(self, name: str) -> str:
        """What the chosen row of a table is known by to the session."""
        place, table = self.tables[name].current, self.tables[name].model.table
        return "" if place is None or place >= len(table) else table[KEYS[name]].exact(place)

    def _close(self) -> None:
        if about := self._chosen("positions"):
            self.questions.ask_close(about)

    def _cancel(self) -> None:
        if about := self._chosen("orders"):
            self.session.command("cancel", about)

    def _place(self, name: str) -> int:
        return list(self.tables).index(name)

    # Building

    def _build(self) -> None:
        self.ages, self.plug = label("", "muted"), label("")
        named(self.ages, "liveAges", "How old what is shown is")
        give(self.plug, tone="danger")
        self.plug.setObjectName("livePlug")
        self.plug.hide()
        inside = QVBoxLayout(self)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(GRID * 2)
        inside.addLayout(row(*self.tiles.values(), 1))
        inside.addWidget(self.plug)
        inside.addWidget(self.ages)
        self.charts, self.side, self.tabs = QTabWidget(), QTabWidget(), QTabWidget()
        named(self.charts, "liveCharts", "Charts")
        named(self.side, "liveSide", "Limits and services")
        named(self.tabs, "liveTabs", "Positions, orders, signals, events")
        self.equity = EquityChart(Selection(zone=self._selection.zone), EMPTY)  # what is looked at in a run's curve is nothing to this one
        self.charts.addTab(self.equity, "Equity")
        self.risk, self.health = RiskGauges(), HealthTree()
        self.side.addTab(self.risk, "Limits")
        self.side.addTab(self.health, "Services")
        self._build_tables()
        inside.addWidget(self._split(), 1)

    def _split(self) -> QSplitter:
        upper, whole = QSplitter(Qt.Orientation.Horizontal), QSplitter(Qt.Orientation.Vertical)
        for part in (self.charts, self.side):
            upper.addWidget(part)
        whole.addWidget(upper)
        whole.addWidget(self.tabs)
        for split, shares in ((upper, (3, 2)), (whole, (3, 2))):
            split.setChildrenCollapsible(False)
            for place, share in enumerate(shares):
                split.setStretchFactor(place, share)
        upper.setSizes([look().pixels(8 * SIDE), look().pixels(5 * SIDE)])  # services are read without moving them sideways
        whole.setSizes([look().pixels(SIDE), look().pixels(SIDE)])
        for split, name in ((upper, "liveUpper"), (whole, "liveSplit")):
            split.setObjectName(name)
        return whole

    def _build_tables(self) -> None:
        self.tables = {
            "positions": DataTable("livePositions", "Positions", "Open positions are listed here.", headline="No open position"),
            "orders": DataTable("liveOrders", "Orders", "What was asked of the broker is listed here.", headline="No order yet"),
            "signals": DataTable("liveFeed", "Signals", "Each signal, what became of it and why.", headline="No signal yet"),
            "events": DataTable("liveEvents", "Events", "What happens is listed here as it does.", headline="Nothing has happened yet"),
        }
        self._acts: dict[str, QPushButton] = {
            "positions": button("closePositionButton", "Close Position…", "All of the chosen one, at the market"),
            "orders": button("cancelOrderButton", "Cancel Order", "The chosen one, where it still works"),
        }
        for name, table in self.tables.items():
            table.view.horizontalHeader().setStretchLastSection(name in {"signals", "events"})  # sentences
            self.tabs.addTab(_with(table, self._acts.get(name)), name.capitalize())

    def _join(self) -> None:
        session = self.session
        self._listing = QTimer(self, interval=EVENTS_MS, singleShot=True)
        self._listing.timeout.connect(lambda: self._turns.hand(self.tables["events"], self._show_events))
        session.eventTold.connect(lambda: None if self._listing.isActive() else self._listing.start())
        session.barsTold.connect(self._take_bars)
        self._acts["positions"].clicked.connect(lambda _=False: self._close())
        self._acts["orders"].clicked.connect(lambda _=False: self._cancel())
        self.tables["positions"].rowActivated.connect(lambda _: self._close())
        self.health.restartAsked.connect(lambda about: session.command("restart_service", about))
        self.risk.rearmAsked.connect(self.questions.ask_rearm_of)
        for name in KEYS:
            self.tables[name].rowChosen.connect(lambda _: self._show_chosen())
        self._aging = QTimer(self, interval=AGES_MS)
        self._aging.timeout.connect(lambda: self._turns.hand(self, self._show_ages))
        self._aging.start()
        self.destroyed.connect(self._selection.zone.watch(lambda _: self.show_state()))
        self._show_events()


def now() -> int:
    return time.time_ns() // 1000


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
