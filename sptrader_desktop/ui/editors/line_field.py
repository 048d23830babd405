"""Go to line: a field under the code that takes a number and is gone."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QIntValidator, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QWidget

from sptrader_desktop.ui.editors.code_edit import CodeEdit
from sptrader_desktop.ui.theme.tokens import GRID


class LineField(QWidget):
    def __init__(self, edit: CodeEdit, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._edit = edit
        self.label, self.field = QLabel(self), QLineEdit(self)
        self.field.setObjectName("goToLineField")
        self.field.setAccessibleName("Go to line")
        self.field.setValidator(QIntValidator(1, 9_999_999, self))
        self.field.setFixedWidth(GRID * 24)
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        row.addWidget(self.label)
        row.addWidget(self.field)
        row.addStretch(1)
        self.field.returnPressed.connect(self._go)
        self.hide()

    def open(self) -> None:
        self.label.setText(f"Go to line (1 to {self._edit.blockCount():,})")
        self.field.setText(str(self._edit.textCursor().blockNumber() + 1))
        self.show()
        self.field.setFocus()
        self.field.selectAll()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.hide()
            self._edit.setFocus()
            return
        super().keyPressEvent(event)

    def _go(self) -> None:
        self.hide()
        self._edit.go_to_line(int(self.field.text()))
