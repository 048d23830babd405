"""A choice whose words end in … where there is no room for them: a styled QComboBox of Qt's cuts them off in the middle of a letter."""

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QHelpEvent, QPaintEvent
from PySide6.QtWidgets import QComboBox, QStyle, QStyleOptionComboBox, QStylePainter, QToolTip

from sptrader_desktop.ui.widgets.words import tip


class ChoiceBox(QComboBox):
    """What is cut short is said whole where the pointer rests. Behind the mark in `keeps` it is the beginning that is cut."""

    keeps = ""

    def sizeHint(self) -> QSize:
        return self._asked(super().sizeHint())

    def minimumSizeHint(self) -> QSize:
        return self._asked(super().minimumSizeHint())

    def _asked(self, hint: QSize) -> QSize:
        """WORKAROUND: what Qt keeps of its hint when the style sheet changes may be twice as wide as is asked for."""
        if self.sizeAdjustPolicy() is not QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon:
            return hint
        option, metrics = QStyleOptionComboBox(), self.fontMetrics()
        self.initStyleOption(option)
        content = QSize(metrics.horizontalAdvance("0") * self.minimumContentsLength(), metrics.height())
        return QSize(self.style().sizeFromContents(QStyle.ContentsType.CT_ComboBox, option, content, self).width(), hint.height())

    def shown_text(self) -> str:
        return self._option().currentText

    def _text(self) -> str:
        return self.currentText() or self.placeholderText()

    def _option(self) -> QStyleOptionComboBox:
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        room = self.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, self)
        option.currentText = self._elided(room.width())
        return option

    def _elided(self, room: int) -> str:
        words, metrics = self._text(), self.fontMetrics()
        kept = words[: words.find(self.keeps) + len(self.keeps)] if self.keeps and self.keeps in words else ""
        left = room - metrics.horizontalAdvance(kept)
        if not kept or left <= 0:
            return metrics.elidedText(words, Qt.TextElideMode.ElideRight, room)
        return kept + metrics.elidedText(words.removeprefix(kept), Qt.TextElideMode.ElideLeft, left)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, option = QStylePainter(self), self._option()
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        painter.end()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip and self.shown_text() != self._text():
            QToolTip.showText(event.globalPos(), tip(self._text()), self)
            return True
        return super().event(event)
