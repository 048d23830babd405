"""Live trading in a real window: a session of real processes started, watched, commanded and stopped as a person does."""

import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit, QPushButton

from sptrader_desktop.adapters.redis_server import RedisServer
from sptrader_desktop.sdk import SignalPublisher
from sptrader_desktop.ui.data.parts import chosen
from sptrader_desktop.ui.live.live_page import LivePage
from tests.live_program import STRATEGY
from tests.ui.windows import Driven, driven_window, fresh_home


class Trader:
    """Somebody before the window, with prices that go on."""

    def __init__(self, driven: Driven, publisher: SignalPublisher) -> None:
        self.driven, self.publisher, self.price = driven, publisher, 20_000.0
        self.window = driven.window
        self.page: LivePage = self.window.live.open()

    def until(self, holds: object, what: str) -> None:
        assert callable(holds)

        def is_so() -> object:
            self.tick()
            return holds()

        self.driven.until(is_so, what)

    def tick(self) -> None:
        assert self.publisher.publish_price_update({"BTCUSD": {"bid": self.price, "ask": self.price + 1}}), self.publisher.problem

    def click(self, name: str) -> None:
        button = self.driven.find(QPushButton, name)
        assert button.isEnabled(), name
        self.driven.click(button)

    @property
    def state(self) -> str:
        return str((self.page.session.state or {}).get("state"))


@pytest.fixture
def trader(qapp: QApplication, valkey: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trader]:
    live = Path(os.environ["HOME"]) / "page"
    monkeypatch.setenv("SPTRADER_LIVE", str(live))
    publisher = SignalPublisher(symbol="BTCUSD")
    with fresh_home(tmp_path), driven_window(qapp) as driven:
        folder = driven.window._desk.folders()[0]
        (folder / "spoken.yaml").write_text(STRATEGY, encoding="utf-8")
        driven.settle()
        yield Trader(driven, publisher)
    publisher.close()
    for process in psutil.process_iter(["cmdline"]):
        if any(str(live) in part for part in process.info["cmdline"] or ()):
            process.terminate()
            process.wait(30)


def test_a_session_from_its_start_to_its_end(trader: Trader) -> None:
    _is_started(trader)
    _is_watched(trader)
    _is_not_left_unsaid(trader)
    _is_commanded(trader)
    _is_stopped(trader)


def _is_started(trader: Trader) -> None:
    page, driven = trader.page, trader.driven
    assert page.headline.text() == "No live session runs"
    assert not driven.find(QPushButton, "pauseLiveButton").isEnabled()
    page.form.strategy.setCurrentIndex(page.form.strategy.findText("spoken"))
    assert chosen(page.form.strategy).endswith("spoken.yaml")
    symbols, capital, said = driven.find(QLineEdit, "liveSymbols"), driven.find(QLineEdit, "liveCapital"), page.form.said
    symbols.setText("")
    trader.click("startLiveButton")
    assert "Say which symbols" in page.form.problems["symbols"].text()
    assert QApplication.focusWidget() is symbols
    symbols.setText("btcusdd")
    assert page.form.problems["symbols"].text() == "BTCUSDD is no known instrument: did you mean BTCUSD?"
    symbols.setText("btcusd")
    capital.setText("-5")
    assert page.form.problems["capital"].isVisible()
    capital.setText("10000")
    assert said.text() == "1 answer to mend before it can start"
    params = driven.find(QLineEdit, "liveParams")
    params.setText("nonsense=1")
    assert "--param nonsense=1" in page.form.line.text()
    trader.click("startLiveButton")
    driven.until(lambda: "nonsense" in said.text(), "why it does not start")
    params.setText("")
    driven.find(QComboBox, "liveSignals").setCurrentIndex(1)
    trader.click("startLiveButton")
    assert not page.form.start.isEnabled()
    trader.until(lambda: trader.state == "running" and (page.session.state or {})["prices"], "it to run")
    assert trader.window.windowTitle() == "SPtrader – PAPER"
    assert trader.window.status.mode.text() == page.badge.text() == "PAPER"


