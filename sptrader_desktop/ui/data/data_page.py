"""The Data page: its panels side by side as tabs, joined so that what one of them changes the others show. A panel is made when it is first
looked at: to make all of them would hold the window up.
"""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QSignalBlocker, Signal
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

Panel = TypeVar("Panel", bound=QWidget)
PANELS = {"datasets": "Datasets", "imports": "Import", "doctor": "Doctor", "downloads": "Download", "database": "PostgreSQL"}


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
        self._desk, self._selection = desk, selection
        self.work = DataWork(jobs, self)
        self._was_shown = False
        self.tabs = QTabWidget()
        named(self.tabs, "dataTabs", "Data")
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.tabs)
        for title in PANELS.values():
            self.tabs.addTab(QWidget(), title)
        self.tabs.currentChanged.connect(lambda at: getattr(self, [*PANELS][at]))
        self.work.unforeseen.connect(unforeseen)
        self.work.changed.connect(self._changed)

    # The panels, each made when it is first asked for

    @cached_property
    def datasets(self) -> DatasetsPanel:
        panel = self._put("datasets", DatasetsPanel(self._desk, self.work, self._selection))
        panel.seriesAsked.connect(self.seriesAsked)
        panel.doctorAsked.connect(self.examine)
        panel.importAsked.connect(lambda: self.tabs.setCurrentWidget(self.imports))
        return panel

    @cached_property
    def imports(self) -> ImportPanel:
        panel = self._put("imports", ImportPanel(self._desk, self.work))
        panel.kept.connect(self._changed)
        return panel

    @cached_property
    def doctor(self) -> DoctorPanel:
        panel = self._put("doctor", DoctorPanel(self._desk, self.work))
        panel.momentAsked.connect(self.momentAsked)
        panel.datasetsAsked.connect(lambda: self.tabs.setCurrentWidget(self.datasets))
        return panel

    @cached_property
    def downloads(self) -> DownloadPanel:
        panel = self._put("downloads", DownloadPanel(self._desk, self.work))
        panel.kept.connect(self._changed)
        return panel

    @cached_property
    def database(self) -> DatabasePanel:
        panel = self._put("database", DatabasePanel(self._desk, self.work))
        panel.used.connect(self._changed)
        return panel

    def _put(self, name: str, panel: Panel) -> Panel:
        """In the place that was kept for it; nobody need hear that tabs come and go meanwhile."""
        at, current = [*PANELS].index(name), self.tabs.currentIndex()
        kept_free: QWidget | None = self.tabs.widget(at)
        with QSignalBlocker(self.tabs):
            self.tabs.removeTab(at)
            self.tabs.insertTab(at, panel, PANELS[name])
            self.tabs.setCurrentIndex(current)
        if kept_free is not None:
            kept_free.deleteLater()
        return panel

    def open_file(self, path: Path) -> None:
        """For import, wherever it comes from."""
        self.tabs.setCurrentWidget(self.imports)
        self.imports.take(path)

    def examine(self, row: DatasetRow) -> None:
        self.tabs.setCurrentWidget(self.doctor)
        self.doctor.examine(row)

    def _changed(self) -> None:
        self.datasets.refresh()
        self.datasetsChanged.emit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._was_shown:
            self._was_shown = True
            self.datasets.refresh()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls() and event.mimeData().urls()[0].isLocalFile():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.open_file(Path(event.mimeData().urls()[0].toLocalFile()))
