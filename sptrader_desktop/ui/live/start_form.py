"""What a live session is started with."""

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from sptrader_desktop.ui.data.parts import button, choice, chosen, column, form, label, line, row, side_form
from sptrader_desktop.ui.live.live_desk import LiveDesk, LiveStart

TIMEFRAMES = ("1m", "5m", "15m", "30m", "1h", "4h", "1d")
WHAT = (
    "Trades one strategy on the paper broker, in a program of its own that goes on when this window closes. Prices come through the "
    "stream prices:live. Paper: no order reaches a market."
)


class StartForm(QWidget):
    startAsked = Signal(object)  # LiveStart

    def __init__(self, desk: LiveDesk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("liveStartForm")
        self._desk = desk
        self.strategy = choice("liveStrategy", "Strategy", (), "The strategy that trades")
        self.symbols = line("liveSymbols", "Symbols", "EURUSD GBPUSD", "What is traded, with a blank between two")
        self.timeframe = choice("liveTimeframe", "Timeframe", ((each, each) for each in TIMEFRAMES), "Of the candles built from prices")
        self.capital = line("liveCapital", "Capital in USD", "", "What a new account begins with; one that is there keeps its own")
        self.signals = choice(
            "liveSignals", "Signals", (("own", "Calculated here"), ("stream", "Only from signals:live")), "Where signals come from"
        )
        self.start = button("startLiveButton", "Start Live Trading", "Start the program that trades, on paper", "primary")
        self.said = label("")
        self.said.setObjectName("liveStartSaid")
        self.symbols.setText("EURUSD")
        self.capital.setText("10000")
        fields = form()
        for words, field in (
            ("Strategy", self.strategy),
            ("Symbols", self.symbols),
            ("Timeframe", self.timeframe),
            ("Capital, USD", self.capital),
            ("Signals", self.signals),
        ):
            fields.addRow(words, field)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(
            side_form(
                column(label("Live trading on paper", "title"), label(WHAT, "muted"), fields, row(self.start, 1), self.said, 1), "liveStart"
            )
        )
        self.start.clicked.connect(lambda _=False: self._ask())

    def refresh(self) -> None:
        """The strategies there are; the chosen one stays so."""
        before = chosen(self.strategy)
        self.strategy.clear()
        for path in self._desk.strategies():
            self.strategy.addItem(path.stem, str(path))
        place = self.strategy.findData(before)
        self.strategy.setCurrentIndex(max(0, place))

    def show_busy(self, words: str) -> None:
        """While it is started nothing can be asked twice."""
        self.start.setEnabled(False)
        self.said.setText(words)

    def show_ended(self, problem: str) -> None:
        self.start.setEnabled(True)
        self.said.setText(problem)

    def _ask(self) -> None:
        symbols = tuple(self.symbols.text().upper().replace(",", " ").split())
        strategy = chosen(self.strategy)
        if not strategy:
            self.said.setText("Choose a strategy: the navigator makes a new one from a template")
        elif not symbols:
            self.said.setText("Say which symbols are traded, such as EURUSD")
        else:
            own = chosen(self.signals) == "own"
            self.startAsked.emit(LiveStart(Path(strategy), symbols, chosen(self.timeframe), self.capital.text().strip(), own))
