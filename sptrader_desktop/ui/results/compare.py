"""Kept runs beside each other: their curves, their figures, what went in differently, and the strategy text line by line."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QColor, QSyntaxHighlighter, QTextCharFormat
from PySide6.QtWidgets import QPlainTextEdit, QSplitter, QStackedLayout, QTabWidget, QWidget

from sptrader_desktop.present.run_compare import KeptRun, figure_table, input_table, text_difference
from sptrader_desktop.present.selection import Selection, Zone
from sptrader_desktop.ui.results.curve_picture import Curve, CurvePicture
from sptrader_desktop.ui.tables.data_table import DataTable
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.widgets.empty_state import EmptyState

SAME_TEXT = "The strategy texts are the same."


class ComparePanel(QWidget):
    """`show_runs` fills it; the first run is what the others are measured against. What shows them is made when they come."""

    chooseAsked = Signal()  # the list of kept runs

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("comparePanel")
        self.setAccessibleName("Comparison of runs")
        self._selection = selection
        self._runs: Sequence[KeptRun] = ()
        self._is_made = False
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._empty())
        end = selection.zone.watch(self._draw_curves)
        self.destroyed.connect(end)

    def _make(self) -> None:
        if self._is_made:
            return
        self._is_made = True
        self.curves = CurvePicture("comparePicture", "Growth since the start")
        self.figures = DataTable("comparedFigures", "Figures", "")
        self.inputs = DataTable("comparedInputs", "Differences", "These runs were made from the same inputs.")
        self.text = QPlainTextEdit()
        self._build()

    def show_runs(self, runs: Sequence[KeptRun]) -> None:
        self._make()
        self._runs = runs
        self._draw_curves(self._selection.zone.value)
        self.figures.put(figure_table(runs))
        self.inputs.put(input_table(runs))
        parts = [text_difference(runs[0], run) for run in runs[1:]]
        self.text.setPlainText("\n\n".join(part for part in parts if part) or SAME_TEXT)
        self._stack.setCurrentIndex(1)

    def _draw_curves(self, zone: Zone) -> None:
        if self._is_made:
            self.curves.put([Curve(run.id, run.instants, run.growth) for run in self._runs], zone)

    def _empty(self) -> EmptyState:
        text = "Choose two or more runs in the history: their curves, figures and differences will be here."
        empty = EmptyState("git-compare", "Nothing to compare yet", text, "Show Run History", self.chooseAsked.emit)
        empty.button.setObjectName("compareStep")
        return empty

    def _build(self) -> None:
        self.text.setObjectName("comparedText")
        self.text.setAccessibleName("Difference of the strategy texts")
        self.text.setReadOnly(True)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._marks = DifferenceMarks(self.text.document())
        self._wear()
        tabs = QTabWidget()
        tabs.setObjectName("compareTabs")
        tabs.setAccessibleName("Pages of the comparison")
        tabs.setDocumentMode(True)
        for page, title in ((self.figures, "Figures"), (self.inputs, "Differences"), (self.text, "Strategy Text")):
            tabs.addTab(page, title)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(self.curves)
        split.addWidget(tabs)
        split.setChildrenCollapsible(False)
        self._stack.addWidget(split)

    def _wear(self) -> None:
        self.text.setFont(look().font(fixed=True))
        self._marks.rehighlight()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange and self._is_made:
            self._wear()


class DifferenceMarks(QSyntaxHighlighter):
    """Lines that came and went; the sign at their beginning says the same."""

    def highlightBlock(self, text: str) -> None:
        colour: QColor | None = None
        if text.startswith(("---", "+++", "@@")):
            colour = look().colour("muted")
        elif text.startswith("+"):
            colour = look().colour("up")
        elif text.startswith("-"):
            colour = look().colour("down")
        if colour is not None:
            shape = QTextCharFormat()
            shape.setForeground(colour)
            self.setFormat(0, len(text), shape)
