"""Candles that no list holds, through the real window: of a server that is slow, poor or away, and of live prices over a real Valkey."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from sptrader_desktop.adapters.price_messages import STREAM
from sptrader_desktop.adapters.redis_server import RedisServer
from sptrader_desktop.present import run_form
from sptrader_desktop.present.navigator import Kind
from sptrader_desktop.present.templates import new_text
from sptrader_desktop.settings import load_settings
from sptrader_desktop.ui.desk import Finished
from sptrader_desktop.ui.editors.component_editor import ComponentEditor
from sptrader_desktop.ui.jobs import Job
from tests.http_servers import Answer, Asked, serving
from tests.test_http_candles import candle_rows, page
from tests.ui.windows import Driven, driven_window, fresh_home

Key = Qt.Key
BARS = 300
HANGS = Answer(hangs=20)
MINUTE_MS = 60_000


def hours(first: int = 0) -> Answer:
    """The bars from that one on; averages of them cross again and again."""
    rows = candle_rows(BARS)
    for hour, row in enumerate(rows):
        middle = wave(hour)
        row.update(open=middle, high=round(middle + 5e-4, 5), low=round(middle - 5e-4, 5), close=middle)
    return Answer(body=page(rows[first:]))


def wave(step: int) -> float:
    """Up for an hour's minutes, or so many hours, and down for as long."""
    return round(1.1 + abs(step % 120 - 60) * 1e-3, 5)


class Shop:
    """A server of candles, as slow and as poor as it is told to be, for whole histories and for runs from a day on."""

    def __init__(self) -> None:
        self.history = self.part = Answer()
        self.asked: list[Asked] = []

    def __call__(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        assert (asked.query["symbol"], asked.query["timeframe"]) == ("EURUSD", "1h")
        return self.part if "from" in asked.query else self.history

    def answers(self, given: Answer) -> None:
        self.history = self.part = given


@pytest.fixture(scope="module")
def shop() -> Shop:
    return Shop()


@pytest.fixture(scope="module")
def opened(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory, shop: Shop) -> Iterator[Driven]:
    with serving(shop) as server, fresh_home(tmp_path_factory.mktemp("home")), pytest.MonkeyPatch.context() as patch:
        patch.setenv("WS_MARKET_DATA_URL", server.url)
        with driven_window(qapp) as driven:
            driven.until(lambda: driven.window.page.chart.candles is not None, "the sample's candles")
            driven.settle()
            yield driven


@pytest.fixture
def away(opened: Driven, shop: Shop) -> Iterator[Driven]:
    """The source is the server, and nothing is named; afterwards it is the kept candles again, and they are shown."""
    panel = opened.window.page.panel
    shop.answers(hours())
    opened.window.activateWindow()
    opened.window.layouts.show("backtest")
    panel.source.setFocus()
    panel.source.view().keyboardSearch("")  # a pause: the same letters of the test before would make one word with these
    QTest.keyClicks(panel.source, "http")
    assert panel.is_elsewhere
    opened.settle()
    shop.asked.clear()
    yield opened
    for job in (*opened.host.jobs.waiting, *opened.host.jobs.running):
        opened.host.jobs.cancel(job)
    opened.settle()
    panel.elsewhere.clear()
    panel.set_answer("start", "")
    panel.timeframe.want("")
    panel.choose(None, panel.series[0])
    opened.settle()
    opened.window.texts.documents.show_chart()
    opened.host.failures.forget()


def name(driven: Driven, words: str, last: Key | None = Key.Key_Return) -> None:
    field = driven.window.page.panel.elsewhere
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, words)
    if last is not None:
        QTest.keyClick(field, last)


def said_instead(driven: Driven) -> str:
    """What the chart says where it has no candles."""
    empty = driven.window.page.chart.empty
    return " · ".join(label.text() for label in empty.findChildren(QLabel) if label.text()) if empty.isVisible() else ""


def reading(driven: Driven) -> list[Job]:
    return [job for job in driven.host.jobs.running if job.kind == "candles"]


def bars_shown(driven: Driven) -> int:
    return len(driven.window.page.chart.candles or ())


def has_trades(driven: Driven) -> bool:
    return driven.window.page.chart._trades is not None


