"""A person who is faster than the program, and a world that changes behind its back: the window keeps to what was asked last."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest
from PySide6.QtWidgets import QApplication, QPushButton

from sptrader_desktop import compose_components
from sptrader_desktop.runtime.recipe import Recipe
from sptrader_desktop.settings import load_settings
from sptrader_desktop.ui.desk import Finished, Heed, Series
from sptrader_desktop.ui.editors.component_editor import ComponentEditor
from sptrader_desktop.ui.jobs import JobState
from sptrader_desktop.ui.what_if_panel import NumberRow
from tests.ui.windows import Driven, driven_window

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
    window.offer(*sample(opened))
    window.page.panel.run.click()
    opened.settle()
    assert window.research.finished is not None
    return opened


def sample(driven: Driven) -> tuple[Path, Series]:
    folder = load_settings().workspace
    series = next(item for item in driven.window._desk.series() if item.path)
    return folder / "strategies" / "ma_crossover.yaml", series


def half_of(series: Series, folder: Path) -> Series:
    """The first half of its bars, in another file."""
    table = pq.read_table(series.path)
    path = folder / f"{series.symbol}_{series.timeframe}_half.parquet"
    pq.write_table(table.slice(0, len(table) // 2), path)
    return replace(series, path=str(path))


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
    assert len(jobs.waiting) <= 1
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


def test_marks_and_indicators_of_a_run_are_on_its_candles_only(ran: Driven, tmp_path: Path) -> None:
    page = ran.window.page
    _, series = sample(ran)
    candles = page.chart.candles
    assert candles is not None
    half = half_of(series, tmp_path)
    page.panel.offer(page.panel.strategies, [series, half])
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
    ran.window.offer(hangs, series)
    yield hangs
    ran.settle()
    hangs.unlink()
    component.unlink()
    ran.window.offer(strategy, series)


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
    window.offer(*sample(ran))
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
