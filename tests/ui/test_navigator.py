"""The navigator under real keys and clicks: open, search, copy, rename, throw away, drag; and what other programs do to its files."""

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, get_ident

import pytest
from PySide6.QtCore import QFile, QPointF, Qt
from PySide6.QtGui import QAction, QDesktopServices, QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu
from pytestqt.qtbot import QtBot

from sptrader_desktop.core.errors import DataError
from sptrader_desktop.ports import RunSummary
from sptrader_desktop.present.navigator import MIME, Item, Kind, component_item, dataset_item, run_item, strategy_item
from sptrader_desktop.present.observable import Observable
from sptrader_desktop.present.selection import Zone
from sptrader_desktop.ui import file_actions
from sptrader_desktop.ui import navigator as navigator_module
from sptrader_desktop.ui.editors.yaml_edit import YamlEdit
from sptrader_desktop.ui.navigator import Navigator
from sptrader_desktop.ui.widgets.words import tip
from tests.indicator_markets import catalogue

Key = Qt.Key


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "strategies"
    folder.mkdir()
    for name in ("alpha", "beta"):
        (folder / f"{name}.yaml").write_text(f"name: {name}\n", encoding="utf-8")
    return folder


@pytest.fixture
def navigator(qtbot: QtBot, folder: Path) -> Navigator:
    def listing() -> Sequence[Item]:
        strategies = [strategy_item(path, folder) for path in folder.rglob("*.yaml")]
        components = [component_item(name, found, folder / "core") for name, found in catalogue().found.items()]
        return [*strategies, *components, dataset_item("EURUSD", "1h", source="catalogue")]

    navigator = Navigator(listing, [folder])
    qtbot.addWidget(navigator)
    navigator.resize(300, 500)
    navigator.show()
    navigator.refresh()
    qtbot.waitUntil(lambda: navigator.choose(str(folder / "alpha.yaml")))
    navigator.view.setFocus()
    return navigator


def names(navigator: Navigator, kind: Kind) -> list[str]:
    root = navigator.rows.find(kind.value)
    return [navigator.rows.index(row, 0, root).data() for row in range(navigator.rows.rowCount(root))]


def test_times_of_runs_follow_the_clock_and_what_is_chosen_stays(qtbot: QtBot) -> None:
    runs = [RunSummary(name, datetime(2024, 1, 1, 2, 30, tzinfo=UTC), name, ("EURUSD",), "1h", 1, 0, "USD") for name in ("one", "two")]
    zone = Observable(Zone.UTC)
    navigator = Navigator(lambda: [run_item(run) for run in runs], zone=zone)
    qtbot.addWidget(navigator)
    navigator.refresh()
    qtbot.waitUntil(lambda: navigator.choose("one"))
    assert navigator.view.currentIndex().data() == "2024-01-01 02:30 one"
    zone.set(Zone.NEW_YORK)
    assert navigator.view.currentIndex().data() == "2023-12-31 21:30 one"
    heading = navigator.rows.find(Kind.RUN.value)
    assert heading.data(Qt.ItemDataRole.AccessibleTextRole) == "Runs, 2, times New York"


def test_enter_opens_what_is_chosen_and_a_branch_folds(qtbot: QtBot, navigator: Navigator) -> None:
    with qtbot.waitSignal(navigator.openWanted) as opened:
        QTest.keyClick(navigator.view, Key.Key_Return)
    assert opened.args[0].name == "alpha"
    navigator.choose(Kind.STRATEGY.value)
    assert navigator.view.isExpanded(navigator.view.currentIndex())
    QTest.keyClick(navigator.view, Key.Key_Return)
    assert not navigator.view.isExpanded(navigator.view.currentIndex())


