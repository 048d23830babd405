"""Joins what happens when a person looks at markets: charts of any candles, the watchlist, live prices and alerts."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from sptrader_desktop.present.chart_tabs import ChartTab
from sptrader_desktop.present.navigator import Item, dataset_item
from sptrader_desktop.present.selection import Selection
from sptrader_desktop.ui.desk import Desk, Series, missing_words, series_of_key
from sptrader_desktop.ui.documents import Documents
from sptrader_desktop.ui.jobs import Jobs
from sptrader_desktop.ui.market.chart_document import ChartDocument
from sptrader_desktop.ui.market.kept_market import KeptMarket
from sptrader_desktop.ui.widgets.notices import Notice, Notices

LOG = logging.getLogger("sptrader.market")


class MarketPage(QObject):
    """`offered` names the candles there are, `looked_at` those of the first chart while it is in front; linked charts share `group`."""

    chartOpened = Signal(object)  # ChartDocument

    def __init__(
        self,
        desk: Desk,
        jobs: Jobs,
        kept: KeptMarket,
        group: Selection,
        documents: Documents,
        offered: Callable[[], Sequence[Series]],
        looked_at: Callable[[], Series | None],
        notices: Notices,
        unforeseen: Callable[[BaseException, str], None],
    ) -> None:
        super().__init__(documents)
        self._desk, self._jobs, self._kept, self._group = desk, jobs, kept, group
        self._documents, self._offered, self._notices, self._unforeseen = documents, offered, notices, unforeseen
        self._looked_at = looked_at
        self._is_restored = False
        documents.datasetDropped.connect(self.open_key)
        documents.chartsChanged.connect(self._keep)
        kept.tell_failures(lambda error: notices.tell(Notice(str(error), "error", key="kept")))
        for sentence in kept.notices:
            notices.tell(Notice(sentence, "warning"))

    def handlers(self) -> dict[str, Callable[..., object]]:
        return {
            "chart.timeframe": lambda: self._on_chart(ChartDocument.open_timeframes),
            "chart.indicators": lambda: self._on_chart(ChartDocument.open_indicators),
        }

    def restore(self) -> None:
        """The charts that were open the last time, behind what is in front now. One whose candles are not there stays, empty."""
        for tab in self._kept.charts.now.value:
            series = self._of_key(tab.dataset)
            if series is not None:
                self.open_chart(replace(series, side=tab.side), tab)
            elif (lost := series_of_key(tab.dataset)) is not None:
                why = missing_words(lost)
                LOG.warning("the chart of %s stays empty: %s", tab.dataset, why)
                self.open_chart(replace(lost, side=tab.side), tab, why)
        self._is_restored = True
        self._keep()

    def look_again(self) -> None:
        """Candles that were missing may have come, from a disk or a database."""
        for chart in self._documents.charts:
            chart.hear_of_list(is_listed=self._of_key(chart.tab.dataset) is not None)

    def open_chart(self, series: Series, before: ChartTab | None = None, missing: str = "") -> ChartDocument:
        chart = ChartDocument(self._desk, self._jobs, series, self._group, self._kept.book, self._kept.templates, before, missing)
        chart.noticed.connect(self._notices.tell)
        chart.failed.connect(self._unforeseen)
        self.chartOpened.emit(chart)
        self._documents.add_chart(chart, is_in_front=before is None)
        chart.arranged.connect(self._keep)
        return chart

    def open_item(self, item: Item) -> None:
        self.open_key(item.key)

    def open_key(self, key: str) -> None:
        series = self._of_key(key)
        if series is None:
            name = key.rpartition("/")[2]
            self._notices.tell(Notice(f"{name} is not among the candles any more: refresh the navigator and choose again", "error"))
        else:
            self.open_chart(series)

    def _of_key(self, key: str) -> Series | None:
        return next((one for one in self._offered() if dataset_item(one.symbol, one.timeframe, one.path, one.source).key == key), None)

    def _keep(self) -> None:
        """Not before those of the last time are there again."""
        if self._is_restored:
            self._kept.charts.now.set(tuple(chart.tab for chart in self._documents.charts))

    def close(self) -> None:
        """What was changed last and not written yet is."""
        self._kept.flush()

    def _on_chart(self, do: Callable[[ChartDocument], None]) -> None:
        """What the first chart shows belongs to a run: its candles get a chart of their own."""
        chart, series = self._documents.current_chart, self._looked_at()
        if chart is None and series is not None:
            chart = self.open_chart(series)
        if chart is not None:
            do(chart)
