"""The watchlist, live prices and alerts in the real window, over a real Valkey."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QMenu, QPushButton, QToolButton

from sptrader_desktop.adapters.price_messages import STREAM
from sptrader_desktop.adapters.redis_server import RedisServer
from sptrader_desktop.compose_servers import open_live_prices
from sptrader_desktop.core.instruments import CATALOGUE
from sptrader_desktop.present.price_alerts import PriceAlert
from sptrader_desktop.settings import load_settings
from sptrader_desktop.ui.market.alerts_pane import NOT_CHECKED, ONLY_TELLS
from sptrader_desktop.ui.market.live_feed import LiveFeed
from sptrader_desktop.ui.market.watchlist_pane import MINUTE_MS
from sptrader_desktop.ui.theme.look import look
from tests.kept_candles import hourly, put_into
from tests.ui.charts import colour_at, hover, painted, pane_of
from tests.ui.windows import Driven, driven_window

ALT = Qt.KeyboardModifier.AltModifier


@pytest.fixture(scope="module")
def opened(qapp: QApplication) -> Iterator[Driven]:
    with driven_window(qapp) as driven:
        driven.until(lambda: driven.window.page.chart.candles is not None, "the sample's candles")
        driven.settle()
        driven.window.layouts.use("Market")
        yield driven


@pytest.fixture
def watching(opened: Driven) -> Iterator[Driven]:
    """EURUSD and USDJPY, no alerts, and no live prices yet."""
    opened.window.activateWindow()
    opened.window.kept_market.watchlist.now.set(("EURUSD", "USDJPY"))
    opened.window.kept_market.alerts.now.set(())
    opened.settle()
    yield opened
    opened.window.prices.feed.stop()
    for notice in opened.window.notices.waiting():
        opened.window.notices.dismiss(notice.key)
    opened.settle()


@pytest.fixture
def live(watching: Driven, valkey: RedisServer) -> Driven:
    """Connected by the button."""
    watching.click(watching.find(QPushButton, "connectPricesButton"))
    watching.until(lambda: watching.window.prices.feed.state == "live", "live prices")
    return watching


def cell(driven: Driven, symbol: str, key: str) -> str:
    table = driven.window.prices.watchlist.model.table
    row = driven.window.kept_market.watchlist.now.value.index(symbol)
    return table[key].text(row)


def publish(server: RedisServer, bid: float, ask: float | None = None) -> None:
    price: object = bid if ask is None else {"bid": bid, "ask": ask}
    server.client.xadd(STREAM, {"data": json.dumps({"EURUSD": price})})


def told(driven: Driven) -> list[str]:
    return [notice.text for notice in driven.window.notices.waiting()]


def kept(name: str) -> object:
    return json.loads((load_settings().preferences.parent / f"{name}.json").read_text())["held"]


def test_symbols_are_added_moved_and_removed_and_kept(watching: Driven) -> None:
    pane = watching.window.prices.watchlist
    field = watching.find(QLineEdit, "addSymbolField")
    field.setFocus()
    QTest.keyClicks(field, "gbpusd")
    QTest.keyClick(field, Qt.Key.Key_Return)
    watching.settle()
    assert kept("watchlist") == ["EURUSD", "USDJPY", "GBPUSD"]
    pane.view.show_row(2)
    QTest.keyClick(pane, Qt.Key.Key_Up, ALT)
    assert watching.window.kept_market.watchlist.now.value == ("EURUSD", "GBPUSD", "USDJPY")
    assert pane.chosen == "GBPUSD"
    watching.click(watching.find(QToolButton, "removeSymbolButton"))
    watching.settle()
    assert kept("watchlist") == ["EURUSD", "USDJPY"]
    field.setText("nonsense")
    watching.click(watching.find(QToolButton, "addSymbolButton"))
    assert pane._problem.isVisible()
    assert pane._problem.text().startswith("NONSENSE: this symbol is not known")
    assert field.text() == "nonsense"
    field.clear()


def test_an_empty_watchlist_takes_the_symbols_of_the_candles(watching: Driven) -> None:
    watching.window.kept_market.watchlist.now.set(())
    button = watching.window.prices.watchlist.findChild(QPushButton, "emptyStateButton")
    assert isinstance(button, QPushButton)
    assert button.isVisible()
    watching.click(button)
    assert watching.window.kept_market.watchlist.now.value == ("EURUSD",)


def test_rows_come_from_candles_until_prices_are_asked_for(watching: Driven) -> None:
    candles = watching.window.page.chart.candles
    assert candles is not None
    assert cell(watching, "EURUSD", "last").replace(".", "") == f"{candles.prices.close[-1]}"
    assert cell(watching, "EURUSD", "origin") == candles.timeframe
    assert cell(watching, "USDJPY", "last") == "–"
    assert cell(watching, "USDJPY", "origin") == "no candles"
    assert watching.window.prices.feed.state == "off"
    assert watching.find(QPushButton, "connectPricesButton").text() == "Connect to Live Prices"


def test_the_age_of_candles_grows_while_nobody_asks_for_prices(watching: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    before, now = cell(watching, "EURUSD", "age"), time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now + 10 * 86_400_000_000_000)
    beat = watching.window.prices.watchlist._beat
    beat.setInterval(1)  # of a minute
    watching.until(lambda: cell(watching, "EURUSD", "age") != before, "its age, ten days later")
    assert int(cell(watching, "EURUSD", "age").replace(",", "").removesuffix(" d")) - int(before.replace(",", "").removesuffix(" d")) == 10
    beat.setInterval(MINUTE_MS)


def test_return_opens_the_chart_of_a_row(watching: Driven) -> None:
    view = watching.window.prices.watchlist.view
    view.show_row(0)
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_Return)
    (document,) = watching.window.texts.documents.charts
    assert document.series.symbol == "EURUSD"
    watching.settle()
    document.closeAsked.emit()
    view.show_row(1)
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert told(watching)[0].startswith("There are no candles of USDJPY")


def test_live_prices_fill_the_row_with_spread_and_age_and_a_loss_is_said(live: Driven, valkey: RedisServer) -> None:
    publish(valkey, 1.23456, 1.23468)
    live.until(lambda: cell(live, "EURUSD", "last") == "1.23456", "the price")
    assert cell(live, "EURUSD", "spread") == "1.2"
    assert cell(live, "EURUSD", "origin") == "live"
    assert cell(live, "EURUSD", "age").endswith(" s")
    assert live.window.prices.watchlist.state.whole_text().startswith("Live")
    foot = live.find(QLabel, "connectionsLabel")
    assert re.fullmatch(r"prices live, tick \d+ s ago", foot.text())
    live.click(live.find(QPushButton, "connectPricesButton"))
    assert live.window.prices.feed.state == "off"
    assert foot.text() == "not connected"
    publish(valkey, 1.3)
    live.settle()
    assert cell(live, "EURUSD", "last") == "1.23456", "nobody listens any more"


def test_a_server_that_does_not_answer_is_said_and_asked_again(watching: Driven, valkey: RedisServer) -> None:
    settings = load_settings()
    addresses = ["redis://localhost:1"]
    host, heard = watching.host, list[tuple[str, str]]()
    feed = LiveFeed(lambda: open_live_prices(replace(settings, redis_url=addresses[0])), host.task, lambda: {"EURUSD"}, host, retry_s=0.01)
    feed.stateChanged.connect(lambda state, words: heard.append((state, words)))
    feed.start()
    watching.until(lambda: feed.state == "lost", "the loss to be said")
    assert heard[0] == ("connecting", "")
    assert heard[1][1].startswith("Redis at localhost:1 does not answer")
    addresses[0] = ""
    watching.until(lambda: feed.state == "live", "the other server")
    feed.stop()
    assert heard[-1] == ("off", "")


def test_alt_a_sets_an_alert_at_the_pointer_which_is_drawn_and_kept(watching: Driven) -> None:
    chart = watching.window.page.chart
    hover(pane_of(chart), 300, 60)
    ticks = chart.pointed_ticks()
    assert ticks is not None
    chart.setFocus()
    QTest.keyClick(chart, Qt.Key.Key_A, ALT)
    alert = PriceAlert("EURUSD", "at", ticks, Decimal("0.00001"))
    assert watching.window.kept_market.alerts.now.value == (alert,)
    assert told(watching) == [f"Waiting for {alert.words} as soon as live prices are connected"]
    watching.settle()
    assert kept("alerts") == [alert.as_json()]
    hover(pane_of(chart), 300, 200)
    image, y = painted(pane_of(chart)), pane_of(chart).frame().y_of(ticks)
    row = {colour_at(image, x, round(y) + step) for step in (-1, 0, 1) for x in range(200, 300)}
    assert look().colour("warning").name() in row
    assert watching.window.prices.badge.text() == "1 ALERT"


def test_the_menu_of_a_chart_offers_the_price_it_was_opened_at(watching: Driven) -> None:
    chart = watching.window.page.chart
    pane = pane_of(chart)
    at = QPoint(200, 80)
    expected = round(pane.spot(at.toPointF()).value)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, pane.viewport().mapToGlobal(at))
    QApplication.sendEvent(pane.viewport(), event)
    menu = watching.find(QMenu, "chartContextMenu")
    action = next(action for action in menu.actions() if action.objectName() == "alertHereAction")
    action.trigger()
    menu.close()
    (alert,) = watching.window.kept_market.alerts.now.value
    assert alert.ticks == expected
    assert action.text().endswith(alert.words.rpartition(" ")[2])


def test_a_price_that_jumps_over_an_alert_fires_it_once_and_it_can_be_armed_again(
    live: Driven, valkey: RedisServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = list[str]()
    monkeypatch.setattr(QApplication, "beep", lambda: heard.append("bell"))
    alerts = live.window.prices.alerts
    live.window.layouts.show("alerts")
    alerts.ask("EURUSD", None)
    QTest.keyClicks(alerts.price, "1.25")
    QTest.keyClick(alerts.price, Qt.Key.Key_Return)
    live.window.prices.set_alert("EURUSD", 130_000, Decimal("0.00001"))
    publish(valkey, 1.24)
    live.until(lambda: cell(live, "EURUSD", "last") == "1.24000", "the first price")
    assert live.window.prices.badge.text() == "2 ALERTS"
    publish(valkey, 1.26)
    live.until(lambda: live.window.prices.badge.text() == "1 FIRED", "the alert")
    fired, waiting = sorted(live.window.kept_market.alerts.now.value, key=lambda alert: alert.ticks)
    assert fired.fired is not None
    assert fired.fired.ticks == 126_000
    assert waiting.fired is None
    assert "EURUSD at 1.25000: the price is 1.26000. No order was placed." in told(live)
    assert any("price alert: EURUSD at 1.25000" in line for line in caplog.messages)
    assert alerts.note.whole_text().startswith("EURUSD at 1.25000: the price is 1.26000."), "and waits for it no more"
    before = told(live)
    publish(valkey, 1.24)
    live.until(lambda: cell(live, "EURUSD", "last") == "1.24000", "the next price")
    assert told(live) == before, "it fires once"
    assert heard == ["bell"]
    place = live.window.kept_market.alerts.now.value.index(fired)
    alerts.table.view.show_row(alerts.table.model.row_of(place))
    assert alerts.arm.isEnabled()
    alerts.arm.setFocus()
    live.press(Qt.Key.Key_Space)
    assert alerts.note.whole_text() == "Waiting for EURUSD at 1.25000"
    live.press(Qt.Key.Key_Space)  # once more by mistake: the next button would remove it
    assert fired.armed() in live.window.kept_market.alerts.now.value
    live.settle()
    assert len(kept("alerts")) == 2  # type: ignore[arg-type]  # a list


def test_an_alert_that_nothing_is_held_against_says_so(watching: Driven, valkey: RedisServer) -> None:
    alerts, badge = watching.window.prices.alerts, watching.window.prices.badge
    watching.window.prices.set_alert("EURUSD", 130_000, Decimal("0.00001"))
    alerts.say("")
    assert alerts.note.whole_text() == NOT_CHECKED
    assert "None is checked: live prices are not connected." in badge.toolTip()
    watching.click(watching.find(QPushButton, "connectPricesButton"))
    watching.until(lambda: watching.window.prices.feed.state == "live", "live prices")
    assert alerts.note.whole_text() == ONLY_TELLS
    assert "None is checked" not in badge.toolTip()


def test_a_price_that_cannot_be_is_refused_where_it_was_typed(watching: Driven) -> None:
    alerts = watching.window.prices.alerts
    watching.window.layouts.show("alerts")
    alerts.ask("EURUSD", None)
    QTest.keyClicks(alerts.price, "1.250001")
    watching.click(alerts.set_button)
    assert alerts.note.whole_text().startswith("1.250001: EURUSD moves in steps of 0.00001")
    assert alerts.price.text() == "1.250001"
    assert watching.window.kept_market.alerts.now.value == ()


@pytest.mark.parametrize("by_key", [True, False])
def test_alerts_are_removed_one_after_another_by_keys(watching: Driven, by_key: bool) -> None:
    alerts = watching.window.prices.alerts
    watching.window.layouts.show("alerts")
    set_ones = tuple(PriceAlert("EURUSD", "at", ticks, Decimal("0.00001")) for ticks in (110_000, 120_000, 130_000))
    watching.window.kept_market.alerts.now.set(set_ones)
    alerts.say("of before", is_bad=True)
    alerts.table.view.setFocus()
    alerts.table.view.show_row(1)
    for left in (set_ones[::2], set_ones[:1], ()):
        if not by_key:
            alerts.remove.setFocus()
        watching.press(Qt.Key.Key_Delete if by_key else Qt.Key.Key_Space)
        assert watching.window.kept_market.alerts.now.value == left
        assert alerts.note.whole_text().startswith("Removed EURUSD at 1.")
        assert not left or QApplication.focusWidget() is alerts.table.view
        assert len(alerts.table.selected) == min(1, len(left))


def test_the_form_of_alerts_fits_beside_the_panes_of_a_narrow_window(watching: Driven) -> None:
    assert watching.window.prices.alerts.minimumSizeHint().width() <= 480  # of 1067: a screen of 1600 at 150 percent


def test_an_alert_of_the_watchlist_is_filled_in_with_its_last_price(watching: Driven) -> None:
    watching.window.prices.watchlist.view.show_row(0)
    watching.click(watching.find(QToolButton, "symbolAlertButton"))
    assert watching.window.prices.alerts.symbol.text() == "EURUSD"
    assert watching.window.prices.alerts.price.text() == cell(watching, "EURUSD", "last")


OWN = """instruments:
  US30: {base: US30, quote: USD, tick: 0.25, pip: 1, step: 0.1, lot: 1}
