"""The figures of a run as tiles, as many in a row as the width has room for; each is defined under the pointer."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from sptrader_desktop.present.metric_words import Figure, MetricWord
from sptrader_desktop.present.numbers import NONE
from sptrader_desktop.ui.theme.roles import Tone
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.tile import Tile

LEAST_WIDTH = 40 * GRID
MOST_COLUMNS = 8
TONES: dict[int, Tone] = {1: "up", -1: "down", 0: ""}


class MetricTiles(QWidget):
    """Tab comes to one of them, arrows go from one to the next."""

    reached = Signal(QWidget)

    def __init__(self, words: Sequence[MetricWord], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("metricTiles")
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(2 * GRID)
        self._words, self._columns = words, 0
        self._tiles = [Tile(word.title, f"{word.title}: {word.meaning}") for word in words]
        for word, tile in zip(words, self._tiles, strict=True):
            tile.setObjectName(f"tile_{word.path.replace('.', '_')}")
        for tile in self._tiles[1:]:
            tile.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._arrange(4)

    def put(self, figures: Sequence[Figure], currency: str) -> None:
        for word, tile, value in zip(self._words, self._tiles, figures, strict=True):
            text = word.text(value, currency)
            shown, _, unit = text.partition(" ") if text != NONE else (NONE, "", "")
            tile.show_value(shown, unit, TONES[word.tone(value)])

    def fit(self, width: int) -> None:
        self._arrange(max(2, min(MOST_COLUMNS, width // LEAST_WIDTH)))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -self._columns, Qt.Key.Key_Down: self._columns}
        at = next((place for place, tile in enumerate(self._tiles) if tile.hasFocus()), None)
        step = steps.get(Qt.Key(event.key()))
        if at is None or step is None or not 0 <= at + step < len(self._tiles):
            super().keyPressEvent(event)
            return
        self._tiles[at].setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        wanted = self._tiles[at + step]
        wanted.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        wanted.setFocus(Qt.FocusReason.TabFocusReason)
        self.reached.emit(wanted)

    def _arrange(self, columns: int) -> None:
        if columns == self._columns:
            return
        self._columns = columns
        for column in range(MOST_COLUMNS):
            self._grid.setColumnStretch(column, 1 if column < columns else 0)
        for place, tile in enumerate(self._tiles):
            self._grid.addWidget(tile, place // columns, place % columns)
