"""Runs under a hasty person and on a damaged disk: each that was shown is kept under its own name, what is broken hides nothing else."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Event

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QWidget

from sptrader_desktop.runtime import manifest
from sptrader_desktop.runtime.recipe import Recipe
from sptrader_desktop.settings import load_settings
from sptrader_desktop.ui import file_actions
from sptrader_desktop.ui.desk import Finished, Series
from sptrader_desktop.ui.host import surface
from sptrader_desktop.ui.jobs import Job, JobState, Report
from tests.small_runs import be_of_version
from tests.ui.windows import Driven, driven_window, fresh_home, work_until_asked


@pytest.fixture(scope="module")
def opened(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driven]:
    with fresh_home(tmp_path_factory.mktemp("runs")), driven_window(qapp) as driven:
        driven.until(lambda: driven.window.page.chart.candles is not None, "the sample's candles")
        driven.settle()
        yield driven


@pytest.fixture
def ran(opened: Driven) -> Iterator[Driven]:
    """A run is shown and kept."""
    run(opened, "0")
    yield opened
    for notice in opened.window.notices.waiting():
        opened.window.notices.dismiss(notice.key)
    opened.settle()
    assert not opened.host.failures.said.value


def run(driven: Driven, spread: str) -> None:
    driven.find(QLineEdit, "spreadAnswer").setText(spread)
    driven.window.page.run()
    driven.settle()


def is_over(job: Job) -> bool:
    return job.is_over


def kept_spreads(driven: Driven) -> list[str]:
    store = driven.window._desk.runs
    return [str(store.load(run.id).recipe["spread"]) for run in store.list()]


class SlowKeeping:
    """Keeping is held until it is let go on."""

    def __init__(self, driven: Driven, patch: pytest.MonkeyPatch) -> None:
        self.begun, self.goes_on = Event(), Event()
        really = driven.window._desk.keep

        def keep(finished: Finished) -> str:
            self.begun.set()
            assert self.goes_on.wait(60)
            return really(finished)

        patch.setattr(driven.window._desk, "keep", keep)


def test_runs_that_come_faster_than_they_are_kept_are_all_kept_and_each_under_its_own_name(
    ran: Driven, monkeypatch: pytest.MonkeyPatch
) -> None:
    window, slow, before = ran.window, SlowKeeping(ran, monkeypatch), len(kept_spreads(ran))
    named: list[tuple[str, str]] = []
    end = window.selection.run.watch(lambda run_id: named.append((run_id, shown_spread(ran))))
    for spread in ("1.5", "2.5", "3.5"):
        ran.find(QLineEdit, "spreadAnswer").setText(spread)
        window.page.run()
        ran.until(lambda spread=spread: shown_spread(ran) == spread, "the run to be shown")  # type: ignore[misc]
    assert slow.begun.is_set()
    slow.goes_on.set()
    ran.until(lambda: window.selection.run.value, "the last to be kept")
    ran.settle()
    end()
    assert kept_spreads(ran)[before:] == ["1.5", "2.5", "3.5"]
    store = window._desk.runs
    assert {(str(store.load(run_id).recipe["spread"]), spread) for run_id, spread in named if run_id} == {("3.5", "3.5")}


def shown_spread(driven: Driven) -> str:
    finished = driven.window.research.finished
    return "" if finished is None else finished.recipe.spread


def test_a_run_that_is_kept_although_somebody_asked_for_the_stop_is_in_the_list(ran: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    window, slow = ran.window, SlowKeeping(ran, monkeypatch)
    ran.find(QLineEdit, "spreadAnswer").setText("4.5")
    window.page.run()
    ran.until(slow.begun.is_set, "the keeping")
    window.actions_.action("run.cancel").trigger()
    for job in ran.host.jobs.running:
        ran.host.jobs.cancel(job)
    slow.goes_on.set()
    ran.settle()
    assert kept_spreads(ran)[-1] == "4.5"
    newest = window._desk.runs.list()[-1].id
    assert window.selection.run.value == newest
    assert newest in {run.id for run in window.runs.history._runs}


def test_a_run_that_is_stopped_in_the_kernel_leaves_the_one_before_and_the_next_works(ran: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel tells how far it is between its slices; there it hears of the stop."""
    window, before = ran.window, ran.window.research.finished
    really, at = window._desk.backtest, list[float]()

    def backtest(recipe: object, text: object, report: object, heed: object) -> Finished:
        def stopping(progress: object) -> None:
            at.append(progress.fraction)  # type: ignore[attr-defined]
            window.research._jobs.running[0].report.ask_to_stop()
            report(progress)  # type: ignore[operator]

        return really(recipe, text, stopping, heed)  # type: ignore[arg-type]

    monkeypatch.setattr(window._desk, "backtest", backtest)
    runs = len(kept_spreads(ran))
    window.page.run()
    (job,) = (job for job in ran.host.jobs.running if job.kind == "backtest")
    ran.settle()
    assert at
    assert job.state is JobState.CANCELLED
    assert window.research.finished is before
    assert len(kept_spreads(ran)) == runs
    assert window.page.panel.run.isEnabled()
    monkeypatch.undo()
    run(ran, "0")
    assert window.research.finished is not before


