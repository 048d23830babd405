"""Code is written with real keys: indentation, comments, brackets, problems, find and replace, completions, colours."""

import threading
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QMimeData, QObject, QPoint, QPointF, Qt, QThreadPool
from PySide6.QtGui import QHelpEvent, QInputMethodEvent, QTextCharFormat, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QToolTip
from pytestqt.qtbot import QtBot

from sptrader_desktop.adapters.yaml_strategy import examine_strategy
from sptrader_desktop.present.code_words import Role
from sptrader_desktop.present.text_problems import Stretch, TextProblem
from sptrader_desktop.ui.editors.checker import Checker
from sptrader_desktop.ui.editors.code_edit import LARGEST, CodeEdit
from sptrader_desktop.ui.editors.find_bar import FindBar
from sptrader_desktop.ui.editors.gutter import Gutter
from sptrader_desktop.ui.editors.highlighter import colour_of, roles_of
from sptrader_desktop.ui.editors.problems_list import ProblemsList
from sptrader_desktop.ui.editors.python_edit import PythonEdit
from sptrader_desktop.ui.editors.yaml_edit import YamlEdit
from tests.indicator_markets import catalogue
from tests.strategy_texts import FULL

Key, Control, Shift = Qt.Key, Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def shown(qtbot: QtBot, edit: CodeEdit, text: str = "") -> CodeEdit:
    qtbot.addWidget(edit)
    edit.setPlainText(text)
    edit.resize(700, 400)
    edit.show()
    edit.setFocus()
    qtbot.waitUntil(edit.hasFocus)
    return edit


def put_cursor(edit: CodeEdit, text_before: str) -> None:
    cursor = edit.textCursor()
    cursor.setPosition(edit.position_of(edit.text().index(text_before) + len(text_before)))
    edit.setTextCursor(cursor)


# What is typed


@pytest.mark.parametrize(
    ("make", "before", "typed", "after"),
    [
        (YamlEdit, "entry:", "when:", "entry:\n  when:"),
        (YamlEdit, "  - when:", "x", "  - when:\n      x"),
        (YamlEdit, "  - buy", "x", "  - buy\n  x"),
        (YamlEdit, "risk: {", "a", "risk: {\n  a"),
        (PythonEdit, "def f():", "pass", "def f():\n    pass"),
        (PythonEdit, "    return 1", "x", "    return 1\nx"),
        (PythonEdit, "    a = 1  # if:", "x", "    a = 1  # if:\n    x"),
    ],
)
def test_enter_starts_the_line_where_the_next_word_belongs(
    qtbot: QtBot, make: Callable[[], CodeEdit], before: str, typed: str, after: str
) -> None:
    edit = shown(qtbot, make(), before)
    put_cursor(edit, before)
    QTest.keyClick(edit, Key.Key_Return)
    QTest.keyClicks(edit, typed)
    assert edit.text() == after


def test_tab_and_backspace_move_by_a_step_and_whole_selections_together(qtbot: QtBot) -> None:
    edit = shown(qtbot, PythonEdit(), "ab\ncd\n")
    QTest.keyClick(edit, Key.Key_Tab)
    assert edit.text() == "    ab\ncd\n"
    QTest.keyClick(edit, Key.Key_Backspace)
    assert edit.text() == "ab\ncd\n"
    edit.selectAll()
    QTest.keyClick(edit, Key.Key_Tab)
    assert edit.text() == "    ab\n    cd\n"
    QTest.keyClick(edit, Key.Key_Backtab, Shift)
    assert edit.text() == "ab\ncd\n"
    edit.undo()
    assert edit.text() == "    ab\n    cd\n"
    put_cursor(edit, "    a")
    QTest.keyClick(edit, Key.Key_Home)
    assert edit.offset() == 4
    QTest.keyClick(edit, Key.Key_Home)
    assert edit.offset() == 0


def test_comment_signs_come_and_go_in_one_step(qtbot: QtBot) -> None:
    text = "a:\n  b: 1\n\n  c: 2\n"
    edit = shown(qtbot, YamlEdit(), text)
    edit.selectAll()
    edit.toggle_comment()
    assert edit.text() == "# a:\n#   b: 1\n\n#   c: 2\n"
    edit.toggle_comment()
    assert edit.text() == text
    edit.undo()
    edit.undo()
    assert edit.text() == text


