"""A document in an editor: saved, watched, restored after a kill, in step with its form, and never at the cost of what was typed."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from sptrader_desktop.adapters.text_drafts import TextDrafts
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.present.observable import Observable
from sptrader_desktop.present.selection import Zone
from sptrader_desktop.ui.editors import document
from sptrader_desktop.ui.editors.strategy_editor import StrategyEditor
from sptrader_desktop.ui.editors.versions import DifferenceView, VersionsDialog
from tests.command_line import ROOT
from tests.strategy_texts import FULL
from tests.ui.editors import examine, open_editor, type_at

Key, Control = Qt.Key, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "everything.yaml"
    path.write_text(FULL, encoding="utf-8")
    return path


@pytest.fixture
def opened(qtbot: QtBot, path: Path) -> StrategyEditor:
    return open_editor(qtbot, path)


def drafts(path: Path) -> list[str]:
    return [draft.text for draft in TextDrafts(path.parent / "kept").drafts()]


def press(editor: StrategyEditor, name: str) -> None:
    QTest.mouseClick(editor.notice.button(name), Qt.MouseButton.LeftButton)


# Saving


def test_control_s_saves_and_the_title_says_what_is_not_saved(qtbot: QtBot, opened: StrategyEditor, path: Path) -> None:
    titles: list[str] = []
    opened.titleChanged.connect(titles.append)
    type_at(opened, "author: somebody", " else")
    assert titles[-1] == "everything.yaml •"
    with qtbot.waitSignal(opened.saved):
        QTest.keyClick(opened.edit, Key.Key_S, Control)
    assert path.read_text(encoding="utf-8") == FULL.replace("somebody", "somebody else")
    assert titles[-1] == "everything.yaml"
    opened.document.close()
    assert drafts(path) == []
    opened.edit.undo()
    assert opened.edit.text() == FULL
    assert opened.document.is_modified


def test_a_save_that_fails_leaves_text_file_and_draft(
    qtbot: QtBot, opened: StrategyEditor, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise DataError("everything.yaml was not saved (No space left on device)")

    type_at(opened, "author: somebody", "!")
    monkeypatch.setattr(opened.document._keeper, "write", full)
    assert not opened.document.save()
    assert "No space left" in opened.notice.text()
    assert path.read_text(encoding="utf-8") == FULL
    assert opened.title.endswith("•")
    qtbot.waitUntil(lambda: drafts(path) == [FULL.replace("somebody", "somebody!")])


def test_what_cannot_be_read_is_said_in_the_pane(qtbot: QtBot, path: Path) -> None:
    editor = StrategyEditor(examine, TextDrafts(path.parent / "kept"))
    qtbot.addWidget(editor)
    editor.show()
    path.write_bytes(b"name: \xff")
    assert not editor.open(path)
    assert "is not UTF-8 text" in editor.notice.text()
    editor.know_components(None)  # checks again
    qtbot.waitUntil(lambda: editor.is_settled)
    assert "is not UTF-8 text" in editor.problems.view.model().index(0, 1).data(), "not that it is empty"
    assert not editor.open(path.with_name("nothing.yaml"))
    assert "cannot be read" in editor.notice.text()


def test_in_what_cannot_be_read_nothing_is_typed_that_would_be_lost(qtbot: QtBot, path: Path) -> None:
    editor = StrategyEditor(examine, TextDrafts(path.parent / "kept"))
    qtbot.addWidget(editor)
    editor.show()
    text = path.read_text()
    path.write_bytes(b"name: \xff")
    editor.open(path)
    QTest.keyClicks(editor.edit, "a thought")
    assert (editor.edit.text(), editor.title) == ("", path.name)
    path.write_text(text)
    assert editor.open(path)
    assert not editor.notice.isVisible()
    QTest.keyClicks(editor.edit, "#")
    assert editor.edit.text() == f"#{text}"


# Other programs


def test_a_file_that_changes_outside_is_shown_at_once_when_nothing_is_lost(qtbot: QtBot, opened: StrategyEditor, path: Path) -> None:
    other = FULL.replace("somebody", "another")
    replaced = path.with_suffix(".new")
    replaced.write_text(other, encoding="utf-8")
    replaced.replace(path)
    qtbot.waitUntil(lambda: opened.edit.text() == other)
    assert not opened.document.is_modified
    assert opened.notice.text() == ""
    path.write_text(FULL, encoding="utf-8")
    qtbot.waitUntil(lambda: opened.edit.text() == FULL)


def test_a_file_that_both_changed_is_a_question_and_each_answer_loses_nothing(qtbot: QtBot, opened: StrategyEditor, path: Path) -> None:
    type_at(opened, "author: somebody", "!")
    mine, theirs = opened.edit.text(), FULL.replace("somebody", "another")
    path.write_text(theirs, encoding="utf-8")
    qtbot.waitUntil(lambda: "changed by another program" in opened.notice.text())
    assert not opened.document.save()
    assert path.read_text(encoding="utf-8") == theirs
    press(opened, "compareButton")
    view = opened.findChild(DifferenceView)
    assert view is not None
    assert "-author: another\n+author: somebody!" in view.text()
    view.window().close()
    press(opened, "keepMineButton")
    assert opened.document.save()
    assert path.read_text(encoding="utf-8") == mine
    keeper = TextDrafts(path.parent / "kept")
    assert theirs in [keeper.version_text(path, version) for version in keeper.versions(path)]


def test_reload_takes_theirs_and_mine_is_a_step_to_undo_and_a_version(qtbot: QtBot, opened: StrategyEditor, path: Path) -> None:
    type_at(opened, "author: somebody", "!")
    mine, theirs = opened.edit.text(), FULL.replace("0.15", "0.16")
    path.write_text(theirs, encoding="utf-8")
    qtbot.waitUntil(lambda: "changed by another program" in opened.notice.text())
    press(opened, "reloadButton")
    assert opened.edit.text() == theirs
    keeper = TextDrafts(path.parent / "kept")
    assert keeper.version_text(path, keeper.versions(path)[0]) == mine
    opened.edit.undo()
    assert opened.edit.text() == mine


def test_a_file_that_vanishes_is_written_again_by_a_save(qtbot: QtBot, opened: StrategyEditor, path: Path) -> None:
    path.unlink()
    qtbot.waitUntil(lambda: "was deleted or moved" in opened.notice.text())
    press(opened, "keepMineButton")
    assert opened.document.save()
    assert path.read_text(encoding="utf-8") == FULL


# A kill

EDIT_AND_WAIT = """
import sys
from pathlib import Path
from PySide6.QtWidgets import QApplication
from sptrader_desktop.adapters.text_drafts import TextDrafts
from sptrader_desktop.adapters.yaml_strategy import examine_strategy
from sptrader_desktop.ui.editors.strategy_editor import StrategyEditor

