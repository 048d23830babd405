"""Completes the word that is being typed in a line of several, such as the further symbols of a portfolio."""

from collections.abc import Iterable

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QStringListModel, Qt
from PySide6.QtWidgets import QCompleter


class WordCompleter(QCompleter):
    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._words = QStringListModel(self)
        self._line = ""
        self.setModel(self._words)
        self.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)

    def offer(self, words: Iterable[str]) -> None:
        self._words.setStringList(list(words))

    def splitPath(self, path: str) -> list[str]:
        self._line = path
        return [path.replace(",", " ").rpartition(" ")[2]]

    def pathFromIndex(self, index: QModelIndex | QPersistentModelIndex) -> str:
        typed = self.splitPath(self._line)[0]
        return self._line.removesuffix(typed) + str(index.data())
