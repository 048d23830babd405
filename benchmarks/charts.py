"""A real window with ten million candles: from a change of its range to the end of painting it, axes and crosshair on.

Each line has a process of its own, because Qt reads its scale when it starts. Without a screen and, where Xvfb is there, on one.
"""

import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter, thread_time
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from benchmarks.children import measured
from benchmarks.report import Line, Options, duration
from sptrader_desktop.core.candles import Candles, Prices
from sptrader_desktop.core.instruments import CATALOGUE

TITLE = "Charts: 10,000,000 candles, 1600×900, raster; range change to end of paint, p95 of the worst of four zooms"
BARS = 10_000_000
ZOOMS = (200, 20_000, 500_000, BARS)
FRAMES = 40
TARGETS = {"candles": 0.016, "full": 0.033}
WHAT = {"candles": "candles alone", "full": "with three averages and two linked panes"}
MEMORY_TARGET = 1.2e9
MINUTE_US = 60_000_000

Times = list[tuple[float, float]]


def lines(_options: Options) -> Iterator[Line]:
    found: dict[str, Any] = {}
    for platform, variables in platforms():
        with variables() as environment:
            for scale in ("1", "1.5"):
                for kind, target in TARGETS.items():
                    found = measured("charts", kind, QT_SCALE_FACTOR=scale, **environment)
                    yield from _told(found, f"{WHAT[kind]}, {platform}, scale {scale}", target)
    yield from _sizes(found)


def _told(found: dict[str, Any], what: str, target: float) -> Iterator[Line]:
    worst = max(found["zooms"], key=lambda zoom: zoom["wall"])
    details = ", ".join(f"{zoom['bars']:,}: {zoom['wall'] * 1e3:.1f}" for zoom in found["zooms"])
    load = f"load {os.getloadavg()[0]:.1f}"
    cpu = f"processor {duration(max(zoom['cpu'] for zoom in found['zooms']))}, {load}"
    yield Line(what, duration(worst["wall"]), f"{cpu}; by bars in ms: {details}", "", duration(target), worst["wall"] < target)
    yield Line("  crosshair move", duration(found["crosshair"]), f"series painted again: {found['redrawn']}")


def _sizes(found: dict[str, Any]) -> Iterator[Line]:
    yield Line("levels of detail of the candles, built", duration(found["built"]), "", "", "1.00 s", found["built"] < 1)
    yield Line("five lines of as many values and their levels, made and built", duration(found["lines_built"]))
    yield Line("one more bar into them", duration(found["extended"]))
    memory = found["candles_memory"]
    yield Line("memory of a process with 10 M candles", f"{memory / 1e6:,.0f} MB", "", "", "1,200 MB", memory < MEMORY_TARGET)
    yield Line("  with five lines of as many values", f"{found['memory'] / 1e6:,.0f} MB")


def platforms() -> Iterator[tuple[str, Any]]:
    yield "offscreen", offscreen
    if shutil.which("Xvfb"):
        yield "Xvfb", xvfb


@contextmanager
def offscreen() -> Iterator[dict[str, str]]:
    yield {"QT_QPA_PLATFORM": "offscreen"}


@contextmanager
def xvfb() -> Iterator[dict[str, str]]:
    """A screen of our own, on a number that nobody has."""
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "2560x1600x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            number = server.stdout.readline().strip() if server.stdout else ""
            yield {"QT_QPA_PLATFORM": "xcb", "DISPLAY": f":{number}"}
        finally:
            server.terminate()


# In a process of its own


