"""Kept runs in the window: found, written about, opened and compared, with a real store."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event, get_ident
from typing import TypeVar

import pytest
from PySide6.QtCore import QItemSelectionModel, QObject, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit, QPlainTextEdit, QPushButton, QTabWidget, QWidget
from pytestqt.qtbot import QtBot

from sptrader_desktop.adapters.run_store import SqliteRunStore
from sptrader_desktop.ports import RunSummary
from sptrader_desktop.present.run_compare import read_run
from sptrader_desktop.present.selection import Selection, Zone
from sptrader_desktop.ui.bridge import Bridge
from sptrader_desktop.ui.jobs import Jobs
from sptrader_desktop.ui.results.compare import ComparePanel
from sptrader_desktop.ui.results.curve_picture import CurvePicture
from sptrader_desktop.ui.results.history import RunHistory
from tests.small_runs import TEXT, be_of_version
from tests.test_run_compare import keep

W = TypeVar("W", bound=QObject)


def child(widget: QWidget, kind: type[W], name: str) -> W:
    found = widget.findChild(kind, name)
    assert isinstance(found, kind), name
    return found


@pytest.fixture
def store(tmp_path: Path) -> SqliteRunStore:
    return SqliteRunStore(tmp_path / "runs")


@pytest.fixture
def jobs(qtbot: QtBot) -> Iterator[Jobs]:
    jobs = Jobs(Bridge(lambda error, doing: pytest.fail(f"{doing}: {error}")))
    yield jobs
    asyncio.run(asyncio.wait_for(jobs.close(), 20))


def settle(qtbot: QtBot, jobs: Jobs) -> None:
    qtbot.waitUntil(lambda: not jobs.running and not jobs.waiting)


@pytest.fixture
def history(qtbot: QtBot, store: SqliteRunStore, jobs: Jobs) -> RunHistory:
    keep(store)
    keep(store, intrabar="target_first")
    keep(store, text=TEXT.replace("stop: 20", "stop: 25"))
    made = RunHistory(store, jobs, Selection())
    qtbot.addWidget(made)
    made.resize(760, 400)
    made.show()
    made.reload()
    settle(qtbot, jobs)
    return made


def choose(history: RunHistory, *rows: int) -> None:
    view = history.table.view
    view.clearSelection()
    for row in rows:
        flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
        view.selectionModel().select(history.table.model.index(row, 0), flags)


def test_without_runs_the_step_that_makes_one_is_offered(qtbot: QtBot, store: SqliteRunStore, jobs: Jobs) -> None:
    made = RunHistory(store, jobs, Selection())
    qtbot.addWidget(made)
    made.reload()
    settle(qtbot, jobs)
    with qtbot.waitSignal(made.runAsked):
        QTest.mouseClick(child(made, QPushButton, "runsStep"), Qt.MouseButton.LeftButton)


def test_one_run_is_opened_and_several_are_compared(qtbot: QtBot, history: RunHistory) -> None:
    open_, compare = child(history, QPushButton, "openRunButton"), child(history, QPushButton, "compareRunsButton")
    choose(history)
    assert (open_.isEnabled(), compare.isEnabled()) == (False, False)
    (tags,) = [label for label in history.findChildren(QLabel) if label.text() == "Tags"]
    assert not tags.isEnabled(), "as grey as its line"
    assert history.table.model.index(0, 0).data() == "r0003"
    choose(history, 0)
    assert tags.isEnabled()
    assert (open_.isEnabled(), compare.isEnabled()) == (True, False)
    with qtbot.waitSignal(history.openAsked) as asked:
        QTest.mouseClick(open_, Qt.MouseButton.LeftButton)
    assert asked.args == ["r0003-by_eye"]
    choose(history, 0, 2)
    assert (open_.isEnabled(), compare.text()) == (False, "Compare 2 runs")
    with qtbot.waitSignal(history.compareAsked) as asked:
        QTest.mouseClick(compare, Qt.MouseButton.LeftButton)
    assert asked.args == [["r0001-by_eye", "r0003-by_eye"]]


def test_return_opens_a_run(qtbot: QtBot, history: RunHistory) -> None:
    history.table.view.setCurrentIndex(history.table.model.index(1, 0))
    with qtbot.waitSignal(history.openAsked) as asked:
        QTest.keyClick(history.table.view, Qt.Key.Key_Return)
    assert asked.args == ["r0002-by_eye"]


def test_tags_and_notes_are_kept_when_their_line_is_left(qtbot: QtBot, history: RunHistory, store: SqliteRunStore, jobs: Jobs) -> None:
    history.table.view.setCurrentIndex(history.table.model.index(1, 0))
    tags, note = child(history, QLineEdit, "runTags"), child(history, QLineEdit, "runNote")
    QTest.keyClicks(tags, "london, draft")
    QTest.keyClick(tags, Qt.Key.Key_Return)
    QTest.keyClicks(note, "wider")
    QTest.keyClick(note, Qt.Key.Key_Return)
    settle(qtbot, jobs)
    kept = store.list()[1]
    assert (kept.tags, kept.note) == (("london", "draft"), "wider")
    assert history.chosen == ["r0002-by_eye"]
    history.table.filter("draft", {})
    assert history.table.model.rowCount() == 1


def test_a_refused_tag_stays_in_its_line_and_is_explained(qtbot: QtBot, history: RunHistory, store: SqliteRunStore, jobs: Jobs) -> None:
    history.table.view.setCurrentIndex(history.table.model.index(0, 0))
    tags = child(history, QLineEdit, "runTags")
    QTest.keyClicks(tags, "x" * 41)
    QTest.keyClick(tags, Qt.Key.Key_Return)
    settle(qtbot, jobs)
    assert "give at most 40 letters" in child(history, QLabel, "historyMessage").text()
    assert tags.text() == "x" * 41
    assert store.list()[2].tags == ()


def test_a_list_that_cannot_be_read_says_so(qtbot: QtBot, history: RunHistory, tmp_path: Path, jobs: Jobs) -> None:
    be_of_version(tmp_path / "runs" / "index.sqlite3", 7)
    history.reload()
    settle(qtbot, jobs)
    assert "was written by a newer sptrader" in child(history, QLabel, "historyMessage").text()
    other = RunHistory(history._store, jobs, Selection())  # one that never read it
    qtbot.addWidget(other)
    other.resize(800, 400)
    other.show()
    other.reload()
    settle(qtbot, jobs)
    assert child(other, QLabel, "runsWaiting").isVisible()
    assert child(other, QLabel, "runsWaiting").text() == "The list of the kept runs cannot be read"


def test_a_list_that_was_damaged_is_shown_whole_and_told(qtbot: QtBot, history: RunHistory, tmp_path: Path, jobs: Jobs) -> None:
    for path in (tmp_path / "runs").glob("index.sqlite3*"):
        path.write_bytes(b"no database" * 200) if path.suffix == ".sqlite3" else path.unlink()
    before = history._runs
    history.reload()
    settle(qtbot, jobs)
    assert history._runs == before
    (aside,) = (tmp_path / "runs").glob("index.sqlite3.broken-*")
    assert f"was damaged and is kept as {aside.name}" in child(history, QLabel, "historyMessage").text()


def test_the_run_that_is_open_is_the_chosen_one(qtbot: QtBot, store: SqliteRunStore, jobs: Jobs) -> None:
    run_id, _ = keep(store), keep(store)
    selection = Selection()
    made = RunHistory(store, jobs, selection)
    qtbot.addWidget(made)
    made.reload()
    settle(qtbot, jobs)
    selection.run.set(run_id)
    assert made.chosen == [run_id]


class HeldStore(SqliteRunStore):
    """Another program holds it until `free` is set; says on which threads it was asked."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.asked_on: list[int] = []
        self.free = Event()

    def list(self) -> tuple[RunSummary, ...]:
        self.asked_on.append(get_ident())
        found = super().list()
        assert self.free.wait(20)
        return found

    def annotate(self, run_id: str, tags: Sequence[str], note: str) -> None:
        self.asked_on.append(get_ident())
        assert self.free.wait(20)
        super().annotate(run_id, tags, note)


