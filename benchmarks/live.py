"""Live on paper: candles replayed through the live path, and real processes from a signal's publishing to its order at the broker."""

import os
import statistics
import tempfile
import time
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path

from benchmarks.crossover import TERMS, crossover, runner
from benchmarks.market import minute_candles
from benchmarks.report import Line, Options, duration, median_seconds
from sptrader_desktop.core.broker_messages import What
from sptrader_desktop.core.results import Request
from sptrader_desktop.runtime.live.replay import replay
from tests.live_process import LiveSession, end_detached

TITLE = "Live: replay, and signals to orders through Valkey, journal, guardian and paper broker"
BARS, BARS_A_SECOND = 50_000, 20_000
SIGNALS, A_MINUTE = 400, 1_000
MEDIAN_S, WORST_S, READY_S = 0.005, 0.025, 3.0


def lines(options: Options) -> Iterator[Line]:
    request, components = Request(crossover(), TERMS, (minute_candles(BARS),)), runner()
    taken = median_seconds(lambda: replay(request, components), options.runs)
    pace = BARS / taken
    yield Line(f"replay of {BARS:,} bars, a second", f"{pace:,.0f} bars", "", "", f"{BARS_A_SECOND:,}", pace > BARS_A_SECOND)
    with tempfile.TemporaryDirectory(prefix="sptrader-bench-") as home:
        os.environ |= {"SPTRADER_LIVE": f"{home}/live", "SPTRADER_SERVERS": f"{home}/servers", "SPTRADER_WORKSPACE": f"{home}/workspace"}
        session = LiveSession(Path(home) / "live")
        try:
            yield from _processes(session, options)
        finally:
            session.end()
            session.publisher.close()
            end_detached(Path(home))


def _processes(session: LiveSession, options: Options) -> Iterator[Line]:
    session.start()
    took = sorted(_latencies(session))
    median, worst = statistics.median(took), took[int(len(took) * 0.99)]
    what = f"published until the broker has its order, {len(took)} orders at {A_MINUTE:,} signals a minute"
    yield Line(f"{what}, median", duration(median), "", "", duration(MEDIAN_S), median < MEDIAN_S)
    yield Line("the same, 99 %", duration(worst), "", "", duration(WORST_S), worst < WORST_S)
    ready = []
    for _ in range(options.runs):
        session.kill()
        ready.append(session.start())
    again = statistics.median(ready)
    yield Line("killed, until it trades again", duration(again), "", "", duration(READY_S), again < READY_S)


def _latencies(session: LiveSession) -> Iterator[float]:
    """Entries and exits in turn; the broker says when it had each, by the same clock."""
    session.tick()
    before = len(session.done())
    published = []
    for number in range(SIGNALS):
        due = time.perf_counter() + 60 / A_MINUTE
        published.append(time.time_ns() // 1_000)
        session.say(("golden_cross", "death_cross")[number % 2])
        time.sleep(max(0.0, due - time.perf_counter()) / 2)
        session.tick((-1) ** number)
        time.sleep(max(0.0, due - time.perf_counter()))
    time.sleep(1.0)
    for had in (each.at for each in session.done()[before:] if each.what is What.ACCEPTED):
        sent = published[bisect_right(published, had) - 1]  # an exit that found nothing to close came to no order
        yield (had - sent) / 1e6