def child(arguments: list[str]) -> dict[str, Any]:
    from PySide6.QtWidgets import QApplication

    from sptrader_desktop.present.pyramid import Level, Pyramid
    from sptrader_desktop.present.selection import Selection
    from sptrader_desktop.ui.charts.candle_chart import CandleChart

    application = QApplication([])
    candles = walk(BARS)
    start = perf_counter()
    pyramid = Pyramid.of_prices(candles.prices)
    pyramid.wait()
    built = perf_counter() - start
    start = perf_counter()
    prices = candles.prices
    pyramid.extend(Level(prices.open, prices.high, prices.low, prices.close))
    extended = perf_counter() - start
    chart = CandleChart(Selection())
    chart.resize(1600, 900)
    chart.show()
    chart.show_candles(candles, pyramid)
    application.processEvents()
    found = {"built": built, "extended": extended, "candles_memory": psutil.Process().memory_info().rss}
    if arguments[0] == "full":
        lines_start = perf_counter()
        curves = overlays(candles)
        for curve in curves:  # their levels are built beside the window, and are there by the time anybody pans
            curve.pyramid.wait()
        found["lines_built"] = perf_counter() - lines_start
        chart.set_overlays(curves)
    application.processEvents()
    point(chart, 0)
    found["zooms"] = [zoomed(chart, bars, application.processEvents) for bars in ZOOMS]
    drawn = sum(pane.plot.drawn for pane in chart.panes)
    moves = timed(lambda step: point(chart, step), application.processEvents, 2 * FRAMES)
    found["crosshair"], found["redrawn"] = p95(moves)[0], sum(pane.plot.drawn for pane in chart.panes) - drawn
    found["memory"], found["peak"] = psutil.Process().memory_info().rss, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return found


def walk(count: int) -> Candles:
    """In place where it can be: the peak of making them should not count as theirs."""
    rng = np.random.default_rng(20_260_101)
    close = rng.integers(-10, 11, count)
    np.cumsum(close, out=close)
    close += 10_000_000
    opened = np.empty_like(close)
    opened[0], opened[1:] = close[0], close[:-1]
    high, low = np.maximum(opened, close), np.minimum(opened, close)
    high += rng.integers(0, 7, count, np.int8)
    low -= rng.integers(0, 7, count, np.int8)
    stamps = np.arange(count)
    stamps *= MINUTE_US
    return Candles(CATALOGUE["EURUSD"], "1m", MINUTE_US, stamps, Prices(opened, high, low, close))


def overlays(candles: Candles) -> list[Any]:
    from sptrader_desktop.present.pyramid import Pyramid
    from sptrader_desktop.ui.charts.line_series import Line as Curve

    fast, middle, slow = (average(candles.prices.close, period) for period in (20, 50, 200))
    curves = [Curve(f"SMA {n}", values) for n, values in ((20, fast), (50, middle), (200, slow))]
    curves += [Curve("difference", fast - middle, "difference", "histogram"), Curve("slope", np.gradient(slow), "slope")]
    return [Curve(curve.name, curve.values, curve.pane, curve.kind, Pyramid.of_line(curve.values)) for curve in curves]


def average(close: NDArray[np.int64], period: int) -> NDArray[np.float64]:
    total = np.cumsum(close) / (100_000 * period)
    total[period:] -= total[:-period].copy()
    total[: period - 1] = np.nan
    return total


def zoomed(chart: Any, bars: int, settle: Callable[[], object]) -> dict[str, float]:
    shown = type(chart.bars)(0.4 * BARS, 0.4 * BARS + bars, BARS).held()
    chart.show_range(shown)
    settle()

    def step(number: int) -> None:
        if bars == BARS:
            chart.zoom(0.97 if number % 2 else 1 / 0.97, BARS / 2)
        else:
            chart.pan(bars * (0.02 if number % 2 else -0.013))

    wall, cpu = p95(timed(step, settle, FRAMES))
    return {"bars": bars, "wall": wall, "cpu": cpu}


def point(chart: Any, step: int) -> None:
    from PySide6.QtCore import QPointF

    pane = chart.panes[0]
    pane.pointed.emit(pane.spot(QPointF(300.0 + 7 * step, 200.0 + step)))


def timed(step: Callable[[int], object], settle: Callable[[], object], count: int) -> Times:
    times: Times = []
    for number in range(count):
        wall, cpu = perf_counter(), thread_time()
        step(number)
        settle()
        times.append((perf_counter() - wall, thread_time() - cpu))
    return times


def p95(times: Times) -> tuple[float, float]:
    wall, cpu = np.percentile(np.array(times), 95, axis=0)
    return float(wall), float(cpu)
