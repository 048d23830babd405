"""In which timeframe the chosen candles are run: their own, or a longer one that is made of them."""

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QLabel

from sptrader_desktop.core.errors import DataError
from sptrader_desktop.present.chart_timeframes import is_as_long, longer_timeframes
from sptrader_desktop.ui.theme.roles import give
from sptrader_desktop.ui.widgets.choice_box import ChoiceBox


class TimeframeChoice(ChoiceBox):
    """What was chosen stays wanted where other candles cannot give it: those run as they are, which `note` says."""

    chosen = Signal()  # another one is run

    def __init__(self) -> None:
        super().__init__()
        self.wanted, self._own = "", ""
        self.note = QLabel()
        self.note.setObjectName("timeframeNote")
        give(self.note, role="small", tone="warning")
        self.note.setWordWrap(True)
        self._fill()
        self.currentIndexChanged.connect(self._take)
        self.activated.connect(self._settle)  # also where what was there already is chosen

    @property
    def longer(self) -> str:
        """Empty where the candles run as they are, unless it was their own timeframe that was asked for."""
        return str(self.currentData() or "")

    def offer(self, own: str) -> None:
        """Longer ones than this; told to nobody."""
        self._own = own
        self._fill()

    def want(self, timeframe: str) -> None:
        before, self.wanted = self.longer, timeframe
        self._fill()
        if self.longer != before:
            self.chosen.emit()

    def _fill(self) -> None:
        try:
            offered = longer_timeframes(self._own, self.wanted) if self._own else ()
        except DataError:  # of a file whose name says none: the run tells
            offered = ()
        blocker = QSignalBlocker(self)
        self.clear()
        own = self.wanted if is_as_long(self.wanted, self._own) else ""
        self.addItem(f"{self._own} · as the candles" if self._own else "As the candles", own)
        for timeframe in offered:
            self.addItem(timeframe, timeframe)
        self.setCurrentIndex(max(0, self.findData(self.wanted)))
        blocker.unblock()
        is_missed = bool(self._own and self.wanted and not self.longer)
        self.note.setText(f"{self.wanted} cannot be made of {self._own} candles: they run as they are" if is_missed else "")
        self.note.setVisible(is_missed)

    def _take(self) -> None:
        self._settle()
        self.chosen.emit()

    def _settle(self) -> None:
        self.wanted = self.longer
        self.note.hide()
