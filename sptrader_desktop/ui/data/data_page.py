"""The Data page: its panels side by side as tabs, joined so that what one of them changes the others show."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QShowEvent
from PySide6.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from sptrader_desktop.present.datasets import DatasetRow
from sptrader_desktop.present.selection import Selection
from sptrader_desktop.ui.data.data_desk import DataDesk
from sptrader_desktop.ui.data.data_work import DataWork
from sptrader_desktop.ui.data.database_panel import DatabasePanel
from sptrader_desktop.ui.data.datasets_panel import DatasetsPanel
from sptrader_desktop.ui.data.doctor_panel import DoctorPanel
from sptrader_desktop.ui.data.download_panel import DownloadPanel
from sptrader_desktop.ui.data.import_panel import ImportPanel
from sptrader_desktop.ui.data.parts import named
from sptrader_desktop.ui.jobs import Jobs


class DataPage(QWidget):
    """`unforeseen` is told of defects. The list is made when the page is first shown."""

    seriesAsked = Signal(object)  # Series: show it as a chart
    momentAsked = Signal(object, object)  # Series, and where to look at it: the instant a trading day begins, in microseconds UTC
    datasetsChanged = Signal()  # files or series came or went

    def __init__(
        self,
        desk: DataDesk,
        jobs: Jobs,
        selection: Selection,
        unforeseen: Callable[[BaseException, str], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("dataPage")
        self.setAccessibleName("Data")
        self.setAcceptDrops(True)
        self.work = DataWork(jobs, self)
        self.datasets = DatasetsPanel(desk, self.work, selection)
        self.imports = ImportPanel(desk, self.work)
        self.doctor = DoctorPanel(desk, self.work)
        self.downloads = DownloadPanel(desk, self.work)
        self.database = DatabasePanel(desk, self.work)
        self._was_shown = False
        self.tabs = QTabWidget()
        named(self.tabs, "dataTabs", "Data")
        for title, panel in (
            ("Datasets", self.datasets),
            ("Import", self.imports),
            ("Doctor", self.doctor),
            ("Download", self.downloads),
            ("PostgreSQL", self.database),
        ):
            self.tabs.addTab(panel, title)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.tabs)
        self.work.unforeseen.connect(unforeseen)
        self._join()

    def open_file(self, path: Path) -> None:
        """For import, wherever it comes from."""
        self.tabs.setCurrentWidget(self.imports)
        self.imports.take(path)

    def examine(self, row: DatasetRow) -> None:
        self.tabs.setCurrentWidget(self.doctor)
        self.doctor.examine(row)

    def _join(self) -> None:
        self.datasets.seriesAsked.connect(self.seriesAsked)
        self.datasets.doctorAsked.connect(self.examine)
        self.datasets.importAsked.connect(lambda: self.tabs.setCurrentWidget(self.imports))
        self.doctor.momentAsked.connect(self.momentAsked)
        self.doctor.datasetsAsked.connect(lambda: self.tabs.setCurrentWidget(self.datasets))
        for changed in (self.imports.kept, self.downloads.kept, self.database.used, self.work.changed):
            changed.connect(self._changed)

    def _changed(self) -> None:
        self.datasets.refresh()
        self.datasetsChanged.emit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._was_shown:
            self._was_shown = True
            self.datasets.refresh()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """One file at a time: of several all but the first would be left without a word."""
        urls = event.mimeData().urls()
        if len(urls) == 1 and urls[0].isLocalFile():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.open_file(Path(event.mimeData().urls()[0].toLocalFile()))
