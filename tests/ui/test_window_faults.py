"""A person who is faster than the program, and a world that changes behind its back: the window keeps to what was asked last."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest
from psutil import Process
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from sptrader_desktop import compose_components
from sptrader_desktop.app.desk import WindowDesk
from sptrader_desktop.core.errors import Cancelled, DataError
from sptrader_desktop.runtime.recipe import Recipe
from sptrader_desktop.settings import load_settings
from sptrader_desktop.ui.desk import Finished, Heed, Series
from sptrader_desktop.ui.editors.component_editor import ComponentEditor
from sptrader_desktop.ui.jobs import JobState
from sptrader_desktop.ui.what_if_panel import NumberRow
from tests.ui.windows import Driven, driven_window, nowhere_to_keep_drafts

if TYPE_CHECKING:
    from sptrader_desktop.core.results import Result


@pytest.fixture(scope="module")
def opened(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driven]:
    home = tmp_path_factory.mktemp("faults")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("WORKSPACE", "RUNS", "TEXTS", "CANDLES", "PREFERENCES"):
            patch.setenv(f"SPTRADER_{name}", str(home / name.lower()))
        with driven_window(qapp) as driven:
            driven.until(lambda: driven.window.page.chart.candles is not None, "the sample's candles")
            yield driven


@pytest.fixture
def ran(opened: Driven) -> Driven:
    """The sample's run is shown, as at the first start."""
    window = opened.window
    choose(opened, *sample(opened))
    window.page.panel.run.click()
    opened.settle()
    assert window.research.finished is not None
    return opened


def sample(driven: Driven) -> tuple[Path, Series]:
    folder = load_settings().workspace
    series = next(item for item in driven.window._desk.series() if item.path)
    return folder / "strategies" / "ma_crossover.yaml", series


