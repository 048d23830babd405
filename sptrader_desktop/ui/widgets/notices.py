"""Messages that interrupt nobody: a few at the edge of the window, each with what can be done about it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from sptrader_desktop.ui.theme.icons import icon
from sptrader_desktop.ui.theme.roles import Tone, give
from sptrader_desktop.ui.theme.tokens import GRID
from sptrader_desktop.ui.widgets.icon_label import IconLabel
from sptrader_desktop.ui.widgets.words import Words

Kind = Literal["note", "done", "warning", "error"]
SIGNS: dict[Kind, tuple[str, str, Tone]] = {
    "note": ("info", "Note", "accent"),
    "done": ("circle-check", "Done", "up"),
    "warning": ("triangle-alert", "Warning", "warning"),
    "error": ("circle-alert", "Error", "danger"),
}
SHOWN = 3
PASSING_MS = 10_000


@dataclass(frozen=True, slots=True)
class Notice:
    """Notes and what is done pass by themselves; warnings and errors stay until dismissed. One with the same key takes its place."""

    text: str
    kind: Kind = "note"
    action: str = ""
    do: Callable[[], object] | None = None
    key: str = ""


class NoticeBar(QFrame):
    dismissed = Signal()

    def __init__(self, notice: Notice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        drawing, word, tone = SIGNS[notice.kind]
        give(self, role="notice", tone=tone)
        self.notice = notice
        self.setAccessibleName(f"{word}: {notice.text}")
        words = Words(f"{word}: {notice.text}" if notice.kind in {"warning", "error"} else notice.text)
        words.setWordWrap(True)
        line = QHBoxLayout(self)
        line.setContentsMargins(GRID * 2, GRID, GRID, GRID)
        line.setSpacing(GRID * 2)
        line.addWidget(IconLabel(drawing, tone))
        line.addWidget(words, 1)
        if notice.do is not None:
            line.addWidget(self._action_button(notice))
        line.addWidget(self._dismiss_button(notice))
        if notice.kind in {"note", "done"}:
            QTimer.singleShot(PASSING_MS, self, self.dismissed.emit)

    def _action_button(self, notice: Notice) -> QPushButton:
        button = QPushButton(notice.action)
        button.setObjectName("noticeActionButton")
        button.setAccessibleName(f"{notice.action}: {notice.text}")
        button.clicked.connect(self._act)
        return button

    def _dismiss_button(self, notice: Notice) -> QToolButton:
        button = QToolButton()
        button.setIcon(icon("x", "muted"))
        button.setObjectName("noticeDismissButton")
        button.setAccessibleName(f"Dismiss: {notice.text}")
        button.setToolTip("Dismiss")
        give(button, role="flat")
        button.clicked.connect(self.dismissed)
        return button

    def _act(self) -> None:
        do = self.notice.do
        self.dismissed.emit()
        if do is not None:
            do()


class Notices(QWidget):
    """The newest three are shown; older ones wait below and none is lost."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("notices")
        self._bars: list[NoticeBar] = []
        self._more = QLabel()
        give(self._more, role="small")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(GRID)
        self._column.addWidget(self._more)
        self._arrange()

    def tell(self, notice: Notice) -> NoticeBar:
        for old in [bar for bar in self._bars if notice.key and bar.notice.key == notice.key]:
            self._drop(old)
        bar = NoticeBar(notice, self)
        bar.dismissed.connect(lambda: self._drop(bar))
        self._bars.insert(0, bar)
        self._column.insertWidget(0, bar)
        self._arrange()
        return bar

    def waiting(self) -> list[Notice]:
        return [bar.notice for bar in self._bars]

    def dismiss(self, key: str) -> None:
        for bar in [bar for bar in self._bars if bar.notice.key == key]:
            self._drop(bar)

    def _drop(self, bar: NoticeBar) -> None:
        if bar in self._bars:
            self._bars.remove(bar)
            bar.hide()
            bar.deleteLater()
            self._arrange()

    def _arrange(self) -> None:
        for place, bar in enumerate(self._bars):
            bar.setVisible(place < SHOWN)
        hidden = len(self._bars) - SHOWN
        self._more.setText(f"{hidden} more")
        self._more.setVisible(hidden > 0)
        self.setVisible(bool(self._bars))
