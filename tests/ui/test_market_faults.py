"""What markets bring that nobody planned for: symbols nobody knows, a feed with a defect, an indicator that hangs, a change of mind."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from threading import Event
from typing import NoReturn

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QMenu, QPushButton

from sptrader_desktop.core.candles import Candles, Prices
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.present.chart_indicators import ChartIndicator
from sptrader_desktop.present.navigator import Kind
from sptrader_desktop.present.price_alerts import PriceAlert
from sptrader_desktop.present.templates import new_text
from sptrader_desktop.settings import load_settings
from sptrader_desktop.ui.charts.candle_chart import CandleChart
from sptrader_desktop.ui.desk import Heed, Series
from sptrader_desktop.ui.jobs import JobState
from sptrader_desktop.ui.market.chart_document import ChartDocument
from sptrader_desktop.ui.market.live_feed import LiveFeed
from tests.ui.charts import pane_of
from tests.ui.windows import Driven, driven_window, fresh_home

TICK = CATALOGUE["EURUSD"].tick


@pytest.fixture(scope="module")
def opened(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driven]:
    with fresh_home(tmp_path_factory.mktemp("market")), driven_window(qapp) as driven:
        driven.until(lambda: driven.window.page.chart.candles is not None, "the sample's candles")
        driven.settle()
        yield driven


@pytest.fixture
def watching(opened: Driven) -> Iterator[Driven]:
    yield opened
    market = opened.window.kept_market
    market.watchlist.now.set(())
    market.alerts.now.set(())
    market.templates.now.set({})
    for notice in opened.window.notices.waiting():
        opened.window.notices.dismiss(notice.key)
    opened.settle()
    assert not opened.host.failures.said.value


def told(driven: Driven) -> list[str]:
    return [notice.text for notice in driven.window.notices.waiting()]


def test_a_file_that_is_named_like_candles_of_no_symbol_is_not_watched(watching: Driven) -> None:
    panel, desk = watching.window.page.panel, watching.window._desk
    stray = load_settings().workspace / "data" / "NOTES_1st_draft.csv"
    stray.write_text("a thought\n")
    panel.offer(desk.strategies(), desk.series())
    assert "NOTES" in {series.symbol for series in panel.series}
    watching.window.prices.watchlist.fillAsked.emit()
    watching.settle()
    assert watching.window.kept_market.watchlist.now.value == ("EURUSD",)
    stray.unlink()
    panel.offer(desk.strategies(), desk.series())


def offered_at(chart: CandleChart) -> dict[str, bool]:
    """By the menu of a right click on it, and whether it can be chosen."""
    at, viewport = QPoint(200, 80), pane_of(chart).viewport()
    QApplication.sendEvent(viewport, QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, viewport.mapToGlobal(at)))
    menu = chart.findChild(QMenu, "chartContextMenu")
    assert menu is not None
    offered = {action.objectName(): action.isEnabled() for action in menu.actions()}
    menu.close()
    return offered


def test_no_alert_waits_for_an_instrument_that_live_prices_do_not_know(watching: Driven) -> None:
    chart = watching.window.page.chart
    known = chart.candles
    assert known is not None
    chart.show_candles(replace(known, instrument=replace(known.instrument, symbol="MYSYM")))
    try:
        chart.ask_alert()
        assert "no live prices come for this instrument" in told(watching)[0]
        offered = offered_at(chart)
        assert not offered["alertHereAction"]
        assert offered["lineHereAction"]
    finally:
        chart.show_candles(known)
    assert watching.window.kept_market.alerts.now.value == ()


@pytest.mark.parametrize(("tick", "more"), [("0.001", 1), ("0.00000001", 30_000)])
def test_an_alert_on_candles_of_other_ticks_waits_for_the_price_that_was_pointed_at(watching: Driven, tick: str, more: int) -> None:
    """Such as those of a run that names instruments of its own; a price may be of more ticks than Qt's whole numbers hold."""
    chart = watching.window.page.chart
    known = chart.candles
    assert known is not None
    prices = Prices(*(each * more for each in (known.prices.open, known.prices.high, known.prices.low, known.prices.close)))
    chart.show_candles(replace(known, instrument=replace(known.instrument, tick=Decimal(tick)), prices=prices, ask=None))
    try:
        ticks = chart.pointed_ticks()
        chart.ask_alert()
        (level,) = chart.levels("EURUSD")
        assert offered_at(chart)["alertHereAction"]
    finally:
        chart.show_candles(known)
    (alert,) = watching.window.kept_market.alerts.now.value
    assert ticks is not None
    assert ticks > more * 100_000
    assert alert.tick == TICK
    assert abs(Decimal(alert.price) - ticks * Decimal(tick)) <= TICK / 2
    assert abs(level.ticks - ticks) * Decimal(tick) <= TICK / 2
    assert [level.ticks for level in chart.levels("EURUSD")] == [alert.ticks]


