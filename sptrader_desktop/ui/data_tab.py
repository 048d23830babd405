"""The Data page as a tab of the window: made when it is first asked for, and joined with the chart and the lists."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from sptrader_desktop.present.selection import Selection
from sptrader_desktop.ui.backtest_panel import BacktestPanel
from sptrader_desktop.ui.charts.candle_chart import CandleChart
from sptrader_desktop.ui.data.data_desk import DataDesk
from sptrader_desktop.ui.desk import Series
from sptrader_desktop.ui.documents import Documents
from sptrader_desktop.ui.jobs import Job, Jobs
from sptrader_desktop.ui.market.chart_document import ChartDocument
from sptrader_desktop.ui.navigator import Navigator
from sptrader_desktop.ui.research import Research

if TYPE_CHECKING:
    from sptrader_desktop.ui.data.data_page import DataPage


class DataTab(QObject):
    def __init__(
        self,
        desk: DataDesk,
        jobs: Jobs,
        selection: Selection,
        chart: CandleChart,
        documents: Documents,
        navigator: Navigator,
        research: Research,
        panel: BacktestPanel,
        open_chart: Callable[[Series], ChartDocument],
        unforeseen: Callable[[BaseException, str], None],
    ) -> None:
        super().__init__(documents)
        self._desk, self._jobs, self._selection, self._unforeseen = desk, jobs, selection, unforeseen
        self._chart = chart
        self._documents, self._navigator, self._research = documents, navigator, research
        self._panel, self._open_chart = panel, open_chart
        self._page: DataPage | None = None

    def open(self) -> "DataPage":
        if self._page is None:
            from sptrader_desktop.ui.data.data_page import DataPage

            self._page = DataPage(self._desk, self._jobs, self._selection, self._unforeseen)
            self._page.seriesAsked.connect(self._show_series)
            self._page.momentAsked.connect(self._show_moment)
            self._page.datasetsChanged.connect(self._navigator.refresh)
        self._documents.show_page(self._page, "Data")
        return self._page

    def _show_series(self, series: Series) -> None:
        if self._chosen_to_run_on(series) is None:
            self._open_chart(series)

    def _show_moment(self, series: Series, stamp: int) -> None:
        """The chart goes there when it has the candles."""
        job = self._chosen_to_run_on(series)
        if job is None:
            self._open_chart(series).go_to(stamp)
        else:
            job.finished.connect(lambda _: self._chart.go_to(stamp))

    def _chosen_to_run_on(self, series: Series) -> Job | None:
        """In the first chart stands what F5 runs on: what cannot be chosen for that gets a chart of its own."""
        usual = replace(series, side="") if series.side == "bid" else series
        if usual not in self._panel.series:
            return None
        self._panel.choose(None, usual)
        self._documents.show_chart()
        shown = self._panel.shown_series()
        return self._research.show_series(shown or usual)
