"""What If in the window: what a guess is laid over, what becomes of it, and what is said of it meanwhile."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit

from sptrader_desktop.present.decision_rows import decision_stamps
from sptrader_desktop.present.selection import BarAt
from sptrader_desktop.ui.charts.prepared import Drawing
from sptrader_desktop.ui.editors.strategy_editor import StrategyEditor
from sptrader_desktop.ui.what_if_panel import NumberRow
from tests.ui.windows import Driven, driven_window, fresh_home, work_until_asked


@pytest.fixture(scope="module")
def opened(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driven]:
    with fresh_home(tmp_path_factory.mktemp("home")), driven_window(qapp) as driven:
        driven.until(lambda: driven.window.page.chart.candles is not None, "the sample's candles")
        yield driven


@pytest.fixture
def ran(opened: Driven) -> Driven:
    """With the strategy's own numbers."""
    opened.find(QLineEdit, "paramsAnswer").setText("")
    run(opened)
    return opened


def run(driven: Driven) -> None:
    before = driven.window.research.finished
    driven.window.page.run()
    driven.until(lambda: driven.window.research.finished is not before, "the run")
    driven.settle()


def number(driven: Driven, label: str) -> NumberRow:
    return next(row for row in driven.window.page.what_if.rows if row.spec.label == label)


def turn(driven: Driven, label: str, value: str) -> None:
    row = number(driven, label)
    row.field.setText(value)
    row.field.editingFinished.emit()
    driven.settle()


def trades(drawing: Drawing | None) -> bytes:
    assert drawing is not None
    return drawing.result.outcome.trades.tobytes()


def test_sliders_begin_at_the_parameters_of_the_run_and_what_is_applied_is_what_was_seen(ran: Driven) -> None:
    window, answer = ran.window, ran.find(QLineEdit, "paramsAnswer")
    answer.setText("fast_period=5")
    run(ran)
    finished = window.research.finished
    assert finished is not None
    assert (finished.recipe.params, number(ran, "fast_period").value) == (("fast_period=5",), Decimal(5))
    for label, value, params in (("stop_loss", "0.5 %", ("fast_period=5",)), ("fast_period", "8", ("fast_period=8",))):
        turn(ran, label, value)
        text = finished.text.replace("stop_loss: 0.02 ", "stop_loss: 0.005 ")
        same = ran.run(
            asyncio.to_thread(window._desk.backtest, replace(finished.recipe, params=params), text)
        ).result.outcome.trades.tobytes()
        assert trades(window.research.guess) == same != trades(window.research.drawing)
    seen = trades(window.research.guess)
    window.page.what_if._apply.click()
    editor = window.texts.documents.current_editor
    assert isinstance(editor, StrategyEditor)
    assert "fast_period: 8\n" in editor.edit.text()
    assert answer.text() == "", "it would win over what is written now"
    run(ran)
    assert trades(window.research.drawing) == seen
    editor.document.discard()
    window.texts.documents.close_current()


def test_undo_asks_for_the_parameters_again_that_apply_wrote_into_the_text(ran: Driven) -> None:
    window, answer = ran.window, ran.find(QLineEdit, "paramsAnswer")
    answer.setText("fast_period=5 stop_loss=0.01")
    run(ran)
    turn(ran, "slow_period", "40")
    window.page.what_if._apply.click()
    editor = window.texts.documents.current_editor
    assert isinstance(editor, StrategyEditor)
    for _ in range(2):
        assert (answer.text(), "fast_period: 5\n" in editor.edit.text()) == ("", True)
        editor.commands()["editor.undo"]()
        assert (answer.text(), "fast_period: 20\n" in editor.edit.text()) == ("fast_period=5 stop_loss=0.01", True)
        assert window.research.stale.value == "", "all is as it was run"
        editor.commands()["editor.redo"]()
    answer.setText("fast_period=7")
    editor.commands()["editor.undo"]()
    assert answer.text() == "fast_period=7", "what was asked for since stays"
    editor.document.discard()
    window.texts.documents.close_current()


@pytest.fixture
def written(ran: Driven) -> Iterator[StrategyEditor]:
    """The strategy, to be written anew."""
    path = ran.window.page.panel.chosen_strategy()
    assert path is not None
    editor = ran.window.texts.documents.open(path)
    assert isinstance(editor, StrategyEditor)
    ran.settle()
    yield editor
    editor.document.discard()
    ran.window.texts.documents.close_current()


