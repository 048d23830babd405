"""The Live page in each of its states, brought to a real window by a session that says what is wanted."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PySide6.QtWidgets import QLineEdit, QPushButton

from sptrader_desktop.guardian.latch import new_latch, write_latch
from sptrader_desktop.guardian.places import live_places
from sptrader_desktop.settings import load_settings
from sptrader_desktop.ui.live.live_page import LivePage
from tests.live_states import PRICES, Market, ScriptedSession, gauge, iso
from tests.ui.windows import Driven

EVENTS = (
    ("signal", "{symbol} ma_crossover taken: entry 1 ordered"),
    ("order", "{symbol} accepted paper-41{number:02d}"),
    ("fill", "{symbol} filled: buy 0.2000 at {price}"),
    ("signal", "{symbol} ma_crossover rejected: a later one of its publisher came before it"),
)


def live_pages(driven: Driven) -> Iterator[str]:
    window = driven.window
    window.layouts.use("Live")
    page, folder = window.live.open(), load_settings().live
    yield "live_empty"
    yield from forms(driven, page)
    session = ScriptedSession(folder, Market(datetime.now(UTC)))
    try:
        yield from running(driven, page, session)
        yield from troubled(driven, page, session, folder)
    finally:
        session.close()
    driven.until(lambda: page.session.is_lost, "the session to be missed")
    driven.until(lambda: not page.view.tiles["cash"].isEnabled(), "the figures to be grey")
    yield "live_lost"
    page.session.forget_lost()
    write_latch(live_places(folder).latch, new_latch("alex on the command line", flatten=True))
    driven.until(lambda: page.session.is_stopped, "the latch")
    yield "live_stopped_without_session"
    write_latch(live_places(folder).latch, None)
    driven.until(lambda: not page.session.is_stopped, "no latch")


def forms(driven: Driven, page: LivePage) -> Iterator[str]:
    find = driven.find
    for name, text in (("liveSymbols", "EURUSD EURGPB"), ("liveCapital", "-5"), ("liveRates", "EURUSD"), ("liveCommission", "3 a lot")):
        find(QLineEdit, name).setText(text)
    driven.click(find(QPushButton, "startLiveButton"))
    yield "live_form_errors"
    for name, text in (("liveSymbols", "EURUSD GBPUSD"), ("liveCapital", "10000"), ("liveRates", ""), ("liveCommission", "3.5/lot")):
        find(QLineEdit, name).setText(text)
    page.form.show_ended("")
    page.form.show_busy("Starting … the first start on a computer compiles the engine")
    yield "live_starting"
    page.form.show_ended(
        "the live session does not start: the account was begun with another strategy: name another folder by SPTRADER_LIVE"
    )
    yield "live_start_refused"
    page.form.show_ended("")


def running(driven: Driven, page: LivePage, session: ScriptedSession) -> Iterator[str]:
    shown = page.session
    driven.until(lambda: shown.is_attached, "the session")
    for number in range(60):
        symbol = list(PRICES)[number % 4]
        kind, words = EVENTS[number % 4]
        session.event(kind, words.format(symbol=symbol, number=number, price=session.market.price(symbol)))
    chart = page.view.chart_of["EURUSD"]
    driven.until(lambda: chart.candles is not None, "the candles")
    yield "live_running"
    page.view.charts.setCurrentIndex(3)
    page.view.side.setCurrentWidget(page.view.health)
    for place, name in enumerate(page.view.tables):
        page.view.tabs.setCurrentIndex(place)
        driven.settle()
        page.view.tables[name].choose(1)
        page.view._show_chosen()
        yield f"live_{name}"
    page.view.tabs.setCurrentIndex(0)
    page.view.charts.setCurrentWidget(page.view.equity)
    yield "live_equity"
    page.view.tables["positions"].choose(1)
    page.questions.ask_close("12")
    yield "live_close_question"
    page.questions.ask_emergency_stop()
    yield "live_stop_question"
    page.questions.ask_end()
    yield "live_end_question"
    page.view.charts.setCurrentIndex(0)
    page.view.side.setCurrentIndex(0)


def troubled(driven: Driven, page: LivePage, session: ScriptedSession, folder: Path) -> Iterator[str]:
    told, market = page.session, session.market

    def says(state: str) -> None:
        driven.until(lambda: told.state and told.state["state"] == state, state)

    session.say(state="paused", reason="paused by alex in the window")
    says("paused")
    yield "live_paused"
    latched = [gauge("daily loss", "money", "318.40", "312.37", latched=True), *session.told["risk"][1:]]
    latched.append(gauge("daily loss", "money", "96.00", "120.00", scope="EURUSD"))
    bare = [{**row, "is_stop_at_broker": row["symbol"] != "BTCUSD"} for row in session.told["positions"]]
    plug = {"loss_if_unplugged": None, "unprotected": ["BTCUSD"], "protected_loss": "214.00", "working_orders": 2, "currency": "USD"}
    broken = market.health(
        "GBPUSD", state="error", is_healthy=False, healthy_services=1, reason="DataFetchingService: no candle came in 30 s"
    )
    broken["services"][0] |= {
        "state": "error",
        "is_healthy": False,
        "error_count": 7,
        "restarts": 3,
        "last_error": "no candle came in 30 s",
    }
    services = [broken if each["symbol"] == "GBPUSD" else each for each in session.told["services"]]
    session.say(state="halted", reason="the daily loss limit was reached", gate="shut", gate_why="stopped", risk=latched, positions=bare)
    session.say(plug=plug, services=services)
    write_latch(live_places(folder).latch, new_latch("the daily loss limit", flatten=False))
    says("halted")
    driven.until(lambda: told.is_stopped, "the latch")
    yield "live_halted"
    page.questions.ask_rearm()
    yield "live_rearm_question"
    page.view.side.setCurrentWidget(page.view.health)
    yield "live_service_down"
    page.view.side.setCurrentIndex(0)
    write_latch(live_places(folder).latch, None)
    old = iso(datetime.now(UTC) - timedelta(seconds=47))
    session.say(state="running", reason="", gate="open", gate_why="", plug=market.state()["plug"], risk=market.state()["risk"])
    session.stale = {"EURUSD"}
    session.say(positions=[{**row, "price_at": old} for row in bare], prices=[{**price, "at": old} for price in session.told["prices"]])
    says("running")
    driven.until(lambda: not told.is_stopped, "no latch")
    yield "live_stale"
    driven.window.close()
    yield "live_closing"
    driven.window.notices.dismiss("live")
    session.say(state="stopping", reason="a person ended it; what is open stays at the broker, with its stops")
    says("stopping")
    yield "live_stopping"
    session.say(state="running", reason="")
    says("running")