# Brackets


def test_brackets_are_marked_and_one_alone_in_the_colour_of_danger(qtbot: QtBot) -> None:
    edit = shown(qtbot, YamlEdit(), 'a: {b: "}"} # {\nc: [1')
    put_cursor(edit, "a: {")
    assert edit.marked("brackets") == ["{", "}"]
    assert edit.extraSelections()[0].cursor.selectionStart() == 3
    put_cursor(edit, "c: [")
    assert edit.marked("brackets") == ["["]
    put_cursor(edit, "# {")
    assert edit.marked("brackets") == []


# Text to the character


def test_the_text_is_kept_to_the_character(qtbot: QtBot) -> None:
    text = "a: x\u00a0y 😀\t\u200b\n\n b"
    edit = shown(qtbot, YamlEdit(), text)
    assert edit.text() == text
    put_cursor(edit, "😀")
    assert edit.offset() == text.index("😀") + 1
    edit.replace(Stretch(text.index("b"), text.index("b") + 1), "c")
    assert edit.text() == text.replace("b", "c")


def test_a_new_text_replaces_only_what_differs_and_can_be_undone(qtbot: QtBot) -> None:
    edit = shown(qtbot, YamlEdit(), "one\ntwo\nthree\n")
    put_cursor(edit, "three")
    edit.take_text("one\n2\nthree\n")
    assert edit.text() == "one\n2\nthree\n"
    assert edit.textCursor().block().text() == "three"
    edit.undo()
    assert edit.text() == "one\ntwo\nthree\n"


@given(old=st.text(alphabet="ab\n", max_size=12), new=st.text(alphabet="ab\n", max_size=12))
def test_any_text_becomes_any_other(old: str, new: str) -> None:
    edit = _offscreen()
    edit.setPlainText(old)
    edit.take_text(new)
    assert edit.text() == new
    edit.undo()
    assert edit.text() == old


_kept: list[CodeEdit] = []


def _offscreen() -> CodeEdit:
    QApplication.instance() or QApplication([])
    if not _kept:
        _kept.append(CodeEdit())
    return _kept[0]


def test_a_paste_that_is_too_large_is_refused_with_a_reason(qtbot: QtBot) -> None:
    edit = shown(qtbot, YamlEdit(), "a")
    source = QMimeData()
    source.setText("x" * LARGEST)
    with qtbot.waitSignal(edit.refused) as refused:
        edit.insertFromMimeData(source)
    assert "may hold one million" in refused.args[0]
    assert edit.text() == "a"
    source.setText("b\r\nc\rd")
    edit.insertFromMimeData(source)
    assert edit.text() == "b\nc\nda"


def test_a_large_paste_is_coloured_piece_by_piece_until_all_is(qtbot: QtBot) -> None:
    edit = shown(qtbot, PythonEdit())
    assert edit.highlighter is not None
    source = QMimeData()
    source.setText('x = 1  # one\n"""\n' + "in the text\n" * 6000 + '"""\ny = 2  # two')
    edit.insertFromMimeData(source)
    assert not edit.highlighter.is_done()
    qtbot.waitUntil(edit.highlighter.is_done)
    blocks = edit.document()
    assert roles_of(blocks.findBlockByNumber(5000))[0][2] == colour_of(Role.TEXT)
    assert roles_of(blocks.lastBlock())[-1][2] == colour_of(Role.COMMENT)


def test_a_text_that_is_opened_waits_for_none_of_its_colours(qtbot: QtBot) -> None:
    text = ("name: thing\nwhen: [a, b]  # note\n" * 40_000)[:LARGEST]

    def cost(edit: CodeEdit) -> float:
        began = time.thread_time()
        edit.setPlainText(text)
        return time.thread_time() - began

    assert cost(shown(qtbot, YamlEdit())) < cost(shown(qtbot, CodeEdit())) + 0.1


