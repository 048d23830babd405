"""What a person waits for in the window: its coming, a run that is painted, a slider's step, and how long it is ever held up."""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.children import Beside, measured
from benchmarks.data_session import data_session
from benchmarks.hiccups import hiccup_words
from benchmarks.report import Line, Options, duration
from benchmarks.screens import screens
from sptrader_desktop.app.loading import loaded_window
from sptrader_desktop.settings import load_settings

TITLE = "The window: 1600×900, offscreen, cached components; from the click to the end of the paint"
USABLE_S, STEP_S, STALL_S = 1.5, 0.050, 0.050
BARS = {60_000: 0.150, 1_000_000: 0.600}
RUNS, STEPS = 9, 30
STARTED = "SPTRADER_BENCH_STARTED"  # when the process was asked for: what the system says of it is whole seconds


def lines(options: Options) -> Iterator[Line]:
    with tempfile.TemporaryDirectory(prefix="sptrader-bench-") as home:
        here = places(Path(home))
        first = [measured("window", "0", **here, **{STARTED: str(time.time())}) for _ in range(options.runs + 1)][1:]
        usable = statistics.median(item["usable"] for item in first)
        yield Line(
            "warm start until the sample's chart is painted and F5 is heard",
            duration(usable),
            "",
            "",
            duration(USABLE_S),
            usable < USABLE_S,
        )
        for bars, target in BARS.items():
            found, hiccups = _beside_hiccups(str(bars), here)
            yield Line(f"F5 until painted, {bars:,} bars", duration(found["run"]), "", "", duration(target), found["run"] < target)
            limit = STEP_S if bars == min(BARS) else None
            met = None if limit is None else found["step"] < limit
            yield Line(
                f"slider step until the curve is painted, {bars:,} bars",
                duration(found["step"]),
                "",
                "",
                duration(limit) if limit else "",
                met,
            )
            yield Line(
                f"loop held up, 99.9 % of that session, {bars:,} bars",
                duration(found["lag"]),
                "",
                "",
                duration(STALL_S),
                found["lag"] < STALL_S,
            )
            yield hiccups
        found, hiccups = _beside_hiccups("data", here)
        what = "a million rows of CSV imported, listed, looked into and opened"
        yield Line("CSV until kept in the catalogue, 1,000,000 rows", duration(found["keep"]))
        yield Line(f"loop held up, 99.9 % of a session: {what}", duration(found["lag"]), "", "", duration(STALL_S), found["lag"] < STALL_S)
        yield hiccups


def _beside_hiccups(what: str, here: dict[str, str]) -> tuple[dict[str, Any], Line]:
    """A session, and how long this computer kept another process waiting meanwhile: it keeps the window's waiting too."""
    hiccups = Beside("hiccups")
    found = measured("window", what, **here)
    return found, Line("  this computer's own hiccups meanwhile, median, 99 %, longest", hiccup_words(hiccups.found()))


def places(home: Path) -> dict[str, str]:
    names = "WORKSPACE RUNS TEXTS CANDLES DOWNLOADS COMPONENT_CACHE SERVERS LOGS".split()
    found = {f"SPTRADER_{name}": str(home / name.lower()) for name in names}
    return found | {
        "SPTRADER_PREFERENCES": str(home / "preferences.json"),
        "SPTRADER_KERNEL_CACHE": str(load_settings().kernels),
        "XDG_RUNTIME_DIR": str(home),
        "QT_QPA_PLATFORM": screens(home / "screen.json", "screen", size=(1600, 900)),
        "PYTHONDONTWRITEBYTECODE": "",  # warm: the program's own bytecode lies where Python puts it
        "QT_SCALE_FACTOR": "1",
    }


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
    """`what` is how many bars are run on, none for the start alone, or `data`."""
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
    return {"usable": usable, "run": statistics.median(runs), "step": statistics.median(steps), "lag": lag}


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
