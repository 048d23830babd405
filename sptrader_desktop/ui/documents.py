"""The middle of the window: the chart, and beside it as tabs whatever text is open."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QTabBar, QTabWidget, QWidget

from sptrader_desktop.core.errors import DataError
from sptrader_desktop.present.navigator import Kind
from sptrader_desktop.present.text_files import TextKeeper
from sptrader_desktop.ui.desk import series_of_key
from sptrader_desktop.ui.editors.editor_pane import EditorPane
from sptrader_desktop.ui.market.chart_document import ChartDocument
from sptrader_desktop.ui.navigator import dragged_item


class Documents(QTabWidget):
    saved = Signal(object)  # Path
    edited = Signal(object)  # Path, at every change of its text
    opened = Signal(object)  # EditorPane, before its text is there
    datasetDropped = Signal(str)  # its key in the navigator
    chartsChanged = Signal()  # one came or went

    def __init__(
        self,
        chart: QWidget,
        strategy_editor: Callable[[], EditorPane],
        component_editor: Callable[[], EditorPane],
        keeper: TextKeeper,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("documents")
        self.setDocumentMode(True)
        self.setMovable(True)
        self.setTabsClosable(True)
        self.setAcceptDrops(True)
        self._chart, self._keeper = chart, keeper
        self._before_page = chart
        # WORKAROUND: a graphics view that was taken down while its items were being collected ended the whole program once. What is
        # closed gives its candles back and stays as an empty shell until the end.
        self._retired: list[ChartDocument] = []
        self._strategy_editor, self._component_editor = strategy_editor, component_editor
        self.addTab(chart, "Chart")
        self.tabCloseRequested.connect(self._close)
        self._head()

    @property
    def editors(self) -> list[EditorPane]:
        found = (self.widget(place) for place in range(self.count()))
        return [widget for widget in found if isinstance(widget, EditorPane)]

    @property
    def current_editor(self) -> EditorPane | None:
        widget = self.currentWidget()
        return widget if isinstance(widget, EditorPane) else None

    @property
    def charts(self) -> list[ChartDocument]:
        """Those beside the first."""
        found = (self.widget(place) for place in range(self.count()))
        return [widget for widget in found if isinstance(widget, ChartDocument)]

    @property
    def current_chart(self) -> ChartDocument | None:
        widget = self.currentWidget()
        return widget if isinstance(widget, ChartDocument) else None

    def add_chart(self, chart: ChartDocument, *, is_in_front: bool = True) -> None:
        chart.titleChanged.connect(lambda title: self.setTabText(self.indexOf(chart), title))
        chart.closeAsked.connect(lambda: self._close(self.indexOf(chart)))
        self.addTab(chart, chart.title)
        self._head()
        if is_in_front:
            self.setCurrentWidget(chart)
            chart.setFocus()
        self.chartsChanged.emit()

    def open(self, path: Path, *, is_in_front: bool = True) -> EditorPane:
        """In a tab of its own, or the one where it is open already; the keyboard goes only to what comes to the front."""
        editor = self.editor_of(path) or next((one for one in self.editors if one.path is None and one.wanted == path), None)
        if editor is None:
            editor = self._made(path)
            self.addTab(editor, path.name)
            editor.open(path)
            self._head()
        elif editor.path is None:
            editor.open(path)  # it could not be read before
        if is_in_front:
            self.setCurrentWidget(editor)
            editor.setFocus()
        return editor

    def editor_of(self, path: Path) -> EditorPane | None:
        return next((editor for editor in self.editors if editor.path == path), None)

    def moved(self, old: Path, new: Path) -> None:
        """A file got another name: its editor goes along, with what is not saved, and so do charts of its candles."""
        series = series_of_key(f":{new}")
        for chart in self.charts:
            if chart.series.path == str(old) and series is not None:
                chart.move_to(series)
        editor = self.editor_of(old)
        if editor is not None:
            editor.move_to(new)
            self._head()

    def refuse_unsaved(self, path: Path) -> None:
        """DataError where `path`, though no file is there, is still open or has text that was never saved: a rename would replace it."""
        if self.editor_of(path) is not None:
            raise DataError(f"{path.name} is still open, though its file is gone: save it or close its tab, or choose another name")
        if any(draft.path == path for draft in self._keeper.drafts()):
            raise DataError(f"{path.name} has unsaved text, though its file is gone: choose another name")

    def text_of(self, path: Path) -> str:
        """As its editor has it, saved or not; a file that is not open is read."""
        editor = self.editor_of(path)
        return editor.edit.text() if editor else self._keeper.read(path).text

    def show_chart(self) -> None:
        self.setCurrentWidget(self._chart)
        self._chart.setFocus()

    def show_page(self, page: QWidget, title: str) -> None:
        """A page that stays when its tab is closed."""
        if not self._is_page():
            self._before_page = self.currentWidget()
        if self.indexOf(page) < 0:
            self.addTab(page, title)
            self._head()
        self.setCurrentWidget(page)
        page.setFocus()

    def leave_page(self) -> None:
        """What was in front before it is there again; Qt moves the keyboard along if the page had it."""
        if self._is_page():
            self.setCurrentWidget(self._before_page)

    def _is_page(self) -> bool:
        return self.currentWidget() is not self._chart and not isinstance(self.currentWidget(), EditorPane | ChartDocument)

    def close_current(self) -> None:
        self._close(self.currentIndex())

    def _made(self, path: Path) -> EditorPane:
        editor = self._component_editor() if path.suffix == ".py" else self._strategy_editor()
        editor.titleChanged.connect(lambda title: self.setTabText(self.indexOf(editor), title))
        editor.saved.connect(self.saved)
        editor.edit.edited.connect(lambda: self.edited.emit(editor.path) if editor.path else None)
        self.opened.emit(editor)
        return editor

    def _close(self, place: int) -> None:
        """What is not saved stays as a draft and comes back when the file is opened again."""
        widget = self.widget(place)
        if isinstance(widget, EditorPane) and not widget.close_document():
            return  # it says why
        focused = QApplication.focusWidget()
        had_keyboard = widget is not None and focused is not None and widget.isAncestorOf(focused)
        if widget is not self._chart:
            self.removeTab(place)
        if widget is self._before_page:
            self._before_page = self._chart
        if had_keyboard:
            self.currentWidget().setFocus()
        if isinstance(widget, ChartDocument):
            widget.close_document()
            self._retired.append(widget)
            self.chartsChanged.emit()
        elif isinstance(widget, EditorPane):
            widget.deleteLater()
        self._head()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        dragged = dragged_item(event.mimeData())
        if dragged is not None and dragged[0] is Kind.DATASET:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        dragged = dragged_item(event.mimeData())
        if dragged is not None and dragged[0] is Kind.DATASET:
            event.acceptProposedAction()
            self.datasetDropped.emit(dragged[1])

    def _head(self) -> None:
        """With nothing but the chart, tabs say nothing; and the chart is not closed."""
        bar = self.tabBar()
        bar.setVisible(self.count() > 1)
        # Tab would stay for ever before a row of tabs that is not there.
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus if self.count() > 1 else Qt.FocusPolicy.NoFocus)
        for place in range(self.count()):
            for side in (QTabBar.ButtonPosition.LeftSide, QTabBar.ButtonPosition.RightSide):
                button = _button(bar, place, side)
                if button is not None and self.widget(place) is self._chart:
                    bar.setTabButton(place, side, None)
                    button.deleteLater()
                elif button is not None:
                    button.setObjectName("closeTabButton")
                    button.setAccessibleName(f"Close {self.tabText(place)}")


def _button(bar: QTabBar, place: int, side: QTabBar.ButtonPosition) -> QWidget | None:
    """There is none on one of the two sides, which its type does not say."""
    return bar.tabButton(place, side)