def change_alert(driven: Driven, price: str) -> None:
    alerts = driven.window.prices.alerts
    QTest.keyClicks(alerts.price, price)
    QTest.keyClick(alerts.price, Qt.Key.Key_Return)


def test_an_alert_that_is_to_be_changed_waits_until_the_other_price_is_set(watching: Driven) -> None:
    prices, alerts = watching.window.prices, watching.window.kept_market.alerts.now
    prices.set_alert("EURUSD", 108_000, TICK)
    watching.click(next(button for button in watching.window.notices.findChildren(QPushButton) if button.text() == "Change"))
    assert alerts.value == (PriceAlert("EURUSD", "at", 108_000, TICK),)
    change_alert(watching, "1.09")
    assert alerts.value == (PriceAlert("EURUSD", "at", 109_000, TICK),)


@pytest.mark.parametrize("is_asked_before", [True, False])
def test_the_alert_that_is_to_be_changed_is_that_one_also_when_ticks_become_others(watching: Driven, is_asked_before: bool) -> None:
    prices, alerts = watching.window.prices, watching.window.kept_market.alerts.now
    own = load_settings().workspace / "own.yaml"
    own.write_text("instruments:\n  EURUSD: {tick: 0.000001}\n", encoding="utf-8")
    prices.set_alert("EURUSD", 108_000, TICK)
    change = next(button for button in watching.window.notices.findChildren(QPushButton) if button.text() == "Change")
    if is_asked_before:
        watching.click(change)
    prices.use_instruments(str(own))
    watching.settle()
    assert [(alert.ticks, alert.price) for alert in alerts.value] == [(1_080_000, "1.080000")]
    if not is_asked_before:
        watching.click(change)
        assert prices.alerts.price.text() == "1.080000"
    prices.alerts.price.clear()
    change_alert(watching, "1.09")
    assert alerts.value == (PriceAlert("EURUSD", "at", 1_090_000, Decimal("0.000001")),)
    prices.use_instruments("")
    watching.settle()
    assert alerts.value == (PriceAlert("EURUSD", "at", 109_000, TICK),)


def test_a_feed_that_ends_by_a_defect_says_so_and_can_be_asked_for_again(watching: Driven) -> None:
    host, said = watching.host, list[str]()

    def broken() -> object:
        raise ZeroDivisionError

    feed = LiveFeed(broken, host.task, lambda: {"EURUSD"}, watching.window)  # type: ignore[arg-type]
    feed.stateChanged.connect(lambda state, _: said.append(state))
    feed.start()
    watching.until(lambda: host.failures.said.value, "the defect to be told")
    host.failures.forget()
    assert (said, feed.is_wanted) == (["connecting", "off"], False)
    feed.start()
    watching.until(lambda: host.failures.said.value, "the defect to be told again")
    host.failures.forget()


def test_a_deleted_template_comes_back_beside_those_that_were_kept_since(watching: Driven) -> None:
    templates = watching.window.kept_market.templates.now
    mine, other = (ChartIndicator("indicators.trend.sma", {"period": Decimal(number)}) for number in (5, 9))
    templates.set({"mine": (mine,)})
    chart = watching.window.market.open_chart(watching.window.page.panel.series[0])
    watching.settle()
    chart.delete_template("mine")
    templates.set({"other": (other,)})
    watching.click(next(button for button in watching.window.notices.findChildren(QPushButton) if button.text() == "Undo"))
    assert templates.value == {"mine": (mine,), "other": (other,)}
    watching.window.texts.documents.close_current()


@pytest.fixture
def hanging() -> Iterator[str]:
    path = load_settings().workspace / "core" / "indicators" / "mine" / "hanging.py"
    path.parent.mkdir(exist_ok=True)
    computes = new_text(Kind.INDICATOR, "hanging", "mine")
    path.write_text(computes.replace("        top, bottom =", "        __import__('time').sleep(3600)\n        top, bottom ="))
    yield "indicators.mine.hanging"
    path.unlink()


@pytest.mark.parametrize("way", ["removed", "closed"])
def test_an_indicator_that_hangs_is_left_when_it_is_taken_away(watching: Driven, hanging: str, way: str) -> None:
    chart: ChartDocument = watching.window.market.open_chart(watching.window.page.panel.series[0])
    watching.settle()
    slot = chart.indicators.add(ChartIndicator(hanging, {"period": Decimal(20)}))
    job = slot.job
    assert job is not None
    watching.until(lambda: job.state is not JobState.WAITING, "the indicator to begin")
    if way == "removed":
        chart.indicators.remove(slot)
        watching.settle()
        watching.window.texts.documents.close_current()
    else:
        watching.window.texts.documents.close_current()
        watching.settle()
    assert job.state is JobState.CANCELLED


