"""Prices as they are: the watchlist, the live prices it is fed with, and the alerts that are held against each of them."""

import logging
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from sptrader_desktop.core.errors import DataError, SptraderError
from sptrader_desktop.core.instruments import CATALOGUE, Instrument
from sptrader_desktop.ports import LivePrice
from sptrader_desktop.present.numbers import counted
from sptrader_desktop.present.observable import Observable
from sptrader_desktop.present.price_alerts import Alerts, PriceAlert, checked, in_ticks_of, price_text, with_alert
from sptrader_desktop.present.selection import Selection
from sptrader_desktop.present.watchlist import Watched, quickest
from sptrader_desktop.ui.charts.candle_chart import CandleChart
from sptrader_desktop.ui.charts.price_levels import PriceLevel
from sptrader_desktop.ui.data.data_desk import POSTGRES
from sptrader_desktop.ui.desk import Desk, Heed, Series
from sptrader_desktop.ui.jobs import Jobs
from sptrader_desktop.ui.market.alerts_pane import AlertsPane
from sptrader_desktop.ui.market.kept_market import KeptMarket
from sptrader_desktop.ui.market.live_feed import LiveFeed, StartTask
from sptrader_desktop.ui.market.watchlist_pane import Known, WatchlistPane
from sptrader_desktop.ui.theme.icons import icon
from sptrader_desktop.ui.widgets.badge import Badge
from sptrader_desktop.ui.widgets.notices import Notice, Notices

LOG = logging.getLogger("sptrader.alerts")