def test_one_key_stops_the_run_and_then_what_the_foot_shows(ran: Driven) -> None:
    window, jobs = ran.window, ran.host.jobs

    def work(report: Report) -> Finished:
        work_until_asked(report.check)

    stop = window.actions_.action("run.cancel")
    assert not stop.isEnabled()
    other = jobs.start("import", "reading a large file", work)
    long_run = window.research._begin(work, "a long run")
    ran.until(lambda: len(jobs.running) == 2, "both to be at work")
    window.page.chart.setFocus()
    for job, left in ((long_run, (other,)), (other, ())):
        ran.press(Qt.Key.Key_Period, Qt.KeyboardModifier.ControlModifier)
        ran.until(partial(is_over, job), f"the end of {job.title}")
        assert (job.state, jobs.running) == (JobState.CANCELLED, left)
    ran.settle()
    assert not stop.isEnabled()


def test_exports_that_are_asked_for_one_after_the_other_are_all_written(
    ran: Driven, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on, really = Event(), ran.window._desk.export

    def slowly(run_id: str, kind: str, out: Path) -> None:
        assert goes_on.wait(60)
        really(run_id, kind, out)

    monkeypatch.setattr(ran.window._desk, "export", slowly)
    asked = {"html": tmp_path / "a.html", "csv": tmp_path / "a.csv", "bundle": tmp_path / "a.sptrun"}
    for kind, out in asked.items():
        ran.window.runs.export(kind, out)
    goes_on.set()
    ran.settle()
    assert {path.name for path in tmp_path.iterdir()} == {"a.html", "a.csv", "a.sptrun"}


def test_twohundred_steps_of_a_slider_leave_no_more_behind_than_the_first_fifty(ran: Driven) -> None:
    """What stays is counted: objects of Qt, guesses that wait, and results that somebody holds."""
    window = ran.window
    row = next(row for row in window.page.what_if.rows if row.spec.label == "fast_period")
    low, high = row.slider.minimum(), row.slider.maximum()

    def turn(steps: int) -> tuple[int, int]:
        for step in range(steps):
            row.slider.setValue(low + 1 + step % (high - low))
            ran.run(nothing())
        ran.settle()
        return len(window.findChildren(QWidget)), len(ran.host.bridge.channels)

    after_fifty = turn(50)
    assert turn(150) == after_fifty
    assert window.research._guesses == 0
    window.page.what_if.reset()
    ran.settle()


async def nothing() -> None:
    """The loop comes round once."""


# What is damaged


def test_a_list_of_runs_that_cannot_be_read_is_told_and_everything_else_works(ran: Driven) -> None:
    window, index = ran.window, load_settings().runs / "index.sqlite3"
    be_of_version(index, 7)
    try:
        window.runs.history.reload()
        ran.settle()
        assert "update sptrader" in ran.find(QLabel, "historyMessage").text()
        before = window.research.finished
        run(ran, "0.5")
        assert window.research.finished is not before, "a run is made and shown all the same"
        (told,) = (notice.text for notice in window.notices.waiting() if notice.key == "keep")
        assert "update sptrader" in told
    finally:
        be_of_version(index, 1)
    window.runs.history.reload()
    ran.settle()
    assert ran.find(QLabel, "historyMessage").text() == ""
    run(ran, "0")
    assert window.selection.run.value


def test_notes_that_cannot_be_written_hide_no_run(ran: Driven) -> None:
    """Figures of the list are computed again where they cannot be kept."""
    folder = load_settings().runs
    notes, count = folder / "notes.sqlite3", len(kept_spreads(ran))
    for path in folder.glob("notes.sqlite3*"):
        path.unlink()
    notes.mkdir()
    notes.rmdir()
    notes.symlink_to(folder / "no such folder" / "notes.sqlite3")
    try:
        assert len(ran.window._desk.runs.list()) == count
    finally:
        notes.unlink()


@pytest.mark.parametrize("damage", ["no database", "a page"])
def test_damaged_notes_hide_no_run_and_are_kept_beside_the_new_ones(ran: Driven, damage: str) -> None:
    folder, history = load_settings().runs, ran.window.runs.history
    notes, message = folder / "notes.sqlite3", ran.find(QLabel, "historyMessage")
    store = ran.window._desk.runs
    run_id, count = store.list()[0].id, len(store.list())
    store.annotate(run_id, ["before"], "what was written")
    whole = notes.read_bytes()
    broken = b"this was a database " * 100 if damage == "no database" else whole[:4096] + bytes(len(whole) - 4096)
    notes.write_bytes(broken)
    history.reload()
    ran.settle()
    assert (len(history._runs), [run.tags for run in history._runs]) == (count, [()] * count)
    assert "tags and notes are not shown" in message.text()
    store.annotate(run_id, ["after"], "what is written")
    history.reload()
    ran.settle()
    assert message.text() == ""
    assert [run.note for run in history._runs if run.id == run_id] == ["what is written"]
    (aside,) = folder.glob("notes.sqlite3.broken-*")
    assert aside.read_bytes() == broken
    aside.unlink()


@pytest.mark.parametrize("what", ["a picture of the results", "the chart"])
def test_a_pane_that_cannot_be_painted_is_told_once_and_the_others_go_on(ran: Driven, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("on purpose")

    page, painted = ran.window.page, ran.window.page.chart.panes[0].viewport()
    ran.window._bring("results")
    if what == "the chart":
        monkeypatch.setattr(page.chart, "levels", broken)
    else:
        page.results.tabs.setCurrentWidget(page.results.timing)
        painted = page.results.timing._hours
        monkeypatch.setattr(painted, "draw", broken)
    with surface(ran.host):
        for times in range(1, 4):
            painted.update()
            ran.until(lambda times=times: sum(one.times for one in ran.host.failures.said.value) >= times, "the fault")  # type: ignore[misc]
        monkeypatch.undo()
        painted.update()
        failures = ran.host.failures.said.value
        assert all("on purpose" in failure.details for failure in failures)
        assert len(failures) <= (3 if what == "the chart" else 1), (
            "the same is counted; a view is painted in its own event and in its items'"
        )
        run(ran, "0")
        assert ran.window.selection.run.value
    dialog = ran.host._dialog
    assert dialog is not None
    dialog.close()
    ran.host.failures.forget()


def test_a_component_that_vanishes_between_the_list_and_the_run_is_told_and_the_next_run_works(ran: Driven) -> None:
    window, folder = ran.window, load_settings().workspace
    signals, before = folder / "core" / "signals", window.research.finished
    component, strategy = signals / "vanishing.py", folder / "strategies" / "vanishing.yaml"
    component.write_text((signals / "ma_crossover.py").read_text().replace('"ma_crossover"', '"vanishing"'))
    strategy.write_text((folder / "strategies" / "ma_crossover.yaml").read_text().replace("ma_crossover", "vanishing"))
    really = window._desk.check

    def check(text: str, name: str, params: tuple[str, ...] = ()) -> object:
        found = really(text, name, params)  # type: ignore[call-arg]
        component.unlink(missing_ok=True)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(window._desk, "check", check)
        window.research.run(Recipe(str(strategy), data=(window.page.panel.series[0].path,)), strategy.read_text())
        ran.settle()
    said = window.page.panel.problem.text()
    strategy.unlink()
    assert window.research.finished is before
    assert "vanishing" in said
    assert "Traceback" not in said
    run(ran, "0")
    assert window.research.finished is not before
    assert window.page.panel.problem.text() == ""


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("strategies/ma_crossover.yaml", "ma_crossover is not there any more: choose another"),
        ("data/EURUSD_1h_2024-01-02_2024-05-31.parquet", "EURUSD 1h · EURUSD_1h_2024-01-02_2024-05-31.parquet is not there any more"),
        ("core/signals/ma_crossover.py", "a component of it is broken now: the workspace has no component signals.ma_crossover"),
        ("core/indicators/trend/sma.py", "a component of it is broken now: "),
    ],
)
def test_a_result_says_what_it_was_made_of_and_is_missing_now(ran: Driven, place: str, said: str) -> None:
    file, stale = load_settings().workspace / place, ran.window.research.stale
    aside = file.rename(file.with_suffix(".aside"))
    ran.window.page.look_outside()
    ran.until(lambda: stale.value.startswith(said), said)
    badge = ran.find(QLabel, "staleBadge")
    assert badge.text().startswith(f"STALE: {said[:20]}")
    assert said in badge.toolTip()
    aside.rename(file)
    ran.until(lambda: stale.value == "", "the file that is there again")


