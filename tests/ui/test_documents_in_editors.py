"""A document in an editor: saved, watched, restored after a kill, in step with its form, and never at the cost of what was typed."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from sptrader_desktop.adapters.text_drafts import TextDrafts
from sptrader_desktop.adapters.yaml_strategy import examine_strategy
from sptrader_desktop.core.errors import DataError
from sptrader_desktop.core.strategy_fields import Path as Place
from sptrader_desktop.present.strategy_form import form_rows
from sptrader_desktop.present.strategy_text import StrategyText
from sptrader_desktop.ui.editors import document
from sptrader_desktop.ui.editors.form_fields import NumberField
from sptrader_desktop.ui.editors.strategy_editor import StrategyEditor
from sptrader_desktop.ui.editors.versions import DifferenceView, VersionsDialog
from tests.command_line import ROOT
from tests.indicator_markets import catalogue
from tests.strategy_texts import FULL

Key, Control = Qt.Key, Qt.KeyboardModifier.ControlModifier


def examine(text: str) -> StrategyText:
    return examine_strategy(text, catalogue())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "everything.yaml"
    path.write_text(FULL, encoding="utf-8")
    return path


@pytest.fixture
def opened(qtbot: QtBot, path: Path) -> StrategyEditor:
    return open_editor(qtbot, path)


def open_editor(qtbot: QtBot, path: Path) -> StrategyEditor:
    editor = StrategyEditor(examine, TextDrafts(path.parent / "kept"))
    qtbot.addWidget(editor, before_close_func=lambda widget: widget.close_document())
    editor.know_components(catalogue())
    editor.resize(1000, 600)
    editor.show()
    assert editor.open(path)
    settle(qtbot, editor)
    editor.edit.setFocus()
    return editor


def settle(qtbot: QtBot, editor: StrategyEditor) -> None:
    qtbot.waitUntil(lambda: editor.is_settled)


def type_at(editor: StrategyEditor, before: str, typed: str) -> None:
    cursor = editor.edit.textCursor()
    cursor.setPosition(editor.edit.position_of(editor.edit.text().index(before) + len(before)))
    editor.edit.setTextCursor(cursor)
    QTest.keyClicks(editor.edit, typed)
    QTest.keyClick(editor.edit, Key.Key_Escape)


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
    assert not editor.open(path.with_name("nothing.yaml"))
    assert "cannot be read" in editor.notice.text()


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
        qtbot.waitUntil(lambda: drafts(path) == [mine], timeout=20_000)
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
    assert path.read_text(encoding="utf-8") == FULL.replace("0.15", "0.16")


@pytest.mark.parametrize("is_edited", [False, True])
def test_a_renamed_file_keeps_its_editor_and_what_is_not_saved(qtbot: QtBot, opened: StrategyEditor, path: Path, is_edited: bool) -> None:
    if is_edited:
        type_at(opened, "author: somebody", "!")
    new = path.with_name("other.yaml")
    path.rename(new)
    opened.move_to(new)
    mine = FULL.replace("somebody", "somebody!") if is_edited else FULL
    assert opened.title == ("other.yaml •" if is_edited else "other.yaml")
    assert opened.edit.text() == mine
    opened.document.close()
    assert drafts(path) == ([mine] if is_edited else [])
    assert opened.document.save()
    assert new.read_text(encoding="utf-8") == mine
    assert not path.exists()


# Versions


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


# The form


def number(editor: StrategyEditor, *path: str | int) -> NumberField:
    field = editor.form.field(path)
    assert isinstance(field, NumberField)
    return field


def test_the_form_writes_into_the_text_and_the_text_into_the_form(qtbot: QtBot, opened: StrategyEditor) -> None:
    stop = number(opened, "parameters", "stop")
    assert (stop.line.text(), stop.unit.text()) == ("2", "%")
    stop.line.setFocus()
    stop.line.selectAll()
    QTest.keyClicks(stop.line, "3.5")
    assert opened.edit.text() == FULL
    QTest.keyClick(stop.line, Key.Key_Return)
    assert opened.edit.text() == FULL.replace("stop: 0.02", "stop: 0.035")
    assert stop.line.text() == "3.5"
    opened.edit.undo()
    settle(qtbot, opened)
    type_at(opened, "stop: 0.0", "4")
    settle(qtbot, opened)
    assert stop.line.text() == "4.2"
    opened.edit.undo()
    settle(qtbot, opened)
    assert opened.edit.text() == FULL


def test_arrows_step_and_a_hand_that_goes_on_is_one_step_to_undo(qtbot: QtBot, opened: StrategyEditor) -> None:
    fast = number(opened, "parameters", "fast")
    fast.line.setFocus()
    for _ in range(3):
        QTest.keyClick(fast.line, Key.Key_Up)
    QTest.keyClick(fast.line, Key.Key_Down)
    assert opened.edit.text() == FULL.replace("fast: 20", "fast: 22")
    opened.edit.undo()
    assert opened.edit.text() == FULL


def test_what_is_no_valid_number_is_said_and_not_written(qtbot: QtBot, opened: StrategyEditor) -> None:
    stop = number(opened, "parameters", "stop")
    stop.line.setFocus()
    for typed, said in (("x", "must be a number"), ("200", "must be above 0 % and below 100 %"), ("", "must be a number")):
        stop.line.selectAll()
        QTest.keyClicks(stop.line, typed) if typed else QTest.keyClick(stop.line, Key.Key_Delete)
        assert stop.fault.text() == said
        assert opened.edit.text() == FULL
    opened.edit.setFocus()
    assert (stop.line.text(), stop.fault.text()) == ("2", "")


def test_a_choice_in_the_form_is_a_word_in_the_text(qtbot: QtBot, opened: StrategyEditor) -> None:
    box = opened.form.field(("entry", 1, "action"))
    assert isinstance(box, QComboBox)
    QTest.keyClick(box, Key.Key_Up)
    assert opened.edit.text() == FULL.replace("action: sell", "action: buy")
    scale = opened.form.field(("exit", "scale_out"))
    assert isinstance(scale, QComboBox)
    QTest.keyClick(scale, Key.Key_Down)
    assert "scale_out: false" in opened.edit.text()


def test_the_form_rests_with_a_reason_while_the_text_has_problems(qtbot: QtBot, opened: StrategyEditor) -> None:
    type_at(opened, "action: buy", "y")
    settle(qtbot, opened)
    assert opened.form.reason.isVisible()
    assert opened.form.reason.text() == "The text has 1 problem: mend it to go on here."
    assert not number(opened, "parameters", "stop").isEnabled()
    assert opened.edit.marked("problems") == ["buyy"]
    QTest.keyClick(opened.edit, Key.Key_F8)
    assert opened.edit.textCursor().selectedText() == "buyy"
    QTest.keyClicks(opened.edit, "buy")
    settle(qtbot, opened)
    assert not opened.form.reason.isVisible()
    assert number(opened, "parameters", "stop").isEnabled()
    assert opened.problems.headline.text().startswith("✓")


def rows_by_group(text: str) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for row in form_rows(examine(text), catalogue()):
        groups.setdefault(row.group, []).append(row.label)
    return groups


def test_the_form_has_every_value_but_words_and_references() -> None:
    assert rows_by_group(FULL) == {
        "Parameters": ["fast", "size", "stop", "low", "kind"],
        "Entry 1": [
            "order · type", "order · offset · type", "order · offset · value", "order · offset · period", "order · expiry",
            "scale_in", "max_positions", "reverse",
        ],
        "Entry 2": ["action", "size · mode", "size · value"],
        "Exit": [
            "signal_exit · action", "stop_loss · type", "take_profit · type", "take_profit · value", "trailing_stop · activation_pct",
            "trailing_stop · trail_pct", "scale_out", "partial_close_pct", "time_exit · bars",
        ],
        "Risk": ["max_drawdown", "daily_loss_limit", "position_limit", "max_positions", "stop_loss"],
    } | {"Entry 1": ["action", *rows_by_group(FULL)["Entry 1"][1:]]}  # fmt: skip


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


def test_a_hint_of_where_a_value_stands_is_its_path() -> None:
    place: Place = ("parameters", "stop")
    assert examine(FULL).with_value(place, Decimal("0.03")) == FULL.replace("stop: 0.02", "stop: 0.03")