def run(driven: Driven, ask: Callable[[], object], source: str = "http") -> Finished:
    """Until there is another run than before."""
    research = driven.window.research
    before = research.finished
    ask()
    driven.until(lambda: research.finished is not before, "the run")
    assert research.finished is not None
    assert research.finished.recipe.source == source
    return research.finished


# Asking and being asked


def test_candles_of_a_server_are_looked_at_run_on_and_not_waited_for(away: Driven, shop: Shop) -> None:
    window, panel = away.window, away.window.page.panel
    assert not panel.data.isVisible()
    away.click(away.find(QPushButton, "runBacktestButton"))
    assert panel.problem.text() == run_form.WANTED
    name(away, "eurusd 1h", None)
    assert not shop.asked, "while it is typed nobody is asked"
    away.press(Key.Key_Return)
    away.until(lambda: bars_shown(away) == 300, "the server's candles")
    run(away, lambda: away.press(Key.Key_F5))
    away.settle()
    asked = len(shop.asked)
    window.page.look_outside()
    away.settle()
    assert (len(shop.asked), window.research.stale.value) == (asked, "")
    shop.answers(Answer(404))
    away.press(Key.Key_F5)
    away.until(lambda: "the server answered 404" in panel.problem.text(), "the refusal")
    shop.answers(HANGS)
    asked = len(shop.asked)
    away.press(Key.Key_F5)
    away.until(lambda: len(shop.asked) > asked, "the server to be asked")
    away.click(panel.foot.cancel)
    away.settle()
    assert panel.foot.run.isEnabled()


@pytest.mark.parametrize("order", [sorted, reversed])
def test_at_a_start_nobody_is_asked_but_return_does(away: Driven, shop: Shop, order: type) -> None:
    """In whichever order the answers were kept."""
    window, panel = away.window, away.window.page.panel
    name(away, "eurusd 1h")
    away.settle()
    answers = panel.answers()
    panel.source.setCurrentIndex(0)
    panel.elsewhere.clear()
    away.settle()
    shop.asked.clear()
    panel.restore(dict(order(answers.items())), {})
    window.offer(None, panel.series[0])
    away.settle()
    assert panel.answers() == answers
    assert any("not asked for yet" in label.text() for label in window.page.chart.empty.findChildren(QLabel))
    panel.elsewhere.setFocus()
    away.press(Key.Key_Tab)
    away.settle()
    assert not shop.asked, "nobody is asked at a start, nor by going through the field"
    panel.elsewhere.setFocus()
    away.press(Key.Key_Return)
    away.settle()
    assert len(shop.asked) == 1
    assert bars_shown(away) == 300


def test_leaving_the_field_asks_only_where_something_else_was_written(away: Driven, shop: Shop) -> None:
    panel = away.window.page.panel
    name(away, "eurusd 1h", Key.Key_Tab)
    away.settle()
    assert QApplication.focusWidget() is not panel.elsewhere
    assert (len(shop.asked), bars_shown(away)) == (1, 300), "another name is shown"
    for key in (Key.Key_Tab, Key.Key_Backtab):
        panel.elsewhere.setFocus()
        away.press(key)
    name(away, "eurusd 1", None)
    QTest.keyClicks(panel.elsewhere, "h")
    away.click(panel.foot.problem)
    away.press(Key.Key_Tab)
    away.settle()
    assert len(shop.asked) == 1, "the same candles as before"
    shop.answers(Answer(404))
    panel.elsewhere.setFocus()
    away.press(Key.Key_Return)
    away.until(lambda: "the server answered 404" in said_instead(away), "the refusal")
    away.press(Key.Key_Tab)
    away.settle()
    asked = len(shop.asked)
    shop.answers(hours(100))
    panel.elsewhere.setFocus()
    away.press(Key.Key_Return)
    away.until(lambda: bars_shown(away) == 200, "what Return asks for again")
    assert len(shop.asked) == asked + 1


def test_what_names_no_candles_is_said_at_return_and_asks_nobody(away: Driven, shop: Shop) -> None:
    panel = away.window.page.panel
    name(away, "eurusd")
    away.settle()
    assert (panel.problem.text(), shop.asked) == (run_form.WANTED, [])
    QTest.keyClicks(panel.elsewhere, " 1h")
    assert panel.problem.text() == ""