def test_the_search_leaves_what_fits_and_esc_brings_all_back(qtbot: QtBot, navigator: Navigator) -> None:
    QTest.keyClick(navigator.view, Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(navigator.search, "trend sma")
    index = navigator.rows.find("indicators.trend.sma")
    assert index.isValid()
    assert navigator.view.isExpanded(index.parent())
    assert not navigator.rows.find(Kind.STRATEGY.value).isValid()
    QTest.keyClicks(navigator.search, "xyz")
    assert "Nothing is called" in navigator.rows.index(0, 0).data()
    QTest.keyClick(navigator.search, Key.Key_Escape)
    assert names(navigator, Kind.STRATEGY) == ["alpha", "beta"]
    assert navigator.view.isExpanded(navigator.rows.find(Kind.STRATEGY.value))
    assert not navigator.view.isExpanded(navigator.rows.find(Kind.INDICATOR.value))


def test_a_copy_has_its_own_name_inside_too_and_is_chosen(qtbot: QtBot, navigator: Navigator, folder: Path) -> None:
    with qtbot.waitSignal(navigator.said) as said:
        QTest.keyClick(navigator.view, Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    assert said.args == ["alpha was copied as alpha_copy"]
    assert (folder / "alpha_copy.yaml").read_text(encoding="utf-8") == "name: alpha_copy\n"
    qtbot.waitUntil(lambda: (item := navigator.chosen()) is not None and item.name == "alpha_copy")
    assert names(navigator, Kind.STRATEGY) == ["alpha", "alpha_copy", "beta"]


def typed_name(qtbot: QtBot, navigator: Navigator, name: str) -> None:
    qtbot.waitUntil(lambda: navigator.view.findChild(QLineEdit) is None)
    QTest.keyClick(navigator.view, Key.Key_F2)
    editor = navigator.view.findChild(QLineEdit)
    assert editor is not None
    editor.selectAll()
    QTest.keyClicks(editor, name)
    QTest.keyClick(editor, Key.Key_Return)


def test_f2_renames_file_and_name_inside_and_never_onto_another(qtbot: QtBot, navigator: Navigator, folder: Path) -> None:
    with qtbot.waitSignal(navigator.failed) as failed:
        typed_name(qtbot, navigator, "beta")
    assert "is there already" in failed.args[0]
    with qtbot.waitSignal(navigator.failed) as failed:
        typed_name(qtbot, navigator, "No Good")
    assert "small letters" in failed.args[0]
    assert sorted(path.name for path in folder.iterdir()) == ["alpha.yaml", "beta.yaml"]
    assert navigator.chosen() is not None
    typed_name(qtbot, navigator, "gamma")
    qtbot.waitUntil(lambda: names(navigator, Kind.STRATEGY) == ["beta", "gamma"])
    assert (folder / "gamma.yaml").read_text(encoding="utf-8") == "name: gamma\n"
    assert not (folder / "alpha.yaml").exists()


def test_a_name_that_is_being_typed_stays_when_there_is_more_to_show(qtbot: QtBot, navigator: Navigator, folder: Path) -> None:
    QTest.keyClick(navigator.view, Key.Key_F2)
    editor = navigator.view.findChild(QLineEdit)
    assert editor is not None
    editor.selectAll()
    QTest.keyClicks(editor, "gam")
    (folder / "another.yaml").write_text("name: another\n", encoding="utf-8")
    with qtbot.waitSignal(navigator.listed):
        navigator.refresh()
    qtbot.wait(50)
    assert QApplication.focusWidget() is editor
    QTest.keyClicks(editor, "ma")
    QTest.keyClick(editor, Key.Key_Return)
    qtbot.waitUntil(lambda: names(navigator, Kind.STRATEGY) == ["another", "beta", "gamma"])
    assert navigator.search.text() == ""
    QTest.keyClick(navigator.view, Key.Key_F2)
    navigator.show_items([item for item in navigator.items if item.kind is not Kind.DATASET])
    again = navigator.view.findChild(QLineEdit)
    assert again is not None
    QTest.keyClick(again, Key.Key_Escape)
    qtbot.waitUntil(lambda: names(navigator, Kind.DATASET) == [])


@pytest.mark.skipif(os.name != "posix", reason="modes of files")
def test_what_was_done_by_half_is_listed_too_and_a_list_of_before_is_not_shown(qtbot: QtBot, folder: Path) -> None:
    began, gate = Event(), Event()
    listed = list[list[str]]()

    def listing() -> Sequence[Item]:
        found = [strategy_item(path, folder) for path in folder.glob("*.yaml")]
        if listed:
            began.set()
            gate.wait(10)
        return found

    def refuse(_old: Path, _new: Path) -> None:
        raise DataError("its versions could not go along")

    navigator = Navigator(listing, moved=refuse)
    qtbot.addWidget(navigator)
    navigator.listed.connect(lambda items: listed.append(sorted(item.name for item in items)))
    navigator.refresh()
    qtbot.waitUntil(lambda: navigator.choose(str(folder / "alpha.yaml")))
    navigator.refresh()
    assert began.wait(10)
    with qtbot.waitSignal(navigator.failed):
        navigator.rows.setData(navigator.view.currentIndex(), "gamma", Qt.ItemDataRole.EditRole)
    gate.set()
    qtbot.waitUntil(lambda: len(listed) > 1)
    assert listed == [["alpha", "beta"], ["beta", "gamma"]]


def test_a_renamed_file_may_be_read_by_whom_it_was(folder: Path) -> None:
    path = folder / "alpha.yaml"
    path.chmod(0o640)
    assert file_actions.rename(strategy_item(path, folder), "gamma").stat().st_mode & 0o777 == 0o640


@pytest.fixture
def used(qtbot: QtBot, folder: Path) -> Navigator:
    """An indicator that five strategies name and a signal needs by its type, and two strategies do not; it is the chosen one."""
    core, found = folder / "core", catalogue().found
    here = ["indicators.trend.sma", "indicators.trend.ema", "signals.ma_crossover"]
    items = [component_item(name, found[name], core) for name in here]
    for item in items:
        assert item.path is not None
        item.path.parent.mkdir(parents=True, exist_ok=True)
        item.path.write_text("")
    for name, text in {
        "alpha": "indicators: [indicators.trend.sma]",
        "beta": "indicators: [indicators.trend.sma_fast, my.indicators.trend.sma, indicators.trend.sma.x]",
        "a1": "- indicators.trend.sma",
        "a2": "- indicators.trend.sma # which is the one",
        "a3": "# needs indicators.trend.sma.",
        "a4": "{use: indicators.trend.sma}",
        "damaged": "",
    }.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    (folder / "damaged.yaml").write_bytes(b"\xff indicators.trend.ema")

    def listing() -> Sequence[Item]:
        there = [strategy_item(path, folder) for path in sorted(folder.glob("*.yaml"))]
        return [*there, *(item for item in items if item.path and item.path.exists())]

    navigator = Navigator(listing, [folder])
    qtbot.addWidget(navigator)
    navigator.show()
    navigator.refresh()
    qtbot.waitUntil(lambda: navigator.choose("indicators.trend.sma"))
    navigator.view.setFocus()
    return navigator


def test_a_component_that_gets_another_name_says_who_uses_it(qtbot: QtBot, used: Navigator) -> None:
    with qtbot.waitSignal(used.said) as said:
        typed_name(qtbot, used, "average")
    assert said.args == ["sma is now called average: write that in what uses it (a1, a2, a3 and 3 more)"]


def test_many_strategies_are_looked_through_beside_the_windows_thread(
    qtbot: QtBot, used: Navigator, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []

    def users_of(*_: object) -> list[str]:
        threads.append(get_ident())
        return []

    monkeypatch.setattr(file_actions, "users_of", users_of)
    with qtbot.waitSignal(used.said):
        typed_name(qtbot, used, "average")
    assert len(threads) == 1
    assert get_ident() not in threads


def test_every_shipped_indicator_that_signals_need_names_them() -> None:
    found, core = catalogue().found, Path("core")
    items = [component_item(name, spec, core) for name, spec in found.items()]
    needed = {required.type for name in catalogue().signals for required in catalogue().signal(name).required_indicators}
    indicators = [item for item in items if item.kind is Kind.INDICATOR]
    assert {item.name for item in indicators if file_actions.users_of(item, items)} == needed
    assert len(needed) > 20


@pytest.mark.skipif(sys.platform != "linux", reason="only there a test can have a trash of its own")
@pytest.mark.parametrize(("key", "words"), [("indicators.trend.ema", "damaged"), ("signals.ma_crossover", "")])
def test_a_component_that_is_thrown_away_says_who_cannot_run_without_it(qtbot: QtBot, used: Navigator, key: str, words: str) -> None:
    assert used.choose(key)
    with qtbot.waitSignal(used.said) as said:
        used.throw_away_chosen()
    name = key.rpartition(".")[2]
    assert said.args == [f"{name} was moved to the trash" + (f": what uses it does not run without it ({words})" if words else "")]


def test_a_tooltip_shows_a_note_letter_by_letter() -> None:
    assert tip("a note") == "a note"
    assert tip("<b>bold</b>") == "<p style='white-space:pre'>&lt;b&gt;bold&lt;/b&gt;</p>"


@pytest.mark.skipif(sys.platform != "linux", reason="only there a test can have a trash of its own")
def test_candles_are_renamed_by_their_files_name_and_never_to_one_under_which_they_are_not_found(qtbot: QtBot, tmp_path: Path) -> None:
    file = tmp_path / "EURUSD_1h_2024.csv"
    file.write_text("")
    navigator = Navigator(lambda: [dataset_item("EURUSD", "1h", str(path)) for path in tmp_path.glob("*.csv")], [tmp_path])
    qtbot.addWidget(navigator)
    navigator.show()
    navigator.refresh()
    qtbot.waitUntil(lambda: navigator.choose(f":{file}"))
    navigator.view.setFocus()
    with qtbot.waitSignal(navigator.failed) as failed:
        typed_name(qtbot, navigator, "EURUSD 2h")
    assert "begins with symbol and timeframe" in failed.args[0]
    qtbot.waitUntil(lambda: navigator.view.findChild(QLineEdit) is None)
    QTest.keyClick(navigator.view, Key.Key_F2)
    editor = navigator.view.findChild(QLineEdit)
    assert editor is not None
    assert editor.text() == "EURUSD_1h_2024"
    with qtbot.waitSignal(navigator.said):
        QTest.keyClicks(editor, "EURUSD_1h_mine")
        QTest.keyClick(editor, Key.Key_Return)
    assert [path.name for path in tmp_path.iterdir()] == ["EURUSD_1h_mine.csv"]


def test_del_moves_to_the_trash(qtbot: QtBot, navigator: Navigator, folder: Path) -> None:
    trash = Path(os.environ["XDG_DATA_HOME"]) / "Trash" / "files"
    before = {*trash.glob("alpha*")}
    with qtbot.waitSignal(navigator.said) as said:
        QTest.keyClick(navigator.view, Key.Key_Delete)
    assert said.args == ["alpha was moved to the trash"]
    (thrown,) = {*trash.glob("alpha*")} - before
    assert thrown.read_text(encoding="utf-8") == "name: alpha\n"
    qtbot.waitUntil(lambda: names(navigator, Kind.STRATEGY) == ["beta"])


def test_without_a_trash_nothing_is_deleted(qtbot: QtBot, navigator: Navigator, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QFile, "moveToTrash", lambda _: False)
    navigator.choose(str(folder / "beta.yaml"))
    with qtbot.waitSignal(navigator.failed) as failed:
        QTest.keyClick(navigator.view, Key.Key_Delete)
    assert "nothing was deleted" in failed.args[0]
    assert (folder / "beta.yaml").exists()


def test_a_folder_that_no_program_opens_is_named(qtbot: QtBot, navigator: Navigator, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda _: False)
    with qtbot.waitSignal(navigator.failed) as failed:
        QTest.keyClick(navigator.view, Key.Key_R, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert failed.args[0].endswith(str(folder))


def test_what_is_no_file_cannot_be_thrown_away(qtbot: QtBot, navigator: Navigator) -> None:
    navigator.choose("catalogue:EURUSD 1h")
    with qtbot.waitSignal(navigator.failed) as failed:
        QTest.keyClick(navigator.view, Key.Key_Delete)
    assert "is no file of its own" in failed.args[0]


def test_files_of_other_programs_appear_and_what_is_open_stays(qtbot: QtBot, navigator: Navigator, folder: Path) -> None:
    navigator.view.setExpanded(navigator.rows.find("indicator/trend"), True)
    navigator.view.setExpanded(navigator.rows.find(Kind.INDICATOR.value), True)
    (folder / "gamma.yaml").write_text("name: gamma\n", encoding="utf-8")
    qtbot.waitUntil(lambda: names(navigator, Kind.STRATEGY) == ["alpha", "beta", "gamma"])
    assert navigator.view.isExpanded(navigator.rows.find("indicator/trend"))
    item = navigator.chosen()
    assert item is not None
    assert item.name == "alpha"
    (folder / "old").mkdir()
    qtbot.waitUntil(lambda: str(folder / "old") in navigator._watcher.directories())
    (folder / "old" / "delta.yaml").write_text("name: delta\n", encoding="utf-8")
    qtbot.waitUntil(lambda: navigator.rows.find(str(folder / "old" / "delta.yaml")).isValid())


def test_folders_are_looked_through_beside_the_windows_thread_and_the_tree_is_made_when_it_is_another(
    qtbot: QtBot, navigator: Navigator, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookers, made = list[int](), list[int]()
    folders_in = navigator_module._folders_in

    def look(folders: Sequence[Path]) -> set[str]:
        lookers.append(get_ident())
        return folders_in(folders)

    monkeypatch.setattr(navigator_module, "_folders_in", look)
    navigator.rows.rowsInserted.connect(lambda *_: made.append(1))
    for _ in range(2):
        with qtbot.waitSignal(navigator.listed):
            navigator.refresh()
    assert lookers
    assert get_ident() not in lookers
    assert not made
    (folder / "gamma.yaml").write_text("name: gamma\n", encoding="utf-8")
    qtbot.waitUntil(lambda: bool(made))


def test_what_is_dragged_away_is_a_file_and_says_what_it_is(navigator: Navigator, folder: Path) -> None:
    data = navigator.rows.mimeData([navigator.view.currentIndex()])
    assert [url.toLocalFile() for url in data.urls()] == [str(folder / "alpha.yaml")]
    assert bytes(data.data(MIME).data()).decode() == f"strategy\n{folder / 'alpha.yaml'}"
    navigator.choose("catalogue:EURUSD 1h")
    data = navigator.rows.mimeData([navigator.view.currentIndex()])
    assert (data.hasUrls(), bytes(data.data(MIME).data())) == (False, b"dataset\ncatalogue:EURUSD 1h")


def test_a_component_dropped_into_a_strategy_is_its_name(qtbot: QtBot, navigator: Navigator) -> None:
    edit = YamlEdit()
    qtbot.addWidget(edit)
    edit.setPlainText("signals: []")
    cursor = edit.textCursor()
    cursor.setPosition(len("signals: ["))
    edit.setTextCursor(cursor)
    for key in ("signals.ma_crossover", "catalogue:EURUSD 1h"):
        navigator.choose(key)
        data = navigator.rows.mimeData([navigator.view.currentIndex()])
        at, copy, left, none = (
            edit.cursorRect().center(),
            Qt.DropAction.CopyAction,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
        QApplication.sendEvent(edit.viewport(), QDragEnterEvent(at, copy, data, left, none))
        QApplication.sendEvent(edit.viewport(), QDropEvent(QPointF(at), copy, data, left, none))
    assert edit.text() == "signals: [signals.ma_crossover]"


def test_the_menu_offers_what_can_be_done_with_what_is_chosen(qtbot: QtBot, navigator: Navigator) -> None:
    menu = navigator.menu_here(navigator.view.visualRect(navigator.view.currentIndex()).center())
    assert menu is not None
    assert [action.objectName().removeprefix("navigator.") for action in menu.actions()] == [
        "open",
        "trade",
        "duplicate",
        "rename",
        "reveal",
        "delete",
    ]
    action = menu.findChild(QAction, "navigator.duplicate")
    assert action is not None
    with qtbot.waitSignal(navigator.said):
        action.trigger()
    menu.close()
    navigator.choose("catalogue:EURUSD 1h")
    menu = navigator.menu_here(navigator.view.rect().center())
    assert isinstance(menu, QMenu)
    assert [action.objectName() for action in menu.actions()] == ["navigator.open", "navigator.open_chart"]
    menu.close()
    QApplication.processEvents()


def test_new_files_come_from_templates_and_never_over_another(tmp_path: Path) -> None:
    made = file_actions.create(Kind.STRATEGY, tmp_path / "strategies", "my_idea")
    assert made.read_text(encoding="utf-8").splitlines()[1] == "name: my_idea"
    made.write_text("mine", encoding="utf-8")
    with pytest.raises(Exception, match="is there already"):
        file_actions.create(Kind.STRATEGY, tmp_path / "strategies", "my_idea")
    assert made.read_text(encoding="utf-8") == "mine"
    assert '"family": "trend"' in file_actions.create(Kind.INDICATOR, tmp_path / "trend", "mid").read_text(encoding="utf-8")
