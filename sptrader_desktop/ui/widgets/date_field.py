"""A day to type or to pick: a line that takes `2024-03-01`, and a calendar below it at a click or Alt+Down."""

from PySide6.QtCore import QDate, QLocale, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QTextCharFormat
from PySide6.QtWidgets import QCalendarWidget, QFrame, QLineEdit, QVBoxLayout, QWidget

from sptrader_desktop.ui.theme.icons import icon
from sptrader_desktop.ui.theme.look import look
from sptrader_desktop.ui.theme.tokens import GRID

SPELLING = "yyyy-MM-dd"


class CalendarPopup(QFrame):
    chosen = Signal(QDate)

    def __init__(self, shown: QDate, words: str, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setObjectName("calendarPopup")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.calendar = QCalendarWidget()
        self.calendar.setObjectName("calendar")
        self.calendar.setAccessibleName(words)
        self.calendar.setVerticalHeaderFormat(QCalendarWidget.VerticalHeaderFormat.NoVerticalHeader)
        self.calendar.setLocale(QLocale(QLocale.Language.English))  # as the window, whatever the system speaks
        self.calendar.setFirstDayOfWeek(Qt.DayOfWeek.Monday)
        self.calendar.setSelectedDate(shown)
        self._colour()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.calendar)
        self.calendar.clicked.connect(self._choose)
        self.calendar.activated.connect(self._choose)

    def open_at(self, place: QPoint) -> None:
        self.move(place)
        self.show()
        self.resize(self.calendar.sizeHint().width() + GRID * 6, self.calendar.sizeHint().height() + GRID * 8)
        room = self.screen().availableGeometry()
        self.move(min(place.x(), room.right() - self.width()), min(place.y(), room.bottom() - self.height()))
        self.calendar.setFocus()

    def _colour(self) -> None:
        """Qt's own calendar writes weekends in a red that is hard to read on dark ground."""
        plain = QTextCharFormat()
        plain.setForeground(look().colour("text"))
        for day in (Qt.DayOfWeek.Saturday, Qt.DayOfWeek.Sunday):
            self.calendar.setWeekdayTextFormat(day, plain)
        self.calendar.setHeaderTextFormat(plain)

    def _choose(self, day: QDate) -> None:
        self.chosen.emit(day)
        self.close()


class DateField(QLineEdit):
    """`first` is the day that the calendar opens at while none is typed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.first = QDate.currentDate()
        pick = self.addAction(icon("calendar", "muted"), QLineEdit.ActionPosition.TrailingPosition)
        pick.setToolTip("Pick a day (Alt+Down)")
        pick.triggered.connect(self.pick)

    def pick(self) -> None:
        typed = QDate.fromString(self.text().strip()[:10], SPELLING)
        popup = CalendarPopup(typed if typed.isValid() else self.first, self.accessibleName(), self)
        popup.chosen.connect(lambda day: self.setText(day.toString(SPELLING)))
        popup.open_at(self.mapToGlobal(QPoint(0, self.height())))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Down and event.modifiers() & Qt.KeyboardModifier.AltModifier:
            self.pick()
            return
        super().keyPressEvent(event)