@pytest.mark.parametrize("way", ["F5", "the button"])
def test_who_writes_a_name_and_runs_is_shown_what_the_run_read(away: Driven, shop: Shop, way: str) -> None:
    panel = away.window.page.panel
    name(away, "eurusd 1h", None)
    run(away, (lambda: away.press(Key.Key_F5)) if way == "F5" else lambda: away.click(panel.foot.run))
    away.settle()
    panel.elsewhere.setFocus()
    away.press(Key.Key_Tab)
    away.settle()
    assert (len(shop.asked), bars_shown(away), has_trades(away)) == (1, 300, True)


# A run, and candles that are still read


def test_candles_that_come_late_do_not_take_the_place_of_a_run(away: Driven, shop: Shop) -> None:
    page_, panel = away.window.page, away.window.page.panel
    shop.history = HANGS
    shop.part = hours(50)
    name(away, "eurusd 1h")
    away.until(lambda: shop.asked, "the whole history to be asked for")
    (job,) = reading(away)
    panel.set_answer("start", day_of(50))
    finished = run(away, lambda: away.press(Key.Key_F5))
    away.settle()
    assert bars_shown(away) == 250
    assert job.is_over, "nobody waits for it any more"
    assert job.report.is_asked_to_stop
    assert has_trades(away)
    assert page_.chart.candles is finished.result.request.traded[0]


@pytest.mark.parametrize("end", ["it fails", "it is stopped"])
def test_after_a_run_that_came_to_nothing_the_candles_asked_for_are_shown(away: Driven, shop: Shop, end: str) -> None:
    panel, before = away.window.page.panel, away.window.page.chart.candles
    shop.history = replace(hours(), hangs=1.5)
    shop.part = Answer(404) if end == "it fails" else HANGS
    name(away, "eurusd 1h")
    away.until(lambda: shop.asked, "the whole history to be asked for")
    panel.set_answer("start", day_of(50))
    away.press(Key.Key_F5)
    if end == "it fails":
        away.until(lambda: "404" in panel.problem.text(), "the refusal")
    else:
        away.until(lambda: len(shop.asked) > 1, "the run to ask")
        away.click(panel.foot.cancel)
        away.until(panel.foot.run.isEnabled, "the end of the run")
    assert away.window.page.chart.candles is before, "what was shown stays meanwhile"
    away.until(lambda: bars_shown(away) == 300, "the candles that were asked for")


def test_an_empty_chart_says_what_it_waits_for_and_why_it_does_not_any_more(away: Driven, shop: Shop) -> None:
    panel = away.window.page.panel
    shop.answers(Answer(404))
    name(away, "eurusd 1h")
    away.until(lambda: "404" in said_instead(away), "the refusal")
    shop.answers(HANGS)
    away.press(Key.Key_Return)
    assert said_instead(away).startswith("Reading EURUSD 1h · http …")
    away.until(lambda: reading(away), "the server to be asked")
    away.click(away.find(QPushButton, "cancelJobButton"))
    away.settle()
    assert said_instead(away).startswith("EURUSD 1h · http: not read · It was stopped.")
    name(away, "eurusd 1h")
    assert said_instead(away).startswith("Reading")
    away.until(lambda: reading(away), "the server to be asked")
    name(away, "eurusd", Key.Key_Tab)
    away.settle()
    assert not reading(away), "nothing is named, so nothing is waited for"
    assert said_instead(away).startswith("No candles yet")
    assert panel.read.isHidden()


def test_how_many_bars_there_are_is_not_said_of_candles_that_are_named_by_now(away: Driven, shop: Shop) -> None:
    panel = away.window.page.panel
    shop.history = replace(hours(), hangs=0.5)
    name(away, "eurusd 1h")
    name(away, "eurusd 4h", None)
    away.until(lambda: bars_shown(away) == 300, "the candles that were asked for")
    assert panel.read.isHidden()
    name(away, "eurusd 1h", None)
    assert panel.read.isHidden()


def test_before_the_first_picture_a_reading_that_is_stopped_holds_nothing_up(away: Driven, shop: Shop) -> None:
    """The engine is loaded after it."""
    window, told = away.window, list[str]()
    window.painted.disconnect()  # nothing is begun a second time
    window.painted.connect(lambda: told.append("painted"))
    shop.answers(HANGS)
    window._is_painted = False
    name(away, "eurusd 1h")
    away.until(lambda: reading(away), "the server to be asked")
    assert not told
    name(away, "eurusd")
    away.settle()
    assert told == ["painted"]