def test_a_run_is_called_thrown_away_and_put_back_from_tree_and_list(ran: Driven, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trash of the desktop is tried with strategies; here it may refuse."""
    window, store, trash = ran.window, ran.window._desk.runs, tmp_path / "trash"
    navigator, history, kept = window.texts.navigator, window.runs.history, window.selection.run.value

    def in_tree() -> str:
        return next((item.name for item in navigator.items if item.key == kept), "")

    def chosen_in_tree() -> QWidget:
        assert navigator.choose(kept)
        return navigator.view

    window.layouts.show("navigator")
    QTest.keyClick(chosen_in_tree(), Qt.Key.Key_F2)
    line = navigator.view.findChild(QLineEdit)
    assert line is not None
    line.selectAll()
    QTest.keyClicks(line, "the wide one")
    QTest.keyClick(line, Qt.Key.Key_Return)
    ran.until(lambda: in_tree() == "the wide one", "its name")
    assert next(run.note for run in history._runs if run.id == kept) == "the wide one"
    monkeypatch.setattr(file_actions, "to_trash", lambda _: False)
    QTest.keyClick(chosen_in_tree(), Qt.Key.Key_Delete)
    ran.settle()
    assert any("nothing was deleted" in notice.text for notice in window.notices.waiting())
    assert in_tree()
    monkeypatch.setattr(file_actions, "to_trash", lambda path: bool(path.rename(trash)))
    history.table.choose(next(row for row, run in enumerate(history._runs) if run.id == kept))
    QTest.keyClick(history.table.view, Qt.Key.Key_Delete)
    ran.until(lambda: not in_tree(), "it to go")
    assert kept not in {run.id for run in history._runs} | {run.id for run in store.list()}
    assert window.selection.run.value == "", "what is shown is not kept any more"
    trash.rename(store.folder_of(history._runs[0].id).with_name(kept))
    run(ran, "7.5")
    ran.until(in_tree, "it to come back")
    assert in_tree() == "the wide one"
    window.research.open_run(kept)
    ran.until(lambda: window.selection.run.value == kept, "it to be opened")


def test_a_run_opens_although_candles_came_since_and_the_program_is_a_newer_one(ran: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    window, panel = ran.window, ran.window.page.panel
    series = panel.chosen_series()
    assert series
    file, research = Path(series.path), window.research
    whole, longest = file.read_bytes(), len(pq.read_table(file))
    try:
        pq.write_table(pq.read_table(file).slice(0, 1_500), file)
        run(ran, "0")
        short = window.selection.run.value
        file.write_bytes(whole)
        ran.until(lambda: "candles" in research.stale.value, "the change of the candles")
        run(ran, "0")
        assert window.selection.run.value != short
        monkeypatch.setattr(manifest, "engine_hash", lambda: "another")
        research.open_run(short)
        ran.until(lambda: window.selection.run.value == short, "the kept run")
        assert research.finished
        assert len(research.finished.result.request.traded[0]) == 1_500 < longest
        ran.until(lambda: "candles" in research.stale.value, "what has changed since to be told")
        assert panel.read.isHidden() or panel.read.text().startswith(f"{longest:,} bars"), "what F5 would run"
        shown = research.finished
        pq.write_table(pq.read_table(file).slice(0, 1_500), file)
        change_a_bar_that_no_rule_notices(file)
        research.open_run(short)
        ran.until(lambda: "was of other candles" in panel.foot.problem.text(), "the refusal")
        assert "were changed: as many bars, other values" in panel.foot.problem.text()
        assert research.finished is shown
    finally:
        file.write_bytes(whole)
    ran.settle()


def change_a_bar_that_no_rule_notices(file: Path) -> None:
    """A moving average is of closes."""
    table = pq.read_table(file)
    highs = table["high"].to_pylist()
    highs[200] += 0.0001
    pq.write_table(table.set_column(table.schema.get_field_index("high"), "high", pa.array(highs)), file)


def test_candles_that_cannot_be_read_leave_no_others_in_the_chart(ran: Driven) -> None:
    page, series = ran.window.page, ran.window.page.panel.chosen_series()
    assert series
    bad = Path(series.path).with_name("GBPUSD_1h_bad.parquet")
    bad.write_bytes(b"no candles")
    ran.window.offer(series=Series("GBPUSD", "1h", str(bad)))
    ran.until(lambda: page.chart.title() == "", "there to be no candles")  # a list of files of before may come in between
    assert page.chart.empty.isVisible()
    assert any("GBPUSD_1h_bad.parquet" in label.text() for label in page.chart.empty.findChildren(QLabel))
    assert said_of_candles(ran)
    page.chart.setFocus()
    for name, command in page.chart.commands().items():
        if name != "chart.picture":  # which asks where to
            command()
    bad.unlink()
    page.chart.tools.leave()
    page.chart.go_to_field.leave()
    ran.window.offer(series=series)
    ran.settle()
    assert page.chart.candles is not None
    assert not page.chart.empty.isVisible()
    assert page.chart._trades is not None
    assert said_of_candles(ran) == []


@pytest.mark.parametrize("way", ["none", "run"])
def test_what_is_said_of_candles_that_cannot_be_read_goes_with_them(ran: Driven, way: str) -> None:
    page = ran.window.page
    bad = Path(page.panel.series[0].path).with_name("GBPUSD_1h_bad.parquet")
    bad.write_bytes(b"no candles")
    ran.window.offer(series=Series("GBPUSD", "1h", str(bad)))
    ran.until(lambda: said_of_candles(ran), "it to be said")
    bad.unlink()
    if way == "run":
        ran.window.research.open_run(ran.window._desk.runs.list()[0].id)
    else:
        page.panel.source.setCurrentIndex(1)  # where no candles are named yet
    ran.settle()
    assert said_of_candles(ran) == []
    page.panel.source.setCurrentIndex(0)
    ran.window.offer(series=page.panel.series[0])
    ran.settle()


def said_of_candles(driven: Driven) -> list[str]:
    return [notice.text for notice in driven.window.notices.waiting() if notice.key == "candles"]
