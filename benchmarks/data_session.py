"""A session on the Data page, driven as a person would: a million rows of CSV through the wizard, the list, a look into it, its chart."""

import asyncio
from pathlib import Path
from time import perf_counter
from typing import Any

ROWS = 1_000_000
WEEK = (5 * 24 - 3) * 60  # minutes from Sunday 22:00 to Friday 19:00, whichever clock New York keeps


async def data_session(host: Any, window: Any, folder: Path) -> dict[str, Any]:
    """`lag` is how long the loop was ever held up, of a thousand beats 999; `keep` the import, from the file to the catalogue."""
    path = folder / "GBPUSD_1m.csv"
    await asyncio.get_running_loop().run_in_executor(None, _write_csv, path)
    await _quiet(host)
    host.lag.forget()
    page = window.data.open()
    await _quiet(host)
    start = perf_counter()
    page.open_file(path)
    await _quiet(host)
    assert page.imports.keep.isEnabled(), page.imports.foot.said.text()
    page.imports.keep.click()
    await _quiet(host)
    keep = perf_counter() - start
    for panel in ("datasets", "doctor", "datasets"):
        page.show_panel(panel)
        await asyncio.sleep(0.05)
    page.datasets.again.click()
    await _quiet(host)
    kept = next(at for at, row in enumerate(page.datasets.rows) if row.where == "catalogue" and row.symbol == "GBPUSD")
    page.datasets.table.view.setCurrentIndex(page.datasets.table.model.index(page.datasets.table.model.row_of(kept), 0))
    page.datasets.inspect.click()
    await _quiet(host)
    assert page.doctor.doctored is not None, page.doctor.foot.said.text()
    for at in (1, 2, 0):
        page.doctor.tabs.setCurrentIndex(at)
        await asyncio.sleep(0.05)
    page.show_panel("datasets")
    page.datasets.open.click()
    await _quiet(host)
    while len(window.page.chart.candles) != ROWS:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    return {"lag": host.lag.record.summary().p999 / 1000, "keep": keep}


async def _quiet(host: Any) -> None:
    """Until nothing is at work, and what came of it has been shown."""
    await asyncio.sleep(0.05)
    while host.jobs.running or host.jobs.waiting:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)


def _write_csv(path: Path) -> None:
    """Weeks as the market has them."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.csv as pc

    from benchmarks.market import COLUMNS, minute_frame

    frame, minutes = minute_frame(ROWS), np.arange(ROWS)
    opens = np.datetime64("2015-01-04T22:00", "m") + (minutes // WEEK) * 7 * 24 * 60 + minutes % WEEK
    columns = {"timestamp": pa.array(opens.astype("datetime64[s]"), pa.timestamp("s")).cast(pa.string())}
    columns |= {name: pa.array(frame[name].round(5).to_numpy()) for name in COLUMNS}
    zoned = pa.compute.binary_join_element_wise(columns["timestamp"], "Z", "")
    pc.write_csv(pa.table(columns | {"timestamp": zoned}), path)
