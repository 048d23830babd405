"""Why the chosen bar did what it did: the explanation's own lines, part by part, passed and failed by mark, word and colour."""

from html import escape

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QTextBrowser, QVBoxLayout, QWidget

from sptrader_desktop.core.explained import Explanation
from sptrader_desktop.present.explanation import MARKS, explanation_parts
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.tokens import GRID

TONES = {MARKS[True]: "up", MARKS[False]: "down", MARKS[None]: "muted", "→": "accent"}
EMPTY = "Run a backtest, then click any bar of the chart: its conditions, checks and orders are told here."


class ExplainPane(QWidget):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("explainPane")
        self._shown: Explanation | str = EMPTY
        self._text = QTextBrowser()
        self._text.setObjectName("explainText")
        self._text.setAccessibleName("Explanation of the chosen bar")
        self._text.setOpenLinks(False)
        self._text.setFrameShape(QTextBrowser.Shape.NoFrame)
        self._text.document().setDocumentMargin(GRID * 3)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._text)
        self._paint()

    def show_explanation(self, explained: Explanation) -> None:
        self._shown = explained
        self._paint()

    def say(self, words: str) -> None:
        """Instead of an explanation: what will be here, or why it cannot."""
        self._shown = words
        self._paint()

    def text(self) -> str:
        return self._text.toPlainText()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._paint()
        super().changeEvent(event)

    def _paint(self) -> None:
        if isinstance(self._shown, str):
            self._text.setHtml(f'<p style="color:{_tone("muted")}">{escape(self._shown)}</p>')
        else:
            self._text.setHtml("".join(_part(heading, lines) for heading, *lines in explanation_parts(self._shown)))


def _part(heading: str, lines: list[str]) -> str:
    return f'<p style="margin:{GRID * 2}px 0 {GRID}px 0"><b>{escape(heading)}</b></p>' + "".join(map(_line, lines))


def _line(line: str) -> str:
    """An indent of two more is one level deeper."""
    words = line.strip()
    depth = max(0, (len(line) - len(line.lstrip())) // 2 - 1)
    tone = next((tone for mark, tone in TONES.items() if words.startswith(mark)), "text")
    return f'<p style="margin:0 0 {GRID // 2}px {GRID * 4 * depth}px; color:{_tone(tone)}">{escape(words)}</p>'


def _tone(role: str) -> str:
    return look().colour(role).name()
