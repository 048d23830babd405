"""One word in a frame, such as PAPER or STALE: the word says it, the tone repeats it."""

from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from sptrader_desktop.ui.theme.roles import Tone, give


class Badge(QLabel):
    def __init__(self, word: str = "", tone: Tone = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        give(self, role="badge")
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.show_word(word, tone)

    def show_word(self, word: str, tone: Tone = "", tip: str = "") -> None:
        """Without a word there is no badge."""
        self.setText(word)
        self.setToolTip(tip)
        self.setAccessibleName(word)
        self.setAccessibleDescription(tip)
        give(self, tone=tone)
        self.setVisible(bool(word))
