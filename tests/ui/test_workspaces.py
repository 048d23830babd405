"""Workspaces: gone to by key, kept for the next start, undone, given away as a file, healed when a screen is gone."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDockWidget, QFileDialog, QLineEdit

from sptrader_desktop.core.errors import DataError
from sptrader_desktop.present.layout_file import decoded, encoded, read, written
from sptrader_desktop.ui.arrangements import ARRANGEMENTS, LEAST
from tests.ui.windows import Driven, driven_window, fresh_home

ALT_CTRL = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier


@pytest.fixture(scope="module")
def opened(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driven]:
    with fresh_home(tmp_path_factory.mktemp("home")), driven_window(qapp) as driven:
        driven.until(lambda: driven.window.page.chart.candles is not None, "the sample's candles")
        yield driven


@pytest.fixture(autouse=True)
def at_first(opened: Driven) -> None:
    opened.window.layouts.use("Research")
    opened.window.layouts.reset()
    opened.settle()


def press(driven: Driven, key: Qt.Key, modifiers: Qt.KeyboardModifier) -> None:
    """A window manager gives the keyboard back to the window when a pane that floated is docked; without a screen nobody does."""
    driven.window.activateWindow()
    driven.until(driven.window.isActiveWindow, "the keyboard")
    driven.press(key, modifiers)


def shown(driven: Driven) -> set[str]:
    return {name for name, dock in driven.window.layouts.docks.items() if not dock.isHidden()}


def in_front(driven: Driven) -> set[str]:
    return {name for name, dock in driven.window.layouts.docks.items() if not dock.visibleRegion().isEmpty()}


def panes_of(name: str) -> set[str]:
    return {pane for stack in ARRANGEMENTS[name] for pane in stack.panes}


def wait_till_settled(driven: Driven) -> None:
    driven.until(lambda: not driven.window.layouts._settling.isActive(), "the panes to come to rest")


@pytest.mark.parametrize(
    ("key", "name"), [*zip((Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_3, Qt.Key.Key_4, Qt.Key.Key_5, Qt.Key.Key_6), ARRANGEMENTS, strict=True)]
)
def test_a_key_goes_to_each_workspace_and_the_menu_ticks_it(opened: Driven, key: Qt.Key, name: str) -> None:
    press(opened, key, ALT_CTRL)
    assert opened.window.layouts.name == name
    assert shown(opened) == panes_of(name)
    assert in_front(opened) == {stack.panes[0] for stack in ARRANGEMENTS[name]}
    ticked = [each for each in ARRANGEMENTS if opened.window.actions_.action(f"layout.use_{each.lower()}").isChecked()]
    assert ticked == [name]


@pytest.mark.parametrize("start", ["chart", "backtest", "log", "watchlist"])
def test_the_keyboard_stays_or_goes_to_the_page_in_the_middle(opened: Driven, start: str) -> None:
    window = opened.window
    for key in (Qt.Key.Key_2, Qt.Key.Key_3, Qt.Key.Key_4, Qt.Key.Key_5, Qt.Key.Key_1):
        window.layouts.use("Research")
        window.texts.documents.show_chart()
        if start != "chart":
            window.layouts.show(start)
        press(opened, key, ALT_CTRL)
        opened.settle()
        focused = QApplication.focusWidget()
        assert focused is not None
        docks = [dock for dock in window.layouts.docks.values() if dock.isAncestorOf(focused) and not dock.visibleRegion().isEmpty()]
        assert docks or window.texts.documents.isAncestorOf(focused), f"{focused.objectName()} after {key.name}"


@pytest.mark.parametrize("has_editor", [False, True])
@pytest.mark.parametrize("rooms", [(Qt.Key.Key_6,), (Qt.Key.Key_5,), (Qt.Key.Key_5, Qt.Key.Key_6)])
def test_a_page_that_came_with_its_workspace_goes_with_it_and_so_does_the_keyboard(
    opened: Driven, rooms: tuple[Qt.Key, ...], has_editor: bool
) -> None:
    documents = opened.window.texts.documents
    documents.show_chart()
    before = documents.open(opened.window.page.panel.chosen_strategy() or Path()) if has_editor else opened.window.page.chart
    for key in rooms:
        press(opened, key, ALT_CTRL)
        opened.settle()
        assert documents.currentWidget() is not before
    press(opened, Qt.Key.Key_1, ALT_CTRL)
    opened.settle()
    focused = QApplication.focusWidget()
    assert documents.currentWidget() is before
    assert focused is not None
    assert focused is before or before.isAncestorOf(focused), focused.objectName()
    press(opened, rooms[0], ALT_CTRL)
    if has_editor:
        documents.tabCloseRequested.emit(documents.indexOf(before))
        press(opened, Qt.Key.Key_1, ALT_CTRL)
        assert documents.currentWidget() is opened.window.page.chart


def test_a_page_that_a_person_went_to_stays_when_the_workspace_is_another(opened: Driven) -> None:
    page = opened.window.live.open()
    press(opened, Qt.Key.Key_2, ALT_CTRL)
    assert opened.window.texts.documents.currentWidget() is page


def test_each_workspace_keeps_how_it_stands_and_the_next_start_too(opened: Driven) -> None:
    window = opened.window
    window.layouts.docks["log"].hide()
    press(opened, Qt.Key.Key_2, ALT_CTRL)
    window.layouts.docks["history"].hide()
    kept = window.placing.kept(window._preferences.now.value)
    assert kept.layout == "Review"
    press(opened, Qt.Key.Key_1, ALT_CTRL)
    assert shown(opened) == panes_of("Research") - {"log"}
    window.layouts.reset()
    window.placing.restore(kept)
    assert window.layouts.name == "Review"
    assert shown(opened) == panes_of("Review") - {"history"}
    press(opened, Qt.Key.Key_1, ALT_CTRL)
    assert shown(opened) == panes_of("Research") - {"log"}


def test_closing_floating_resetting_and_switching_are_undone_one_by_one(opened: Driven) -> None:
    layouts = opened.window.layouts
    undo = opened.window.actions_.action("layout.undo")
    layouts.docks["results"].hide()
    wait_till_settled(opened)
    layouts.docks["navigator"].setFloating(True)
    wait_till_settled(opened)
    press(opened, Qt.Key.Key_3, ALT_CTRL)
    assert layouts.name == "Writing"
    assert undo.isEnabled()
    press(opened, Qt.Key.Key_Z, ALT_CTRL)
    assert (layouts.name, layouts.docks["navigator"].isFloating()) == ("Research", True)
    press(opened, Qt.Key.Key_Z, ALT_CTRL)
    assert not layouts.docks["navigator"].isFloating()
    assert shown(opened) == panes_of("Research") - {"results"}
    press(opened, Qt.Key.Key_Z, ALT_CTRL)
    assert shown(opened) == panes_of("Research")


def test_what_was_undone_is_redone_one_by_one_until_something_else_is_done(opened: Driven) -> None:
    layouts, both = opened.window.layouts, ALT_CTRL | Qt.KeyboardModifier.ShiftModifier
    undo, redo = (opened.window.actions_.action(f"layout.{name}") for name in ("undo", "redo"))
    layouts.reset()
    assert not redo.isEnabled()
    layouts.docks["results"].hide()
    wait_till_settled(opened)
    layouts.docks["navigator"].setFloating(True)
    wait_till_settled(opened)
    press(opened, Qt.Key.Key_3, ALT_CTRL)
    wait_till_settled(opened)
    for _ in range(3):
        press(opened, Qt.Key.Key_Z, ALT_CTRL)
        wait_till_settled(opened)
    assert shown(opened) == panes_of("Research")
    press(opened, Qt.Key.Key_Z, both)
    wait_till_settled(opened)
    assert shown(opened) == panes_of("Research") - {"results"}
    press(opened, Qt.Key.Key_Z, both)
    wait_till_settled(opened)
    assert (layouts.name, layouts.docks["navigator"].isFloating()) == ("Research", True)
    press(opened, Qt.Key.Key_Z, both)
    assert (layouts.name, redo.isEnabled(), undo.isEnabled()) == ("Writing", False, True)
    press(opened, Qt.Key.Key_Z, ALT_CTRL)
    assert (layouts.name, redo.isEnabled()) == ("Research", True)
    layouts.docks["navigator"].setFloating(False)
    wait_till_settled(opened)
    assert not redo.isEnabled(), "there is another way on"
    press(opened, Qt.Key.Key_Z, both)
    assert (layouts.name, layouts.docks["navigator"].isFloating()) == ("Research", False)


def test_another_tab_in_front_is_nothing_to_undo(opened: Driven) -> None:
    before = len(opened.window.layouts._before)
    press(opened, Qt.Key.Key_9, Qt.KeyboardModifier.ControlModifier)
    assert "log" in in_front(opened)
    wait_till_settled(opened)
    assert len(opened.window.layouts._before) == before


def test_a_pane_that_floated_where_no_screen_is_any_more_comes_back(opened: Driven) -> None:
    layouts = opened.window.layouts
    dock = layouts.docks["explain"]
    dock.setFloating(True)
    screen = QGuiApplication.primaryScreen().availableGeometry()
    dock.move(screen.right() + 4000, screen.bottom() + 4000)
    away = layouts.kept()
    assert layouts.take(away, "Research")
    assert not dock.isFloating() or screen.intersects(dock.frameGeometry())
    assert "explain" in shown(opened)


def test_a_window_that_stood_where_no_screen_is_any_more_opens_where_it_is_seen(opened: Driven) -> None:
    window = opened.window
    place, screen = window.pos(), QGuiApplication.primaryScreen().availableGeometry()
    window.move(screen.right() + 5000, 200)
    kept = window.saveGeometry()
    window.move(place)
    window.restoreGeometry(kept)
    assert screen.contains(window.geometry().center())


@pytest.mark.parametrize("size", [(1440, 900), (1366, 768), (911, 600)])
def test_between_the_sides_the_chart_has_most_of_the_room(opened: Driven, size: tuple[int, int]) -> None:
    window = opened.window
    before = window.size()
    window.resize(*size)
    window.layouts.reset()
    opened.settle()
    chart, below = window.page.chart.height(), window.layouts.docks["results"].height()
    assert chart / (chart + below) > 0.6
    assert window.layouts.docks["navigator"].width() == 240 or size[0] < 1000
    window.resize(before)
    window.layouts.reset()


def test_no_pane_is_pressed_below_what_it_needs(opened: Driven) -> None:
    window = opened.window
    window.resize(window.minimumSize())
    docks = list(window.layouts.docks.values())
    for orientation in (Qt.Orientation.Horizontal, Qt.Orientation.Vertical):
        window.resizeDocks(docks, [1] * len(docks), orientation)
    opened.settle()
    for name in in_front(opened):
        inside = window.layouts.docks[name].widget()
        assert inside is not None
        assert inside.width() >= LEAST.width(), name
        assert inside.height() >= LEAST.height(), name
    window.resize(1440, 900)


def choose_file(driven: Driven, path: Path) -> None:
    dialog = driven.find(QFileDialog, "workspaceFileDialog")
    field = dialog.findChild(QLineEdit, "fileNameEdit")
    assert field is not None
    field.setText(str(path))
    QTest.keyClick(field, Qt.Key.Key_Return)
    driven.settle()


def test_a_workspace_goes_to_a_file_and_comes_from_it(opened: Driven, tmp_path: Path) -> None:
    actions, layouts = opened.window.actions_, opened.window.layouts
    layouts.docks["equity"].hide()
    actions.action("layout.export").trigger()
    choose_file(opened, tmp_path / "mine.json")
    assert json.loads((tmp_path / "mine.json").read_text())["name"] == "Research"
    layouts.reset()
    press(opened, Qt.Key.Key_3, ALT_CTRL)
    actions.action("layout.import").trigger()
    choose_file(opened, tmp_path / "mine.json")
    assert layouts.name == "Research"
    assert shown(opened) == panes_of("Research") - {"equity"}
    press(opened, Qt.Key.Key_Z, ALT_CTRL)
    assert layouts.name == "Writing"


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"kind": "sptrader workspace", "schema": 1, "name": "Research", "state": "bm9uc2Vuc2U="}']
)
def test_a_file_that_is_none_changes_nothing_and_is_told(opened: Driven, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "wrong.json"
    path.write_bytes(content)
    opened.window.layouts.docks["equity"].hide()
    opened.window.placing.import_from(path)
    assert shown(opened) == panes_of("Research") - {"equity"}
    said = opened.window.notices.waiting()[0]
    assert said.kind == "error"
    assert "wrong.json" in said.text
    opened.window.notices.dismiss("layout")


def test_a_dock_that_is_closed_by_its_button_can_be_had_back(opened: Driven) -> None:
    dock = opened.find(QDockWidget, "navigator")
    dock.close()
    wait_till_settled(opened)
    press(opened, Qt.Key.Key_Z, ALT_CTRL)
    assert "navigator" in shown(opened)


@settings(max_examples=40)
@given(st.text(max_size=20), st.binary(max_size=60))
def test_what_is_written_is_read_again(name: str, state: bytes) -> None:
    assert read(written(name, state), "file.json") == (name, state)


@given(st.binary(min_size=1, max_size=60), st.data())
def test_bytes_that_are_not_as_they_were_written_never_reach_qt(state: bytes, data: st.DataObject) -> None:
    """It would trust them: a flipped bit of a layout has ended the whole program."""
    text = encoded(state)
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from("AQgw01f.=").filter(lambda letter: letter != text[at]))
    assert decoded([text, ""]) == [state, b""]
    half, changed = decoded([text[:at], text[:at] + other + text[at + 1 :]])
    assert half == (b"damaged" if at else b"")
    assert changed in (b"damaged", state), "the last letter of base64 may be written in two ways"


@settings(max_examples=40)
@given(
    st.binary(max_size=60) | st.recursive(st.none() | st.text() | st.integers(), lambda x: st.dictionaries(st.text(), x)).map(json.dumps)
)
def test_anything_else_is_refused_with_its_name(content: bytes | str) -> None:
    with pytest.raises(DataError, match=r"file\.json"):
        read(content.encode() if isinstance(content, str) else content, "file.json")