application = QApplication([])
path = Path(sys.argv[1])
editor = StrategyEditor(examine_strategy, TextDrafts(path.parent / "kept"))
editor.open(path)
editor.edit.textCursor().insertText("# typed and not saved\\n")
print("typed", flush=True)
application.exec()
"""


def test_unsaved_changes_survive_a_kill(qtbot: QtBot, path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", EDIT_AND_WAIT, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "typed\n"
        mine = "# typed and not saved\n" + FULL
        qtbot.waitUntil(lambda: drafts(path) == [mine])
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert path.read_text(encoding="utf-8") == FULL
    editor = open_editor(qtbot, path)
    assert editor.edit.text() == mine
    assert editor.title == "everything.yaml •"
    assert editor.notice.text().startswith("Unsaved changes of ")
    press(editor, "discardButton")
    assert editor.edit.text() == FULL
    editor.document.close()
    assert drafts(path) == []
    keeper = TextDrafts(path.parent / "kept")
    assert keeper.version_text(path, keeper.versions(path)[0]) == mine


def test_what_is_said_of_unsaved_changes_goes_when_they_are_taken_back(qtbot: QtBot, opened: StrategyEditor, path: Path) -> None:
    type_at(opened, "author: somebody", "!")
    opened.document.close()
    again = open_editor(qtbot, path)
    type_at(again, "0.15", "7")
    QTest.keyClick(again.edit, Key.Key_Z, Control)
    assert again.notice.text().startswith("Unsaved changes of ")
    QTest.keyClick(again.edit, Key.Key_Z, Control)
    assert again.edit.text() == FULL
    assert again.notice.text() == ""
    QTest.keyClick(again.edit, Key.Key_Z, Control | Qt.KeyboardModifier.ShiftModifier)
    assert again.edit.text() != FULL
    path.unlink()
    qtbot.waitUntil(lambda: "was deleted or moved" in again.notice.text())
    QTest.keyClick(again.edit, Key.Key_Z, Control)
    assert "was deleted or moved" in again.notice.text()


def test_hands_that_never_rest_are_protected_all_the_same(qtbot: QtBot, opened: StrategyEditor, path: Path) -> None:
    type_at(opened, "author: somebody", "")
    typed = 0
    while not drafts(path):
        QTest.keyClicks(opened.edit, "x")
        QTest.qWait(20)
        typed += 1
        assert typed < 200
    (draft,) = drafts(path)
    assert "author: somebodyx" in draft


def test_what_is_undone_leaves_no_draft(qtbot: QtBot, opened: StrategyEditor, path: Path) -> None:
    type_at(opened, "author: somebody", "!")
    qtbot.waitUntil(lambda: len(drafts(path)) == 1)
    opened.edit.undo()
    qtbot.waitUntil(lambda: drafts(path) == [])


def test_a_draft_of_a_file_that_changed_since_is_a_question(qtbot: QtBot, opened: StrategyEditor, path: Path) -> None:
    type_at(opened, "author: somebody", "!")
    mine = opened.edit.text()
    opened.document.close()
    path.write_text(FULL.replace("0.15", "0.16"), encoding="utf-8")
    again = open_editor(qtbot, path)
    assert again.edit.text() == mine
    assert "changed by another program since these changes were made" in again.notice.text()
    assert not again.document.save()
    assert path.read_text(encoding="utf-8") == FULL.replace("0.15", "0.16")
    type_at(again, "author: somebody", "?")
    again.document.close()
    third = open_editor(qtbot, path)
    assert "changed by another program since these changes were made" in third.notice.text()
    press(third, "keepMineButton")
    assert third.document.save()
    assert path.read_text(encoding="utf-8") == third.edit.text()


@pytest.mark.parametrize("is_edited", [False, True])
def test_a_renamed_file_keeps_its_editor_and_what_is_not_saved(qtbot: QtBot, opened: StrategyEditor, path: Path, is_edited: bool) -> None:
    if is_edited:
        type_at(opened, "author: somebody", "!")
    new = path.with_name("other.yaml")
    path.rename(new)
    opened.move_to(new)
    mine = FULL.replace("somebody", "somebody!").replace("name: everything", "name: other") if is_edited else FULL
    assert opened.title == ("other.yaml •" if is_edited else "other.yaml")
    assert opened.edit.text() == mine
    opened.document.close()
    assert drafts(path) == ([mine] if is_edited else [])
    assert opened.document.save()
    assert new.read_text(encoding="utf-8") == mine
    assert not path.exists()


def test_what_another_program_wrote_is_still_a_question_after_a_rename(qtbot: QtBot, opened: StrategyEditor, path: Path) -> None:
    type_at(opened, "author: somebody", "!")
    theirs, new = FULL.replace("0.15", "0.16"), path.with_name("other.yaml")
    path.write_text(theirs.replace("name: everything", "name: other"), encoding="utf-8")
    path.rename(new)
    opened.move_to(new)
    assert "changed by another program" in opened.notice.text()
    assert not opened.document.save()
    assert "0.16" in new.read_text(encoding="utf-8")
    press(opened, "keepMineButton")
    assert opened.document.save()
    assert new.read_text(encoding="utf-8") == FULL.replace("somebody", "somebody!").replace("name: everything", "name: other")


# Versions


@pytest.mark.parametrize(("zone", "info"), [(Zone.UTC, UTC), (Zone.NEW_YORK, ZoneInfo("America/New_York"))])
def test_times_of_versions_and_drafts_are_by_the_chosen_clock_and_say_so(qtbot: QtBot, path: Path, zone: Zone, info: tzinfo) -> None:
    keeper = TextDrafts(path.parent / "kept")

    def opened() -> StrategyEditor:
        editor = StrategyEditor(examine, keeper, Observable(zone))
        qtbot.addWidget(editor, before_close_func=lambda widget: widget.close_document())
        editor.open(path)
        return editor

    editor = opened()
    QTest.keyClicks(editor.edit, "#")
    assert editor.document.save()
    QTest.keyClicks(editor.edit, "#")
    dialog = editor.show_versions()
    assert dialog is not None
    said = f"{keeper.versions(path)[0].written_at.astimezone(info):%Y-%m-%d %H:%M:%S}"
    assert dialog.list.item(0).text().startswith(f"{said} ")
    assert f"+++ {said}" in dialog.view.text()
    assert any(label.text().endswith(f"Times: {zone.value}.") for label in dialog.findChildren(QLabel))
    dialog.reject()
    editor.document.close()
    (draft,) = keeper.drafts()
    assert f"of {draft.written_at.astimezone(info):%Y-%m-%d %H:%M:%S} ({zone.value})" in opened().notice.text()


def test_versions_show_what_they_change_and_come_back_as_a_step_to_undo(qtbot: QtBot, opened: StrategyEditor, path: Path) -> None:
    type_at(opened, "author: somebody", "!")
    opened.document.save()
    QTest.keyClick(opened.edit, Key.Key_H, Control | Qt.KeyboardModifier.ShiftModifier)
    dialog = opened.findChild(VersionsDialog)
    assert dialog is not None
    assert dialog.list.count() == 2
    assert dialog.view.text() == "There is no difference."
    dialog.list.setCurrentRow(1)
    assert "-author: somebody!\n+author: somebody" in dialog.view.text()
    QTest.mouseClick(dialog.restore_button, Qt.MouseButton.LeftButton)
    assert opened.edit.text() == FULL
    assert opened.document.is_modified
    opened.edit.undo()
    assert opened.edit.text() == FULL.replace("somebody", "somebody!")


def test_while_one_types_a_version_is_kept_now_and_then(
    qtbot: QtBot, opened: StrategyEditor, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = TextDrafts(path.parent / "kept")
    type_at(opened, "author: somebody", "!")
    qtbot.waitUntil(lambda: len(drafts(path)) == 1)
    assert keeper.versions(path) == ()
    monkeypatch.setattr(document, "VERSION_EVERY", timedelta(0))
    type_at(opened, "author: somebody!", "?")
    qtbot.waitUntil(lambda: len(keeper.versions(path)) == 1)
    assert keeper.version_text(path, keeper.versions(path)[0]) == FULL.replace("somebody", "somebody!?")


# Commands and words


@pytest.mark.parametrize(
    ("key", "modifier", "seen"),
    [
        (Key.Key_F, Control, lambda editor: editor.find_bar.isVisible()),
        (Key.Key_H, Control, lambda editor: editor.find_bar.replace_field.isVisible()),
        (Key.Key_L, Control, lambda editor: editor.line_field.field.hasFocus()),
        (Key.Key_Slash, Control, lambda editor: editor.edit.text().startswith("# name")),
        (Key.Key_Space, Control, lambda editor: editor.edit.completions.isVisible()),
    ],
)
def test_keys_do_what_the_table_of_actions_says(
    opened: StrategyEditor, key: Qt.Key, modifier: Qt.KeyboardModifier, seen: Callable[[StrategyEditor], bool]
) -> None:
    assert not seen(opened)
    if key is Key.Key_Space:
        type_at(opened, "risk:\n", "  ")
    QTest.keyClick(opened.edit, key, modifier)
    assert seen(opened)


def test_go_to_line_goes_there(opened: StrategyEditor) -> None:
    QTest.keyClick(opened.edit, Key.Key_L, Control)
    QTest.keyClicks(opened.line_field.field, "12")
    QTest.keyClick(opened.line_field.field, Key.Key_Return)
    assert opened.edit.textCursor().blockNumber() == 11
    assert opened.edit.hasFocus()


def test_every_part_has_a_name_for_those_who_do_not_see_it(opened: StrategyEditor) -> None:
    opened.find_bar.open(with_replace=True)
    for widget in [*opened.findChildren(QPushButton), *opened.findChildren(QComboBox), *opened.findChildren(QToolButton)]:
        if not widget.objectName().startswith("qt_"):
            assert widget.accessibleName(), widget
            assert widget.objectName(), widget
    for path in opened.form.paths():
        assert opened.form.field(path).accessibleName()
    assert all(label.text() for label in opened.form.findChildren(QLabel) if label.isVisible())
