"""Keys that mean more in code than in prose: Enter, Tab, Backspace and Home; and the sign of a comment before chosen lines."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit

from sptrader_desktop.present.code_lines import indent_after, indent_of, toggled

Move, Mode = QTextCursor.MoveOperation, QTextCursor.MoveMode


def typed(edit: QPlainTextEdit, event: QKeyEvent, width: int) -> bool:
    """Whether the key was one of these, and is done."""
    is_plain = not event.modifiers() & ~(Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier)
    if not is_plain:
        return False
    match event.key():
        case Qt.Key.Key_Return | Qt.Key.Key_Enter:
            _new_line(edit, width)
        case Qt.Key.Key_Tab:
            _indent(edit, width)
        case Qt.Key.Key_Backtab:
            _change_lines(edit, [_outdented(line, width) for line in chosen_lines(edit)])
        case Qt.Key.Key_Backspace if not event.modifiers():
            return _back(edit, width)
        case Qt.Key.Key_Home:
            _home(edit, Mode.KeepAnchor if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else Mode.MoveAnchor)
        case _:
            return False
    return True


def toggle_comment(edit: QPlainTextEdit) -> None:
    if not edit.isReadOnly():
        _change_lines(edit, toggled(chosen_lines(edit)))


def chosen_lines(edit: QPlainTextEdit) -> list[str]:
    """Every line that the selection touches; one that it only ends before is not among them."""
    first, last = _first_and_last(edit)
    document = edit.document()
    return [document.findBlockByNumber(number).text() for number in range(first, last + 1)]


def _first_and_last(edit: QPlainTextEdit) -> tuple[int, int]:
    cursor, document = edit.textCursor(), edit.document()
    first, end = document.findBlock(cursor.selectionStart()), document.findBlock(cursor.selectionEnd())
    is_before = end.blockNumber() > first.blockNumber() and cursor.selectionEnd() == end.position()
    return first.blockNumber(), end.blockNumber() - is_before


def _change_lines(edit: QPlainTextEdit, lines: list[str]) -> None:
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


def _new_line(edit: QPlainTextEdit, width: int) -> None:
    cursor = edit.textCursor()
    block = edit.document().findBlock(cursor.selectionStart())
    before = block.text()[: cursor.selectionStart() - block.position()]
    cursor.insertText("\n" + indent_after(before, width))
    edit.setTextCursor(cursor)
    edit.ensureCursorVisible()


def _indent(edit: QPlainTextEdit, width: int) -> None:
    cursor = edit.textCursor()
    if cursor.hasSelection():
        _change_lines(edit, [" " * width + line if line.strip() else line for line in chosen_lines(edit)])
    else:
        cursor.insertText(" " * (width - cursor.positionInBlock() % width))


def _outdented(line: str, width: int) -> str:
    return line[1:] if line.startswith("\t") else line[min(width, len(line) - len(line.lstrip(" "))) :]


def _back(edit: QPlainTextEdit, width: int) -> bool:
    """In front of a line's first word a whole step of indentation goes."""
    cursor = edit.textCursor()
    column = cursor.positionInBlock()
    before = cursor.block().text()[:column]
    if cursor.hasSelection() or not before or before.strip(" "):
        return False
    cursor.movePosition(Move.PreviousCharacter, Mode.KeepAnchor, (column - 1) % width + 1)
    cursor.removeSelectedText()
    return True


def _home(edit: QPlainTextEdit, mode: QTextCursor.MoveMode) -> None:
    """To the first word, and from there to the margin."""
    cursor = edit.textCursor()
    first = len(indent_of(cursor.block().text()))
    column = 0 if cursor.positionInBlock() == first else first
    cursor.setPosition(cursor.block().position() + column, mode)
    edit.setTextCursor(cursor)
