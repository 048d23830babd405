"""An editor of a strategy as tests open one: over real files, with a real keeper, and what a person does in it."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from sptrader_desktop.adapters.text_drafts import TextDrafts
from sptrader_desktop.adapters.yaml_strategy import examine_strategy
from sptrader_desktop.present.strategy_text import StrategyText
from sptrader_desktop.ui.editors.strategy_editor import StrategyEditor
from tests.indicator_markets import catalogue


def examine(text: str) -> StrategyText:
    return examine_strategy(text, catalogue())


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
    QTest.keyClick(editor.edit, Qt.Key.Key_Escape)
