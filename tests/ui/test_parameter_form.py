"""The form beside a strategy: in step with the text both ways, one value at a time, and never against what is valid."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox
from pytestqt.qtbot import QtBot

from sptrader_desktop.present.strategy_form import form_rows
from sptrader_desktop.ui.editors.form_fields import NumberField
from sptrader_desktop.ui.editors.strategy_editor import StrategyEditor
from tests.indicator_markets import catalogue
from tests.strategy_texts import FULL
from tests.ui.editors import examine, open_editor, settle, type_at

Key = Qt.Key


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "everything.yaml"
    path.write_text(FULL, encoding="utf-8")
    return path


@pytest.fixture
def opened(qtbot: QtBot, path: Path) -> StrategyEditor:
    return open_editor(qtbot, path)


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


TWO_WAYS = "a comma before three digits can be read two ways: write 1000 or 1.000"


def test_what_is_no_valid_number_is_said_and_not_written(qtbot: QtBot, opened: StrategyEditor) -> None:
    stop = number(opened, "parameters", "stop")
    stop.line.setFocus()
    for typed, said in (
        ("x", "must be a number"),
        ("200", "must be above 0 % and below 100 %"),
        ("", "must be a number"),
        ("1,000", TWO_WAYS),
    ):
        stop.line.selectAll()
        QTest.keyClicks(stop.line, typed) if typed else QTest.keyClick(stop.line, Key.Key_Delete)
        assert stop.fault.text() == said
        assert opened.edit.text() == FULL
    QTest.keyClick(stop.line, Key.Key_Return)
    assert (stop.line.text(), stop.fault.text()) == ("1,000", TWO_WAYS)
    opened.edit.setFocus()
    assert (stop.line.text(), stop.fault.text()) == ("1,000", TWO_WAYS)
    type_at(opened, "author: somebody", "!")
    settle(qtbot, opened)
    assert (stop.line.text(), stop.fault.text()) == ("1,000", TWO_WAYS)
    stop.line.setFocus()
    stop.line.selectAll()
    QTest.keyClick(stop.line, Key.Key_Delete)
    QTest.keyClick(stop.line, Key.Key_Return)
    assert (stop.line.text(), stop.fault.text()) == ("2", "")
    QTest.keyClicks(stop.line, ",5")
    QTest.keyClick(stop.line, Key.Key_Return)
    assert (stop.line.text(), stop.fault.text()) == ("2,5", "")


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
