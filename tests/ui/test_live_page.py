"""Live trading in a real window: a session of real processes started, watched, commanded and stopped by keys alone."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit, QPushButton, QTabWidget, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from sptrader_desktop.adapters.redis_server import RedisServer
from sptrader_desktop.guardian.asking import status
from sptrader_desktop.sdk import SignalPublisher
from sptrader_desktop.settings import load_settings
from sptrader_desktop.ui.data.parts import chosen
from sptrader_desktop.ui.live.live_page import LivePage
from sptrader_desktop.ui.live.live_questions import LiveQuestions
from sptrader_desktop.ui.live.question import Question
from tests.live_process import end_detached
from tests.live_program import STRATEGY
from tests.live_states import Market
from tests.ui.windows import Driven, driven_window, fresh_home

FARTHEST = 200  # steps of Tab


class Trader:
    """Somebody before the window, with prices that go on."""

    def __init__(self, driven: Driven, publisher: SignalPublisher) -> None:
        self.driven, self.publisher, self.price = driven, publisher, 20_000.0
        self.window = driven.window
        self.page: LivePage = self.window.live.open()
        self.window.activateWindow()
        driven.until(self.window.isActiveWindow, "the keyboard")
        self.page.form.strategy.setFocus()

    def until(self, holds: object, what: str) -> None:
        assert callable(holds)

        def is_so() -> object:
            self.tick()
            return holds()

        self.driven.until(is_so, what)

    def tick(self) -> None:
        assert self.publisher.publish_price_update({"BTCUSD": {"bid": self.price, "ask": self.price + 1}}), self.publisher.problem

    def go(self, widget: QWidget) -> None:
        """By Tab, in the window or the dialog that has the keyboard."""
        self.look_back()
        self.driven.until(widget.window().isActiveWindow, "the dialog to have the keyboard")
        for _ in range(FARTHEST):
            if QApplication.focusWidget() is widget:
                return
            self.driven.press(Qt.Key.Key_Tab)
        raise AssertionError(f"{widget.objectName()} was not reached in {FARTHEST} steps of Tab")

    def press(self, name: str) -> None:
        button = self.driven.find(QPushButton, name)
        assert button.isEnabled(), name
        self.go(button)
        self.driven.press(Qt.Key.Key_Space)

    def type(self, name: str, text: str) -> None:
        field = self.driven.find(QLineEdit, name)
        self.go(field)
        self.driven.press(Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        self.driven.press(Qt.Key.Key_Delete)
        QTest.keyClicks(field, text)

    def keys(self, sequence: str) -> None:
        self.look_back()
        QTest.keySequence(QApplication.focusWidget() or self.window, QKeySequence(sequence))

    def look_back(self) -> None:
        """What a desktop does when a dialog has gone."""
        if QApplication.activeWindow() is None:
            self.window.activateWindow()
            self.driven.until(self.window.isActiveWindow, "the keyboard")

    def tab(self, bar: QTabWidget, page: QWidget | None) -> None:
        self.go(bar.tabBar())
        assert page is not None
        steps = bar.indexOf(page) - bar.currentIndex()
        for _ in range(abs(steps)):
            self.driven.press(Qt.Key.Key_Right if steps > 0 else Qt.Key.Key_Left)
        assert bar.currentWidget() is page

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
    end_detached(live)


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
    said, problems = page.form.said, page.form.problems
    QTest.keyClicks(page.form.strategy, "spoken")
    assert chosen(page.form.strategy).endswith("spoken.yaml")
    trader.press("startLiveButton")
    assert "Say which symbols" in problems["symbols"].text()
    assert QApplication.focusWidget() is driven.find(QLineEdit, "liveSymbols"), "the first answer that is wrong has the keyboard"
    trader.type("liveSymbols", "btcusdd")
    assert problems["symbols"].text() == "BTCUSDD is no known instrument: did you mean BTCUSD?"
    trader.type("liveSymbols", "btcusd")
    trader.type("liveCapital", "-5")
    assert problems["capital"].isVisible()
    trader.type("liveCapital", "10000")
    assert said.text() == "1 answer to mend before it can start"
    trader.go(driven.find(QToolButton, "liveMore"))
    driven.press(Qt.Key.Key_Space)
    trader.type("liveParams", "nonsense=1")
    assert "--param nonsense=1" in page.form.line.text()
    trader.press("startLiveButton")
    driven.until(lambda: "nonsense" in said.text(), "why it does not start")
    trader.type("liveParams", "")
    trader.go(driven.find(QComboBox, "liveSignals"))
    driven.press(Qt.Key.Key_Down)
    trader.press("startLiveButton")
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
        trader.tab(page.view.tabs, page.view.tabs.widget(list(page.view.tables).index(name)))
        trader.until(lambda name=name: page.view.tables[name].model.rowCount() > 0, f"the {name}")
    assert page.view.tables["signals"].model.table["why"].exact(0) == "entry 1 ordered"
    trader.tab(page.view.tabs, page.view.tabs.widget(0))
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
    trader.tab(page.view.charts, page.view.equity)
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
    trader.keys("Ctrl+Shift+P")
    trader.until(lambda: trader.state == "paused", "the pause")
    trader.press("resumeLiveButton")
    trader.until(lambda: trader.state == "running", "the end of the pause")
    health = page.view.health
    trader.tab(page.view.side, health)
    trader.until(lambda: "BTCUSD DataFetchingService" in health.items, "the services")
    for about, name in (("BTCUSD", "BTCUSD"), ("BTCUSD DataFetchingService", "Data fetching")):  # the account is above the first
        trader.go(health.tree)
        driven.press(Qt.Key.Key_Down)
        assert driven.find(QPushButton, "restartServiceButton").text() == f"Restart {name}"
        trader.press("restartServiceButton")
        trader.until(lambda about=about: page.said.text() == f"Restart service {about}: done", "the restart")
    trader.go(positions.view)
    driven.press(Qt.Key.Key_Home)
    trader.until(driven.find(QPushButton, "closePositionButton").isEnabled, "the chosen row")
    trader.press("closePositionButton")
    trader.until(lambda: QApplication.focusWidget() is driven.find(QPushButton, "closeNowButton"), "the question; Escape would keep it")
    driven.press(Qt.Key.Key_Return)
    trader.until(lambda: positions.model.rowCount() == 0, "the close")


def _is_stopped(trader: Trader) -> None:
    page, driven = trader.page, trader.driven
    assert "window" in status(load_settings().live)["heartbeats"], "the guardian waits for this window"
    trader.keys("Ctrl+Shift+X")
    driven.until(lambda: QApplication.focusWidget() is driven.find(QPushButton, "stopKeepButton"), "the question")
    trader.keys("Ctrl+Shift+X")
    trader.until(lambda: page.gate.text().startswith("Gate shut"), "the shut gate")
    assert page.said.text().startswith("Stopped: the gate is shut")
    trader.until(lambda: page.stopped.isVisible() and "in the window" in page.stopped_words.text(), "who stopped it")
    trader.press("rearmLiveButton")
    assert not driven.find(QPushButton, "rearmNowButton").isEnabled(), "a reason is asked for"
    trader.type("rearmReason", "it was a drill")
    driven.press(Qt.Key.Key_Return)
    trader.until(lambda: page.gate.text() == "Gate open", "the open gate")
    trader.until(lambda: not page.stopped.isVisible(), "nothing to be stopped")
    assert any("it was a drill" in event["text"] for event in page.session.events)
    trader.press("stopLiveButton")
    trader.until(lambda: page.session.state is None, "the end")
    assert page.headline.text() == "No live session runs"
    assert trader.window.windowTitle() == "SPtrader"
    assert trader.window.status.mode.text() == "RESEARCH"
    driven.until(lambda: "window" not in status(load_settings().live)["heartbeats"], "the window to be waited for no longer")
    trader.driven.settle()


# Re-arming one symbol


class HaltedSession:
    """Of which a test says what it said last; it keeps what it was asked."""

    guard, is_stopped, is_attached = None, False, True

    def __init__(self, **changes: Any) -> None:
        self.state = Market(datetime.now(UTC)).state(**changes)
        self.asked: list[tuple[str, list[str]]] = []

    def rearm(self, why: str, symbols: list[str]) -> None:
        self.asked.append((why, symbols))


@pytest.mark.parametrize(("symbol", "armed"), [("", ["EURUSD", "GBPUSD"]), ("GBPUSD", ["GBPUSD"]), ("USDJPY", ["EURUSD", "GBPUSD"])])
def test_where_only_symbols_are_halted_they_are_named_and_nothing_else_is_armed(qtbot: QtBot, symbol: str, armed: list[str]) -> None:
    window, session = QWidget(), HaltedSession(latched={"GBPUSD": "one reason", "EURUSD": "another"})
    qtbot.addWidget(window)
    any_session: Any = session
    LiveQuestions(any_session, window).ask_rearm_of(symbol)
    (asked,) = window.findChildren(Question)
    assert all(f"{name} is halted" in asked.words.text() for name in armed)
    go, reason = asked.findChild(QPushButton, "rearmNowButton"), asked.findChild(QLineEdit, "rearmReason")
    assert go is not None
    assert reason is not None
    assert go.text() == f"Re-arm {', '.join(armed)}"
    QTest.keyClicks(reason, "it was a drill")
    QTest.mouseClick(go, Qt.MouseButton.LeftButton)
    assert session.asked == [("it was a drill", armed)]
