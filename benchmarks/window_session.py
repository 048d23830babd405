"""One session in the real window, in a process of its own that loads what the program loads and next to nothing else: `python -m
benchmarks.window_session 0` for the start alone, with how many bars are run on, or `data`."""

import asyncio
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from sptrader_desktop.app.loading import loaded_window

RUNS, STEPS = 9, 30
STARTED = "SPTRADER_BENCH_STARTED"  # when the process was asked for: what the system says of it is whole seconds


def child(arguments: list[str]) -> dict[str, Any]:
    window = loaded_window()
    found: dict[str, Any] = {}

    async def live(host: Any) -> None:
        try:
            found.update(await _session(host, window.open_window, arguments[0]))
        finally:
            host.close()

    window.run_window(live)
    return found


async def _session(host: Any, open_window: Callable[..., Any], what: str) -> dict[str, Any]:
    from sptrader_desktop.settings import load_settings

    settings = load_settings()
    bars = int(what) if what != "data" else 0
    if bars:
        _write_candles(settings.workspace / "data", bars)
    window = open_window(host, settings)
    while window.page.chart.candles is None:
        await asyncio.sleep(0.001)
    await _painted()
    usable = time.time() - float(os.environ.get(STARTED, "nan"))
    if what == "0":
        return {"usable": usable}
    while host.jobs.running:
        await asyncio.sleep(0.01)
    if what == "data":
        from benchmarks.data_session import data_session

        return await data_session(host, window, settings.workspace)
    series = next(item for item in window.page.panel.series if item.symbol == "GBPUSD" and item.timeframe == "1m")
    window.page.panel.choose(None, series)
    await _ran(host, window)
    host.lag.forget()
    runs = [await _ran(host, window) for _ in range(RUNS)]
    slider = next(row for row in window.page.what_if.rows if row.spec.label == "stop_loss").slider
    window.layouts.show("equity")
    window.layouts.show("whatIf")
    steps = [await _stepped(window, slider) for _ in range(STEPS)]
    lag = host.lag.record.summary().p999 / 1000
    looks = [await _worn(host, mode) for mode in ("dark", "light") * 2]
    import statistics

    found = {name: statistics.median(values) for name, values in (("run", runs), ("step", steps), ("look", looks))}
    return {"usable": usable, "lag": lag, **found}


async def _ran(host: Any, window: Any) -> float:
    done = asyncio.get_running_loop().create_future()
    connection = window.research.runFinished.connect(done.set_result)

    def fail(_kind: str, error: BaseException) -> None:
        if not done.done():
            done.set_exception(error)

    failed = window.research.failed.connect(fail)
    start = perf_counter()
    window.page.run()
    await done
    await _painted(window.page.turns)
    took = perf_counter() - start
    window.research.runFinished.disconnect(connection)
    window.research.failed.disconnect(failed)
    while any(job.kind != "explain" for job in host.jobs.running):
        await asyncio.sleep(0.005)
    return took


async def _stepped(window: Any, slider: Any) -> float:
    done = asyncio.get_running_loop().create_future()
    connection = window.research.guessed.connect(done.set_result)
    start = perf_counter()
    slider.setValue(slider.value() + 1)
    await done
    await _painted(window.page.turns)
    took = perf_counter() - start
    window.research.guessed.disconnect(connection)
    await asyncio.sleep(0.02)
    return took


async def _worn(host: Any, mode: Any) -> float:
    from sptrader_desktop.ui.theme.theme import Theme

    theme, start = host.app.findChild(Theme), perf_counter()
    theme.wear(mode)
    await _painted()
    return perf_counter() - start


async def _painted(turns: Any = None) -> None:
    """When every pane in sight was handed what is new, and Qt has painted all that is to be painted anew. It does so in its own turn, after
    everything else that was posted; what is posted to come after that comes back when it is done."""
    from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt

    class Last(QObject):
        def customEvent(self, _event: QEvent) -> None:  # noqa: N802 - Qt's name
            painted.set_result(None)

    if turns is not None and not turns.is_settled:
        settled = asyncio.get_running_loop().create_future()
        connection = turns.settled.connect(partial(settled.set_result, None))
        await settled
        turns.settled.disconnect(connection)
    painted, last = asyncio.get_running_loop().create_future(), Last()
    QCoreApplication.postEvent(last, QEvent(QEvent.Type.User), Qt.EventPriority.LowEventPriority.value - 1)
    await painted


def _write_candles(folder: Path, bars: int) -> None:
    from dataclasses import replace

    from benchmarks.market import minute_candles
    from sptrader_desktop.adapters.parquet_writer import file_name, parquet_bytes
    from sptrader_desktop.core.instruments import CATALOGUE

    candles = replace(minute_candles(bars), instrument=CATALOGUE["GBPUSD"])
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("GBPUSD_*"):
        old.unlink()
    (folder / file_name(candles)).write_bytes(parquet_bytes(candles))


if __name__ == "__main__":
    import json

    print(json.dumps(child(sys.argv[1:])))
