"""Figures as tiles: a name, a value with its unit, and the definition under the pointer."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QVBoxLayout, QWidget

from sptrader_desktop.present.metric_words import METRICS, Figure, MetricWord
from sptrader_desktop.ui.results.picture import tone
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.tokens import BODY, GRID, TITLE

LEAST_WIDTH = 36 * GRID


class MetricTile(QFrame):
    def __init__(self, word: MetricWord, *, is_main: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"tile_{word.path.replace('.', '_')}")
        self.setProperty("role", "tile")
        self.setToolTip(f"{word.title}: {word.meaning}")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._word, self._size, self._tone = word, TITLE if is_main else BODY, 0
        title, self._value = QLabel(word.title), QLabel()
        title.setProperty("role", "muted")
        self._value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        layout.setSpacing(0)
        layout.addWidget(title)
        layout.addWidget(self._value)

    @property
    def text(self) -> str:
        return self._value.text()

    def put(self, value: Figure, currency: str) -> None:
        self._tone = self._word.tone(value)
        self._value.setText(self._word.text(value, currency))
        self.setAccessibleName(f"{self._word.title}: {self._value.text()}")
        self.setAccessibleDescription(self._word.meaning)
        self.paint_value()

    def paint_value(self) -> None:
        self._value.setFont(look().font(self._size, bold=True))
        palette = self._value.palette()
        palette.setColor(self._value.foregroundRole(), tone(self._tone) if self._tone else look().colour("text"))
        self._value.setPalette(palette)


class MetricTiles(QWidget):
    """As many in a row as the width has room for."""

    def __init__(self, words: Sequence[MetricWord] = METRICS, main: int = 0, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("metricTiles")
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(2 * GRID)
        self._tiles = [MetricTile(word, is_main=place < main) for place, word in enumerate(words)]
        self._words, self._columns = words, 0
        self._arrange(4)

    def put(self, figures: Sequence[Figure], currency: str) -> None:
        for tile, value in zip(self._tiles, figures, strict=True):
            tile.put(value, currency)

    def paint_values(self) -> None:
        for tile in self._tiles:
            tile.paint_value()

    def fit(self, width: int) -> None:
        self._arrange(max(2, min(8, width // LEAST_WIDTH)))

    def _arrange(self, columns: int) -> None:
        if columns == self._columns:
            return
        self._columns = columns
        for column in range(8):
            self._grid.setColumnStretch(column, 1 if column < columns else 0)
        for place, tile in enumerate(self._tiles):
            self._grid.addWidget(tile, place // columns, place % columns)
