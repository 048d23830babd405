"""The watchlist: a few symbols with their last prices, from candles and, when asked for, live."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from PySide6.QtCore import QModelIndex, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPushButton,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import Instrument
from sptrader_desktop.ports import LivePrice
from sptrader_desktop.present.columns import Columns
from sptrader_desktop.present.observable import Observable
from sptrader_desktop.present.watchlist import Watched, live, moved_symbol, typed_symbols, watchlist_columns
from sptrader_desktop.ui.market.live_feed import State
from sptrader_desktop.ui.tables.column_table import ColumnTable
from sptrader_desktop.ui.tables.table_view import TableView
from sptrader_desktop.ui.theme.icons import icon
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.roles import Tone, give
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.elided_label import ElidedLabel
from sptrader_desktop.ui.widgets.empty_state import EmptyState
from sptrader_desktop.ui.widgets.inset import inset
from sptrader_desktop.ui.widgets.word_completer import WordCompleter
from sptrader_desktop.ui.widgets.words import Words

Known = Observable[Mapping[str, Instrument]]
SECOND_MS, MINUTE_MS, SOON_MS = 1000, 60_000, 200
ROOM = 5 * GRID  # beside the widest text of a column
EMPTY = "The symbols you watch will be here, with their last prices. Add some below, or take those of your candles."
STATES: Mapping[State, tuple[str, Tone, str]] = {
    "off": ("No live prices: from candles", "", "Connect to Live Prices"),
    "connecting": ("Connecting …", "accent", "Disconnect"),
    "live": ("Live", "up", "Disconnect"),
    "lost": ("Connection lost", "danger", "Disconnect"),
}


class WatchlistPane(QWidget):
    """Shows `symbols`, which the person changes here; `show_rows` brings what is known of them."""

    openAsked = Signal(str)  # a symbol
    alertAsked = Signal(str)
    connectAsked = Signal(bool)
    fillAsked = Signal()  # with the symbols of the candles there are

    def __init__(self, symbols: Observable[tuple[str, ...]], known: Known, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("watchlist")
        self.setAccessibleName("Watchlist")
        self._symbols, self._known = symbols, known
        self._state: State = "off"
        self._rows: dict[str, Watched] = {}
        self._shown: tuple[str, ...] = ()  # what the table has, which follows the symbols
        self.model = ColumnTable(self)
        self.view = TableView(self.model, self)
        self.view.setObjectName("watchlistView")
        self.view.setAccessibleName("Watched symbols")
        self._soon = QTimer(self, interval=SOON_MS, singleShot=True)
        self._soon.timeout.connect(self._refresh)
        self._beat = QTimer(self)
        self._beat.timeout.connect(self._refresh)
        self._build()
        self.view.activated.connect(self._open)
        self.view.headerMenuAsked.connect(self._open_columns)
        ends = [symbols.watch(lambda _: self._refresh()), known.watch(self._know)]
        self.destroyed.connect(lambda: [end() for end in ends])
        self.show_state("off", "")
        self._refresh()

    # What is shown

    def show_rows(self, rows: Sequence[Watched]) -> None:
        """From candles; a live price that is there already stays."""
        for row in rows:
            known = self._rows.get(row.symbol)
            live_now = None
            if known is not None and known.is_live and known.last is not None:
                live_now = LivePrice(known.symbol, known.stamp, known.last, known.ask)
            self._rows[row.symbol] = row if live_now is None else row.at(live_now)
        self._refresh()

    def take_prices(self, prices: Sequence[LivePrice]) -> None:
        missing = {price.symbol: Watched(price.symbol) for price in prices if price.symbol not in self._rows}
        self._rows |= live(self._rows | missing, prices)
        if not self._soon.isActive():
            self._soon.start()

    def show_state(self, state: State, words: str) -> None:
        self._state = state
        said, tone, button = STATES[state]
        self.state.show_text(f"{said}: {words}" if words else said)
        give(self.state, role="muted", tone=tone)
        self.connect_button.setText(button)
        if state in {"live", "off"}:
            self._beat.start(SECOND_MS if state == "live" else MINUTE_MS)  # prices of candles age too
        self._refresh()

    @property
    def chosen(self) -> str | None:
        index = self.view.currentIndex()
        return self._shown[int(self.model.sources[index.row()])] if index.isValid() else None

    # What is done

    def add(self) -> None:
        try:
            typed = typed_symbols(self.field.text(), self._known.value)
        except DataError as error:
            self._say(str(error))
            return
        self._say("")
        self.field.clear()
        self._symbols.set(tuple(dict.fromkeys((*self._symbols.value, *typed))))

    def remove_chosen(self) -> None:
        chosen = self.chosen
        if chosen is not None:
            self._symbols.set(tuple(symbol for symbol in self._symbols.value if symbol != chosen))

    def move_chosen(self, step: int) -> None:
        chosen = self.chosen
        if chosen is not None:
            self._symbols.set(moved_symbol(self._symbols.value, self._symbols.value.index(chosen), step))
            self._choose(chosen)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Del takes a symbol out, Alt+Up and Alt+Down move it."""
        is_alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        if event.key() == Qt.Key.Key_Delete:
            self.remove_chosen()
        elif is_alt and event.key() in {Qt.Key.Key_Up, Qt.Key.Key_Down}:
            self.move_chosen(-1 if event.key() == Qt.Key.Key_Up else 1)
        else:
            super().keyPressEvent(event)

    # Within

    def _refresh(self) -> None:
        symbols, current = self._symbols.value, self.chosen
        rows = [self._rows.get(symbol) or Watched(symbol) for symbol in symbols]
        now, is_connected = time.time_ns() // 1000, self._state in {"live", "lost"}
        table = watchlist_columns(rows, now, is_connected=is_connected, known=self._known.value) if rows else Columns()
        is_other = table.keys != self.model.table.keys
        self.model.put(table)
        self._shown = symbols
        if is_other and rows:
            self.view.fit(table)
        self._fit(table, is_anew=is_other)
        self._stack.setCurrentIndex(0 if symbols else 1)
        if current in symbols:
            self._choose(str(current))
        for button in self._of_chosen:
            button.setEnabled(bool(symbols))

    def _fit(self, table: Columns, *, is_anew: bool) -> None:
        """Closer than results stand: a watchlist stands at the side. Later columns only grow, when a price needs it."""
        metrics = QFontMetrics(look().font(bold=True))
        for section, column in enumerate(table.columns):
            texts = (column.header, *(column.text(row) for row in range(len(table))))
            needed = max(metrics.horizontalAdvance(text) for text in texts) + look().pixels(ROOM)
            if not self.view.isColumnHidden(section) and (is_anew or needed > self.view.columnWidth(section)):
                self.view.setColumnWidth(section, needed)

    def _open_columns(self, _section: int, place: QPoint) -> None:
        menu = QMenu(self)
        menu.setObjectName("watchlistColumnsMenu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for section, column in self.view.sections():
            action = menu.addAction(column.header)
            action.setToolTip(column.tip)
            action.setCheckable(True)
            action.setChecked(not self.view.isColumnHidden(section))
            action.toggled.connect(partial(self.view.show_section, section))
        menu.popup(place)

    def _choose(self, symbol: str) -> None:
        row = self.model.row_of(self._symbols.value.index(symbol))
        if row >= 0 and self.view.currentIndex().row() != row:
            self.view.show_row(row)

    def _open(self, index: QModelIndex) -> None:
        self.openAsked.emit(self._shown[int(self.model.sources[index.row()])])

    def _know(self, known: Mapping[str, Instrument]) -> None:
        self._completer.offer(sorted(known))
        self._rows.clear()  # their prices are in the ticks of before
        self._refresh()

    def _say(self, words: str) -> None:
        self._problem.setText(words)
        self._problem.setVisible(bool(words))

    def _build(self) -> None:
        self.state = ElidedLabel("")
        self.state.setObjectName("livePricesState")
        self.connect_button = QPushButton()
        self.connect_button.setObjectName("connectPricesButton")
        self.connect_button.setAccessibleName("Connect to or disconnect from live prices")
        self.connect_button.clicked.connect(lambda: self.connectAsked.emit(self._state == "off"))
        head = QVBoxLayout()
        head.setContentsMargins(GRID * 2, GRID, GRID * 2, GRID)
        head.setSpacing(GRID)
        head.addWidget(self.connect_button)
        head.addWidget(self.state)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.view)
        empty = EmptyState("eye", "Nothing is watched yet", EMPTY, "Take Those of My Candles", self.fillAsked.emit)
        self._stack.addWidget(empty)
        self._problem = Words(wraps=True)
        self._problem.setObjectName("watchlistProblem")
        give(self._problem, tone="danger")
        self._problem.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self._stack, 1)
        column.addLayout(inset(self._problem, 2))
        column.addLayout(self._foot())

    def _foot(self) -> QVBoxLayout:
        self.field = QLineEdit()
        self.field.setObjectName("addSymbolField")
        self.field.setAccessibleName("Symbol to watch")
        self.field.setPlaceholderText("Add a symbol")
        self._completer = WordCompleter(self.field)
        self._completer.offer(sorted(self._known.value))
        self.field.setCompleter(self._completer)
        self.field.returnPressed.connect(self.add)
        adding, doing, foot = QHBoxLayout(), QHBoxLayout(), QVBoxLayout()
        foot.setContentsMargins(GRID * 2, GRID, GRID * 2, GRID)
        for part in (foot, adding, doing):
            part.setSpacing(GRID)
        adding.addWidget(self.field, 1)
        adding.addWidget(self._button("addSymbolButton", "plus", "Add the symbol", self.add))
        self._of_chosen = [
            self._button("symbolUpButton", "chevron-up", "Move the chosen symbol up (Alt+Up)", lambda: self.move_chosen(-1)),
            self._button("symbolDownButton", "chevron-down", "Move the chosen symbol down (Alt+Down)", lambda: self.move_chosen(1)),
            self._button("removeSymbolButton", "trash-2", "Watch the chosen symbol no more (Del)", self.remove_chosen),
            self._button("symbolAlertButton", "bell-ring", "Set a price alert for the chosen symbol", self._ask_alert),
        ]
        for button in self._of_chosen:
            doing.addWidget(button)
        doing.addStretch(1)
        foot.addLayout(doing)
        foot.addLayout(adding)
        return foot

    def _ask_alert(self) -> None:
        if self.chosen is not None:
            self.alertAsked.emit(self.chosen)

    def last(self, symbol: str) -> int | None:
        """The last price that is known, in ticks."""
        row = self._rows.get(symbol)
        return row.last if row else None

    def _button(self, name: str, drawing: str, tip: str, do: Callable[[], object]) -> QToolButton:
        button = QToolButton()
        button.setObjectName(name)
        button.setIcon(icon(drawing, "muted"))
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        give(button, role="flat")
        button.clicked.connect(do)
        return button
