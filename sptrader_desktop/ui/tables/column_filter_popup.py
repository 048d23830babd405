"""The little window in which one column is filtered: a line to write in, and boxes to tick where the column has few words."""

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QCheckBox, QFrame, QLabel, QLineEdit, QVBoxLayout, QWidget

from sptrader_desktop.present.column_filters import HOW
from sptrader_desktop.present.columns import Column, Kind
from sptrader_desktop.ui.theme.tokens import GRID

MOST_BOXES = 14


class ColumnFilterPopup(QFrame):
    changed = Signal(str, str)  # key of the column, what was typed

    def __init__(self, column: Column, typed: str, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setObjectName("columnFilterPopup")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._key = column.key
        layout = QVBoxLayout(self)
        layout.setSpacing(GRID)
        title = QLabel(f"Filter {column.header}")
        title.setProperty("role", "small")
        layout.addWidget(title)
        self._line = QLineEdit(typed)
        self._line.setObjectName("columnFilterLine")
        self._line.setAccessibleName(f"Filter {column.header}")
        self._line.setClearButtonEnabled(True)
        layout.addWidget(self._line)
        if column.kind is Kind.WORD:
            self._boxes = self._make_boxes(column, typed)
        else:
            self._boxes = []
            how = QLabel(HOW[column.kind][:1].upper() + HOW[column.kind][1:])
            how.setProperty("role", "muted")
            layout.addWidget(how)
        for box in self._boxes:
            layout.addWidget(box)
        self._line.textChanged.connect(lambda text: self.changed.emit(self._key, text))

    def open_at(self, place: QPoint) -> None:
        self.adjustSize()
        self.move(place)
        self.show()
        self._line.setFocus()

    def _make_boxes(self, column: Column, typed: str) -> list[QCheckBox]:
        words = sorted({column.words[code] for code in set(column.values.tolist())} - {""}, key=str.casefold)
        if not 1 < len(words) <= MOST_BOXES:
            return []
        chosen = {part.strip().removeprefix("=").casefold() for part in typed.split(",")}
        boxes = []
        for word in words:
            box = QCheckBox(word)
            box.setObjectName(f"columnFilterBox_{word}")
            box.setChecked(word.casefold() in chosen)
            box.toggled.connect(self._write)
            boxes.append(box)
        return boxes

    def _write(self) -> None:
        self._line.setText(", ".join(f"={box.text()}" for box in self._boxes if box.isChecked()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape):
            self.close()
            return
        super().keyPressEvent(event)
