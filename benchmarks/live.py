"""Live on paper: candles replayed through the live path, and real processes from a signal's publishing to its order at the broker."""

import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.children import Beside
from benchmarks.crossover import TERMS, crossover, runner
from benchmarks.hiccups import hiccup_words
from benchmarks.market import minute_candles
from benchmarks.report import Line, Options, duration, median_seconds
from benchmarks.window import places
from sptrader_desktop.core.broker_messages import What
from sptrader_desktop.core.results import Request
from sptrader_desktop.runtime.live.replay import replay
from tests.live_load import TIMEFRAME, Account, Load, Order, account_of, check_nothing_is_doubled, loaded_session, settle
from tests.live_process import LiveSession, end_detached
from tests.simulated_disk import SimulatedDisk, SimulatedJournal

TITLE = (
    "Live: replay; and signals to orders through Valkey, journal, guardian and paper broker, four symbols, the window open on its Live page"
)
BARS, BARS_A_SECOND = 50_000, 20_000
MEDIAN_S, WORST_S, READY_S = 0.005, 0.025, 3.0
USUAL, MUCH, FLOOD = 1_000, 10_000, 60_000  # signals a minute
BECOME_ORDERS = 0.5
DISK_S = 20
MEMORY = Path("/dev/shm")


@dataclass(frozen=True, slots=True)
class Phase:
    """Seconds: `took` to publish, and `drained` after the last signal until all was done."""

    a_minute: int
    load: Load
    took: float
    drained: float
    beside: dict[str, Any]
    hiccups: dict[str, Any]


def lines(options: Options) -> Iterator[Line]:
    request, components = Request(crossover(), TERMS, (minute_candles(BARS),)), runner()
    taken = median_seconds(lambda: replay(request, components, journal=SimulatedJournal(SimulatedDisk())), options.runs)
    pace = BARS / taken
    yield Line(
        f"replay of {BARS:,} bars with its journal on a simulated disk, a second",
        f"{pace:,.0f} bars",
        "",
        "",
        f"{BARS_A_SECOND:,}",
        pace > BARS_A_SECOND,
    )
    disk = Beside("disk")
    time.sleep(DISK_S)
    words = f"this computer's disk alone: a page kept, every 20 ms for {DISK_S} s, median, 99 %, longest"
    yield Line(words, hiccup_words(disk.found()))
    with _session() as session:
        yield from _processes(session, options)
    if MEMORY.is_dir():
        with _session(MEMORY) as session:
            yield from _without_disk(session)


@contextmanager
def _session(folder: Path | None = None) -> Iterator[LiveSession]:
    """Begun, with all that it keeps in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="sptrader-bench-", dir=folder) as name:
        home = Path(name)
        os.environ |= places(home) | {"SPTRADER_LIVE": f"{home}/live"}
        session = loaded_session(home)
        try:
            session.start(timeframe=TIMEFRAME)
            yield session
        finally:
            session.end()
            session.publisher.close()
            end_detached(home)


def _without_disk(session: LiveSession) -> Iterator[Line]:
    phase = _loaded(session, USUAL, 1.0)
    session.end()
    yield from _latencies(f"{USUAL:,} a minute, all files in memory", _orders(phase.load, account_of(session, phase.load)), is_usual=True)


def _processes(session: LiveSession, options: Options) -> Iterator[Line]:
    phases = [_loaded(session, USUAL, 1.0)]
    ready = []
    for _ in range(options.runs):
        session.kill()
        ready.append(session.start(timeframe=TIMEFRAME))
    phases += [_loaded(session, MUCH, options.minutes), _loaded(session, FLOOD, 1.0)]
    session.end()
    account = account_of(session, *(phase.load for phase in phases))
    check_nothing_is_doubled(account)
    for phase in phases:
        yield from _about(phase, account)
    again = statistics.median(ready)
    yield Line("killed, from exec until it trades again", duration(again), "", "", duration(READY_S), again < READY_S)


def _loaded(session: LiveSession, a_minute: int, minutes: float) -> Phase:
    load = Load(f"load {a_minute}")
    load.price()
    window = Beside("live_window")
    window.until("open")
    hiccups = Beside("hiccups")
    began = time.monotonic()
    load.run(a_minute, round(a_minute * minutes))
    took = time.monotonic() - began
    waits = hiccups.found()
    drained = settle(session, load)
    load.close()
    return Phase(a_minute, load, took, drained, window.found(), waits)


def _about(phase: Phase, account: Account) -> Iterator[Line]:
    load, pace, is_usual = phase.load, f"{phase.a_minute:,} a minute", phase.a_minute == USUAL
    orders = _orders(load, account)
    told = [len(account.outcomes.get(name, ())) for name in load.published]
    words = f"{told.count(0)} and {sum(count > 1 for count in told)}"
    yield Line(f"{pace}: signals without an outcome, and with two, of {len(told):,}", words, "", "", "0 and 0", words == "0 and 0")
    done = {each.id for each in account.done if each.what in {What.FILLED, What.CLOSED}}
    filled = sum(order.id in done for order in orders) / len(told)
    target, is_met = (f"{BECOME_ORDERS:.0%}", filled >= BECOME_ORDERS) if is_usual else ("", None)
    yield Line(f"{pace}: signals that became filled orders", f"{filled:.0%}", "", "", target, is_met)
    yield from _latencies(pace, orders, is_usual=is_usual)
    waits, shown = phase.hiccups, phase.beside
    yield Line(f"{pace}: this computer's own hiccups, median, 99 %, longest", hiccup_words(waits))
    yield Line(f"{pace}: the window painted, a second; its loop held up, 99.9 %", f"{shown['paints']:.1f}; {duration(shown['lag'])}")
    yield Line(
        f"{pace}: after the last signal, until all was done; slots the publisher was late", f"{duration(phase.drained)}; {load.late}"
    )


def _orders(load: Load, account: Account) -> list[Order]:
    return [account.orders[name] for name in load.published if name in account.orders]


def _latencies(pace: str, orders: Sequence[Order], *, is_usual: bool) -> Iterator[Line]:
    for what, share, most in (("median", 0.5, MEDIAN_S), ("99 %", 0.99, WORST_S)):
        decided, arrived = (_share([getattr(order, name) for order in orders], share) for name in ("decided", "arrived"))
        target, is_met = (duration(most), arrived < most) if is_usual else ("", None)
        words = f"{pace}: published until decided, and until the broker has its order, {what}"
        yield Line(words, f"{duration(decided)}, {duration(arrived)}", "", "", target, is_met)


def _share(took: Sequence[float], share: float) -> float:
    return sorted(took)[int(len(took) * share)]
