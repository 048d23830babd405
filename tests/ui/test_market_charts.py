"""Charts of any candles in the real window: opened, resampled, given indicators, linked and closed, by real keys, drags and clicks."""

import gc
import json
import shutil
import threading
import weakref
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QAction, QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFrame, QInputDialog, QLabel, QLineEdit, QMenu, QPushButton, QWidget

from sptrader_desktop.core.candles import Candles
from sptrader_desktop.core.resample import resample
from sptrader_desktop.present.chart_indicators import ChartIndicator
from sptrader_desktop.present.navigator import MIME, Kind
from sptrader_desktop.present.pyramid import Pyramid
from sptrader_desktop.settings import load_settings
from sptrader_desktop.ui.desk import Heed, Series
from sptrader_desktop.ui.market.chart_document import ChartDocument
from tests.ui.charts import click, hover, pane_of, part
from tests.ui.windows import Driven, driven_window

ALT, SHIFT = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture(scope="module")
def opened(qapp: QApplication) -> Iterator[Driven]:
    with driven_window(qapp) as driven:
        driven.until(lambda: driven.window.page.chart.candles is not None, "the sample's candles")
        driven.settle()
        yield driven


@pytest.fixture
def chart(opened: Driven) -> Iterator[ChartDocument]:
    """Of the sample, opened by Shift+Return in the navigator; closed at the end."""
    opened_chart = open_from_navigator(opened)
    yield opened_chart
    for document in opened.window.texts.documents.charts:
        document.closeAsked.emit()
    opened.settle()


def dataset(driven: Driven) -> str:
    series = driven.window.page.panel.chosen_series()
    assert series is not None
    return f":{series.path}"


def open_from_navigator(driven: Driven) -> ChartDocument:
    driven.window.activateWindow()
    navigator = driven.window.texts.navigator
    driven.until(lambda: navigator.choose(dataset(driven)), "the dataset in the navigator")
    navigator.view.setFocus()
    QTest.keyClick(navigator.view, Qt.Key.Key_Return, SHIFT)
    document = driven.window.texts.documents.current_chart
    assert document is not None
    driven.until(lambda: document.chart.candles is not None, "the chart's candles")
    driven.settle()
    return document


