"""The window's table with 100,000 trades: sorted, filtered and put in, painted each time."""

import os
from collections.abc import Iterator
from itertools import count, cycle

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from benchmarks.report import Line, Options, duration, median_seconds
from sptrader_desktop.core.records import EXIT_REASONS
from sptrader_desktop.present import column_makers
from sptrader_desktop.present.columns import Columns
from sptrader_desktop.present.selection import Zone
from sptrader_desktop.ui.tables.data_table import DataTable

TITLE = "Tables: 100,000 trades, each time until it is painted"
ROWS, TARGET = 100_000, 0.1


def lines(options: Options) -> Iterator[Line]:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QApplication.instance() or QApplication([])
    table, rows = DataTable("benchmark", "Trades", ""), trades()
    table.resize(1000, 500)
    table.put(rows)
    table.show()
    turns, bounds = cycle(Qt.SortOrder), count()

    def sort(key: str) -> None:
        table.model.sort(rows.keys.index(key), next(turns))
        application.processEvents()

    def filter_(quick: str) -> None:
        table.filter(quick, {"pnl": f"> {next(bounds)}"})
        application.processEvents()

    for what, work in (
        ("sort by net, an integer", lambda: sort("pnl")),
        ("sort by per cent, a float, ties by net", lambda: sort("percent")),
        ("sort by reason, a word, ties by both", lambda: sort("reason")),
        ("filter by net", lambda: filter_("")),
        ("filter by net and by a word in any column", lambda: filter_("stop")),
    ):
        taken = median_seconds(work, options.runs)
        yield Line(what, duration(taken), target=f"under {duration(TARGET)}", met=taken < TARGET)


def trades() -> Columns:
    chance = np.random.default_rng(1)
    return Columns(
        (
            column_makers.count("id", "Trade", np.arange(1, ROWS + 1)),
            column_makers.word("side", "Side", chance.integers(0, 2, ROWS), ("long", "short")),
            column_makers.times("time", "Entered", np.sort(chance.integers(10**15, 2 * 10**15, ROWS)), Zone.UTC),
            column_makers.money("pnl", "Net", chance.integers(-(10**11), 10**11, ROWS), "USD"),
            column_makers.ratio("percent", "Net", chance.normal(size=ROWS), "%"),
            column_makers.word("reason", "Reason", chance.integers(0, len(EXIT_REASONS), ROWS), EXIT_REASONS),
        )
    )
