"""What candles there are: search them, open one as a chart, look into it, make longer candles of it, or delete it."""

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from sptrader_desktop.core.errors import DataError
from sptrader_desktop.present.datasets import DatasetRow, dataset_columns
from sptrader_desktop.present.navigator import Item, dataset_item
from sptrader_desktop.present.selection import Selection
from sptrader_desktop.ui.data.data_desk import CATALOGUE, FOLDER, DataDesk
from sptrader_desktop.ui.data.data_work import DataWork, forget
from sptrader_desktop.ui.data.parts import FaultNotice, Foot, ReplaceBox, button, choice, chosen, column, label, line, row
from sptrader_desktop.ui.desk import Series
from sptrader_desktop.ui.file_actions import reveal, throw_away
from sptrader_desktop.ui.tables.data_table import DataTable
from sptrader_desktop.ui.theme.roles import give
from sptrader_desktop.ui.theme.tokens import GRID

EMPTY = "Candles from files of the workspace, the catalogue and PostgreSQL are listed here. Import a file, or download free history."
LONGER = ("5m", "15m", "30m", "1h", "4h", "1d", "1w")


class DatasetsPanel(QWidget):
    seriesAsked = Signal(object)  # Series
    doctorAsked = Signal(object)  # DatasetRow
    importAsked = Signal()

    def __init__(self, desk: DataDesk, work: DataWork, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("datasetsPanel")
        self._desk, self._work, self._selection = desk, work, selection
        self.rows: Sequence[DatasetRow] = ()
        self.table = DataTable("datasets", "Datasets", EMPTY, "Import a File…", self, drawing="database", headline="No candles yet")
        self.faults = FaultNotice("datasetsFaults", self)
        self.foot, self.looking = Foot("datasets", self), Foot("datasetsList", self)
        self._build()
        self._join()
        self._show_chosen()

    # The list

    def refresh(self) -> None:
        """Anew from the disk; what was counted before and did not change is not counted again."""
        self._work.start("list", "looking for candles", self._desk.datasets, self._show, self.looking, late=forget)

    def _show(self, rows: Sequence[DatasetRow]) -> None:
        before, is_first = self.chosen(), not self.rows
        self.rows = tuple(item for item in rows if not item.is_fault)
        self.faults.say([f"{item.place} is left out of this list. {item.problem}" for item in rows if item.is_fault])
        self.table.put(dataset_columns(self.rows, self._selection.zone.value))
        again = next((at for at, item in enumerate(self.rows) if before and _same(item, before)), 0 if is_first and self.rows else None)
        if again is None:
            self.table.choose_none()  # what is done next must not be done to another
        else:
            self.table.choose(again)
        if before is None or again is None:
            self._leave_row()
        self._show_chosen()

    def chosen(self) -> DatasetRow | None:
        place = self.table.current
        return self.rows[place] if place is not None and place < len(self.rows) else None

    def _show_chosen(self) -> None:
        item = self.chosen()
        self.details.setText(item.sentence() if item else "")
        give(self.details, tone="warning" if item and item.problem else "")
        for each in (self.open, self.inspect):
            each.setEnabled(item is not None and item.is_candles)
        self.resample.setEnabled(item is not None and not item.problem)
        self.reveal.setEnabled(item is not None and bool(item.path))
        self.delete.setEnabled(item is not None and (bool(item.path) or (item.where == "catalogue" and not item.problem)))
        self.delete.setText("Move to Trash" if item and item.path else "Delete…")

    def _leave_row(self) -> None:
        """What was begun or allowed was so for another."""
        self._confirm.hide()
        self.replace.take_back()

    # What is done with one

    def open_chosen(self) -> None:
        item = self.chosen()
        if item is not None and item.is_candles:
            self.seriesAsked.emit(series_of(item))

    def _inspect(self) -> None:
        item = self.chosen()
        if item is not None:
            self.doctorAsked.emit(item)

    def _resample(self) -> None:
        item, timeframe, place = self.chosen(), chosen(self.timeframe), chosen(self.place)
        if item is not None:
            title = f"making {timeframe} candles of {item.name}"
            replace = self.replace.isChecked()
            work = partial(self._desk.resample, item, timeframe, place, replace)
            self._work.start("resample", title, lambda _: work(), self._done, self.foot, failed=self.replace.offer)

    def _reveal(self) -> None:
        item = self.chosen()
        if item is not None and item.path:
            self._on_file(item, reveal, "")

    def _delete(self) -> None:
        item = self.chosen()
        if item is None:
            return
        if item.path:
            self._throw_away(item)
            return
        self._confirm.show()
        self.confirm_text.clear()
        self._asked_to_confirm.setText(f"Delete {item.rows or 0:,} bars of {item.name} from the catalogue for good? Type {item.name}")
        self.confirm_text.setFocus(Qt.FocusReason.OtherFocusReason)

    def _throw_away(self, item: DatasetRow) -> None:
        self._on_file(item, throw_away, f"{item.name} is in the trash of your system and can be fetched back from there")
        self._work.changed.emit()

    def _on_file(self, item: DatasetRow, act: Callable[[Item], None], done: str) -> None:
        try:
            act(dataset_item(item.symbol, item.timeframe, item.path, item.where))
        except DataError as error:
            self.foot.say(str(error), "danger")
        else:
            self.foot.say(done, "up")

    def _confirmed(self) -> None:
        item = self.chosen()
        if item is not None and self.confirm_text.text().strip() == item.name:
            self._confirm.hide()
            self._work.start("delete", f"deleting {item.name}", lambda _: self._desk.remove(item), self._done, self.foot)

    def _done(self, sentence: str) -> None:
        self.replace.take_back()
        self.foot.say(sentence, "up")
        self._work.changed.emit()

    # Building

    def _build(self) -> None:
        self.details = label("", "muted")
        self.details.setObjectName("datasetDetails")
        self.open = button("datasetOpenButton", "Open as Chart", "Show its candles (Return)", "primary")
        self.inspect = button("datasetInspectButton", "Inspect", "What is doubtful about it, and on which days bars are missing")
        self.reveal = button("datasetRevealButton", "Show in Folder", "Open its folder in the file manager")
        self.delete = button("datasetDeleteButton", "Move to Trash", "A file goes to the trash; a series of the catalogue asks first")
        self.again = button("datasetsRefreshButton", "Refresh", "Look again for files and series", "flat")
        self.timeframe = choice("resampleTimeframe", "Longer timeframe", ((each, each) for each in LONGER), is_open=True)
        self.timeframe.setMinimumContentsLength(3)
        self.timeframe.setCurrentIndex(LONGER.index("4h"))
        self.place = choice("resamplePlace", "Keep longer candles in", ((CATALOGUE, "Catalogue"), (FOLDER, "New file")))
        self.place.setMinimumContentsLength(9)
        self.resample = button("resampleButton", "Resample", "Make longer candles of it. Days and weeks are New York trading days")
        self.replace = ReplaceBox("resampleReplace")
        doing = row(self.open, self.inspect, self.reveal, self.delete, 1, self.again)
        making = row(label("Resample to", wraps=False), self.timeframe, self.place, self.resample, self.replace, 1)
        below = column(self.details, doing, making, self._confirmation(), self.foot, self.looking)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.faults)
        whole.addWidget(self.table, 1)
        whole.addLayout(below)

    def _confirmation(self) -> QWidget:
        self._confirm = QFrame(self)
        give(self._confirm, role="notice", tone="warning")
        self._asked_to_confirm = label("")
        self.confirm_text: QLineEdit = line("deleteName", "Name of the series to delete")
        self.confirm = button("deleteConfirmButton", "Delete for Good")
        stay = button("deleteStayButton", "Keep It")
        inside = QHBoxLayout(self._confirm)
        inside.setContentsMargins(GRID * 2, GRID, GRID, GRID)
        inside.setSpacing(GRID * 2)
        inside.addWidget(self._asked_to_confirm, 2)
        inside.addWidget(self.confirm_text, 1)
        inside.addWidget(self.confirm)
        inside.addWidget(stay)
        self.confirm.setEnabled(False)
        self.confirm_text.textChanged.connect(self._typed)
        self.confirm_text.returnPressed.connect(self._confirmed)
        self.confirm.clicked.connect(lambda _=False: self._confirmed())
        stay.clicked.connect(self._confirm.hide)
        self._confirm.hide()
        return self._confirm

    def _typed(self, text: str) -> None:
        item = self.chosen()
        self.confirm.setEnabled(item is not None and text.strip() == item.name)

    def _join(self) -> None:
        for follow in (self._leave_row, self._show_chosen):
            self.table.rowChosen.connect(lambda _, follow=follow: follow())
        for box in (self.timeframe, self.place):
            box.currentTextChanged.connect(lambda _: self.replace.take_back())
        self.table.rowActivated.connect(lambda _: self.open_chosen())
        self.table.stepAsked.connect(self.importAsked)
        for each, handler in (
            (self.open, self.open_chosen),
            (self.inspect, self._inspect),
            (self.reveal, self._reveal),
            (self.delete, self._delete),
            (self.again, self.refresh),
            (self.faults.again, self.refresh),
            (self.resample, self._resample),
        ):
            each.clicked.connect(lambda _=False, handler=handler: handler())
        self.foot.cancelAsked.connect(lambda: self._work.cancel("resample", "delete"))
        self.looking.cancelAsked.connect(lambda: self._work.cancel("list"))
        end = self._selection.zone.watch(lambda zone: self.table.put(dataset_columns(self.rows, zone)))
        self.destroyed.connect(end)


def series_of(item: DatasetRow) -> Series:
    return Series(item.symbol, item.timeframe, item.path) if item.path else Series(item.symbol, item.timeframe, "", item.where, item.side)


def _same(one: DatasetRow, other: DatasetRow) -> bool:
    return (one.where, one.path, one.symbol, one.timeframe, one.side) == (
        other.where,
        other.path,
        other.symbol,
        other.timeframe,
        other.side,
    )
