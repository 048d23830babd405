"""Free history from vendors. What was fetched stays however it ends, and the same question goes on from there."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCompleter, QHBoxLayout, QWidget

from sptrader_desktop.present.datasets import TICKS
from sptrader_desktop.present.download_form import VENDORS, Vendor
from sptrader_desktop.ui.data.data_desk import CATALOGUE, FOLDER, POSTGRES, DataDesk, DownloadAsked
from sptrader_desktop.ui.data.data_work import DataWork
from sptrader_desktop.ui.data.parts import Foot, ReplaceBox, button, choice, chosen, column, form, label, line, row, side_form

STOPPED = "Stopped; the files that were fetched are kept, and the same download goes on from there"
RESUMES = (
    "Files that were fetched stay on this computer: stopped or broken off, the same download goes on where it was, "
    "and a longer range fetches only what is new."
)


class DownloadPanel(QWidget):
    kept = Signal()

    def __init__(self, desk: DataDesk, work: DataWork, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("downloadPanel")
        self._desk, self._work = desk, work
        self.foot = Foot("download")
        self._build(desk.symbols())
        self._show_vendor()

    def asked(self) -> DownloadAsked:
        return DownloadAsked(
            self._vendor().key,
            chosen(self.symbol).upper(),
            chosen(self.timeframe),
            self.start.text().strip(),
            self.end.text().strip(),
            self.address.text().strip(),
            chosen(self.place),
            self.replace.isChecked(),
        )

    def _fetch(self) -> None:
        if not self.fetch.isEnabled():
            return  # by the Return key, while one is at work
        asked = self.asked()
        for words, value, field in (("From", asked.start, self.start), ("To", asked.end, self.end)):
            if not value:
                self.foot.say(f"{words} is empty: give a day like 2024-01-02", "danger")
                field.setFocus(Qt.FocusReason.OtherFocusReason)
                return
        self.fetch.setEnabled(False)
        title = f"fetching {asked.symbol} {asked.timeframe} of {self._vendor().name}"
        work = self._work
        work.start(
            "download",
            title,
            lambda report: self._desk.download(asked, report),
            self._done,
            self.foot,
            STOPPED,
            self._failed,
            late=self._kept_late,
            over=lambda: self.fetch.setEnabled(True),
        )

    def _done(self, sentence: str) -> None:
        self.foot.say(sentence, "up")
        self.replace.take_back()
        self.kept.emit()

    def _kept_late(self, sentence: str) -> None:
        if not self._work.is_at_work("download"):
            self.foot.say(f"It was done before it could be stopped: {sentence}", "warning")
        self.kept.emit()

    def _failed(self, sentence: str) -> None:
        if not self.replace.offer(sentence):
            self.replace.take_back()

    def _vendor(self) -> Vendor:
        return next(vendor for vendor in VENDORS if vendor.key == chosen(self.vendor))

    def _show_vendor(self) -> None:
        vendor, before = self._vendor(), chosen(self.timeframe)
        self.gives.setText(vendor.gives)
        self.terms.setText(vendor.terms)
        self.timeframe.clear()
        for each in vendor.timeframes:
            self.timeframe.addItem("Ticks" if each == TICKS else each, each)
        place = self.timeframe.findData(before)
        self.timeframe.setCurrentIndex(max(0, place))
        self._show_place()

    def _show_place(self) -> None:
        """Quotes are a file: neither the catalogue nor the database holds them."""
        is_ticks = chosen(self.timeframe) == TICKS
        self.place.setEnabled(not is_ticks)
        if is_ticks:
            self.place.setCurrentIndex(self.place.findData(FOLDER))

    def _build(self, symbols: Sequence[str]) -> None:
        self.vendor = choice("downloadVendor", "Vendor", ((vendor.key, vendor.name) for vendor in VENDORS))
        self.symbol = choice("downloadSymbol", "Symbol", ((name, name) for name in symbols), is_open=True)
        self.symbol.setCurrentIndex(max(0, self.symbol.findData("EURUSD")))
        completer = self.symbol.completer()
        if completer is not None:
            completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        self.timeframe = choice("downloadTimeframe", "Timeframe", (), "Any that makes whole bars may be typed", is_open=True)
        self.start = line("downloadFrom", "From", "2024-01-02", "The first bar's open, UTC, inclusive")
        self.end = line("downloadTo", "To", "2024-06-01", "Bars opening before this, UTC")
        self.address = line("downloadAddress", "Mirror", "the vendor's own", "The address of a mirror of the vendor's files")
        places = ((CATALOGUE, "Catalogue"), (FOLDER, "New Parquet file in the workspace"), (POSTGRES, "PostgreSQL, replacing bars"))
        self.place = choice("downloadPlace", "Keep in", places)
        self.replace = ReplaceBox("downloadReplace")
        self.fetch = button("downloadButton", "Download", "", "primary")
        self.gives, self.terms = label("", "muted"), label("", "muted")
        self.terms.setObjectName("downloadTerms")
        answers = form()
        for text, field in (
            ("Vendor", self.vendor),
            ("Symbol", self.symbol),
            ("Timeframe", self.timeframe),
            ("From", self.start),
            ("To", self.end),
            ("Keep in", self.place),
            ("Mirror", self.address),
        ):
            answers.addRow(text, field)
        answers.addRow(self.replace)
        self.vendor.currentIndexChanged.connect(lambda _: self._show_vendor())
        self.timeframe.currentIndexChanged.connect(lambda _: self._show_place())
        self.fetch.clicked.connect(lambda _=False: self._fetch())
        for field in (self.start, self.end, self.address):
            field.returnPressed.connect(self._fetch)
            field.textChanged.connect(lambda _: self.replace.take_back())  # what was allowed was allowed for other candles
        for box in (self.vendor, self.symbol, self.timeframe, self.place):
            box.currentTextChanged.connect(lambda _: self.replace.take_back())
        self.foot.cancelAsked.connect(lambda: self._work.cancel("download"))
        whole = QHBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(side_form(column(answers, row(self.fetch, 1), 1), "downloadAnswers"))
        told = QWidget()
        told.setLayout(
            column(
                label("What it gives", "title"),
                self.gives,
                label("Terms", "title"),
                self.terms,
                label("It goes on", "title"),
                label(RESUMES, "muted"),
                self.foot,
                1,
            )
        )
        whole.addWidget(told, 1)