def dropped(target: QWidget, kind: Kind, key: str) -> bool:
    """As the window system sends it; whether it was taken."""
    data, at = QMimeData(), QPoint(40, 40)
    data.setData(MIME, f"{kind.value}\n{key}".encode())
    entering = QDragEnterEvent(at, Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    entering.setAccepted(False)
    QApplication.sendEvent(target, entering)
    drop = QDropEvent(QPointF(at), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    drop.setAccepted(False)
    QApplication.sendEvent(target, drop)
    return entering.isAccepted() and drop.isAccepted()


def add(driven: Driven, chart: ChartDocument, letters: str) -> None:
    """By `/`, a few letters and Return."""
    chart.chart.setFocus()
    QTest.keyClick(chart.chart, Qt.Key.Key_Slash)
    field = chart.picker.field
    driven.until(field.isVisible, "the list of indicators")
    QTest.keyClicks(field, letters)
    QTest.keyClick(field, Qt.Key.Key_Return)
    driven.until(
        lambda: all(slot.lines or slot.fault for slot in chart.indicators.slots) and chart.indicators.slots, f"{letters} on the chart"
    )
    driven.settle()


def form(driven: Driven, chart: ChartDocument, place: int = 0) -> QFrame:
    chip = chart.bar.chip(chart.indicators.slots[place])
    assert chip is not None
    driven.click(chip)
    driven.settle()
    return next(found for found in chart.findChildren(QFrame, "indicatorForm") if found.isVisible())


def test_a_dataset_opens_as_a_chart_of_its_own_without_a_strategy(opened: Driven, chart: ChartDocument) -> None:
    documents, shown = opened.window.texts.documents, chart.chart.candles
    assert shown is not None
    assert opened.window.page.chart.candles is not None
    assert shown.timestamp.tobytes() == opened.window.page.chart.candles.timestamp.tobytes()
    assert documents.tabText(documents.indexOf(chart)) == "EURUSD 1h"
    assert dropped(documents, Kind.DATASET, dataset(opened))
    assert len(documents.charts) == 2
    opened.settle()
    assert not dropped(documents, Kind.RUN, "1"), "a run is no chart"
    opened.window.actions_.action("file.close").trigger()
    assert documents.charts == [chart]


def test_a_chart_that_is_closed_gives_its_candles_back(opened: Driven, chart: ChartDocument, monkeypatch: pytest.MonkeyPatch) -> None:
    """The window keeps those of the run: these are others, as on a disk they would be."""
    really = opened.window._desk.candles

    def own(series: Series, heed: Heed = lambda: None) -> Candles:
        found = really(series, heed)
        return replace(found, timestamp=found.timestamp.copy(), prices=replace(found.prices, close=found.prices.close.copy()))

    monkeypatch.setattr(opened.window._desk, "candles", own)
    chart.read()
    opened.settle()
    assert chart.chart.candles is not None
    shown = chart.chart.candles
    chart.indicators.add(ChartIndicator("indicators.trend.sma", {"period": Decimal(20)}))
    hover(pane_of(chart.chart), 300, 200)
    opened.settle()
    kept = [weakref.ref(column) for column in (shown.timestamp, shown.prices.close)]
    del shown
    opened.window.texts.documents.close_current()
    opened.settle()
    gc.collect()
    assert all(column() is None for column in kept)


def test_what_is_gone_is_told(opened: Driven, chart: ChartDocument) -> None:
    assert dropped(opened.window.texts.documents, Kind.DATASET, ":folder/GBPUSD_1h.parquet")
    notice = opened.window.notices.waiting()[0]
    assert notice.text.startswith("GBPUSD_1h.parquet is not among the candles any more")
    opened.window.notices.dismiss(notice.key)
    assert len(opened.window.texts.documents.charts) == 1


def test_on_the_chart_of_a_run_comma_and_slash_open_its_candles_as_a_chart_of_their_own(opened: Driven) -> None:
    documents, first = opened.window.texts.documents, opened.window.page.chart
    before = set(documents.charts)
    for key in (Qt.Key.Key_Comma, Qt.Key.Key_Slash):
        documents.show_chart()
        QTest.keyClick(first, key)
        opened.settle()
        (made,) = set(documents.charts) - before
        assert documents.current_chart is made
        assert (made.bar.box.view() if key is Qt.Key.Key_Comma else made.picker).isVisible()
        QTest.keyClick(QApplication.activePopupWidget() or made.picker, Qt.Key.Key_Escape)
        assert made.chart.candles is not None
        assert first.candles is not None
        assert made.chart.candles.fingerprint == first.candles.fingerprint
        made.closeAsked.emit()
        opened.settle()


def test_where_longer_candles_are_chosen_comma_and_slash_open_these(opened: Driven) -> None:
    documents, panel, first = opened.window.texts.documents, opened.window.page.panel, opened.window.page.chart
    panel.timeframe.want("4h")
    opened.until(lambda: first.candles and first.candles.timeframe == "4h", "longer candles")
    for key in (Qt.Key.Key_Comma, Qt.Key.Key_Slash):
        documents.show_chart()
        QTest.keyClick(first, key)
        opened.settle()
        (made,) = documents.charts
        box = made.bar.box
        assert (made.title, box.currentText(), made.tab.timeframe) == ("EURUSD 4h", "4h", "4h")
        assert [box.itemText(place) for place in range(3)] == ["1h", "2h", "4h"], "the shorter ones are there too"
        QTest.keyClick(QApplication.activePopupWidget() or made.picker, Qt.Key.Key_Escape)
        assert made.chart.candles is not None
        assert first.candles is not None
        assert made.chart.candles.prices.close.tobytes() == first.candles.prices.close.tobytes()
        made.closeAsked.emit()
        opened.settle()
    panel.timeframe.want("")
    opened.settle()


def test_a_timeframe_that_is_not_usual_opens_too_and_can_be_chosen_again(opened: Driven) -> None:
    """As a kept run may have one that was asked for on the command line."""
    series = opened.window.page.panel.chosen_series()
    assert series is not None
    made = opened.window.market.open_chart(replace(series, resample="3h"))
    opened.until(lambda: made.chart.candles and made.chart.candles.timeframe == "3h", "the longer candles")
    assert made.title == "EURUSD 3h"
    assert [made.bar.box.itemText(place) for place in range(4)] == ["1h", "2h", "3h", "4h"]
    made.closeAsked.emit()
    opened.settle()


def test_comma_offers_the_timeframes_and_the_chosen_one_is_what_resampling_makes(opened: Driven, chart: ChartDocument) -> None:
    chart.chart.setFocus()
    QTest.keyClick(chart.chart, Qt.Key.Key_Comma)
    box = chart.bar.box
    assert box.view().isVisible()
    assert [box.itemText(place) for place in range(box.count())] == ["1h", "2h", "4h", "8h", "12h", "1d", "1w"]
    base = chart.chart.candles
    assert base is not None
    QTest.keyClick(box.view(), Qt.Key.Key_Down)
    QTest.keyClick(box.view(), Qt.Key.Key_Down)
    QTest.keyClick(box.view(), Qt.Key.Key_Return)
    opened.settle()
    made, expected = chart.chart.candles, resample(base, "4h")
    assert made is not None
    assert made.timeframe == "4h"
    assert made.prices.close.tobytes() == expected.prices.close.tobytes()
    assert chart.title == "EURUSD 4h"
    chart.bar.timeframeChosen.emit("1h")
    opened.settle()
    assert chart.chart.candles is base, "back to the candles themselves"


def test_a_timeframe_that_cannot_be_made_is_told_on_the_chart_which_stays(opened: Driven, chart: ChartDocument) -> None:
    before = chart.chart.candles
    chart.bar.timeframeChosen.emit("7h")
    opened.settle()
    assert chart.chart.candles is before
    assert chart.problem.isVisible()
    assert "cannot be resampled to 7h" in chart.problem.text()
    assert chart.bar.timeframe == "1h"
    chart.bar.timeframeChosen.emit("2h")
    opened.settle()
    assert not chart.problem.isVisible()


def test_candles_too_few_for_a_bar_of_a_timeframe_say_so_and_are_not_waited_for(opened: Driven, chart: ChartDocument) -> None:
    base = chart.chart.candles
    assert base is not None
    chart._show_base((part(base, 30), Pyramid.of_prices(part(base, 30).prices)))
    chart.bar.timeframeChosen.emit("1w")
    opened.settle()
    assert chart.bar.timeframe == "1w"
    assert any(label.text() == "No bar of 1w" and label.isVisible() for label in chart.chart.empty.findChildren(QLabel))


def test_slash_finds_an_indicator_and_it_is_drawn_over_the_candles(opened: Driven, chart: ChartDocument) -> None:
    plain = chart.chart.grab().toImage()
    add(opened, chart, "sma")
    (slot,) = chart.indicators.slots
    assert slot.indicator.dotted == "indicators.trend.sma"
    candles, (line,) = chart.chart.candles, slot.lines
    assert candles is not None
    period = int(slot.indicator.params["period"])
    closes = candles.prices.close / candles.instrument.ticks_per_one
    assert line.values[period + 5] == pytest.approx(closes[6 : period + 6].mean())
    assert line.pane is None
    assert chart.chart.grab().toImage() != plain
    chip = chart.bar.chip(slot)
    assert chip is not None
    assert chip.text().strip() == f"SMA ({period})"
    chart.bar.setFixedWidth(chart.bar.minimumSizeHint().width())
    opened.settle()
    assert chip.text().strip() == "SMA", "whole, where there is no room for all of it"


def test_what_is_no_price_gets_a_pane_and_follows_the_timeframe(opened: Driven, chart: ChartDocument) -> None:
    assert dropped(chart, Kind.INDICATOR, "indicators.momentum.rsi")
    opened.settle()
    assert [(pane.name, pane.guides) for pane in chart.chart.panes] == [("", []), ("RSI (14, close)", [30.0, 70.0])]
    chart.bar.timeframeChosen.emit("4h")
    opened.settle()
    (line,) = chart.indicators.slots[0].lines
    assert chart.chart.candles is not None
    assert len(line.values) == len(chart.chart.candles)
    assert not dropped(chart, Kind.SIGNAL, "signals.ma_crossover"), "signals are for strategies"


def test_parameters_are_taken_as_they_are_typed_and_what_is_wrong_is_said(opened: Driven, chart: ChartDocument) -> None:
    add(opened, chart, "sma")
    before = chart.indicators.slots[0].lines[0].values
    parameters = form(opened, chart)
    line = parameters.findChild(QLineEdit, "indicator_period_line")
    assert isinstance(line, QLineEdit)
    line.selectAll()
    QTest.keyClicks(line, "55")
    opened.settle()
    slot = chart.indicators.slots[0]
    assert slot.indicator.params["period"] == Decimal(55)
    assert not np.array_equal(slot.lines[0].values, before, equal_nan=True)
    assert np.isnan(slot.lines[0].values[:54]).all()
    line.selectAll()
    QTest.keyClicks(line, "0")
    opened.settle()
    assert slot.indicator.params["period"] == Decimal(55), "nothing invalid is computed"
    remove = parameters.findChild(QPushButton, "removeIndicatorButton")
    assert isinstance(remove, QPushButton)
    opened.click(remove)
    assert chart.indicators.slots == []
    assert len(chart.chart.panes) == 1


def test_a_component_that_is_broken_says_so_on_its_chart_and_the_others_stay(opened: Driven, chart: ChartDocument) -> None:
    add(opened, chart, "sma")
    folder = load_settings().workspace / "core" / "indicators" / "mine"
    folder.mkdir(parents=True, exist_ok=True)
    source = (load_settings().workspace / "core" / "indicators" / "trend" / "sma.py").read_text()
    source = source.replace('"name": "sma"', '"name": "failing"').replace('"trend"', '"mine"').replace("class SMA", "class Failing")
    failing = source.replace("        return average(", "        raise ValueError('on purpose')\n        return average(")
    file = folder / "failing.py"
    file.write_text(failing.replace("main(SMA", "main(Failing"))
    try:
        chart.add_indicator("indicators.mine.failing")
        opened.settle()
        assert "on purpose" in chart.problem.text()
        assert chart.problem.isVisible()
        assert chart.indicators.slots[0].lines, "the other one is still there"
        assert not chart.indicators.slots[1].lines
        chart.indicators.remove(chart.indicators.slots[-1])
        assert not chart.problem.isVisible()
    finally:
        file.unlink()


def test_a_template_is_kept_on_the_disk_and_put_on_another_chart(opened: Driven, chart: ChartDocument) -> None:
    add(opened, chart, "sma")
    add(opened, chart, "rsi")
    opened.click(chart.bar.templates)
    menu = next(found for found in chart.bar.findChildren(QMenu, "chartTemplatesMenu") if found.isVisible())
    next(action for action in menu.actions() if action.objectName() == "saveTemplateAction").trigger()
    menu.close()
    dialog = opened.find(QInputDialog, "templateNameDialog")
    dialog.setTextValue("trend and swing")
    dialog.accept()
    opened.settle()
    held = json.loads((load_settings().preferences.parent / "chart_templates.json").read_text())
    assert held["schema"] == 1
    assert [one["indicator"] for one in held["held"]["trend and swing"]] == ["indicators.trend.sma", "indicators.momentum.rsi"]
    other = open_from_navigator(opened)
    other.apply_template("trend and swing")
    opened.settle()
    assert other.indicators.indicators == chart.indicators.indicators
    assert all(slot.lines for slot in other.indicators.slots)
    other.delete_template("trend and swing")
    opened.settle()
    undo = opened.window.notices.waiting()[0]
    assert undo.do is not None
    undo.do()
    opened.settle()
    assert "trend and swing" in opened.window.kept_market.templates.now.value


def test_linked_charts_move_and_point_together_until_one_is_unlinked(opened: Driven, chart: ChartDocument) -> None:
    other = open_from_navigator(opened)
    other.bar.timeframeChosen.emit("4h")
    opened.settle()
    chart.chart.go_to(int(chart.chart.stamps[500]))
    assert int(other.chart.stamps[other.chart.bar_index(other.chart.bars.first)]) <= int(chart.chart.stamps[500])
    assert int(other.chart.stamps[other.chart.bar_index(other.chart.bars.last)]) >= int(chart.chart.stamps[500])
    opened.window.texts.documents.setCurrentWidget(chart)
    hover(pane_of(chart.chart), 100, 60)
    pointed = chart.chart.selection.pointed.value
    assert pointed is not None
    assert pane_of(other.chart).crosshair.bar == other.chart.bar_of(pointed)
    opened.window.texts.documents.setCurrentWidget(other)
    opened.click(other.bar.link)
    before = other.chart.bars
    chart.chart.go_to(int(chart.chart.stamps[1500]))
    assert other.chart.bars == before
    opened.click(other.bar.link)
    assert other.chart.bars != before, "who joins again goes to the others"


def test_a_chart_that_opens_goes_to_where_the_linked_ones_are(opened: Driven, chart: ChartDocument) -> None:
    first = opened.window.page.chart
    chart.chart.go_to(int(chart.chart.stamps[700]))
    sight = (chart.chart.bars.first, chart.chart.bars.last)
    assert (first.bars.first, first.bars.last) == pytest.approx(sight, abs=1), "the chart of the research is linked too"
    other = open_from_navigator(opened)
    assert (other.chart.bars.first, other.chart.bars.last) == pytest.approx(sight, abs=1)
    assert (first.bars.first, first.bars.last) == pytest.approx(sight, abs=1)


def test_the_bar_that_is_clicked_here_explains_no_run(opened: Driven, chart: ChartDocument) -> None:
    before = opened.window.selection.bar.value
    click(pane_of(chart.chart), 100, 60)
    assert chart.chart.selection.bar.value is not None
    assert opened.window.selection.bar.value == before


def test_a_line_drawn_on_one_chart_is_on_all_of_its_symbol_and_on_the_disk(opened: Driven, chart: ChartDocument) -> None:
    before = chart.chart.tools.drawings
    hover(pane_of(chart.chart), 100, 60)
    chart.chart.setFocus()
    QTest.keyClick(chart.chart, Qt.Key.Key_H, Qt.KeyboardModifier.AltModifier)
    *others, line = opened.window.page.chart.tools.drawings
    assert (*others,) == before
    assert line == chart.chart.tools.drawings[-1]
    opened.settle()
    held = json.loads((load_settings().preferences.parent / "drawings.json").read_text())["held"]
    assert held["EURUSD"][-1] == line.as_json()


def test_what_the_keyboard_does_next_is_said_beside_the_mode_and_the_work_until_its_chart_is_left(
    opened: Driven, chart: ChartDocument
) -> None:
    status, gate = opened.window.status, threading.Event()
    chart.chart.setFocus()
    opened.press(Qt.Key.Key_T, ALT)
    job = opened.host.jobs.start("slow", "A slow job", lambda _: gate.wait())
    opened.until(status.progress.isVisible, "the job at the foot of the window")
    assert status.hint.whole_text().startswith("Trend line: drag")
    assert status.hint.isVisible()
    assert status.mode.isVisible()
    gate.set()
    opened.until(lambda: job.is_over, "the end of the job")
    opened.window.texts.documents.show_chart()
    assert status.hint.isHidden()
    assert chart.chart.tools.tool == ""
    opened.window.page.chart.setFocus()
    opened.press(Qt.Key.Key_T, ALT)
    opened.press(Qt.Key.Key_Return)
    assert "Enter ends" in status.hint.whole_text()
    opened.window.page.panel.timeframe.want("2h")
    opened.until(status.hint.isHidden, "other candles")
    opened.window.page.panel.timeframe.want("")
    opened.settle()
    in_menus = [action.statusTip() for action in opened.window.findChildren(QAction)]
    assert not any(in_menus), "what a menu says of itself would hide the mode"


def test_everything_above_a_chart_can_be_used_by_key_and_has_a_name(chart: ChartDocument) -> None:
    for widget in (chart.bar.box, chart.bar.add, chart.bar.templates, chart.bar.link):
        assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        assert widget.accessibleName()


def test_candles_that_vanished_are_told_on_their_chart(opened: Driven, chart: ChartDocument) -> None:
    gone = opened.window.market.open_chart(Series("EURUSD", "1h", "folder/EURUSD_1h.parquet"))
    opened.settle()
    assert gone.problem.isVisible()
    assert "EURUSD_1h.parquet" in gone.problem.text()
    assert not opened.host.failures.said.value, "it is no defect of the program"


def test_a_chart_whose_file_is_renamed_goes_along(opened: Driven, chart: ChartDocument) -> None:
    documents, navigator, kept = opened.window.texts.documents, opened.window.texts.navigator, opened.window.market._kept.charts.now
    file = Path(chart.series.path).with_name("EURUSD_1h_mine.parquet")
    shutil.copyfile(chart.series.path, file)
    navigator.refresh()

    def renamed(name: str) -> Path:
        nonlocal file
        opened.until(lambda: navigator.choose(f":{file}"), f"{file.name} in the navigator")
        item = next(item for item in navigator.items if item.path == file)
        navigator.rows.renameWanted.emit(item, name)
        file = file.with_stem(name)
        opened.settle()
        return file

    opened.until(lambda: navigator.choose(f":{file}"), f"{file.name} in the navigator")
    mine = opened.window.market.open_chart(Series("EURUSD", "1h", str(file)))
    opened.settle()
    before = mine.chart.candles
    assert str(renamed("EURUSD_1h_ours")) == mine.series.path
    assert mine.chart.candles is before, "the same candles"
    assert f":{file}" in {tab.dataset for tab in kept.value}
    assert str(renamed("GBPUSD_1h_ours")) == mine.series.path
    assert mine.chart.candles is not None
    assert mine.chart.candles.symbol == "GBPUSD"
    assert (documents.tabText(documents.indexOf(mine)), mine.bar.symbol.text()) == ("GBPUSD 1h", "GBPUSD")
    assert not mine.problem.isVisible()
    assert chart.chart.candles is not None
    assert chart.chart.candles.symbol == "EURUSD"
    file.unlink()
    navigator.refresh()
