"""The Data page: its panels side by side as tabs, joined so that what one of them changes the others show. A panel is made when it is first
looked at: to make all of them would hold the window up.
"""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QScrollArea, QTabWidget, QVBoxLayout, QWidget

from sptrader_desktop.present.datasets import DatasetRow
from sptrader_desktop.present.selection import Selection
from sptrader_desktop.ui.afterwards import in_another_turn
from sptrader_desktop.ui.data.data_desk import DataDesk
from sptrader_desktop.ui.data.data_work import DataWork
from sptrader_desktop.ui.data.database_panel import DatabasePanel
from sptrader_desktop.ui.data.datasets_panel import DatasetsPanel
from sptrader_desktop.ui.data.doctor_panel import DoctorPanel
from sptrader_desktop.ui.data.download_panel import DownloadPanel
from sptrader_desktop.ui.data.import_panel import ImportPanel
from sptrader_desktop.ui.data.parts import bring_into_sight, named, scrolled_place
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
        self._places = {name: scrolled_place() for name in PANELS}
        for name, place in self._places.items():
            self.tabs.addTab(place, PANELS[name])
        self.tabs.currentChanged.connect(lambda at: getattr(self, [*PANELS][at]))
        self.work.unforeseen.connect(unforeseen)
        self.work.changed.connect(self._changed)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._bring)

    # The panels, each made when it is first asked for

    @cached_property
    def datasets(self) -> DatasetsPanel:
        panel = self._put("datasets", lambda place: DatasetsPanel(self._desk, self.work, self._selection, place))
        panel.seriesAsked.connect(self.seriesAsked)
        panel.doctorAsked.connect(self.examine)
        panel.importAsked.connect(lambda: self.show_panel("imports"))
        return panel

    @cached_property
    def imports(self) -> ImportPanel:
        panel = self._put("imports", lambda place: ImportPanel(self._desk, self.work, place))
        panel.kept.connect(self._changed)
        return panel

    @cached_property
    def doctor(self) -> DoctorPanel:
        panel = self._put("doctor", lambda place: DoctorPanel(self._desk, self.work, place))
        panel.momentAsked.connect(self.momentAsked)
        panel.datasetsAsked.connect(lambda: self.show_panel("datasets"))
        return panel

    @cached_property
    def downloads(self) -> DownloadPanel:
        panel = self._put("downloads", lambda place: DownloadPanel(self._desk, self.work, place))
        panel.kept.connect(self._changed)
        return panel

    @cached_property
    def database(self) -> DatabasePanel:
        panel = self._put("database", lambda place: DatabasePanel(self._desk, self.work, place))
        panel.used.connect(self._changed)
        return panel

    def _put(self, name: str, make: Callable[[QWidget], Panel]) -> Panel:
        """Made where it stays: what is moved into another widget has its look worked out once more. To make it and to lay it out in one
        turn would hold the window up."""
        place = self._places[name]
        panel = make(place.viewport())
        in_another_turn(panel, lambda: _lay_out(place, panel))
        return panel

    def show_panel(self, name: str) -> None:
        self.tabs.setCurrentWidget(self._places[name])

    def open_file(self, path: Path) -> None:
        """For import, wherever it comes from."""
        self.show_panel("imports")
        in_another_turn(self, lambda: self.imports.take(path))  # the panel was perhaps made just now

    def examine(self, row: DatasetRow) -> None:
        self.show_panel("doctor")
        self.doctor.examine(row)

    def _changed(self) -> None:
        self.datasets.refresh()
        self.datasetsChanged.emit()

    def _bring(self, _before: QWidget | None, now: QWidget | None) -> None:
        """What has the keyboard is in sight, however it got it; what was shown just now has no place before its turn."""
        place = self._places[[*PANELS][self.tabs.currentIndex()]]
        if now is not None and place.isAncestorOf(now):
            in_another_turn(now, lambda: bring_into_sight(now))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._was_shown:
            self._was_shown = True
            in_another_turn(self, self._list)

    def _list(self) -> None:
        in_another_turn(self.datasets, self.datasets.refresh)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """One file at a time: of several all but the first would be left without a word."""
        urls = event.mimeData().urls()
        if len(urls) == 1 and urls[0].isLocalFile():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.open_file(Path(event.mimeData().urls()[0].toLocalFile()))


def _lay_out(place: QScrollArea, panel: QWidget) -> None:
    place.setWidget(panel)
    panel.show()  # Qt would do so in the next turn