"""


def test_a_symbol_of_ones_own_instruments_is_watched_and_fires_its_alerts(live: Driven, valkey: RedisServer) -> None:
    window, workspace = live.window, load_settings().workspace
    (workspace / "own.yaml").write_text(OWN, encoding="utf-8")
    own = replace(CATALOGUE["EURUSD"], symbol="US30", tick=Decimal("0.25"), pip=Decimal(1))
    candles = replace(hourly(range(40)), instrument=own)
    put_into(workspace / "data", candles)
    live.until(lambda: any(series.symbol == "US30" for series in window.page.panel.series), "the candles in the list")
    field = live.find(QLineEdit, "addSymbolField")
    field.setText("us30")
    live.click(live.find(QToolButton, "addSymbolButton"))
    assert field.text() == "us30", "not yet known"
    answer = live.find(QLineEdit, "instrumentsAnswer")
    answer.setText(str(workspace / "own.yaml"))
    live.until(lambda: "US30" in window.prices.known.value, "the instruments")
    live.click(live.find(QToolButton, "addSymbolButton"))
    live.settle()
    last = Decimal(int(candles.prices.close[-1])) * own.tick
    assert window.kept_market.watchlist.now.value == ("EURUSD", "USDJPY", "US30")
    assert Decimal(cell(live, "US30", "last")) == last
    live.until(lambda: window.prices.feed.state == "live", "live prices in the new ticks")
    window.layouts.show("alerts")
    window.prices.alerts.ask("US30", None)
    QTest.keyClicks(window.prices.alerts.price, f"{last + 1}")
    QTest.keyClick(window.prices.alerts.price, Qt.Key.Key_Return)
    (alert,) = window.kept_market.alerts.now.value
    assert (alert.symbol, Decimal(alert.price)) == ("US30", last + 1)
    valkey.client.xadd(STREAM, {"data": json.dumps({"US30": float(last)})})
    live.until(lambda: cell(live, "US30", "origin") == "live", "its price")
    valkey.client.xadd(STREAM, {"data": json.dumps({"US30": float(last + 2)})})
    live.until(lambda: window.prices.badge.text() == "1 FIRED", "the alert")
    live.until(lambda: Decimal(cell(live, "US30", "last")) == last + 2, "the price in its row")
    answer.clear()
    live.until(lambda: cell(live, "US30", "last") == "–", "nobody knows it any more")
    live.settle()
    assert kept("watchlist") == ["EURUSD", "USDJPY", "US30"]
    assert window.kept_market.alerts.now.value[0].price == alert.price


def test_a_window_that_closes_while_prices_come_leaves_nothing_behind_and_keeps_the_last_change(
    qapp: QApplication, valkey: RedisServer
) -> None:
    with driven_window(qapp) as driven:
        driven.window.prices.feed.start()
        driven.until(lambda: driven.window.prices.feed.state == "live", "live prices")
        driven.window.kept_market.watchlist.now.set(("AUDUSD", "NZDUSD"))
    assert kept("watchlist") == ["AUDUSD", "NZDUSD"]