def half_of(series: Series) -> Series:
    """The first half of its bars, in another file."""
    table = pq.read_table(series.path)
    path = Path(series.path).with_name(f"{series.symbol}_{series.timeframe}_half.parquet")
    pq.write_table(table.slice(0, len(table) // 2), path)
    return replace(series, path=str(path))


def choose(driven: Driven, strategy: Path | None, series: Series) -> None:
    """Of what there is now."""
    panel, desk = driven.window.page.panel, driven.window._desk
    panel.offer(desk.strategies(), desk.series())
    panel.choose(strategy, series)


def has_marks(driven: Driven) -> bool:
    return driven.window.page.chart._trades is not None


def number(driven: Driven, label: str) -> NumberRow:
    return next(row for row in driven.window.page.what_if.rows if row.spec.label == label)


def test_a_strategy_that_vanished_is_said_where_it_was_chosen(ran: Driven) -> None:
    strategy, _ = sample(ran)
    text = strategy.read_text()
    strategy.unlink()
    try:
        ran.window.page.run()
        assert "ma_crossover.yaml" in ran.window.page.panel.problem.text()
        assert not ran.window.page.panel.problem.isHidden()
    finally:
        strategy.write_text(text)


def test_twenty_presses_of_f5_leave_one_result_and_the_panel_says_running_until_the_last_is_done(ran: Driven) -> None:
    window, page = ran.window, ran.window.page
    left: list[int] = []
    jobs = ran.host.jobs
    window.research.runEnded.connect(lambda: left.append(sum(job.kind == "backtest" for job in (*jobs.running, *jobs.waiting))))
    for _ in range(20):
        page.run()
    assert sum(job.kind == "backtest" for job in jobs.waiting) <= 1
    ran.settle()
    assert left == [0]
    assert page.panel.run.isEnabled()
    assert page.panel.run.text() == "Run Backtest"


def test_a_guess_that_comes_after_the_reset_is_forgotten(ran: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    window, begun, goes_on = ran.window, Event(), Event()
    really = window._desk.what_if

    def slow(finished: Finished, text: str, heed: Heed) -> "Result":
        begun.set()
        assert goes_on.wait(60)
        return really(finished, text, heed)

    monkeypatch.setattr(window._desk, "what_if", slow)
    row = number(ran, "fast_period")
    row.slider.setValue(row.slider.value() + 2)
    assert begun.wait(60)
    ran.click(ran.find(QPushButton, "whatIfResetButton"))
    goes_on.set()
    ran.settle()
    assert window.research.guess is None
    assert window.page.what_if._figures.text() == ""


def test_a_guess_at_the_run_before_is_not_laid_over_the_new_one(ran: Driven) -> None:
    window = ran.window
    window.page.run()
    row = number(ran, "fast_period")
    row.slider.setValue(row.slider.value() + 2)
    ran.settle()
    assert window.research.guess is None


def test_marks_and_indicators_of_a_run_are_on_its_candles_only(ran: Driven) -> None:
    page = ran.window.page
    _, series = sample(ran)
    candles = page.chart.candles
    assert candles is not None
    half = half_of(series)
    choose(ran, None, series)
    assert ran.window.research.finished is not None
    ran.window.research.ask_curves("EURUSD")
    page.panel.choose(None, half)
    ran.settle()
    assert page.chart.candles is not None
    assert len(page.chart.candles) < len(candles)
    assert not has_marks(ran)
    assert not page.chart._lines
    page._show_guess(None)
    assert not has_marks(ran), "the bars of these candles are others"
    page.panel.choose(None, series)
    ran.settle()
    assert has_marks(ran)
    assert page.chart._lines
    Path(half.path).unlink()


SLEEPY = """\
import time
__metadata_version__ = 2
__metadata__ = {"name": "sleepy", "event_types": ["golden_cross", "death_cross"], "warm_up": "1"}


class Sleepy:
    def evaluate(self, data, indicators):
        time.sleep(3600)
"""


@pytest.fixture
def sleepy(ran: Driven) -> Iterator[Path]:
    """A strategy whose component does not answer; it is chosen."""
    strategy, series = sample(ran)
    component = load_settings().workspace / "core" / "signals" / "sleepy.py"
    hangs = strategy.with_name("sleepy.yaml")
    component.write_text(SLEEPY)
    text = strategy.read_text().replace("params: {fast_period: parameters.fast_period, slow_period: parameters.slow_period}", "params: {}")
    hangs.write_text(text.replace("ma_crossover", "sleepy"))
    choose(ran, hangs, series)
    yield hangs
    ran.settle()
    hangs.unlink()
    component.unlink()
    choose(ran, strategy, series)


@pytest.mark.parametrize("way", ["the button at the foot", "the command"])
def test_a_component_that_hangs_is_left_at_once_and_the_next_run_works(ran: Driven, sleepy: Path, way: str) -> None:
    window = ran.window
    job = window.research.run(Recipe(str(sleepy), data=(sample(ran)[1].path,)), sleepy.read_text())
    ran.until(lambda: pooled_jobs() and job.state is JobState.RUNNING, "the component to begin")
    if way == "the command":
        window.actions_.action("run.cancel").trigger()
    else:
        ran.click(ran.find(QPushButton, "cancelJobButton"))
    ran.settle()
    assert job.state is JobState.CANCELLED, "its own time limit would have made it fail"
    assert window.page.panel.problem.text() == ""
    assert window.page.panel.run.isEnabled()
    choose(ran, *sample(ran))
    before = window.research.finished
    window.page.run()
    ran.settle()
    assert window.research.finished is not before


def test_a_wrong_strategy_is_told_as_a_sentence_with_its_line(ran: Driven) -> None:
    window, (strategy, series) = ran.window, sample(ran)
    wrong = strategy.read_text().replace("fast_period: 20", "fast_period: twenty").replace("trend.sma", "trend.smaa")
    window.research.run(Recipe(str(strategy), data=(series.path,)), wrong)
    ran.settle()
    said = window.page.panel.problem.text()
    assert said.startswith("line 8: dependencies.indicators.0 = indicators.trend.smaa: ")
    assert said.endswith(" more problem)")
    assert "Problem(" not in said


def test_a_guess_that_is_forgotten_stops_nobody_elses_component(ran: Driven, sleepy: Path) -> None:
    jobs, component = ran.host.jobs, load_settings().workspace / "core" / "signals" / "sleepy.py"
    editor = ran.window.texts.documents.open(component)
    assert isinstance(editor, ComponentEditor)
    editor.runWanted.emit(component, ())
    ran.until(pooled_jobs, "the component to begin")
    (tried,) = (job for job in jobs.running if job.kind == "component")
    row = number(ran, "fast_period")
    row.slider.setValue(row.slider.value() + 2)
    ran.window.research.forget_guess()
    ran.until(lambda: not any(job.kind == "what-if" for job in jobs.running), "the guess to end")
    assert not tried.is_over
    jobs.cancel(tried)
    ran.settle()
    assert tried.state is JobState.CANCELLED
    ran.window.texts.documents.close_current()


def pooled_jobs() -> int:
    """That workers of the window are at work on."""
    workers = compose_components._OPEN[load_settings().component_cache]
    return 0 if workers._open is None else sum(slot.worker is not None and not slot.is_free for slot in workers.pool._slots)


# Stale or not: the badge says the truth


def stale(driven: Driven) -> str:
    return driven.window.research.stale.value


def test_each_answer_makes_the_result_stale_and_taking_it_back_does_not(ran: Driven) -> None:
    panel = ran.window.page.panel
    for key, field in panel._answers.items():
        before = panel.answers()[key]
        if isinstance(field, QLineEdit):
            panel.set_answer(key, "2024-02-01")
        else:
            field.setCurrentIndex(1)
        assert " now, was " in stale(ran), key
        panel.set_answer(key, before)
        assert stale(ran) == "", key
    panel.more.setText("EURUSD")
    assert stale(ran).startswith("the candles are EURUSD")
    panel.more.clear()
    assert stale(ran) == ""


def test_answers_given_while_it_runs_are_not_those_of_its_result(ran: Driven) -> None:
    spread = ran.find(QLineEdit, "spreadAnswer")
    ran.window.page.run()
    spread.setText("1.5")
    ran.settle()
    assert stale(ran) == "Spread is 1.5 pips now, was 0 pips"
    assert ran.find(QLabel, "staleBadge").text() == f"STALE: {stale(ran)}"
    spread.setText("0")
    assert stale(ran) == ""
    assert ran.find(QLabel, "staleBadge").isHidden()


def test_an_edit_of_the_strategy_makes_the_result_stale_until_it_is_undone(ran: Driven) -> None:
    strategy, _ = sample(ran)
    editor = ran.window.texts.documents.open(strategy)
    editor.edit.insertPlainText("# a thought\n")
    assert "strategy" in stale(ran)
    editor.edit.undo()
    assert stale(ran) == ""
    ran.window.texts.documents.close_current()


@pytest.mark.parametrize(("what", "said"), [("strategy", "strategy"), ("component", "component"), ("candles", "candles")])
def test_what_changes_on_the_disk_makes_the_result_stale_until_it_is_as_before(ran: Driven, what: str, said: str) -> None:
    strategy, series = sample(ran)
    component = load_settings().workspace / "core" / "signals" / "ma_crossover.py"
    file = {"strategy": strategy, "component": component, "candles": Path(series.path)}[what]
    before = file.read_bytes()
    file.write_bytes(before[: len(before) // 2] if what == "candles" else before + b"# a thought\n")  # in place, as some editors do
    ran.until(lambda: said in stale(ran), f"the change of the {what}")
    file.write_bytes(before)
    ran.until(lambda: not stale(ran), f"the {what} to be as before")


def test_a_run_that_is_opened_brings_its_answers_and_is_not_stale(ran: Driven) -> None:
    window, spread = ran.window, ran.find(QLineEdit, "spreadAnswer")
    first = window.selection.run.value
    spread.setText("2.5")
    window.page.run()
    ran.settle()
    window.research.open_run(first)
    ran.settle()
    assert (spread.text(), stale(ran)) == ("0", "")
    assert window.selection.run.value == first


# Nothing that was typed is lost


def test_text_that_can_be_kept_nowhere_keeps_its_tab_and_its_window_open(ran: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    window, strategy = ran.window, sample(ran)[0]
    documents, asked = window.texts.documents, list[bool]()
    window.closeAsked.disconnect()
    window.closeAsked.connect(lambda: asked.append(True))
    editor = documents.open(strategy)
    editor.edit.insertPlainText("# a thought\n")
    with nowhere_to_keep_drafts():
        documents.close_current()
        assert documents.current_editor is editor
        window.close()
        assert not asked
        (told,) = (notice for notice in window.notices.waiting() if notice.key == "exposed")
        assert "ma_crossover.yaml" in told.text
        with monkeypatch.context() as beside:
            beside.setattr(window.live, "what_stays", lambda: "long 0.5000 BTCUSD")
            window.close()
            (both,) = (notice for notice in window.notices.waiting() if notice.key in {"exposed", "live"})
            assert "ma_crossover.yaml" in both.text
            assert "long 0.5000 BTCUSD" in both.text
            assert both.action == "Close, Leave It Running, Lose the Text"
        assert not asked
    window.close()
    assert asked == [True], "now there is room for it"
    window.notices.dismiss("exposed")
    window.closeAsked.connect(ran.host.close)
    editor.document.discard()
    documents.close_current()
    assert documents.current_editor is None


def test_unsaved_text_comes_back_where_its_file_and_folder_are_gone(ran: Driven, tmp_path: Path) -> None:
    documents, path = ran.window.texts.documents, tmp_path / "mine" / "gone.yaml"
    path.parent.mkdir()
    path.write_text("name: gone\n")
    documents.open(path).edit.insertPlainText("# a thought\n")
    documents.close_current()
    path.unlink()
    path.parent.rmdir()
    editor = documents.open(path)
    assert editor.edit.text() == "# a thought\nname: gone\n"
    assert editor.document.is_modified
    assert editor.document.save()
    assert path.read_text() == "# a thought\nname: gone\n"
    documents.close_current()


def test_a_strategy_that_vanishes_is_replaced_by_none_and_chosen_again_when_it_is_back(ran: Driven) -> None:
    panel, (strategy, _) = ran.window.page.panel, sample(ran)
    text = strategy.read_text()
    strategy.unlink()
    ran.until(lambda: strategy not in panel.strategies, "the list without it")
    assert panel.chosen_strategy() is None
    assert panel.strategy.shown_text().startswith("ma_crossover")
    strategy.write_text(text)
    ran.until(lambda: strategy in panel.strategies, "the list with it")
    assert panel.chosen_strategy() == strategy


def refused(_path: Path, _target: Path) -> None:
    raise PermissionError(13, "Permission denied")


def test_a_strategy_that_is_renamed_stays_chosen_also_where_its_versions_cannot_go_along(
    ran: Driven, monkeypatch: pytest.MonkeyPatch
) -> None:
    window, (strategy, _) = ran.window, sample(ran)
    panel, other = window.page.panel, strategy.with_name("renamed.yaml")
    window.texts._keeper.keep_version(strategy, "as it was")
    strategy.rename(other)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", refused)
        with pytest.raises(DataError, match=r"versions of ma_crossover\.yaml stay"):
            window.texts._moved(strategy, other)
    window.texts.navigator.refresh()
    ran.until(lambda: other in panel.strategies and strategy not in panel.strategies, "the list with the new name")
    assert panel.chosen_strategy() == other
    other.rename(strategy)


def test_a_note_that_is_being_written_stays_with_its_run_when_another_is_kept(ran: Driven) -> None:
    window, history = ran.window, ran.window.runs.history
    window.layouts.show("history")
    first = window.selection.run.value
    note = ran.find(QLineEdit, "runNote")
    note.setFocus()
    QTest.keyClicks(note, "quiet ")
    window.page.run()
    ran.settle()
    assert window.selection.run.value != first
    QTest.keyClicks(note, "week")
    QTest.keyClick(note, Qt.Key.Key_Return)
    ran.settle()
    assert {run.id: run.note for run in window._desk.runs.list()}[first] == "quiet week"
    assert history.chosen == [first]


def test_numbers_are_not_applied_over_a_text_that_was_edited_since_or_has_another_name(ran: Driven) -> None:
    window, (strategy, _) = ran.window, sample(ran)
    editor = window.texts.documents.open(strategy)
    editor.edit.insertPlainText("# a thought\n")
    row = number(ran, "fast_period")
    row.slider.setValue(row.slider.value() + 2)
    window.page.what_if._apply.click()
    assert editor.edit.text().startswith("# a thought\n")
    assert "ma_crossover.yaml" in window.notices.waiting()[0].text
    editor.edit.undo()
    window.page.what_if._apply.click()
    assert editor.edit.text() == window.page.what_if.text()
    editor.document.discard()
    window.texts.documents.close_current()
    other = strategy.rename(strategy.with_name("elsewhere.yaml"))
    window.page.what_if._apply.click()
    assert "ma_crossover.yaml is not there any more" in window.notices.waiting()[0].text
    assert window.texts.documents.editors == []
    other.rename(strategy)
    ran.until(lambda: window.page.panel.chosen_strategy() == strategy, "the list as it was")


# Refusals are seen, and full disks are told


def test_a_refusal_is_brought_to_the_front_and_an_unknown_symbol_is_one(ran: Driven) -> None:
    window, panel = ran.window, ran.window.page.panel
    window.layouts.docks["backtest"].hide()
    before = window.research.finished
    panel.more.setText("XXXYYY")
    window.page.run()
    ran.settle()
    assert window.research.finished is before
    assert "XXXYYY" in panel.problem.text()
    assert not window.layouts.docks["backtest"].isHidden()
    panel.more.clear()


def test_a_run_that_cannot_be_kept_is_told_and_is_not_exported_as_the_one_before(ran: Driven, tmp_path: Path) -> None:
    window, runs = ran.window, load_settings().runs
    aside = runs.with_name("runs aside")
    runs.rename(aside)
    runs.write_text("in the way")
    try:
        window.page.run()
        ran.settle()
        (told,) = (notice.text for notice in window.notices.waiting() if notice.key == "keep")
        assert told.endswith("make room there or get the right to write, then run it again")
        window.runs._ask_where("html")
        assert window.notices.waiting()[0].text.startswith("This run is not kept, so it cannot be exported: run the backtest again")
    finally:
        runs.unlink()
        aside.rename(runs)
        window.notices.dismiss("keep")


def test_a_list_that_breaks_is_asked_for_again(ran: Driven, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    navigator, heard = ran.window.texts.navigator, list[object]()
    navigator.listed.connect(heard.append)

    def broken(_: str) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch, qtbot.captureExceptions() as told:
        patch.setattr(navigator._lister, "_check", broken)
        navigator.refresh()
        ran.until(lambda: not navigator._lister._is_busy, "the list to break")
    assert [kind for kind, *_ in told] == [ZeroDivisionError]
    navigator.refresh()
    ran.until(lambda: heard, "the list")


def test_the_engine_is_not_compiled_any_longer_for_a_window_that_closes(tmp_path: Path) -> None:
    desk, times = WindowDesk(replace(load_settings(), kernels=tmp_path)), list[int]()

    def heed() -> None:
        times.append(len(Process().children()))
        if len(times) > 1:
            raise Cancelled("stopped")

    before = len(Process().children())
    with pytest.raises(Cancelled):
        desk.warm_up(heed)
    assert times == [before + 1, before + 1]
    assert len(Process().children()) == before
