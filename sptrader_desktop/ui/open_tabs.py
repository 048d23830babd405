"""Which tabs stand in the middle of the window and which is in front, kept at the end and there again at the next start."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QWidget

from sptrader_desktop.present.preferences import Preferences
from sptrader_desktop.ui.afterwards import in_another_turn
from sptrader_desktop.ui.documents import Documents
from sptrader_desktop.ui.editors.editor_pane import EditorPane
from sptrader_desktop.ui.market.chart_document import ChartDocument

CHART = "chart"


class OpenTabs(QObject):
    """`chart` has the keyboard when the window is shown. `pages` opens those that are made when they are first asked for, by their object
    names. Charts are kept by their own page."""

    def __init__(self, documents: Documents, chart: QWidget, pages: Mapping[str, Callable[[], object]]) -> None:
        super().__init__(documents)
        self._documents, self._chart, self._pages = documents, chart, pages
        self._left: list[Callable[[], object]] | None = None  # what is still to be opened; nothing was begun yet

    def kept(self, preferences: Preferences) -> Preferences:
        """A window that ends before it was filled leaves what it found."""
        if self._left is None or self._left:
            return preferences
        texts = tuple(str(editor.path) for editor in self._documents.editors if editor.path)
        return replace(preferences, texts=texts, front=self._front())

    def restore(self, preferences: Preferences) -> None:
        """One a turn of the loop. Files that are gone are no reason to stop."""
        found = [path for path in map(Path, preferences.texts) if path.is_file()]
        texts = [partial(self._documents.open, path, is_in_front=False) for path in found]
        self._left = [*texts, partial(self._bring, preferences.front)]
        self._next()

    def _next(self) -> None:
        if self._left:
            step = self._left.pop(0)
            in_another_turn(self, self._next)  # asked for first: one that fails keeps no other closed
            step()

    def _front(self) -> str:
        widget = self._documents.currentWidget()
        if isinstance(widget, EditorPane):
            return str(widget.path)
        if isinstance(widget, ChartDocument):
            return _named(widget)
        return widget.objectName() if widget.objectName() in self._pages else CHART

    def _bring(self, front: str) -> None:
        """Nothing where it is not known which. A person who went somewhere meanwhile stays there: the next key is meant for that place."""
        if (QApplication.focusWidget() or self._documents.window().focusWidget()) is not self._chart:
            return
        charts = {_named(chart): chart for chart in self._documents.charts}
        editor = self._documents.editor_of(Path(front)) if front else None
        if front in self._pages:
            self._pages[front]()
        elif (widget := charts.get(front) or editor) is not None:
            self._documents.setCurrentWidget(widget)
            widget.setFocus()


def _named(chart: ChartDocument) -> str:
    return f"{CHART} {chart.tab.dataset} {chart.tab.side}"