def test_lines_in_sight_are_coloured_before_those_above_them(qtbot: QtBot) -> None:
    edit = shown(qtbot, PythonEdit(), 'x = """\n' + "in a text\n" * 40_000 + '"""\ny = 2  # two')
    assert edit.highlighter is not None
    edit.verticalScrollBar().setValue(edit.verticalScrollBar().maximum())
    last = edit.document().lastBlock()
    qtbot.waitUntil(lambda: bool(roles_of(last)))
    assert roles_of(edit.document().findBlockByNumber(39_000)) == []
    qtbot.waitUntil(edit.highlighter.is_done)
    assert roles_of(last)[-1][2] == colour_of(Role.COMMENT)
    assert roles_of(edit.document().findBlockByNumber(39_000))[0][2] == colour_of(Role.TEXT)


def test_a_text_that_is_closed_gives_the_lines_below_their_colours_back(qtbot: QtBot) -> None:
    edit = shown(qtbot, PythonEdit(), "\n" + "x = 1\n" * 20_000)
    assert edit.highlighter is not None
    qtbot.waitUntil(edit.highlighter.is_done)
    last = edit.document().findBlockByNumber(20_000)
    QTest.keyClicks(edit, '"""')
    qtbot.waitUntil(edit.highlighter.is_done)
    assert roles_of(last)[0][:2] == (0, 5)
    edit.undo()
    qtbot.waitUntil(edit.highlighter.is_done)
    assert roles_of(last) == [(4, 1, colour_of(Role.NUMBER))]


def test_what_an_input_method_composes_moves_the_colours_behind_it(qtbot: QtBot) -> None:
    edit = shown(qtbot, YamlEdit(), "a: 1  # c")
    assert edit.highlighter is not None
    qtbot.waitUntil(edit.highlighter.is_done)
    comment = roles_of(edit.document().firstBlock())[-1]
    style = QTextCharFormat()
    style.setFontUnderline(True)
    drawn = QInputMethodEvent.Attribute(QInputMethodEvent.AttributeType.TextFormat, 0, 2, style)
    cursor = edit.textCursor()
    cursor.setPosition(4)
    edit.setTextCursor(cursor)
    QApplication.sendEvent(edit, QInputMethodEvent("日本", [drawn]))
    formats = edit.document().firstBlock().layout().formats()
    assert [(each.start, each.length) for each in formats if each.format.fontUnderline()] == [(4, 2)]
    assert (comment[0] + 2, *comment[1:]) in roles_of(edit.document().firstBlock())


# Problems


def wrong(text: str, word: str) -> TextProblem:
    start = text.index(word)
    return TextProblem(Stretch(start, start + len(word)), text.count("\n", 0, start) + 1, 1, f"{word} is wrong")


def test_problems_are_underlined_and_visited_in_turn(qtbot: QtBot) -> None:
    text = "a: one\nb: two\nc: three\n"
    edit = shown(qtbot, YamlEdit(), text)
    edit.show_problems([wrong(text, "one"), wrong(text, "three")])
    assert edit.marked("problems") == ["one", "three"]
    assert edit.lines_with_problems() == {0, 2}
    assert [(edit.next_problem(), edit.textCursor().selectedText())[1] for _ in range(3)] == ["one", "three", "one"]
    edit.next_problem(-1)
    assert edit.textCursor().selectedText() == "three"
    assert edit.help_here() == "three is wrong"


def test_the_mouse_and_f1_show_what_is_wrong_and_what_a_word_means(qtbot: QtBot) -> None:
    edit = yaml(qtbot, "exit:\n  time_exit: 48\n  nothing: 1\n")
    edit.show_problems([wrong(edit.text(), "nothing")])

    def shown_at(word: str) -> str:
        place = edit.cursorRect(edit.cursor_of(Stretch(edit.text().index(word) + 2, edit.text().index(word) + 3))).center()
        event = QHelpEvent(QEvent.Type.ToolTip, place, edit.viewport().mapToGlobal(place))
        QApplication.sendEvent(edit.viewport(), event)
        return QToolTip.text()

    assert shown_at("nothing") == "nothing is wrong"
    assert shown_at("time_exit").startswith("Closes at the n-th close")
    put_cursor(edit, "exi")
    edit.show_help()
    assert QToolTip.text() == "How positions end."
    QToolTip.hideText()