def test_the_store_is_never_asked_on_the_windows_thread_and_only_the_newest_answer_counts(qtbot: QtBot, tmp_path: Path, jobs: Jobs) -> None:
    store, shown = HeldStore(tmp_path / "runs"), list[int]()
    keep(store)
    made = RunHistory(store, jobs, Selection())
    qtbot.addWidget(made)
    made.table.model.modelReset.connect(lambda: shown.append(made.table.model.rowCount()))
    made.reload()
    qtbot.waitUntil(lambda: len(store.asked_on) == 1)
    keep(store)
    made.reload()
    store.free.set()
    settle(qtbot, jobs)
    assert shown == [2], "what was read before the second run was kept came too late"
    made.table.view.setCurrentIndex(made.table.model.index(1, 0))
    tags = child(made, QLineEdit, "runTags")
    QTest.keyClicks(tags, "london")
    QTest.keyClick(tags, Qt.Key.Key_Return)
    settle(qtbot, jobs)
    assert [run.tags for run in store.list()] == [("london",), ()]
    assert get_ident() not in store.asked_on[:-1]


def test_what_is_written_while_a_note_is_being_kept_stays(qtbot: QtBot, tmp_path: Path, jobs: Jobs) -> None:
    store = HeldStore(tmp_path / "runs")
    store.free.set()
    keep(store), keep(store)
    made = RunHistory(store, jobs, Selection())
    qtbot.addWidget(made)
    made.show()
    made.reload()
    settle(qtbot, jobs)
    made.table.view.setCurrentIndex(made.table.model.index(0, 0))
    note = child(made, QLineEdit, "runNote")
    note.setFocus()
    store.free.clear()
    QTest.keyClicks(note, "quiet")
    QTest.keyClick(note, Qt.Key.Key_Return)
    QTest.keyClicks(note, " week")
    store.free.set()
    settle(qtbot, jobs)
    assert note.text() == "quiet week"
    assert store.list()[1].note == "quiet"
    QTest.keyClick(note, Qt.Key.Key_Return)
    settle(qtbot, jobs)
    assert store.list()[1].note == "quiet week"


