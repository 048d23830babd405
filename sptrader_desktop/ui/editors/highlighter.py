"""Colours the words of code as it is typed; of a large text so much at a time that the window stays alive."""

from time import perf_counter

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QColor, QTextBlock, QTextCharFormat, QTextLayout
from PySide6.QtWidgets import QPlainTextEdit

from sptrader_desktop.present.code_lines import Utf16
from sptrader_desktop.present.code_words import Coloured, Role, python_words, yaml_words
from sptrader_desktop.ui.theme.look import look

SLICE_S = 0.008
SERIES = {Role.TEXT: 4, Role.NUMBER: 1, Role.WORD: 2, Role.NAME: 0, Role.DEFINED: 5}


def colour_of(role: Role) -> QColor:
    if role in SERIES:
        return look().line_colour(SERIES[role])
    return look().colour("muted" if role is Role.COMMENT else "accent")


class Highlighter(QObject):
    """Colours lines from where the text changed: at once what fits into a slice, the rest in turns of the loop, and first what is in sight.

    Qt's own highlighter asks about every line of a text that is set or pasted before it goes on.
    """

    def __init__(self, edit: QPlainTextEdit) -> None:
        super().__init__(edit)
        self._edit, self._document = edit, edit.document()
        self._waiting: int | None = None  # the first line that is not coloured
        self._least = 0  # the last that has to be, whatever the lines before it end in
        self._ahead = -1  # first of those in sight that did not wait
        self._later = QTimer(self, interval=0, singleShot=True)
        self._later.timeout.connect(self._go_on)
        self._formats: dict[Role, QTextCharFormat] = {}
        self._document.contentsChange.connect(self._changed)
        self.take_look()

    def take_look(self) -> None:
        for role in Role:
            self._formats[role] = QTextCharFormat()
            self._formats[role].setForeground(self.colour(role))
        self.rehighlight()

    def rehighlight(self) -> None:
        self._wait(0, self._document.blockCount() - 1)

    def words(self, line: str, state: int) -> tuple[list[Coloured], int]:
        """What is coloured in a line that follows one of this state, and the state it ends in."""
        raise NotImplementedError

    def colour(self, role: Role) -> QColor:
        return colour_of(role)

    def is_done(self) -> bool:
        return self._waiting is None

    def _changed(self, at: int, _removed: int, added: int) -> None:
        first, last = self._document.findBlock(at), self._document.findBlock(at + added)
        least = (last if last.isValid() else self._document.lastBlock()).blockNumber()
        behind = self._colour(first, least)
        if self._waiting is not None:  # for lines that may have other numbers now
            self._wait(min(first.blockNumber(), self._waiting), self._document.blockCount() - 1)
        elif behind is not None:
            self._wait(behind, max(behind, least))

    def _wait(self, first: int, least: int) -> None:
        self._waiting, self._least, self._ahead = first, least, -1
        self._later.start()

    def _go_on(self) -> None:
        if self._waiting is None:
            return
        self._colour_in_sight(self._waiting)
        self._waiting = self._colour(self._document.findBlockByNumber(self._waiting), self._least)
        if self._waiting is not None:
            self._least = max(self._least, self._waiting)
            self._later.start()

    def _colour(self, block: QTextBlock, least: int) -> int | None:
        """Up to the line `least`, and beyond it while lines end in another state than before; the first line that found no time is told."""
        until, start, end = perf_counter() + SLICE_S, block.position(), block.position()
        is_due = block.isValid()
        while is_due and perf_counter() < until:
            before = block.userState()
            self._colour_line(block)
            is_due = block.blockNumber() < least or block.userState() != before
            end, block = block.position() + block.length(), block.next()
            is_due = is_due and block.isValid()
        self._document.markContentsDirty(start, end - start)
        return block.blockNumber() if is_due else None

    def _colour_in_sight(self, waiting: int) -> None:
        """Lines that are looked at do not wait for those above; these come to them in their turn, should a text begin there."""
        area = self._edit.viewport().rect()
        block, last = (self._edit.cursorForPosition(at).block() for at in (area.topLeft(), area.bottomLeft()))
        if not waiting < block.blockNumber() <= self._least or self._ahead == block.blockNumber():
            return
        self._ahead, start = block.blockNumber(), block.position()
        while block.isValid() and block.blockNumber() <= last.blockNumber():
            self._colour_line(block)
            block = block.next()
        self._document.markContentsDirty(start, last.position() + last.length() - start)

    def _colour_line(self, block: QTextBlock) -> None:
        text, layout = block.text(), block.layout()
        words, state = self.words(text, block.previous().userState())
        block.setUserState(state)
        composed = range(layout.preeditAreaPosition(), layout.preeditAreaPosition() + len(layout.preeditAreaText()))
        formats, places = [], Utf16(text)
        for start, length, role in words:
            first, end = places.position_of(start), places.position_of(start + length)
            formats.append(_format(*_around(composed, first, end), self._formats[role]))
        # What an input method composes in the line is drawn as it wants.
        known = layout.formats()
        kept = [each for each in known if composed and composed.start <= each.start < composed.stop]
        if formats or known:
            layout.setFormats([*formats, *kept])


def _around(composed: range, first: int, end: int) -> tuple[int, int]:
    """Where words of the text stand in a line that shows what is being composed as well."""
    shift = len(composed)
    return (first + shift if first >= composed.start else first), (end + shift if end > composed.start else end)


def _format(first: int, end: int, style: QTextCharFormat) -> QTextLayout.FormatRange:
    made = QTextLayout.FormatRange()
    made.start, made.length, made.format = first, end - first, style
    return made


class YamlHighlighter(Highlighter):
    def words(self, line: str, _state: int) -> tuple[list[Coloured], int]:
        return yaml_words(line), 0


class PythonHighlighter(Highlighter):
    def words(self, line: str, state: int) -> tuple[list[Coloured], int]:
        return python_words(line, state)


def roles_of(block: QTextBlock) -> list[tuple[int, int, QColor]]:
    """From, length and colour of what is coloured in a line, as it is painted."""
    return [(each.start, each.length, each.format.foreground().color()) for each in block.layout().formats()]
