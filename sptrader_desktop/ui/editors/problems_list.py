"""Everything that is wrong with a text, under it: a row for each problem, and Enter or a click goes there."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QModelIndex, Qt, Signal
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QAbstractItemView, QLabel, QTreeView, QVBoxLayout, QWidget

from sptrader_desktop.present.text_problems import TextProblem
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.tokens import BODY, GRID
from sptrader_desktop.ui.widgets.words import tip

MOST_ROWS = 6


class ProblemsList(QWidget):
    chosen = Signal(object)  # the TextProblem

    def __init__(self, good: str, parent: QWidget | None = None) -> None:
        """`good` is what is said when there is nothing wrong."""
        super().__init__(parent)
        self._good = good
        self._problems: tuple[TextProblem, ...] = ()
        self.headline = QLabel(self)
        self.headline.setObjectName("problemsHeadline")
        self._rows = QStandardItemModel(0, 2, self)
        self.view = QTreeView(self)
        self.view.setObjectName("problemsList")
        self.view.setAccessibleName("Problems")
        self.view.setModel(self._rows)
        self.view.setRootIsDecorated(False)
        self.view.setHeaderHidden(True)
        self.view.setUniformRowHeights(True)
        self.view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.view.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.view.activated.connect(self._choose)
        self.view.clicked.connect(self._choose)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.headline.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        column.addWidget(self.headline)
        column.addWidget(self.view)
        self.say_waiting()

    def say_waiting(self) -> None:
        self.headline.setText("Checking …")

    def show_problems(self, problems: Sequence[TextProblem]) -> None:
        self._problems = tuple(problems)
        self._rows.removeRows(0, self._rows.rowCount())
        for problem in problems:
            place, said = QStandardItem(f"{problem.line}:{problem.column}"), QStandardItem(problem.message)
            place.setFont(look().font(BODY, fixed=True))
            place.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            said.setToolTip(tip(problem.message))
            self._rows.appendRow([place, said])
        count = len(problems)
        self.headline.setText(f"✗ {count} problem{'' if count == 1 else 's'}, F8 goes to the next" if count else f"✓ {self._good}")
        self.view.setVisible(bool(count))
        self.view.setColumnWidth(0, self.view.sizeHintForColumn(0) + 3 * GRID)
        rows = min(count, MOST_ROWS)
        self.view.setFixedHeight(rows * max(self.view.sizeHintForRow(0), 0) + 2 * self.view.frameWidth())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._problems:
            self.show_problems(self._problems)

    def _choose(self, index: QModelIndex) -> None:
        self.chosen.emit(self._problems[index.row()])
