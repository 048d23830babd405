"""The pages of results that are pictures and figures: summary, when it was traded, how trades went, how sure all of it is."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from sptrader_desktop.core.metrics_trades import net_results
from sptrader_desktop.core.money import MONEY_ONE
from sptrader_desktop.present import trade_groups
from sptrader_desktop.present.excursions import excursions
from sptrader_desktop.present.listing import Listing
from sptrader_desktop.present.metric_words import METRICS, figure_of
from sptrader_desktop.present.numbers import amount, counted, figure
from sptrader_desktop.present.result_words import ambiguous_rows, certainty_line, range_line
from sptrader_desktop.present.selection import Zone
from sptrader_desktop.present.trade_groups import Bucket, Group
from sptrader_desktop.ui.results.metric_tiles import MetricTiles
from sptrader_desktop.ui.results.pictures import Bar, BarPicture, MonthPicture, ScatterPicture
from sptrader_desktop.ui.tables.data_table import DataTable
from sptrader_desktop.ui.theme.tokens import GRID

if TYPE_CHECKING:
    from sptrader_desktop.core.results import Result


class Page(QScrollArea):
    """One page of results: it may be taller than its pane."""

    def __init__(self, name: str, title: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(title)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self._inside = QWidget()
        self.column = QVBoxLayout(self._inside)
        self.column.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        self.column.setSpacing(3 * GRID)
        self.setWidget(self._inside)

    def put(self, result: "Result", _zone: Zone) -> None:
        raise NotImplementedError


class SummaryPage(Page):
    def __init__(self) -> None:
        super().__init__("summaryPage", "Summary")
        self._tiles = MetricTiles(METRICS)
        self._months = MonthPicture("monthPicture", "Growth by month")
        self._tiles.reached.connect(self.ensureWidgetVisible)
        self.column.addWidget(self._tiles, 0, Qt.AlignmentFlag.AlignLeft)
        self.column.addWidget(self._months)
        self.column.addStretch(1)

    def put(self, result: "Result", _zone: Zone) -> None:
        metrics, currency = result.metrics, result.request.terms.currency
        self._tiles.put([figure_of(metrics, word.path) for word in METRICS], currency)
        months = metrics.by_month
        won = sum(month.pnl > 0 for month in months)
        summary = f"{won} of {counted(len(months), 'month')} above zero; equity from the end of one month to the end of the next"
        self._months.put(trade_groups.calendar_of(metrics.by_year, months), currency, summary)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        edges = self.column.contentsMargins()
        room = self.viewport().width() - edges.left() - edges.right()
        self._tiles.fit(room)
        self._tiles.setFixedWidth(room)  # also where the months beside them need more and are moved


class TimingPage(Page):
    """When trades were entered, by the clock of the chosen zone."""

    def __init__(self) -> None:
        super().__init__("timingPage", "Timing")
        self._hours = BarPicture("hourPicture", "Net by hour of entry")
        self._days = BarPicture("weekdayPicture", "Net by weekday of entry")
        self._sessions = BarPicture("sessionPicture", "Net by session of entry")
        grid = QGridLayout()
        grid.setSpacing(2 * GRID)
        grid.addWidget(self._hours, 0, 0, 1, 2)
        grid.addWidget(self._days, 1, 0)
        grid.addWidget(self._sessions, 1, 1)
        self.column.addLayout(grid, 1)

    def put(self, result: "Result", _zone: Zone) -> None:
        currency = result.request.terms.currency
        for picture, groups, clock in (
            (self._hours, trade_groups.by_hour(result, _zone), f", {_zone.value} time"),
            (self._days, trade_groups.by_weekday(result, _zone), f", {_zone.value} time"),
            (self._sessions, trade_groups.by_session(result), ", by the clocks of their cities"),
        ):
            picture.put([_bar(group, currency) for group in groups], currency, _best_and_worst(groups, currency) + clock)


def _bar(group: Group, currency: str) -> Bar:
    return Bar(group.label, group.pnl / MONEY_ONE, group.pnl, group.text(currency))


def _best_and_worst(groups: Sequence[Group], currency: str) -> str:
    traded = [group for group in groups if group.trades]
    if not traded:
        return "No trades"
    best, worst = max(traded, key=lambda group: group.pnl), min(traded, key=lambda group: group.pnl)
    return "; ".join(
        f"{word} {group.label} {amount(group.pnl, signed=True)} {currency}" for word, group in (("Best", best), ("worst", worst))
    )


class SpreadPage(Page):
    """How trades ended and how they went until then."""

    tradeChosen = Signal(int)

    def __init__(self) -> None:
        super().__init__("spreadPage", "Distribution")
        self._results = BarPicture("distributionPicture", "Net results of trades")
        self._excursions = ScatterPicture("excursionPicture", "How far trades went against and for")
        self._excursions.spotChosen.connect(self.tradeChosen)
        grid = QGridLayout()
        grid.setSpacing(2 * GRID)
        grid.addWidget(self._results, 0, 0)
        grid.addWidget(self._excursions, 0, 1)
        self.column.addLayout(grid, 1)

    def put(self, result: "Result", _zone: Zone) -> None:
        currency, trades = result.request.terms.currency, result.outcome.trades
        buckets = trade_groups.distribution(result)
        width = figure((buckets[0].high - buckets[0].low) / MONEY_ONE, places=2) if buckets else "0"
        self._results.put(
            [_column(bucket, currency) for bucket in buckets], "trades", f"Columns are {width} {currency} wide", are_edges=True
        )
        found, won = excursions(result), net_results(trades) > 0
        pips = np.array([candles.instrument.ticks_per_pip for candles in result.request.traded])[trades["symbol"]]
        against, forward = -found.adverse / pips, found.favourable / pips
        summary = "No trades"
        if len(trades):
            summary = f"On average {figure(float(against.mean()), places=1)} pips against and {figure(float(forward.mean()), places=1)} for"
        self._excursions.put(against, forward, won, ("against (MAE)", "for (MFE)"), "pips", summary)


def _column(bucket: Bucket, currency: str) -> Bar:
    label = figure(bucket.low / MONEY_ONE, signed=True, places=0)
    return Bar(label, bucket.trades, -1 if bucket.low < 0 else 1, bucket.text(currency))


class CertaintyPage(QWidget):
    """What the inside of bars leaves open, which trades it is about, and what the candles are worth."""

    tradeChosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("certaintyPage")
        self.setAccessibleName("Certainty")
        self._band, self._data = QLabel(), QLabel()
        self._band.setObjectName("bandLabel")
        self._data.setObjectName("coverageLabel")
        self.table = DataTable(
            "ambiguousTrades", "Ambiguous trades", "No trade of this run is ambiguous: no bar held both its stop and its target.", ""
        )
        self._rows: list[int] = []
        self._range = ""
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 0)
        for label in (self._band, self._data):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            layout.addWidget(label)
        layout.addWidget(self.table, 1)
        self.table.rowChosen.connect(lambda row: self.tradeChosen.emit(self._rows[row]))

    def put(self, result: "Result", trades: Listing) -> None:
        line = certainty_line(result)
        self._band.setText(f"{line[:1].upper()}{line[1:]}. A bar that held stop and target both does not say which came first.")
        self._range = range_line(result)
        self.put_coverage(["Looking at the candles …"])
        self._rows = ambiguous_rows(result).tolist()
        self.table.put(trades.table.taken(np.array(self._rows, np.intp)))

    def put_coverage(self, lines: Sequence[str]) -> None:
        self._data.setText("\n".join([self._range, *lines]))