# Candles that are waited for, and do not come


class HeldCandles:
    """How often candles were asked for; while they are held they come to nobody, unless they are given up."""

    def __init__(self, driven: Driven, patch: pytest.MonkeyPatch) -> None:
        self.times, self.are_free = 0, Event()
        self.are_free.set()
        really = driven.window._desk.candles

        def candles(series: Series, heed: Heed = lambda: None) -> Candles:
            self.times += 1
            while not self.are_free.wait(0.01):
                heed()
            return really(series, heed)

        patch.setattr(driven.window._desk, "candles", candles)


@pytest.fixture
def held(watching: Driven, monkeypatch: pytest.MonkeyPatch) -> Iterator[HeldCandles]:
    yield HeldCandles(watching, monkeypatch)
    for chart in watching.window.texts.documents.charts:
        chart.closeAsked.emit()
    watching.settle()


def said_instead(chart: ChartDocument) -> str:
    """What it says where it has no candles, and in brackets the step it offers."""
    empty = chart.chart.empty
    words = [label.text() for label in empty.findChildren(QLabel) if label.text()] if empty.isVisible() else []
    return " · ".join([*words, f"[{empty.button.text()}]"] if empty.button.isVisible() else words)


def test_a_damaged_file_is_tried_again_when_it_is_another_or_somebody_asks(watching: Driven, held: HeldCandles) -> None:
    window, series = watching.window, watching.window.page.panel.series[0]
    damaged = Path(series.path).with_name("EURUSD_1h_damaged.parquet")
    damaged.write_bytes(b"no candles")
    navigator = window.texts.navigator
    watching.until(lambda: any("damaged" in item.key for item in navigator.items), "the file in the list")
    chart = window.market.open_chart(replace(series, path=str(damaged)))
    watching.settle()
    assert said_instead(chart) == "The candles could not be read · [Look Again]"
    assert "EURUSD_1h_damaged.parquet" in chart.problem.text()
    tried = held.times
    listed = list[object]()
    navigator.listed.connect(listed.append)
    navigator.refresh()
    watching.until(lambda: listed, "another list")
    watching.settle()
    assert held.times == tried, "it is the same file"
    window.activateWindow()
    watching.until(window.isActiveWindow, "the keyboard to be the window's")
    chart.chart.empty.button.setFocus()
    QTest.keyClick(chart.chart.empty.button, Qt.Key.Key_Space)
    assert said_instead(chart) == "Reading the candles …"
    assert QApplication.focusWidget() is chart.chart, "the keyboard stays here"
    watching.settle()
    assert held.times == tried + 1
    assert said_instead(chart) == "The candles could not be read · [Look Again]"
    damaged.write_bytes(Path(series.path).read_bytes())
    navigator.refresh()
    watching.until(lambda: chart.chart.candles, "the candles of the file that is sound now")
    assert not chart.problem.isVisible()
    damaged.unlink()
    watching.until(lambda: not any("damaged" in item.key for item in navigator.items), "the list without it")


def test_what_fails_beside_candles_that_are_still_read_says_nothing_of_these(
    watching: Driven, held: HeldCandles, monkeypatch: pytest.MonkeyPatch
) -> None:
    held.are_free.clear()
    chart = watching.window.market.open_chart(watching.window.page.panel.series[0])
    with monkeypatch.context() as broken:
        broken.setattr(watching.window._desk, "catalogue", lambda: fail("no component can be read"))
        chart.open_indicators()
        watching.until(chart.problem.isVisible, "what is wrong with the components")
    assert chart.problem.text() == "no component can be read"
    assert said_instead(chart) == "Reading the candles …"
    held.are_free.set()
    watching.settle()
    assert chart.chart.candles is not None
    assert held.times == 1


def test_candles_that_somebody_stopped_can_be_looked_for_again(watching: Driven, held: HeldCandles) -> None:
    held.are_free.clear()
    chart = watching.window.market.open_chart(watching.window.page.panel.series[0])
    watching.until(lambda: held.times, "the candles to be asked for")
    watching.click(watching.find(QPushButton, "cancelJobButton"))
    watching.settle()
    assert said_instead(chart) == "The candles were not read: it was stopped · [Look Again]"
    held.are_free.set()
    watching.click(chart.chart.empty.button)
    watching.settle()
    assert chart.chart.candles is not None


def fail(words: str) -> NoReturn:
    raise DataError(words)
