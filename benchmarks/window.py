"""What a person waits for in the window: its coming, a run that is painted, a slider's step, and how long it is ever held up."""

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.children import Beside, measured_alone
from benchmarks.hiccups import hiccup_words
from benchmarks.report import Line, Options, duration
from benchmarks.screens import screens
from benchmarks.window_session import STARTED
from sptrader_desktop.settings import load_settings

TITLE = "The window: 1600×900, offscreen, cached components; from the click to the end of the paint"
USABLE_S, STEP_S, STALL_S = 1.5, 0.050, 0.050
BARS = {60_000: 0.150, 1_000_000: 0.600}


def lines(options: Options) -> Iterator[Line]:
    with tempfile.TemporaryDirectory(prefix="sptrader-bench-") as home:
        here = places(Path(home))
        first = [measured_alone("window_session", "0", **here, **{STARTED: str(time.time())}) for _ in range(options.runs + 1)][1:]
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
            if bars == max(BARS):
                yield Line("another look, light or dark, until painted", duration(found["look"]))
        found, hiccups = _beside_hiccups("data", here)
        what = "a million rows of CSV imported, listed, looked into and opened"
        yield Line("CSV until kept in the catalogue, 1,000,000 rows", duration(found["keep"]))
        yield Line(f"loop held up, 99.9 % of a session: {what}", duration(found["lag"]), "", "", duration(STALL_S), found["lag"] < STALL_S)
        yield hiccups


def _beside_hiccups(what: str, here: dict[str, str]) -> tuple[dict[str, Any], Line]:
    """A session, and how long this computer kept another process waiting meanwhile: it keeps the window's waiting too."""
    hiccups = Beside("hiccups")
    found = measured_alone("window_session", what, **here)
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