def day_of(bar: int) -> str:
    return str(candle_rows(1, first=bar)[0]["timestamp"])[:10]


# Components on them


@pytest.fixture
def editor(away: Driven) -> Iterator[ComponentEditor]:
    path = load_settings().workspace / "core" / "indicators" / "mine" / "middle.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(new_text(Kind.INDICATOR, "middle", "mine"))
    opened_editor = away.window.texts.documents.open(path)
    assert isinstance(opened_editor, ComponentEditor)
    yield opened_editor
    away.window.texts.documents.close_current()
    path.unlink()


@pytest.mark.parametrize("work", ["run", "verify"])
def test_a_component_is_not_waited_for_while_its_candles_are_asked_for(
    away: Driven, shop: Shop, editor: ComponentEditor, work: str
) -> None:
    name(away, "eurusd 1h")
    away.settle()
    shop.answers(HANGS)
    asked = len(shop.asked)
    button = editor.run_button if work == "run" else editor.verify_button
    away.click(button)
    away.until(lambda: len(shop.asked) > asked, "the server to be asked")
    assert not button.isEnabled()
    before = time.monotonic()
    away.click(away.find(QPushButton, "cancelJobButton"))
    away.until(button.isEnabled, "the end of it")
    assert time.monotonic() - before < 5, "the server would have kept it for twenty"
    assert editor.output.title.text() == "✗ middle was not computed"
    shop.answers(hours())
    away.click(button)
    away.until(button.isEnabled, "what it gives")
    assert editor.output.title.text().startswith("✓")


def test_a_component_runs_on_the_candles_that_are_shown(away: Driven, shop: Shop, editor: ComponentEditor) -> None:
    """In the timeframe that is chosen for a run."""
    panel, label = away.window.page.panel, editor.data_label
    name(away, "eurusd 1h")
    assert label.whole_text() == "EURUSD 1h · http"
    panel.timeframe.want("4h")
    away.settle()
    assert label.whole_text() == "EURUSD 4h of 1h · http"
    shown = away.window.page.chart.candles
    for button, bars in ((editor.run_button, f"on EURUSD 4h, {len(shown or ())} bars"), (editor.verify_button, "")):
        away.click(button)
        away.until(button.isEnabled, "what it gives")
        assert editor.output.title.text().startswith("✓")
        assert bars in editor.output.title.text()


# Live prices so far


def publish(server: RedisServer, minutes: range) -> None:
    """Two prices in each of these minutes, counted back from now."""
    now = time.time_ns() // 1_000_000 // MINUTE_MS * MINUTE_MS
    with server.client.pipeline() as all_of_them:
        for minute in minutes:
            for second in (5, 35):
                bid = wave(minute) + second * 1e-5
                at = now - minute * MINUTE_MS + second * 1000
                told = {
                    "EURUSD": {
                        "bid": round(bid, 5),
                        "ask": round(bid + 1e-4, 5),
                        "time": datetime.fromtimestamp(at / 1000, UTC).isoformat(),
                    }
                }
                all_of_them.xadd(STREAM, {"data": json.dumps(told)})
        all_of_them.execute()


def test_a_backtest_runs_on_the_live_prices_so_far(away: Driven, valkey: RedisServer) -> None:
    window, panel = away.window, away.window.page.panel
    panel.elsewhere.clear()
    panel.source.setFocus()
    away.press(Key.Key_Down)
    assert panel.source.currentText() == "Live prices so far"
    name(away, "eurusd 1m")
    away.until(lambda: "no 1m candle of EURUSD has closed yet" in said_instead(away), "why there are none")
    publish(valkey, range(400, 0, -1))
    away.press(Key.Key_Return)
    away.until(lambda: bars_shown(away), "candles of the prices")
    assert bars_shown(away) in (399, 400), "of the first minute earlier prices may be gone"
    assert panel.read.text().startswith(f"{bars_shown(away)} bars")
    finished, chart = run(away, lambda: away.press(Key.Key_F5), "realtime"), window.page.chart
    away.settle()
    (traded,) = finished.result.request.traded
    assert chart.candles is traded
    assert traded.ask is not None
    assert len(finished.result.outcome.trades)
    assert has_trades(away)
    run_id = window.selection.run.value
    assert run_id, "it is kept"
    assert window.research.stale.value == ""
    window.page.look_outside()
    away.settle()
    assert window.research.stale.value == "", "that more prices came says nothing of this run"
