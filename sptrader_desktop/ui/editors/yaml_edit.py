"""Where strategies are written: YAML with colours, completions from the language and the workspace, and help for every word."""

from collections.abc import Sequence

from PySide6.QtCore import QMimeData
from PySide6.QtWidgets import QWidget

from sptrader_desktop.core.components import Catalogue
from sptrader_desktop.present.navigator import MIME, Kind
from sptrader_desktop.present.strategy_completion import Candidate, StrategyWords
from sptrader_desktop.present.strategy_text import StrategyText
from sptrader_desktop.ui.editors.code_edit import CodeEdit
from sptrader_desktop.ui.editors.highlighter import Highlighter, YamlHighlighter


class YamlEdit(CodeEdit):
    indent_width = 2

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("yamlEdit")
        self.setAccessibleName("Strategy file")
        self.words = StrategyWords()
        self.wordTyped.connect(self._word_typed)

    def know_components(self, catalogue: Catalogue | None) -> None:
        self.words = StrategyWords(catalogue, self.words.known)

    def know_text(self, read: StrategyText) -> None:
        """The last reading that was whole serves on while the text is in pieces."""
        if read.data is not None:
            self.words = StrategyWords(self.words.catalogue, read)

    def make_highlighter(self) -> Highlighter:
        return YamlHighlighter(self)

    def candidates(self, offset: int) -> tuple[int, Sequence[Candidate]]:
        return self.words.candidates(self.text(), offset)

    def help_at(self, offset: int) -> str:
        return self.words.help_at(self.text(), offset)

    def insertFromMimeData(self, source: QMimeData) -> None:
        """A component dragged here from the navigator is its name; other things from there are no text."""
        kind, _, key = bytes(source.data(MIME).data()).decode().partition("\n")
        if not kind:
            super().insertFromMimeData(source)
        elif kind in {Kind.SIGNAL.value, Kind.INDICATOR.value}:
            self.textCursor().insertText(key)

    def _word_typed(self) -> None:
        """While a word is being typed, and not before or behind one."""
        offset = self.offset()
        if self.text()[max(0, offset - 1) : offset].strip(" \n{}[],:\"'#-") and not self.text()[offset : offset + 1].isalnum():
            self.offer_completions()
        else:
            self.completions.hide()
