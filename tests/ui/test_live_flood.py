"""A session that says more than anybody can read: the window shows the newest, holds a bounded number of rows, and stays quick."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QLabel

from sptrader_desktop.settings import load_settings
from sptrader_desktop.ui.live.live_session import EVENTS
from tests.live_states import PRICES, Market, ScriptedSession
from tests.ui.windows import Driven, driven_window

SECONDS, SIGNALS_A_MINUTE = 3.0, 10_000
EVENTS_A_SIGNAL = 3  # it is heard, an order is accepted and filled


@pytest.fixture
def driven(qapp: QApplication) -> Iterator[Driven]:
    with driven_window(qapp) as driven:
        driven.settle()
        yield driven


def test_a_flood_of_signals_is_followed_within_bounds(driven: Driven) -> None:
    page = driven.window.live.open()
    command = [sys.executable, "-m", "tests.ui.test_live_flood", str(load_settings().live), str(SECONDS)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as flood:
        driven.until(lambda: page.session.is_attached, "the session")
        page.view.tabs.setCurrentIndex(2)
        driven.host.lag.forget()
        ended: list[bool] = []
        QTimer.singleShot(round(1000 * SECONDS), lambda: ended.append(True))
        driven.until(lambda: ended, "the flood")
        lag, told = driven.host.lag.record.summary(), page.session.told
        flood.communicate()
    assert told > SECONDS * SIGNALS_A_MINUTE / 60, "a load worth the name"
    assert len(page.session.events) == EVENTS
    assert page.view.tables["signals"].model.rowCount() == 200
    sys.stdout.write(f"{told} events in {SECONDS:g} s; loop held up p99.9 {lag.p999:.1f} ms, longest {lag.longest:.1f} ms\n")
    driven.until(lambda: page.session.is_lost, "its end")
    page.view.tabs.setCurrentIndex(0)
    positions, chart = page.view.tables["positions"].model, page.view.chart_of["EURUSD"]
    driven.until(lambda: positions.table.muted is not None and positions.table.muted.all(), "every position to be grey")
    assert chart.content is not None
    assert {level.role for level in chart.levels("EURUSD")} == {"muted"}
    assert chart.content.price.crosshair.newest is not None
    assert chart.content.price.crosshair.newest[1] == "muted"
    chart.tools.start("trend")
    assert driven.window.status.hint.whole_text().startswith("Trend line: drag")
    chart.tools.leave()
    assert not page.view.risk.isEnabled()
    assert not page.view.health.isEnabled()
    assert page.view.charts.isEnabled(), "the others can still be looked at"
    assert page.view.ages.text().startswith("The session was last heard")
    driven.until(lambda: driven.find(QLabel, "connectionsLabel").text().startswith("session lost"), "the foot to say so")


class Flood:
    """Everything changes ten times a second: prices, profits, positions, gauges, orders, signals and the curve."""

    def __init__(self, session: ScriptedSession) -> None:
        self.session, self.market, self.count = session, session.market, 0

    def change(self, number: int) -> None:
        session, market = self.session, self.market
        for symbol in PRICES:
            market.last[symbol] *= 1 + (-1 if (number + len(symbol)) % 3 else 1) * 3e-6
        fresh = market.state()
        fresh["portfolio"]["total_value"] = f"{10_400 + number % 90}.37"
        session.told = fresh
        session.signals = [*session.signals[-199:], market.signal(number, "EURUSD", id=f"f{number}")][-200:]
        if number % 10 == 0:
            session.equity = [*session.equity[1:], [f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}Z", f"{10_400 + number % 90}.37"]]

    def tell(self, _number: int) -> None:
        """Fifty times a second as many as come by then."""
        for _ in range(SIGNALS_A_MINUTE * EVENTS_A_SIGNAL // 60 // 50):
            self.count += 1
            symbol = list(PRICES)[self.count % 4]
            self.session.event("signal", f"{symbol} ma_crossover {self.count} taken: entry 1 ordered")


def flood(folder: Path) -> None:
    session = ScriptedSession(folder, Market(datetime.now(UTC)))
    made = Flood(session)
    session.repeat(0.1, made.change)
    session.repeat(0.02, made.tell)
    sys.stdin.read()
    session.close()


if __name__ == "__main__":
    flood(Path(sys.argv[1]))
