"""Everything about one run: its net and how sure that is, figures, tables and pictures. Rows and the chart's bar follow each other.

Pages are filled when they are first looked at: a run of 100,000 trades costs what is seen of it.
"""

from collections.abc import Callable, Mapping
from functools import partial
from textwrap import shorten
from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QStackedLayout, QTabWidget, QVBoxLayout, QWidget

from sptrader_desktop.present.decision_rows import decision_listing
from sptrader_desktop.present.listing import Listing
from sptrader_desktop.present.order_rows import order_listing
from sptrader_desktop.present.result_words import certainty_line, coverage_lines, net_line, subject_line
from sptrader_desktop.present.selection import BarAt, Selection, Zone
from sptrader_desktop.present.signal_rows import signal_listing
from sptrader_desktop.present.trade_rows import trade_listing
from sptrader_desktop.ui.background import Background
from sptrader_desktop.ui.results.pages import CertaintyPage, SpreadPage, SummaryPage, TimingPage
from sptrader_desktop.ui.tables.data_table import DataTable
from sptrader_desktop.ui.theme.roles import give
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.badge import Badge
from sptrader_desktop.ui.widgets.elided_label import ElidedLabel
from sptrader_desktop.ui.widgets.empty_state import EmptyState

if TYPE_CHECKING:
    from sptrader_desktop.core.results import Result

TABLES: Mapping[str, tuple[str, Callable[["Result", Zone], Listing], str]] = {
    "trades": ("Trades", trade_listing, "This run made no trades. Decisions say what stood in the way."),
    "orders": ("Orders", order_listing, "This run placed no orders. Decisions say what stood in the way."),
    "decisions": ("Decisions", decision_listing, "The conditions of no entry rule ever held. Signals show what was there to hold."),
    "signals": (
        "Signals",
        signal_listing,
        "The signals of this strategy found nothing: check their parameters and the candles.",
    ),
}
MANY_ROWS, MANY_BARS = 20_000, 100_000  # more than these are put in order beside the window's thread
SHORT = 60  # letters of what makes a result stale; all of it is in the tooltip
T = TypeVar("T")