@pytest.mark.parametrize("empty", ["", " ~", " [5, 8]"])
def test_a_parameter_that_has_no_single_value_in_the_text_stays_as_it_was_given(ran: Driven, written: StrategyEditor, empty: str) -> None:
    window, panel, answer = ran.window, ran.window.page.what_if, ran.find(QLineEdit, "paramsAnswer")
    text = written.edit.text().replace("fast_period: 20", f"fast_period:{empty}")
    written.edit.take_text(text)
    answer.setText("fast_period=5 slow_period=40")
    run(ran)
    assert "fast_period" not in {row.spec.label for row in panel.rows}
    assert (panel._given.isVisibleTo(panel), panel._given.text().rpartition(": ")[2]) == (True, "fast_period=5")
    turn(ran, "slow_period", "30")
    assert window.research.guess is not None, panel._figures.text()
    seen = trades(window.research.guess)
    panel._apply.click()
    assert written.edit.text() == text.replace("slow_period: 50", "slow_period: 30")
    assert answer.text() == "fast_period=5"
    written.commands()["editor.undo"]()
    assert answer.text() == "fast_period=5 slow_period=40"
    written.commands()["editor.redo"]()
    assert answer.text() == "fast_period=5"
    run(ran)
    assert trades(window.research.drawing) == seen


def test_a_slider_takes_no_number_that_the_component_refuses(ran: Driven) -> None:
    ran.find(QLineEdit, "paramsAnswer").setText("fast_period=10")
    run(ran)
    spec = number(ran, "fast_period").spec
    assert (spec.is_whole, spec.step) == (True, Decimal(1))
    before = ran.window.research.guess
    turn(ran, "fast_period", "9.5")
    assert number(ran, "fast_period").value == Decimal(10)
    assert ran.window.research.guess is before, "nothing was asked"
    turn(ran, "fast_period", "9")
    assert ran.window.research.guess is not before


def test_a_step_that_fails_or_is_stopped_leaves_no_guess_of_the_numbers_before(ran: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    window, page = ran.window, ran.window.page
    window.layouts.show("equity")

    def guess() -> None:
        turn(ran, "fast_period", "5")
        assert trades(window.research.guess) != trades(window.research.drawing)
        assert page.equity._ghost is not None

    def assert_forgotten(words: str) -> None:
        assert (window.research.guess, page.equity._ghost, page.what_if._figures.text()) == (None, None, words)

    guess()
    turn(ran, "fast_period", "80")
    assert_forgotten(page.what_if._figures.text())
    assert "slow_period" in page.what_if._figures.text()
    guess()
    monkeypatch.setattr(window._desk, "what_if", lambda _run, _text, heed: work_until_asked(heed))
    for value in (6, 7):  # one is at work, and one waits
        number(ran, "fast_period").slider.setValue(value)
    ran.until(lambda: [job.kind for job in ran.host.jobs.running] == ["what-if"], "the step to be at work")
    window.research.cancel()
    ran.settle()
    assert_forgotten("")
    page.what_if.reset()


def test_while_there_is_a_guess_it_is_what_is_explained(ran: Driven) -> None:
    window, explanation = ran.window, ran.window.page.explanation
    badge, finished = ran.find(QLabel, "explainGuess"), window.research.finished
    assert finished is not None
    turn(ran, "fast_period", "5")
    guess = window.research.guess
    assert guess is not None
    of_guess, of_run = (result.outcome.trades["entry_time"] for result in (guess.result, finished.result))
    at = BarAt("EURUSD", int(np.setdiff1d(of_guess, of_run)[0]))
    window.selection.bar.set(at)
    ran.settle()
    assert "at the open: bought" in explanation.text()
    assert badge.text() == "WHAT IF"
    window.page.what_if.reset()
    ran.settle()
    assert "bought" not in explanation.text(), "the run entered elsewhere"
    assert badge.text() == ""
    turn(ran, "fast_period", "5")
    assert "at the open: bought" in explanation.text()
    window.page.step_decision(forward=True)
    bar = window.selection.bar.value
    assert bar is not None
    stamps = decision_stamps(guess.result, "EURUSD")
    assert bar.stamp == stamps[np.searchsorted(stamps, at.stamp, "right")]
    window.page.what_if.reset()


def test_the_indicators_on_the_chart_are_those_of_the_guess_once_the_hand_rests(ran: Driven) -> None:
    def drawn() -> dict[str, float]:
        return {series.line.name: float(series.line.values[-1]) for series in ran.window.page.chart._lines.get(None, [])}

    of_run = drawn()
    assert set(of_run) == {"SMA (20)", "SMA (50)"}
    for value in ("24", "31", "24"):
        turn(ran, "fast_period", value)
    ran.until(lambda: set(drawn()) == {"SMA (24)", "SMA (50)"}, "the lines of the guess")
    candles = ran.window.page.chart.candles
    assert candles is not None
    assert np.isclose(drawn()["SMA (24)"], candles.prices.close[-24:].mean() * float(candles.instrument.tick), rtol=1e-12)
    assert drawn()["SMA (50)"] == of_run["SMA (50)"]
    ran.window.page.what_if._reset.click()
    ran.until(lambda: drawn() == of_run, "the lines of the run")