def test_a_click_beside_a_line_puts_the_cursor_there(qtbot: QtBot) -> None:
    edit = shown(qtbot, YamlEdit(), "one\ntwo\nthree\n")
    gutter = edit.findChild(Gutter)
    assert gutter is not None
    _, top, height = list(edit.visible_lines())[2]
    QTest.mouseClick(gutter, Qt.MouseButton.LeftButton, pos=QPoint(4, top + height // 2))
    assert edit.textCursor().block().text() == "three"


def test_the_list_of_problems_goes_where_a_row_is_chosen(qtbot: QtBot) -> None:
    problems = ProblemsList("All is well")
    qtbot.addWidget(problems)
    problems.show()
    problems.show_problems([])
    assert problems.headline.text() == "✓ All is well"
    assert not problems.view.isVisible()
    problems.show_problems([wrong("a b", "a"), wrong("a b", "b")])
    assert problems.headline.text().startswith("✗ 2 problems")
    problems.view.setCurrentIndex(problems.view.model().index(1, 0))
    with qtbot.waitSignal(problems.chosen) as chosen:
        QTest.keyClick(problems.view, Key.Key_Return)
    assert chosen.args[0].message == "b is wrong"


# Find and replace


def bar(qtbot: QtBot, edit: CodeEdit) -> FindBar:
    found = FindBar(edit)
    qtbot.addWidget(found)
    found.open(with_replace=True)
    found.find_field.clear()
    return found


def type_into(qtbot: QtBot, field: QLineEdit, text: str) -> None:
    field.clear()
    QTest.keyClicks(field, text)


def test_find_counts_goes_round_and_knows_case_words_and_patterns(qtbot: QtBot) -> None:
    edit = shown(qtbot, YamlEdit(), "stop Stop stopped\nstop😀 stop\n")
    found = bar(qtbot, edit)
    type_into(qtbot, found.find_field, "stop")
    qtbot.waitUntil(lambda: found.count_label.text() == "5 found")
    QTest.keyClick(found.find_field, Key.Key_Return)
    assert found.count_label.text() == "1 of 5"
    QTest.keyClick(found.find_field, Key.Key_Return, Shift)
    assert found.count_label.text() == "5 of 5"
    assert edit.textCursor().selectedText() == "stop"
    found.is_case.click()
    assert len(found.matches()) == 4
    found.is_word.click()
    assert len(found.matches()) == 3
    found.is_pattern.click()
    type_into(qtbot, found.find_field, "s(t|x)op$")
    found.search()
    assert [edit.text()[each.start : each.end] for each in found.matches()] == ["stop"]
    type_into(qtbot, found.find_field, "s(")
    found.search()
    assert found.count_label.text().startswith("not a pattern: ")
    QTest.keyClick(found.find_field, Key.Key_Escape)
    assert not found.isVisible()
    assert edit.marked("found") == []


def test_replace_all_is_one_step_to_undo_and_puts_groups_in_place(qtbot: QtBot) -> None:
    text = "a1 b2\nc3\n"
    edit = shown(qtbot, YamlEdit(), text)
    found = bar(qtbot, edit)
    found.is_pattern.click()
    type_into(qtbot, found.find_field, r"([a-z])(\d)")
    type_into(qtbot, found.replace_field, r"\2\1\7")
    button = found.findChild(QPushButton, "replaceAllButton")
    assert button is not None
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert edit.text() == "1a\\7 2b\\7\n3c\\7\n"
    assert found.count_label.text() == "3 replaced"
    edit.undo()
    assert edit.text() == text
    found.replace_one()
    found.replace_one()
    assert edit.text() == "1a\\7 b2\nc3\n"


def test_replace_all_means_also_those_that_are_too_many_to_be_shown(qtbot: QtBot) -> None:
    text = "stop 🙂\n" * 2100
    edit = shown(qtbot, YamlEdit(), text)
    found = bar(qtbot, edit)
    type_into(qtbot, found.find_field, "stop")
    type_into(qtbot, found.replace_field, "stopped")
    button = found.findChild(QPushButton, "replaceAllButton")
    assert button is not None
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert edit.text() == text.replace("stop", "stopped")
    assert found.count_label.text() == "2,100 replaced"
    edit.undo()
    assert edit.text() == text


def test_a_pattern_that_would_take_for_ever_gives_up(qtbot: QtBot) -> None:
    edit = shown(qtbot, YamlEdit(), "a" * 40 + "!")
    found = bar(qtbot, edit)
    found.is_pattern.click()
    type_into(qtbot, found.find_field, "(a+)+$")
    found.search()
    assert found.matches() == []


# Completions and zoom


def yaml(qtbot: QtBot, text: str) -> YamlEdit:
    edit = YamlEdit()
    edit.know_components(catalogue())
    edit.know_text(examine_strategy(FULL))
    shown(qtbot, edit, text)
    return edit


def test_completions_open_while_typing_and_enter_writes_the_choice(qtbot: QtBot) -> None:
    edit = yaml(qtbot, "entry:\n  ")
    put_cursor(edit, "entry:\n  ")
    edit.know_text(examine_strategy("name: x"))
    QTest.keyClicks(edit, "ac")
    assert edit.completions.names()[0] == "action"
    QTest.keyClick(edit, Key.Key_Return)
    assert edit.text() == "entry:\n  action: "
    assert not edit.completions.isVisible()
    edit.offer_completions()
    assert edit.completions.names()[:2] == ["buy", "sell"]
    QTest.keyClick(edit, Key.Key_Down)
    QTest.keyClick(edit, Key.Key_Tab)
    assert edit.text() == "entry:\n  action: sell"


def test_escape_closes_the_completions_and_only_them(qtbot: QtBot) -> None:
    edit = yaml(qtbot, "risk:\n  ")
    put_cursor(edit, "risk:\n  ")
    edit.offer_completions()
    edit.know_text(examine_strategy("name: x"))
    QTest.keyClicks(edit, "m")
    assert "max_position_size" in edit.completions.names()
    QTest.keyClick(edit, Key.Key_Escape)
    assert edit.completions.names() == []
    assert edit.text() == "risk:\n  m"
    QTest.keyClick(edit, Key.Key_Space)
    assert edit.completions.names() == []


def test_the_list_of_completions_never_leaves_the_editor(qtbot: QtBot) -> None:
    edit = yaml(qtbot, "\n" * 60)
    edit.know_text(examine_strategy("name: x"))
    for line in (1, 10, 60):
        edit.go_to_line(line)
        edit.offer_completions()
        assert edit.completions.isVisible()
        assert edit.rect().contains(edit.completions.geometry())


def test_the_wheel_with_control_zooms_and_the_text_keeps_its_family(qtbot: QtBot) -> None:
    edit = shown(qtbot, YamlEdit(), "a")
    size, family = edit.font().pixelSize(), edit.font().family()
    event = QWheelEvent(
        QPointF(20, 20), edit.mapToGlobal(QPointF(20, 20)), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton, Control,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(edit.viewport(), event)
    assert (edit.font().pixelSize(), edit.font().family()) == (size + 1, family)
    edit.zoom_by(-100)
    assert 0 < edit.font().pixelSize() < size
    edit.set_zoom(0)
    assert edit.font().pixelSize() == size


# Colours


def test_colours_are_no_edit(qtbot: QtBot) -> None:
    edit = shown(qtbot, YamlEdit(), "a: 1\n")
    assert edit.highlighter is not None
    with qtbot.assertNotEmitted(edit.edited):
        edit.highlighter.rehighlight()
    with qtbot.waitSignal(edit.edited):
        QTest.keyClicks(edit, "x")


# Checks while typing


def test_only_the_newest_text_is_answered_and_never_by_the_windows_thread(qtbot: QtBot) -> None:
    owner, threads, gate = QObject(), [], threading.Event()

    def check(text: str) -> str:
        threads.append(threading.current_thread())
        if text == "slow":
            gate.wait(10)
        return text.upper()

    answers: list[str] = []
    checker: Checker[str] = Checker(check, owner)
    checker.checked.connect(answers.append)
    checker.ask_now("slow")
    qtbot.waitUntil(lambda: len(threads) == 1)
    for text in ("a", "ab", "abc"):
        checker.ask(text)
    assert not checker.is_settled
    gate.set()
    qtbot.waitUntil(lambda: checker.is_settled)
    assert answers == ["ABC"]
    assert threading.main_thread() not in threads
    assert len(threads) == 2
    checker.ask_now("last")
    owner.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    qtbot.waitUntil(lambda: len(threads) == 3)
    QThreadPool.globalInstance().waitForDone()
    QApplication.processEvents()
    assert answers == ["ABC"]
