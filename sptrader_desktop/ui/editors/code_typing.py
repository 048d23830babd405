"""Keys that mean more in code than in prose: Enter, Tab, Backspace and Home; and the sign of a comment before chosen lines."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QTextCursor

from sptrader_desktop.present.code_lines import indent_after, indent_of, toggled

if TYPE_CHECKING:
    from sptrader_desktop.ui.editors.code_edit import CodeEdit

Move, Mode = QTextCursor.MoveOperation, QTextCursor.MoveMode


def typed(edit: "CodeEdit", event: QKeyEvent) -> bool:
    """Whether the key was one of these, and is done."""
    is_plain = not event.modifiers() & ~(Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier)
    if not is_plain:
        return False
    match event.key():
        case Qt.Key.Key_Return | Qt.Key.Key_Enter:
            _new_line(edit)
        case Qt.Key.Key_Tab:
            _indent(edit)
        case Qt.Key.Key_Backtab:
            _change_lines(edit, [_outdented(line, edit.indent_width) for line in chosen_lines(edit)])
        case Qt.Key.Key_Backspace if not event.modifiers():
            return _back(edit)
        case Qt.Key.Key_Home:
            _home(edit, Mode.KeepAnchor if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else Mode.MoveAnchor)
        case _:
            return False
    return True


def toggle_comment(edit: "CodeEdit") -> None:
    if not edit.isReadOnly():
        _change_lines(edit, toggled(chosen_lines(edit)))


def chosen_lines(edit: "CodeEdit") -> list[str]:
    """Every line that the selection touches; one that it only ends before is not among them."""
    first, last = _first_and_last(edit)
    document = edit.document()
    return [document.findBlockByNumber(number).text() for number in range(first, last + 1)]


def _first_and_last(edit: "CodeEdit") -> tuple[int, int]:
    cursor, document = edit.textCursor(), edit.document()
    first, end = document.findBlock(cursor.selectionStart()), document.findBlock(cursor.selectionEnd())
    is_before = end.blockNumber() > first.blockNumber() and cursor.selectionEnd() == end.position()
    return first.blockNumber(), end.blockNumber() - is_before


def _change_lines(edit: "CodeEdit", lines: list[str]) -> None:
    """One step to undo, and the same lines are chosen afterwards."""
    first, last = _first_and_last(edit)
    old, document, had_selection = chosen_lines(edit), edit.document(), edit.textCursor().hasSelection()
    if lines == old:
        return
    column = edit.textCursor().positionInBlock()
    start = document.findBlockByNumber(first).position()
    cursor = QTextCursor(document)
    cursor.setPosition(start)
    end = document.findBlockByNumber(last)
    cursor.setPosition(end.position() + end.length() - 1, Mode.KeepAnchor)
    cursor.insertText("\n".join(lines))
    after = document.findBlockByNumber(last)
    if had_selection:
        cursor.setPosition(start)
        cursor.setPosition(after.position() + after.length() - 1, Mode.KeepAnchor)
    else:
        moved = column + after.length() - 1 - len(old[-1])
        cursor.setPosition(after.position() + min(max(moved, 0), after.length() - 1))
    edit.setTextCursor(cursor)


def _new_line(edit: "CodeEdit") -> None:
    cursor = edit.textCursor()
    before = cursor.block().text()[: min(cursor.selectionStart() - cursor.document().findBlock(cursor.selectionStart()).position(), 10_000)]
    first = cursor.document().findBlock(cursor.selectionStart()).text()
    cursor.insertText("\n" + indent_after(first[: len(before)], edit.indent_width))
    edit.setTextCursor(cursor)
    edit.ensureCursorVisible()


def _indent(edit: "CodeEdit") -> None:
    cursor = edit.textCursor()
    if cursor.hasSelection():
        _change_lines(edit, [" " * edit.indent_width + line if line.strip() else line for line in chosen_lines(edit)])
    else:
        cursor.insertText(" " * (edit.indent_width - cursor.positionInBlock() % edit.indent_width))


def _outdented(line: str, width: int) -> str:
    return line[1:] if line.startswith("\t") else line[min(width, len(line) - len(line.lstrip(" "))) :]


def _back(edit: "CodeEdit") -> bool:
    """In front of a line's first word a whole step of indentation goes."""
    cursor = edit.textCursor()
    column = cursor.positionInBlock()
    before = cursor.block().text()[:column]
    if cursor.hasSelection() or not before or before.strip(" "):
        return False
    cursor.movePosition(Move.PreviousCharacter, Mode.KeepAnchor, (column - 1) % edit.indent_width + 1)
    cursor.removeSelectedText()
    return True


def _home(edit: "CodeEdit", mode: QTextCursor.MoveMode) -> None:
    """To the first word, and from there to the margin."""
    cursor = edit.textCursor()
    first = len(indent_of(cursor.block().text()))
    column = 0 if cursor.positionInBlock() == first else first
    cursor.setPosition(cursor.block().position() + column, mode)
    edit.setTextCursor(cursor)
