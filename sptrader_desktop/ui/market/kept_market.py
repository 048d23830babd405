"""What a person keeps of markets from one start to the next, as one: drawn lines, templates, open charts, the watchlist and alerts."""

from collections.abc import Callable, Mapping
from typing import Any

from sptrader_desktop.present.chart_indicators import Templates, templates_read, templates_written
from sptrader_desktop.present.chart_tabs import ChartTabs, tabs_read, tabs_written
from sptrader_desktop.present.drawings import DrawingBook, Drawings, drawings_read, drawings_written
from sptrader_desktop.present.price_alerts import Alerts, alerts_read, alerts_written
from sptrader_desktop.present.watchlist import symbols_read
from sptrader_desktop.ui.jobs import Jobs
from sptrader_desktop.ui.kept_value import DocumentStore, KeptValue


class KeptMarket:
    def __init__(self, store: DocumentStore, jobs: Jobs) -> None:
        no_lines: Mapping[str, Drawings] = {}
        no_templates: Templates = {}
        self.drawings = KeptValue("drawings", store, jobs, no_lines, drawings_read, drawings_written)
        self.templates = KeptValue("chart_templates", store, jobs, no_templates, templates_read, templates_written)
        self.book = DrawingBook(
            self.drawings.now.value, lambda symbol, lines: self.drawings.now.set({**self.drawings.now.value, symbol: lines})
        )
        no_charts: ChartTabs = ()
        self.charts = KeptValue("charts", store, jobs, no_charts, tabs_read, tabs_written)
        no_symbols: tuple[str, ...] = ()
        no_alerts: Alerts = ()
        self.watchlist = KeptValue("watchlist", store, jobs, no_symbols, symbols_read, list)
        self.alerts = KeptValue("alerts", store, jobs, no_alerts, alerts_read, alerts_written)
        self._all: tuple[KeptValue[Any], ...] = (self.drawings, self.templates, self.charts, self.watchlist, self.alerts)

    @property
    def notices(self) -> tuple[str, ...]:
        return tuple(notice for kept in self._all for notice in kept.notices)

    def tell_failures(self, tell: Callable[[BaseException], object]) -> None:
        for kept in self._all:
            kept.failed = tell

    def flush(self) -> None:
        for kept in self._all:
            kept.flush()