class PricesPage(QObject):
    chartAsked = Signal(object)  # Series
    alertsAsked = Signal()  # bring their pane to the front

    def __init__(
        self,
        desk: Desk,
        jobs: Jobs,
        kept: KeptMarket,
        selection: Selection,
        offered: Callable[[], Sequence[Series]],
        notices: Notices,
        start_task: StartTask,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._desk, self._jobs, self._offered, self._notices, self._window = desk, jobs, offered, notices, window
        self._symbols, self._alerts, self._own_instruments = kept.watchlist.now, kept.alerts.now, ""
        self._charts: list[CandleChart] = []
        self.feed = LiveFeed(desk.live_prices, start_task, self._wanted, self)
        self.known: Known = Observable(CATALOGUE)
        self.watchlist, self.badge = WatchlistPane(self._symbols, self.known), Badge()
        self.alerts = AlertsPane(self._alerts, self.known, selection)
        self.badge.setObjectName("alertsBadge")
        self._join()
        self._show_alerts(self._alerts.value)

    def attach(self, chart: CandleChart) -> None:
        """Its alerts are drawn, and set from it."""
        chart.levels = lambda symbol: self._levels(chart, symbol)
        chart.alertAsked.connect(lambda _symbol, ticks: self._set_alert_on(chart, ticks))
        chart.menuAsked.connect(lambda place, ticks: self._open_menu(chart, place, ticks))
        self._charts.append(chart)
        chart.destroyed.connect(lambda: self._charts.remove(chart))

    def read_candles(self) -> None:
        """The last prices of what is watched, from the candles there are."""
        symbols, offered = self._symbols.value, tuple(self._offered())
        if not symbols and not self._own_instruments and self.known.value is CATALOGUE:
            return
        job = self._jobs.start("watchlist", "reading last prices", lambda report: self._read(symbols, offered, report.check))
        job.finished.connect(self._show_read)

    def use_instruments(self, path: str) -> None:
        """Symbols of one's own: the file that the backtest names."""
        if path != self._own_instruments:
            self._own_instruments = path
            self._desk.use_instruments(path)
            self.read_candles()

    def set_alert(self, symbol: str, ticks: int, tick: Decimal) -> None:
        (alert,) = in_ticks_of((PriceAlert(symbol, "at", ticks, tick),), self.known.value)
        self._alerts.set(with_alert(self._alerts.value, alert))
        live = "" if self.feed.is_wanted else " as soon as live prices are connected"
        self._notices.tell(Notice(f"Waiting for {alert.words}{live}", "done", "Change", lambda: self._change(alert), key="alert"))

    # Within

    def _set_alert_on(self, chart: CandleChart, ticks: int) -> None:
        candles = chart.candles
        if candles is not None and self._is_known(candles.symbol):
            self.set_alert(candles.symbol, ticks, candles.instrument.tick)
        elif candles is not None:
            words = f"{candles.symbol}: no live prices come for this instrument, so no alert can wait for one"
            self._notices.tell(Notice(words, "warning", key="alert"))

    def _is_known(self, symbol: str) -> bool:
        """Of others no live prices come."""
        return symbol in self.known.value

    def _join(self) -> None:
        watchlist = self.watchlist
        watchlist.connectAsked.connect(lambda is_wanted: self.feed.start() if is_wanted else self.feed.stop())
        watchlist.openAsked.connect(self._open)
        watchlist.fillAsked.connect(self._fill)
        watchlist.alertAsked.connect(self._ask_alert)
        self.alerts.openAsked.connect(self._open)
        self.feed.stateChanged.connect(watchlist.show_state)
        self.feed.stateChanged.connect(lambda state, _words: self.alerts.show_live(state == "live"))
        self.feed.stateChanged.connect(lambda *_: self._show_alerts(self._alerts.value))
        self.feed.priced.connect(self._take)
        ends = [self._symbols.watch(lambda _: self.read_candles()), self._alerts.watch(self._show_alerts)]
        self.destroyed.connect(lambda: [end() for end in ends])

    def _wanted(self) -> frozenset[str]:
        return frozenset(self._symbols.value) | {alert.symbol for alert in self._alerts.value if alert.fired is None}

    def _read(self, symbols: Sequence[str], offered: Sequence[Series], heed: Heed) -> tuple[Mapping[str, Instrument], list[Watched]]:
        """In a job."""
        return self._instruments(), [self._row(symbol, offered, heed) for symbol in symbols]

    def _row(self, symbol: str, offered: Sequence[Series], heed: Heed) -> Watched:
        heed()
        # All that a database holds of a symbol is too much to ask for one price at every look.
        series = quickest(symbol, (one for one in offered if one.source != POSTGRES))
        if series is None:
            return Watched(symbol, origin="no candles")
        try:
            return self._desk.watched(series)
        except (SptraderError, OSError) as error:
            LOG.warning("%s: %s", series.label, error)
            return Watched(symbol, origin="candles cannot be read")

    def _instruments(self) -> Mapping[str, Instrument]:
        try:
            return self._desk.instruments()
        except DataError as error:
            LOG.warning("your own instruments are left out: %s", error)
            return CATALOGUE

    def _show_read(self, read: tuple[Mapping[str, Instrument], list[Watched]]) -> None:
        known, rows = read
        self._alerts.set(in_ticks_of(self._alerts.value, known))
        if known != self.known.value:
            self.known.set(known)
            if self.feed.is_wanted:  # what it reads is in the ticks of before
                self.feed.stop()
                self.feed.start()
        self.watchlist.show_rows(rows)

    def _take(self, prices: Sequence[LivePrice]) -> None:
        self.watchlist.take_prices(prices)
        alerts, fired = self._alerts.value, list[PriceAlert]()
        for price in prices:
            alerts, now = checked(alerts, price.symbol, price.stamp, price.price)
            fired += now
        self._alerts.set(alerts)
        for alert in fired:
            self._tell(alert)
        if fired:
            QApplication.alert(self._window)
            QApplication.beep()

    def _tell(self, alert: PriceAlert) -> None:
        assert alert.fired is not None, "it fired"
        words = f"{alert.words}: the price is {price_text(alert.tick, alert.fired.ticks)}. No order was placed."
        LOG.warning("price alert: %s", words)
        self._notices.tell(Notice(words, "warning", "Chart", lambda: self._open(alert.symbol), key=f"alert {alert.key}"))
        self.alerts.say(words)

    def _show_alerts(self, alerts: Alerts) -> None:
        fired = sum(alert.fired is not None for alert in alerts)
        waiting = len(alerts) - fired
        unheard = "" if self.feed.state == "live" else " None is checked: live prices are not connected."
        tip = f"{counted(waiting, 'price alert')} waiting, {fired:,} fired.{unheard} Alerts never place an order."
        if fired:
            self.badge.show_word(f"{fired:,} FIRED", "warning", tip)
        else:
            self.badge.show_word(counted(waiting, "alert").upper() if waiting else "", "accent", tip)
        for chart in self._charts:
            chart.show_levels()

    def _levels(self, chart: CandleChart, symbol: str) -> list[PriceLevel]:
        """In the ticks of its candles, which may be of a run with other instruments."""
        alerts = tuple(alert for alert in self._alerts.value if alert.symbol == symbol)
        there = alerts if chart.candles is None else in_ticks_of(alerts, {symbol: chart.candles.instrument})
        return [
            PriceLevel(level.ticks, f"{'fired' if alert.fired else 'alert'} {alert.kind} {alert.price}", _role(alert))
            for alert, level in zip(alerts, there, strict=True)
        ]

    def _open_menu(self, chart: CandleChart, place: QPoint, ticks: int) -> None:
        candles = chart.candles
        if candles is None:
            return
        menu, commands, price = QMenu(chart), chart.commands(), price_text(candles.instrument.tick, ticks)
        menu.setObjectName("chartContextMenu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        alert = menu.addAction(icon("bell-ring"), f"Price Alert at {price}", lambda: self._set_alert_on(chart, ticks))
        alert.setObjectName("alertHereAction")
        alert.setEnabled(ticks > 0 and self._is_known(candles.symbol))
        line = menu.addAction(
            icon("minus"), f"Horizontal Line at {price}", lambda: chart.tools.draw_horizontal(ticks, len(chart.stamps) - 1)
        )
        line.setObjectName("lineHereAction")
        menu.addSeparator()
        for name, text, drawing in (
            ("chart.go_to", "Go to Date…", "calendar"),
            ("chart.reset", "Reset the View", "rotate-ccw"),
            ("chart.picture", "Save Picture…", "image-down"),
        ):
            menu.addAction(icon(drawing), text, commands[name])
        menu.popup(place)

    def _open(self, symbol: str) -> None:
        series = quickest(symbol, self._offered())
        if series is None:
            words = f"There are no candles of {symbol}: import a file, or download free history"
            self._notices.tell(Notice(words, "warning", key=f"candles {symbol}"))
        else:
            self.chartAsked.emit(series)

    def _fill(self) -> None:
        symbols = tuple(dict.fromkeys(series.symbol for series in self._offered() if self._is_known(series.symbol)))
        if symbols:
            self._symbols.set(symbols)
        else:
            self._notices.tell(Notice("There are no candles yet: import a file, or download free history", "warning", key="fill"))

    def _ask_alert(self, symbol: str) -> None:
        self.alertsAsked.emit()
        self.alerts.ask(symbol, self.watchlist.last(symbol))

    def _change(self, alert: PriceAlert) -> None:
        self.alertsAsked.emit()
        (now,) = in_ticks_of((alert,), self.known.value)
        self.alerts.ask(now.symbol, now.ticks, instead_of=now)


def _role(alert: PriceAlert) -> str:
    return "muted" if alert.fired else "warning"
