"""Colours the words of code as it is typed; of a large paste so much at a time that the window stays alive."""

from time import perf_counter

from PySide6.QtCore import QTimer
from PySide6.QtGui import QColor, QSyntaxHighlighter, QTextBlock, QTextCharFormat, QTextDocument

from sptrader_desktop.present.code_lines import Utf16
from sptrader_desktop.present.code_words import Coloured, Role, python_words, yaml_words
from sptrader_desktop.ui.theme.look import look

SLICE_S = 0.008
SERIES = {Role.TEXT: 4, Role.NUMBER: 1, Role.WORD: 2, Role.NAME: 0, Role.DEFINED: 5}


def colour_of(role: Role) -> QColor:
    if role in SERIES:
        return look().line_colour(SERIES[role])
    return look().colour("muted" if role is Role.COMMENT else "accent")


class Highlighter(QSyntaxHighlighter):
    """Blocks that find no time in this turn of the loop get it in the next."""

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        self._until = 0.0
        self._waiting: int | None = None
        self._later = QTimer(self, interval=0, singleShot=True)
        self._later.timeout.connect(self._go_on)
        self._formats: dict[Role, QTextCharFormat] = {}
        self.take_look()

    def take_look(self) -> None:
        for role in Role:
            self._formats[role] = QTextCharFormat()
            self._formats[role].setForeground(self.colour(role))
        self._wait_from(0)

    def words(self, line: str, state: int) -> tuple[list[Coloured], int]:
        """What is coloured in a line that follows one of this state, and the state it ends in."""
        raise NotImplementedError

    def colour(self, role: Role) -> QColor:
        return colour_of(role)

    def highlightBlock(self, text: str) -> None:
        now = perf_counter()
        if not self._later.isActive():
            self._until = now + SLICE_S
            self._later.start()
        if now > self._until:
            self._wait_from(self.currentBlock().blockNumber())
            return
        words, state = self.words(text, self.previousBlockState())
        self.setCurrentBlockState(state)
        places = Utf16(text)
        for start, length, role in words:
            first = places.position_of(start)
            self.setFormat(first, places.position_of(start + length) - first, self._formats[role])

    def _wait_from(self, number: int) -> None:
        self._waiting = number if self._waiting is None else min(self._waiting, number)
        if not self._later.isActive():
            self._later.start()

    def _go_on(self) -> None:
        if self._waiting is None:
            return
        block, self._waiting = self.document().findBlockByNumber(self._waiting), None
        self._until = perf_counter() + SLICE_S
        self._later.start()
        while block.isValid() and perf_counter() < self._until:
            self.rehighlightBlock(block)
            block = block.next()
        if block.isValid():
            self._wait_from(block.blockNumber())

    def is_done(self) -> bool:
        return self._waiting is None


class YamlHighlighter(Highlighter):
    def words(self, line: str, _state: int) -> tuple[list[Coloured], int]:
        return yaml_words(line), 0


class PythonHighlighter(Highlighter):
    def words(self, line: str, state: int) -> tuple[list[Coloured], int]:
        return python_words(line, state)


def roles_of(block: QTextBlock) -> list[tuple[int, int, QColor]]:
    """From, length and colour of what is coloured in a line, as it is painted."""
    return [(each.start, each.length, each.format.foreground().color()) for each in block.layout().formats()]
