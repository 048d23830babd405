"""The equity of a run of 60,000 bars, laid over the one before as a slider moves."""

from collections.abc import Iterator
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.children import measured
from benchmarks.report import Line, Options, duration

TITLE = "Equity chart: 60,000 points, 1600×900, offscreen, scale 1; median"
POINTS = 60_000
UPDATES = 30
TARGET = 0.005


def lines(_options: Options) -> Iterator[Line]:
    found = measured("equity", QT_QPA_PLATFORM="offscreen", QT_SCALE_FACTOR="1")
    yield Line(
        "a new curve over a ghost, until it is to be painted", duration(found["update"]), "", "", duration(TARGET), found["update"] < TARGET
    )
    yield Line("and painted", duration(found["painted"]))


def child(_arguments: list[str]) -> dict[str, Any]:
    from PySide6.QtWidgets import QApplication

    from sptrader_desktop.present.selection import Selection
    from sptrader_desktop.ui.charts.equity_chart import EquityChart

    application = QApplication([])
    rng = np.random.default_rng(1)
    instants = np.arange(POINTS) * 3_600_000_000
    curves = [10**12 + np.cumsum(rng.integers(-30, 32, POINTS)) * 10**8 for _ in range(UPDATES)]
    chart = EquityChart(Selection())
    chart.resize(1600, 900)
    chart.show()
    chart.set_curve(instants, curves[0], "USD")
    chart.set_ghost(instants, curves[0])
    application.processEvents()
    updates, painted = [], []
    for curve in curves:
        start = perf_counter()
        chart.set_curve(instants, curve, "USD")
        updates.append(perf_counter() - start)
        application.processEvents()
        painted.append(perf_counter() - start)
    return {"update": float(np.median(updates)), "painted": float(np.median(painted))}