def _is_watched(trader: Trader) -> None:
    page = trader.page
    assert trader.publisher.publish_signal("ma_crossover", "golden_cross", 0.9)
    positions = page.view.tables["positions"].model
    trader.until(lambda: positions.rowCount() == 1 and positions.table["held"].exact(0) == "yes", "a position")
    for name in ("events", "signals"):  # what nobody sees is not worked out
        page.view.tabs.setCurrentIndex(list(page.view.tables).index(name))
        trader.until(lambda name=name: page.view.tables[name].model.rowCount() > 0, f"the {name}")
    assert page.view.tables["signals"].model.table["why"].exact(0) == "entry 1 ordered"
    page.view.tabs.setCurrentIndex(0)
    trader.price = 20_201.0
    trader.until(lambda: "10,100.00" in page.view.tiles["value"].accessibleName(), "the profit")
    assert page.view.tiles["day"].accessibleName() == "Today: +100.00 USD"
    assert page.view.tiles["plug"].accessibleName() == "If this machine dies now: 300.01 USD"
    assert page.view.tiles["plug"].isEnabled()
    assert len(page.view.risk.rows) == 5
    chart = page.view.chart_of["BTCUSD"]
    trader.until(lambda: chart.candles is not None, "the candle that is forming")
    levels = {level.text.split()[0]: level.ticks for level in chart.levels("BTCUSD")}
    assert levels == {"long": 2_000_100, "stop": 1_960_098}
    page.view.charts.setCurrentWidget(page.view.equity)
    trader.until(lambda: len(page.view.equity.stamps) > 0, "the curve")


def _is_not_left_unsaid(trader: Trader) -> None:
    """Closing the window asks, and says what stays open."""
    trader.window.close()
    (notice,) = [notice for notice in trader.window.notices.waiting() if notice.key == "live"]
    assert "long 0.5000 BTCUSD" in notice.text
    assert notice.action == "Close, Leave It Running"
    trader.window.notices.dismiss("live")


def _is_commanded(trader: Trader) -> None:
    page, driven, positions = trader.page, trader.driven, trader.page.view.tables["positions"]
    trader.click("pauseLiveButton")
    trader.until(lambda: trader.state == "paused", "the pause")
    trader.click("resumeLiveButton")
    trader.until(lambda: trader.state == "running", "the end of the pause")
    health = page.view.health
    page.view.side.setCurrentWidget(health)
    trader.until(lambda: "BTCUSD DataFetchingService" in health.items, "the services")
    for about, name in (("BTCUSD DataFetchingService", "Data fetching"), ("BTCUSD", "BTCUSD")):
        health.tree.setCurrentItem(health.items[about])
        assert driven.find(QPushButton, "restartServiceButton").text() == f"Restart {name}"
        trader.click("restartServiceButton")
        trader.until(lambda about=about: page.said.text() == f"Restart service {about}: done", "the restart")
    assert not driven.find(QPushButton, "closePositionButton").isEnabled()
    positions.choose(0)
    trader.until(driven.find(QPushButton, "closePositionButton").isEnabled, "the chosen row")
    trader.click("closePositionButton")
    trader.click("closeNowButton")
    trader.until(lambda: positions.model.rowCount() == 0, "the close")


def _is_stopped(trader: Trader) -> None:
    page, driven = trader.page, trader.driven
    trader.click("statusEmergencyStopButton")
    trader.click("stopKeepButton")
    trader.until(lambda: page.gate.text().startswith("Gate shut"), "the shut gate")
    assert page.said.text().startswith("Stopped: the gate is shut")
    trader.until(lambda: page.stopped.isVisible() and "in the window" in page.stopped_words.text(), "who stopped it")
    trader.click("rearmLiveButton")
    assert not driven.find(QPushButton, "rearmNowButton").isEnabled(), "a reason is asked for"
    driven.find(QLineEdit, "rearmReason").setText("it was a drill")
    trader.click("rearmNowButton")
    trader.until(lambda: page.gate.text() == "Gate open", "the open gate")
    trader.until(lambda: not page.stopped.isVisible(), "nothing to be stopped")
    assert any("it was a drill" in event["text"] for event in page.session.events)
    trader.click("stopLiveButton")
    trader.until(lambda: page.session.state is None, "the end")
    assert page.headline.text() == "No live session runs"
    assert trader.window.windowTitle() == "SPtrader"
    assert trader.window.status.mode.text() == "RESEARCH"
    trader.driven.settle()