# Comparison


@pytest.fixture
def compared(qtbot: QtBot, history: RunHistory, store: SqliteRunStore) -> ComparePanel:
    made = ComparePanel(Selection())
    qtbot.addWidget(made)
    made.resize(760, 400)
    made.show()
    made.show_runs([read_run(store, run.id) for run in store.list()])
    return made


def test_nothing_to_compare_leads_to_the_history(qtbot: QtBot) -> None:
    made = ComparePanel(Selection())
    qtbot.addWidget(made)
    with qtbot.waitSignal(made.chooseAsked):
        QTest.mouseClick(child(made, QPushButton, "compareStep"), Qt.MouseButton.LeftButton)


def test_runs_are_compared_in_figures_inputs_text_and_curves(compared: ComparePanel) -> None:
    tabs = child(compared, QTabWidget, "compareTabs")
    for page in range(tabs.count()):
        tabs.setCurrentIndex(page)
        compared.grab()
    assert [compared.figures.model.table.columns[place].title for place in (1, 2, 3)] == [
        "r0001-by_eye",
        "r0002-by_eye",
        "r0002 − r0001",
    ]
    inputs = compared.inputs.model.table
    assert [inputs["input"].text(row) for row in range(len(inputs))] == ["strategy text", "parameter stop", "terms intrabar"]
    text = child(compared, QPlainTextEdit, "comparedText").toPlainText()
    assert "+parameters: {size: 10000, stop: 25}" in text
    assert compared.curves.said == "r0001-by_eye +0.12 %; r0002-by_eye +0.62 %; r0003-by_eye +0.07 %"


def test_equal_runs_say_that_they_are(compared: ComparePanel, store: SqliteRunStore) -> None:
    compared.show_runs([read_run(store, "1"), read_run(store, "1")])
    assert child(compared, QPlainTextEdit, "comparedText").toPlainText() == "The strategy texts are the same."
    assert len(compared.inputs.model.table) == 0


def test_curves_tell_their_values_at_a_time(compared: ComparePanel) -> None:
    picture = child(compared, CurvePicture, "comparePicture")
    compared.grab()
    picture.setFocus()
    QTest.keyClick(picture, Qt.Key.Key_Left)
    assert picture.said == "2024-01-02 18:00 UTC: r0001-by_eye +0.12 %, r0002-by_eye +0.62 %, r0003-by_eye +0.07 %"
    compared._selection.zone.set(Zone.NEW_YORK)
    QTest.keyClick(picture, Qt.Key.Key_Left)
    assert picture.said.startswith("2024-01-02 13:00 New York: ")
