"""Price alerts: set, armed again and removed here; what they wait for and what fired them."""

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import Instrument
from sptrader_desktop.present.observable import Observable
from sptrader_desktop.present.price_alerts import (
    KINDS,
    Alerts,
    PriceAlert,
    alert_columns,
    in_ticks_of,
    price_text,
    typed_alert,
    with_alert,
)
from sptrader_desktop.present.selection import Selection
from sptrader_desktop.ui.market.watchlist_pane import Known
from sptrader_desktop.ui.tables.data_table import DataTable
from sptrader_desktop.ui.theme.roles import give
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.elided_label import ElidedLabel
from sptrader_desktop.ui.widgets.word_completer import WordCompleter

EMPTY = "Prices you want to hear of will be here. Alt+A on a chart sets one at the pointer."
ONLY_TELLS = "Checked on live prices while this program runs. Alerts only tell: they never place an order."
NOT_CHECKED = "No live prices: nothing is checked until the watchlist is connected to them. Alerts never place an order."


class AlertsPane(QWidget):
    """Shows `alerts`, which the person changes here."""

    openAsked = Signal(str)  # a symbol

    def __init__(self, alerts: Observable[Alerts], known: Known, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("alerts")
        self.setAccessibleName("Price alerts")
        self._alerts, self._known, self._selection = alerts, known, selection
        self._at_rest = NOT_CHECKED  # what the note says where there is nothing else to say
        self._changed: PriceAlert | None = None  # the one that what is typed takes the place of
        self.table = DataTable("alerts", "Alerts", EMPTY, drawing="bell", headline="No alerts yet")
        self.table.rowActivated.connect(lambda row: self.openAsked.emit(self._alerts.value[row].symbol))
        self.table.view.selectionModel().selectionChanged.connect(lambda *_: self._enable())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.table, 1)
        column.addLayout(self._form())
        column.addLayout(self._foot())
        ends = [alerts.watch(lambda _: self._refresh()), known.watch(self._know), selection.zone.watch(lambda _: self._refresh())]
        self.destroyed.connect(lambda: [end() for end in ends])
        self._refresh()

    def ask(self, symbol: str, ticks: int | None, instead_of: PriceAlert | None = None) -> None:
        """The form filled in, the price to be typed over; the alert it is instead of waits until then."""
        self._changed = instead_of
        if instead_of is not None:
            self.kind.setCurrentIndex(KINDS.index(instead_of.kind))
            self.say(f"{instead_of.words} waits until another price is set in its place")
        self.symbol.setText(symbol)
        instrument = self._known.value.get(symbol)
        self.price.setText("" if ticks is None or instrument is None else price_text(instrument.tick, ticks))
        self.price.setFocus()
        self.price.selectAll()

    def put(self) -> None:
        try:
            alert = typed_alert(self.symbol.text(), KINDS[self.kind.currentIndex()], self.price.text(), self._known.value)
        except DataError as error:
            self.say(str(error), is_bad=True)
            return
        before, self._changed = self._changed, None
        gone = before.key if before is not None and before.symbol == alert.symbol else None
        others = tuple(other for other in self._alerts.value if other.key != gone or other.fired)
        self._alerts.set(with_alert(others, alert))
        self.price.clear()
        self.say(f"Waiting for {alert.words}")

    def _know(self, known: Mapping[str, Instrument]) -> None:
        self._completer.offer(sorted(known))
        if self._changed is not None:
            (self._changed,) = in_ticks_of((self._changed,), known)

    def say(self, words: str, *, is_bad: bool = False) -> None:
        self.note.show_text(words or self._at_rest)
        give(self.note, tone="danger" if is_bad else "")

    def show_live(self, is_live: bool) -> None:
        """Whether prices come that alerts are held against."""
        before, self._at_rest = self._at_rest, ONLY_TELLS if is_live else NOT_CHECKED
        if self.note.whole_text() == before:
            self.say("")

    def arm_chosen(self) -> None:
        """The keyboard goes to the rows: the next button, which it would go to, is the one that removes."""
        chosen = self._chosen()
        self.table.view.setFocus()
        self._alerts.set(tuple(alert.armed() if alert in chosen else alert for alert in self._alerts.value))
        self.say("Waiting for " + ", ".join(alert.words for alert in chosen))

    def remove_chosen(self) -> None:
        """The keyboard goes on with what stands in the place of the first that went."""
        chosen = self._chosen()
        if not chosen:
            return
        place = min(index.row() for index in self.table.view.selectionModel().selectedRows(self.table.view.first_section()))
        self.table.view.setFocus()
        self._alerts.set(tuple(alert for alert in self._alerts.value if alert not in chosen))
        if left := self.table.model.rowCount():
            self.table.view.show_row(min(place, left - 1))
        self.say("Removed " + ", ".join(alert.words for alert in chosen))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Del takes the chosen ones out, as in the watchlist."""
        if event.key() == Qt.Key.Key_Delete and self.table.view.hasFocus():
            self.remove_chosen()
        else:
            super().keyPressEvent(event)

    def _chosen(self) -> list[PriceAlert]:
        return [self._alerts.value[row] for row in self.table.selected]

    def _refresh(self) -> None:
        self.table.put(alert_columns(self._alerts.value, self._selection.zone.value))
        self._enable()

    def _enable(self) -> None:
        chosen = self._chosen() if len(self.table.model.table) == len(self._alerts.value) else []
        self.arm.setEnabled(any(alert.fired for alert in chosen))
        self.remove.setEnabled(bool(chosen))

    def _form(self) -> QHBoxLayout:
        self.symbol, self.kind, self.price, self.note = QLineEdit(), QComboBox(), QLineEdit(), ElidedLabel(self._at_rest)
        self._completer = WordCompleter(self.symbol)
        self._completer.offer(sorted(self._known.value))
        self.symbol.setCompleter(self._completer)
        self.symbol.setPlaceholderText("Symbol")
        self.symbol.setFixedWidth(GRID * 24)
        self.price.setPlaceholderText("Price")
        self.price.setFixedWidth(GRID * 24)
        self.kind.addItems(list(KINDS))
        self.note.setObjectName("alertNote")
        give(self.note, role="small")
        self.set_button = self._button("setAlertButton", "Set Alert", "Wait for this price")
        row = QHBoxLayout()
        row.setContentsMargins(GRID * 2, GRID, GRID * 2, GRID)
        row.setSpacing(GRID * 2)
        for widget, name, words in (
            (self.symbol, "alertSymbol", "Symbol of the alert"),
            (self.kind, "alertKind", "When it fires: at the price, above or below it"),
            (self.price, "alertPrice", "Price of the alert"),
        ):
            widget.setObjectName(name)
            widget.setAccessibleName(words)
            row.addWidget(widget)
        row.addWidget(self.set_button)
        row.addStretch(1)
        self.set_button.clicked.connect(self.put)
        self.price.returnPressed.connect(self.put)
        return row

    def _foot(self) -> QHBoxLayout:
        """What there is to say, and what is done with the chosen ones: a line of its own, for the pane may be narrow."""
        self.arm = self._button("armAlertButton", "Arm Again", "Wait again for what has fired")
        self.remove = self._button("removeAlertButton", "Remove", "Wait for the chosen ones no more (Del)")
        row = QHBoxLayout()
        row.setContentsMargins(GRID * 2, 0, GRID * 2, GRID)
        row.setSpacing(GRID * 2)
        row.addWidget(self.note, 1)
        row.addWidget(self.arm)
        row.addWidget(self.remove)
        self.arm.clicked.connect(self.arm_chosen)
        self.remove.clicked.connect(self.remove_chosen)
        return row

    def _button(self, name: str, text: str, tip: str) -> QPushButton:
        button = QPushButton(text)
        button.setObjectName(name)
        button.setToolTip(tip)
        button.setAccessibleName(f"{text}: {tip}")
        return button
