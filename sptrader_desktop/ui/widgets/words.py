"""Words of others, such as files, servers and components: shown letter by letter, and never as the HTML that they may look like."""

from html import escape

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget


class Words(QLabel):
    def __init__(self, text: str = "", parent: QWidget | None = None, *, wraps: bool = False) -> None:
        super().__init__(text, parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(wraps)


def tip(text: str) -> str:
    """For tooltips, which have no format of their own: Qt guesses by the signs that begin a tag."""
    return f"<p style='white-space:pre'>{escape(text)}</p>" if "<" in text or "&lt;" in text else text
