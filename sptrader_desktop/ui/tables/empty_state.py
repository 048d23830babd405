"""What a pane shows before it has anything to show: what will be here, and the step that fills it."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from sptrader_desktop.ui.theme.tokens import GRID


class EmptyState(QWidget):
    stepAsked = Signal()

    def __init__(self, name: str, title: str, text: str, step: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"{name}Empty")
        self.setAccessibleName(f"{title}. {text}")
        heading, body = QLabel(title), QLabel(text)
        heading.setProperty("role", "title")
        body.setProperty("role", "muted")
        layout = QVBoxLayout(self)
        layout.setSpacing(2 * GRID)
        layout.addStretch(2)
        for label in (heading, body):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            label.setWordWrap(True)
            layout.addWidget(label)
        if step:
            button = QPushButton(step)
            button.setObjectName(f"{name}Step")
            button.setAccessibleName(step)
            button.setProperty("role", "primary")
            button.clicked.connect(self.stepAsked)
            layout.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(3)