class ResultsPanel(QWidget):
    """`show_result` fills it; it writes `selection.bar` and follows it."""

    runAsked = Signal()  # Run Backtest, from the empty page or the badge
    explainAsked = Signal()  # the chosen bar, from a row of the decisions

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("resultsPanel")
        self.setAccessibleName("Results")
        self._selection = selection
        self._result: Result | None = None
        self._listings: dict[str, Listing] = {}
        self._arrangements: dict[str, Any] = {}
        self._filled: set[int] = set()
        self._background = Background(self)
        self.tables = {name: DataTable(name, title, empty) for name, (title, _, empty) in TABLES.items()}
        self.summary, self.timing, self.spread, self.certainty = SummaryPage(), TimingPage(), SpreadPage(), CertaintyPage()
        self._build()
        for name, table in self.tables.items():
            table.rowChosen.connect(lambda row, name=name: self._go_to(name, row))
            table.rowActivated.connect(lambda row, name=name: self._go_to(name, row, at_end=True))
        self.tables["decisions"].rowActivated.connect(lambda _: self.explainAsked.emit())
        for page in (self.spread, self.certainty):
            page.tradeChosen.connect(lambda row: self._go_to("trades", row))
        self.tabs.currentChanged.connect(lambda _: self._fill())
        ends = [selection.bar.watch(self._follow), selection.zone.watch(lambda _: self._again())]
        self.destroyed.connect(lambda: [end() for end in ends])

    # What is shown

    def show_result(self, result: "Result") -> None:
        self._result = result
        self.set_stale("")
        self._write_head()
        self._stack.setCurrentIndex(1)
        self._again()

    def set_stale(self, reason: str) -> None:
        """What has changed since the run, a line each; nothing takes the badge away. The badge has room for one."""
        first, _, others = reason.partition("\n")
        word = f"STALE: {shorten(first, SHORT, placeholder=' …')}" + (f" (and {others.count(chr(10)) + 1} more)" if others else "")
        self._badge.show_word(word if reason else "", "warning", f"This result is not of what is chosen now: {reason}" if reason else "")
        self._again_button.setVisible(bool(reason))

    @property
    def result(self) -> "Result | None":
        return self._result

    def show_tab(self, name: str) -> None:
        self.tabs.setCurrentWidget(self.tables[name])

    def state(self) -> dict[str, Any]:
        arranged = {name: table.state() for name, table in self.tables.items() if table.model.table.columns}
        return {"tab": self.tabs.currentIndex(), "tables": self._arrangements | arranged}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Arrangements of tables wait until they have columns."""
        stored = state.get("tables")
        self._arrangements = dict(stored) if isinstance(stored, dict) else {}
        tab = state.get("tab")
        if isinstance(tab, int) and 0 <= tab < self.tabs.count():
            self.tabs.setCurrentIndex(tab)

    # Building

    def _build(self) -> None:
        text = "Figures, trades and pictures of a backtest will be here."
        empty = EmptyState("chart-bar", "No results yet", text, "Run Backtest  F5", self.runAsked.emit, is_first_step=True)
        empty.button.setObjectName("resultsStep")
        self.tabs = QTabWidget()
        self.tabs.setObjectName("resultsTabs")
        self.tabs.setAccessibleName("Pages of results")
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self.summary, "Summary")
        for name, table in self.tables.items():
            self.tabs.addTab(table, TABLES[name][0])
        self.tabs.addTab(self.timing, "Timing")
        self.tabs.addTab(self.spread, "Distribution")
        self.tabs.addTab(self.certainty, "Certainty")
        full = QWidget()
        column = QVBoxLayout(full)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._head())
        column.addWidget(self.tabs, 1)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(empty)
        self._stack.addWidget(full)

    def _head(self) -> QHBoxLayout:
        self._net, self._band, self._badge = QLabel(), ElidedLabel(), Badge()
        self._net.setObjectName("netLabel")
        give(self._net, role="title")
        self._band.setObjectName("certaintyLabel")
        give(self._band, role="muted")
        self._badge.setObjectName("staleBadge")
        self._again_button = QPushButton("Run again  F5")
        self._again_button.setObjectName("runAgainButton")
        self._again_button.setAccessibleName("Run the backtest again")
        self._again_button.clicked.connect(lambda _checked=False: self.runAsked.emit())
        for label in (self._net, self._band):
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        head = QHBoxLayout()
        head.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        head.setSpacing(4 * GRID)
        head.addWidget(self._net)
        head.addWidget(self._band, 1)
        head.addWidget(self._badge)
        head.addWidget(self._again_button)
        return head

    def _write_head(self) -> None:
        if self._result is None:
            return
        self._net.setText(net_line(self._result))
        self._band.show_text(f"{subject_line(self._result)}: {certainty_line(self._result)}")

    # Filling

    def _again(self) -> None:
        self._background.forget()
        self._listings.clear()
        self._filled.clear()
        self._fill()

    def _fill(self) -> None:
        tab, result, zone = self.tabs.currentIndex(), self._result, self._selection.zone.value
        if result is None or tab in self._filled:
            return
        self._filled.add(tab)
        page = self.tabs.widget(tab)
        if page is self.certainty:
            self.certainty.put(result, self._listing("trades"))
            self._maybe_later(bars_of(result) > MANY_BARS, lambda: coverage_lines(result), self.certainty.put_coverage)
        elif isinstance(page, SummaryPage | TimingPage | SpreadPage):
            page.put(result, zone)
        else:
            self._fill_table(next(name for name, table in self.tables.items() if table is page), result, zone)

    def _fill_table(self, name: str, result: "Result", zone: Zone) -> None:
        """Small tables at once; the events of a million bars take a moment, and the window does not wait for them."""
        is_large = rows_of(result, name) > MANY_ROWS and name not in self._listings
        if is_large:
            self.tables[name].show_waiting(f"Putting {rows_of(result, name):,} rows in order …")
        self._maybe_later(is_large, lambda: self._listings.get(name) or TABLES[name][1](result, zone), partial(self._put_table, name))

    def _maybe_later(self, is_heavy: bool, work: Callable[[], T], done: Callable[[T], None]) -> None:
        if is_heavy:
            self._background.run(work, done)
        else:
            done(work())

    def _put_table(self, name: str, listing: Listing) -> None:
        table = self.tables[name]
        self._listings[name] = listing
        table.put(listing.table)
        arrangement = self._arrangements.pop(name, None)
        if isinstance(arrangement, dict):
            table.restore(arrangement)
        self._follow(self._selection.bar.value)

    def _listing(self, name: str) -> Listing:
        assert self._result is not None, "pages are filled once there is a result"
        if name not in self._listings:
            self._listings[name] = TABLES[name][1](self._result, self._selection.zone.value)
        return self._listings[name]

    # Links

    def _go_to(self, name: str, row: int, *, at_end: bool = False) -> None:
        listing = self._listing(name)
        bar = listing.bar_of(row)
        self._selection.bar.set(BarAt(bar.symbol, int(listing.last[row])) if at_end else bar)

    def _follow(self, bar: BarAt | None) -> None:
        """The current table shows what the bar is about, unless its current row is about it already."""
        name = next((name for name, table in self.tables.items() if table is self.tabs.currentWidget()), None)
        if name is None or bar is None or name not in self._listings:
            return
        rows, table = self._listings[name].rows_at(bar).tolist(), self.tables[name]
        if not rows:
            table.choose_none()
        elif table.current not in rows:
            table.choose(next((row for row in rows if table.model.row_of(row) >= 0), rows[0]))


def rows_of(result: "Result", name: str) -> int:
    """About how many rows a table has, without making it."""
    if name == "signals":
        return sum(len(table) for events in result.events for table in events.values())
    outcome = result.outcome
    exits = len(outcome.trades)
    return exits if name == "trades" else exits + len(outcome.orders if name == "orders" else outcome.verdicts)


def bars_of(result: "Result") -> int:
    return sum(len(candles) for candles in result.request.traded)
